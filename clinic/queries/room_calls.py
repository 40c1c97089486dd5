"""Who was just called to a doctor's room, as the waiting room's display shows it. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.models import Clinic, RoomCall, shown
from clinic.models.appointment import Status

SHOWN_FOR = timedelta(minutes=15)
MOST = 6
CALLED = [Status.CHECKED_IN, Status.IN_SERVICE]


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
    """Return at most MOST patients who were called in the last SHOWN_FOR, the newest first, each once. One query.

    Those who have left, or have not come after all, are not among them."""
    with shown.choosing():  # the display has no names
        calls = (
            RoomCall.objects.of(clinic)
            .filter(at__gt=now - SHOWN_FOR, at__lte=now, appointment__status__in=CALLED)
            .select_related("appointment__doctor", "appointment__patient")
            .order_by("-at", "-pk")
        )
        newest = list({call.appointment_id: call for call in reversed(calls)}.values())
    newest.sort(key=lambda call: (call.at, call.pk), reverse=True)
    return [_drawn(clinic, call) for call in newest[:MOST]]


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


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name, "M. S."; of one word only its own."""
    words = [word for word in name.split() if word[0].isalpha()] or [name]
    ends = dict.fromkeys([0, len(words) - 1])
    return " ".join(f"{words[place][0].upper()}." for place in ends)
