from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.ranges import Fold

ANS_NUMBER_HELP = _("Os seis dígitos do registro da operadora na ANS.")


class Payer(ClinicRow):
    """An institution that pays for visits: a convênio in Brazil; ADSE, an insurance or the SNS in Portugal.

    A patient or an appointment without one is private. One that is not `active` is proposed no more, and stays where it
    was chosen.
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

    class Meta:
        verbose_name = _("convênio")
        verbose_name_plural = _("convênios")
        ordering = ["folded_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "folded_name"], name="payer_name_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["health_plan", "subsystem", "insurance", "sns", "other"]), name="payer_kind_known"
            ),
            models.CheckConstraint(condition=Q(ans_number__regex=r"^(\d{6})?$"), name="payer_ans_number_digits"),
        ]

    def __str__(self) -> str:
        return self.name
