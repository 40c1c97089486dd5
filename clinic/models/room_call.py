from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.appointment import Appointment
from clinic.models.clinic import ClinicRow
from clinic.models.staff import StaffUser

# Of a patient who has arrived once more since, or has gone in, a call says nothing any more.
SINCE_STATUS = Q(at__gte=F("appointment__status_since"))


class RoomCall(ClinicRow):
    """A patient who has arrived was called to the doctor's room, at the instant `at`. A call again is another row.

    No column of the appointment, whose every write is a change for programs that keep a copy. Rows are added by
    `clinic.booking` and never changed."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="room_calls")
    at = models.DateTimeField(_("data"), default=timezone.now)
    user = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("chamada")
        verbose_name_plural = _("chamadas")
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["clinic", "at"], name="roomcall_clinic_at")]

    def __str__(self) -> str:
        return str(self.appointment_id)
