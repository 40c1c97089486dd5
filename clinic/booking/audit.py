"""The event of every act on an appointment, and who did it."""

from dataclasses import dataclass
from datetime import datetime

from clinic.models import Appointment, AppointmentEvent, StaffUser


@dataclass(frozen=True)
class Author:
    """Who acts, and through which channel: a person, or a token, key or command by its name."""

    channel: str
    user: StaffUser | None = None
    credential: str = ""


def record(appointment: Appointment, kind: str, by: Author, now: datetime, before: dict, after: dict) -> None:
    event(appointment, kind, by, now, before, after).save()


def event(
    appointment: Appointment, kind: str, by: Author, now: datetime, before: dict, after: dict
) -> AppointmentEvent:
    return AppointmentEvent(
        clinic=appointment.clinic,
        appointment=appointment,
        kind=kind,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        before=before,
        after=after,
    )


def snapshot(appointment: Appointment) -> dict:
    """What an event says of an appointment before or after it was booked or moved; instants as ISO 8601."""
    return {
        "doctor": appointment.doctor_id,
        "doctor_name": appointment.doctor_name,
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "status": appointment.status,
    }
