"""The history of patients: who changed which field, from which value to which."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.patient import Patient
from clinic.models.staff import StaffUser


class PatientEvent(ClinicRow):
    """A change of a patient's data: who, when, through which channel, and what.

    `changes` maps the names of the fields, as `registry.PatientDetails` has them, to [before, after]. A redaction
    blanks them, and is an event itself, with its `reason`; any other UPDATE, and DELETE, is refused. A merge of two
    patients is an event of each, and so is undoing it.
    """

    class Kind(models.TextChoices):
        REGISTERED = "registered", _("Cadastrado")
        CHANGED = "changed", _("Alterado")
        REDACTED = "redacted", _("Textos apagados")
        MERGED = "merged", _("Cadastros juntados")
        SEPARATED = "separated", _("Cadastros separados de novo")
        ERASED = "erased", _("Dados apagados a pedido")
        BLOCKED = "blocked", _("Bloqueado a pedido")
        RESTRICTED = "restricted", _("Uso limitado a pedido")
        RELEASED = "released", _("Em uso de novo")
        OPENED = "opened", _("Identificação vista")

    class Channel(models.TextChoices):
        BROWSER = "browser", _("Tela")
        ADMIN = "admin", _("Administração")
        IMAGEMAIS = "imagemais", _("API ImageMais")
        MIVICALL = "mivicall", _("API MiviCall")
        COMMAND = "command", _("Comando")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="events", db_index=False)
    kind = models.CharField(_("tipo"), max_length=14, choices=Kind)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=Channel)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key or command.")
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    reason = models.CharField(_("motivo"), max_length=200, blank=True, help_text=_("De quem apagou os textos."))

    class Meta:
        verbose_name = _("alteração da ficha")
        verbose_name_plural = _("alterações da ficha")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["patient", "at"], name="patientevent_patient_at"),
            models.Index(fields=["clinic", "at"], name="patientevent_clinic_at"),
            models.Index(fields=["clinic", "kind", "at"], name="patientevent_kind_at"),
            models.Index(fields=["clinic", "user", "at"], name="patientevent_user_at"),
            models.Index(fields=["clinic", "channel", "at"], name="patientevent_channel_at"),
            models.Index(
                fields=["clinic", "credential", "at"], condition=~Q(credential=""), name="patientevent_credential_at"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("registered", "changed", "redacted", "merged", "separated"),
                        *("erased", "blocked", "restricted", "released", "opened"),
                    ]
                ),
                name="patientevent_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["browser", "admin", "imagemais", "mivicall", "command"]),
                name="patientevent_channel_known",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
