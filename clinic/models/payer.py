from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.limits import MAX_RETURN_DAYS
from clinic.models.ranges import Fold

ANS_NUMBER_HELP = _("Os seis dígitos do registro da operadora na ANS.")


class Payer(ClinicRow):
    """An institution that pays for visits: a convênio in Brazil; ADSE, an insurance or the SNS in Portugal.

    A patient or an appointment without one is private. One that is not `active` is proposed no more, and stays where it
    was chosen. It pays for visits on the local dates from `valid_from` to `valid_until`, for at most `per_day` on one
    of them, and with `requires_authorization` only for those that have a guia; None restricts nothing. With which
    doctors, on which weekdays, `PayerDoctor` says. For `return_days` after a paid visit its patients' returns are free,
    0 for never; None for as long as the procedure says.
    """

    class Kind(models.TextChoices):
        HEALTH_PLAN = "health_plan", _("convênio")
        SUBSYSTEM = "subsystem", _("ADSE ou outro subsistema")
        INSURANCE = "insurance", _("seguro de saúde")
        SNS = "sns", _("convenção com o SNS")
        OTHER = "other", _("outra entidade")

    kind = models.CharField(_("tipo"), max_length=11, choices=Kind)
    name = models.CharField(_("nome"), max_length=60)
    folded_name = models.GeneratedField(expression=Fold("name"), output_field=models.TextField(), db_persist=True)
    ans_number = models.CharField(_("registro ANS"), max_length=6, blank=True, help_text=ANS_NUMBER_HELP)
    active = models.BooleanField(_("aceito"), default=True)
    valid_from = models.DateField(_("aceito de"), null=True, blank=True, help_text=_("Vazio: desde sempre."))
    valid_until = models.DateField(
        _("aceito até"), null=True, blank=True, help_text=_("O dia do atendimento conta. Vazio: sem fim.")
    )
    requires_authorization = models.BooleanField(
        _("exige a guia"), default=False, db_default=False, help_text=_("Sem o número da guia nada é agendado por ele.")
    )
    per_day = models.PositiveSmallIntegerField(
        _("no máximo por dia"),
        null=True,
        blank=True,
        help_text=_("De toda a clínica. Vazio: quantos couberem."),
    )
    return_days = models.PositiveSmallIntegerField(
        _("retorno sem custo em até"),
        null=True,
        blank=True,
        help_text=_("Dias, em vez dos que o procedimento tem. 0: nenhum retorno. Vazio: como no procedimento."),
    )

    class Meta:
        verbose_name = _("convênio")
        verbose_name_plural = _("convênios")
        ordering = ["folded_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "folded_name"], name="payer_name_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["health_plan", "subsystem", "insurance", "sns", "other"]), name="payer_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="payer_valid_in_order",
            ),
            models.CheckConstraint(condition=Q(per_day=None) | Q(per_day__gte=1), name="payer_per_day_above_zero"),
            models.CheckConstraint(
                condition=Q(return_days=None) | Q(return_days__lte=MAX_RETURN_DAYS), name="payer_return_days_to_365"
            ),
            models.CheckConstraint(condition=Q(ans_number__regex=r"^(\d{6})?$"), name="payer_ans_number_digits"),
        ]

    def __str__(self) -> str:
        return self.name
