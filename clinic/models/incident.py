"""The book of incidents with personal data, and what the retention job has done."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.staff import StaffUser


class Incident(ClinicRow):
    """An entry of the book: what happened, or, `about` an earlier one, what was done since. UPDATE and DELETE are
    refused. Law: Resolução CD/ANPD 15/2024 art. 10 (kept five years), RGPD art. 33 n.º 5."""

    about = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="follow_ups", db_index=False)
    known_at = models.DateTimeField(_("quando se soube"))
    text = models.TextField(_("o que aconteceu e o que foi feito"), max_length=4000)
    affected = models.PositiveIntegerField(_("pessoas afetadas"), null=True, blank=True)
    written_by = models.ForeignKey(StaffUser, models.PROTECT, related_name="+", db_index=False)
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("incidente")
        verbose_name_plural = _("incidentes")
        ordering = ["-known_at", "pk"]
        indexes = [models.Index(fields=["clinic", "known_at"], name="incident_clinic_known_at")]

    def __str__(self) -> str:
        return self.text[:60]


class RetentionRun(ClinicRow):
    """A run of the retention job: `done` maps each kind of data to how many rows were deleted or blanked. UPDATE and
    DELETE are refused: it is the proof."""

    at = models.DateTimeField(_("data"), default=timezone.now)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the command.")
    done = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("retenção aplicada")
        verbose_name_plural = _("retenções aplicadas")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["clinic", "at"], name="retentionrun_clinic_at")]

    def __str__(self) -> str:
        return str(self.at)
