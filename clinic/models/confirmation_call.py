from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicRow
from clinic.models.staff import StaffUser

CALL_LASTS = timedelta(minutes=3)


class ConfirmationCall(ClinicRow):
    """What is kept about calling the patient of an appointment: who is calling since which instant, and the instant at
    which to call again. A call is over after CALL_LASTS, without anything being written. Only `clinic.booking` writes
    it. It is no column of the appointment, whose every write is a change for programs that keep a copy."""

    appointment = models.OneToOneField(Appointment, models.CASCADE, related_name="confirmation_call")
    caller = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    since = models.DateTimeField(null=True, blank=True)
    again_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("ligação de confirmação")
        verbose_name_plural = _("ligações de confirmação")
        constraints = [
            models.CheckConstraint(
                condition=Q(caller__isnull=True, since__isnull=True) | Q(caller__isnull=False, since__isnull=False),
                name="confirmationcall_caller_with_since",
            ),
        ]
        indexes = [
            models.Index(fields=["caller"], condition=Q(caller__isnull=False), name="confirmationcall_caller"),
        ]

    def __str__(self) -> str:
        return str(self.appointment_id)

    def caller_at(self, now: datetime) -> StaffUser | None:
        """Return who is calling at the instant `now`."""
        return self.caller if self.since and now - self.since < CALL_LASTS else None
