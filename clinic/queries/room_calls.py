"""Who was just called to a doctor's room, as the waiting room's display shows it. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.models import Clinic, RoomCall, shown
from clinic.models.appointment import Status
from clinic.models.names import initials
from clinic.models.room_call import SINCE_STATUS

SHOWN_FOR = timedelta(minutes=15)
MAX_SHOWN = 6


@dataclass(frozen=True)
class CalledPatient:
    """The newest call of an appointment, by its id; `initials` stand for the patient's name: "M. S.".

    `hour` is when the appointment begins, `at` when the call was made, both by the clinic's clock as 09:05."""

    id: int
    initials: str
    hour: str
    at: str
    room: str
    doctor: str


def called_patients(clinic: Clinic, *, now: datetime) -> list[CalledPatient]:
    """Return at most MAX_SHOWN patients who were called in the last SHOWN_FOR, the newest first, each once. One query.

    Those who have gone in, have left, or have not come after all are not among them."""
    with shown.choosing():  # the display has no names
        calls = (
            RoomCall.objects.of(clinic)
            .filter(SINCE_STATUS, at__gt=now - SHOWN_FOR, at__lte=now)
            .filter(appointment__status=Status.CHECKED_IN, appointment__deleted_at__isnull=True)
            .select_related("appointment__doctor", "appointment__patient")
            .order_by("-at", "-pk")
        )
        newest = list({call.appointment_id: call for call in reversed(calls)}.values())
    newest.sort(key=lambda call: (call.at, call.pk), reverse=True)
    return [_drawn(clinic, call) for call in newest[:MAX_SHOWN]]


def _drawn(clinic: Clinic, call: RoomCall) -> CalledPatient:
    appointment = call.appointment
    return CalledPatient(
        id=call.pk,
        initials=initials(appointment.patient.display_name),
        hour=f"{clinic.local(appointment.starts_at):%H:%M}",
        at=f"{clinic.local(call.at):%H:%M}",
        room=appointment.doctor.room,
        doctor=appointment.doctor.brief_name,
    )
