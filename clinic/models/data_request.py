"""What patients ask about their data, and what the clinic decided."""

from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import Clinic, ClinicRow
from clinic.models.patient import Patient
from clinic.models.staff import StaffUser

KEPT_YEARS = 20  # by law in Brazil (Lei 13.787/2018, art. 6), the default elsewhere


class DataRequest(ClinicRow):
    """A request to delete a patient's data, or to use them no more, and its outcome. Only `clinic.registry` writes it.

    Without an outcome it waits for a second manager. While it is `blocked` or `restricted`, the patient's row is blank
    and `kept` holds what was in it, by the id of each record: of a blocked patient who the person is, until the local
    date `blocked_until`; of a restricted one everything, until the request is taken off. `anonymised`: that date is
    over, and `kept` is empty for good.
    """

    class Kind(models.TextChoices):
        DELETION = "deletion", _("eliminação dos dados")
        RESTRICTION = "restriction", _("limitação do uso")

    class Outcome(models.TextChoices):
        DECLINED = "declined", _("não confirmado")
        ERASED = "erased", _("dados apagados")
        BLOCKED = "blocked", _("bloqueado")
        RESTRICTED = "restricted", _("uso limitado")
        RELEASED = "released", _("em uso de novo")
        ANONYMISED = "anonymised", _("anonimizado")

    # While the patient's row is blank and can be made whole again.
    SEALED = (Outcome.BLOCKED, Outcome.RESTRICTED)

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="data_requests", db_index=False)
    kind = models.CharField(_("pedido"), max_length=11, choices=Kind)
    reason = models.CharField(_("motivo"), max_length=200)
    requested_by = models.ForeignKey(
        StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("quem pediu")
    )
    requested_at = models.DateTimeField(_("data do pedido"), default=timezone.now)
    outcome = models.CharField(_("resultado"), max_length=10, choices=Outcome, blank=True)
    decided_by = models.ForeignKey(
        StaffUser,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("quem decidiu"),
    )
    decided_at = models.DateTimeField(_("data da decisão"), null=True, blank=True)
    blocked_until = models.DateField(_("bloqueado até"), null=True, blank=True)
    kept = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("pedido de titular")
        verbose_name_plural = _("pedidos de titulares")
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["clinic", "requested_at"], name="datarequest_clinic_at"),
            models.Index(fields=["patient"], name="datarequest_patient"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["deletion", "restriction"]), name="datarequest_kind_known"),
            models.CheckConstraint(
                condition=Q(outcome__in=["", "declined", "erased", "blocked", "restricted", "released", "anonymised"]),
                name="datarequest_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["blocked", "restricted"]) | Q(kept={}), name="datarequest_kept_while_sealed"
            ),
            models.CheckConstraint(
                condition=~Q(outcome="blocked") | Q(blocked_until__isnull=False), name="datarequest_blocked_until"
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(outcome__in=["", "blocked", "restricted"]), name="datarequest_one_open"
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class PrivacySettings(models.Model):
    """What a clinic itself decides and writes about its patients' data; without a row the defaults hold.

    `records_kept_years` after the last visit a patient who asked for deletion stays blocked; in Brazil the law says how
    long. The officer is the *encarregado* (LGPD art. 41) or the *EPD* (RGPD art. 37).
    """

    clinic = models.OneToOneField(Clinic, models.PROTECT, verbose_name=_("clínica"), related_name="privacy")
    officer_name = models.CharField(_("nome"), max_length=120, blank=True)
    officer_contact = models.CharField(_("contato"), max_length=160, blank=True)
    purposes = models.TextField(_("finalidades"), max_length=2000, blank=True)
    measures = models.TextField(_("medidas de segurança"), max_length=2000, blank=True)
    records_kept_years = models.PositiveSmallIntegerField(
        _("anos depois da última visita"),
        default=KEPT_YEARS,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )

    class Meta:
        verbose_name = _("privacidade")
        verbose_name_plural = _("privacidade")
        constraints = [
            models.CheckConstraint(
                condition=Q(records_kept_years__gte=1, records_kept_years__lte=100), name="privacysettings_kept_years"
            )
        ]

    def __str__(self) -> str:
        return str(self.clinic)
