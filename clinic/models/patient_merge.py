"""Two records that turned out to be one person."""

from datetime import datetime, timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.patient import Patient
from clinic.models.patient_history import PatientEvent
from clinic.models.staff import StaffUser

UNDOABLE = timedelta(days=30)


class PatientMerge(ClinicRow):
    """A patient (`merged`) that became another one (`kept`), and all that undoing needs. Only `clinic.booking` writes
    it.

    `changes` maps the fields that the kept patient got to [before, after]; of fields that go together, as phone and
    whose it is, all are in it if one is. `numbers` are those that the merged one gave up, by field. `moved` are the ids
    of the rows that became the kept patient's: "appointments", "waiting", "recalls", "memos", "former_names".
    `changes` and `numbers` are emptied by a redaction, and when nothing can be undone any more
    (`registry.forget_merged_values`).
    """

    kept = models.ForeignKey(Patient, models.PROTECT, related_name="merges", db_index=False)
    merged = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(_("data"), default=timezone.now)
    channel = models.CharField(_("via"), max_length=9, choices=PatientEvent.Channel)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    credential = models.CharField(max_length=80, blank=True, help_text="Name of the token, key or command.")
    changes = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    numbers = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("junção de cadastros")
        verbose_name_plural = _("junções de cadastros")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["kept"], name="patientmerge_kept"),
            models.Index(fields=["merged"], name="patientmerge_merged"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "merged"], condition=Q(undone_at__isnull=True), name="patientmerge_once"
            ),
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="patientmerge_of_two"),
            models.CheckConstraint(
                condition=Q(channel__in=["browser", "admin", "imagemais", "mivicall", "command"]),
                name="patientmerge_channel_known",
            ),
            models.CheckConstraint(
                condition=Q(undone_by__isnull=True) | Q(undone_at__isnull=False), name="patientmerge_undone_by_with_at"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def is_undoable(self, now: datetime) -> bool:
        """Return whether it stands at the instant `now`, and is no older than UNDOABLE."""
        return self.undone_at is None and now - self.at <= UNDOABLE
