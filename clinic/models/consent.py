"""What a patient has agreed to: by which channel and for what they may be written to or called."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.patient import Patient
from clinic.models.patient_history import PatientEvent
from clinic.models.staff import StaffUser


class Consent(ClinicRow):
    """One answer of a patient about a channel and a purpose; the newest one counts. UPDATE and DELETE are refused.

    `text` is what was asked, as the person saw or heard it, "" where it is not known. Of reminders by WhatsApp the
    answer that counts is `Patient.accepts_whatsapp`, which the form of the patient and a merge write too: a row follows
    each change of it. Only `clinic.registry` writes it. Law: LGPD art. 8 and 18 IX, RGPD art. 7.
    """

    class Channel(models.TextChoices):
        WHATSAPP = "whatsapp", _("WhatsApp")
        SMS = "sms", _("SMS")
        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("telefone")

    class Purpose(models.TextChoices):
        REMINDER = "reminder", _("lembretes")
        MARKETING = "marketing", _("divulgação")

    class Answer(models.TextChoices):
        GIVEN = "given", _("aceita")
        WITHDRAWN = "withdrawn", _("não aceita")
        CLEARED = "cleared", _("não perguntado")

    class Asked(models.TextChoices):
        """How the patient answered."""

        COUNTER = "counter", _("no balcão")
        PHONE = "phone", _("por telefone")
        MESSAGE = "message", _("por mensagem")
        PAPER = "paper", _("por escrito")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents", db_index=False)
    channel = models.CharField(_("canal"), max_length=8, choices=Channel)
    purpose = models.CharField(_("para quê"), max_length=9, choices=Purpose)
    answer = models.CharField(_("resposta"), max_length=9, choices=Answer)
    text = models.CharField(_("o que foi perguntado"), max_length=500, blank=True)
    asked = models.CharField(_("como respondeu"), max_length=7, choices=Asked, blank=True)
    at = models.DateTimeField(_("data"), default=timezone.now)
    via = models.CharField(_("via"), max_length=9, choices=PatientEvent.Channel)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key or command.")

    class Meta:
        verbose_name = _("consentimento")
        verbose_name_plural = _("consentimentos")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["patient", "at"], name="consent_patient_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["whatsapp", "sms", "email", "phone"]), name="consent_channel_known"
            ),
            models.CheckConstraint(condition=Q(purpose__in=["reminder", "marketing"]), name="consent_purpose_known"),
            models.CheckConstraint(
                condition=Q(answer__in=["given", "withdrawn", "cleared"]), name="consent_answer_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}, {self.get_purpose_display()}: {self.get_answer_display()}"
