"""The sessions of a series. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from clinic.models import Appointment, Clinic
from clinic.models.appointment import Status


@dataclass(frozen=True)
class Session:
    """A session and its number in the series; None for a cancelled one, which does not count."""

    appointment: Appointment
    number: int | None


@dataclass(frozen=True)
class PlaceInSeries:
    """Where an appointment stands among the sessions of its series, of which `total` are not cancelled; the sessions
    before and after it, None for none."""

    number: int | None
    total: int
    previous: Appointment | None
    next: Appointment | None


def sessions(clinic: Clinic, series_id: int) -> list[Session]:
    """Return the sessions that are not deleted, in order of time, with clinic, doctor and patient. One query."""
    rows = Appointment.objects.of(clinic).kept().filter(series=series_id)
    rows = rows.select_related("clinic", "doctor", "patient").order_by("starts_at", "pk")
    found, number = [], 0
    for row in rows:
        counts = row.status != Status.CANCELLED
        number += counts
        found.append(Session(row, number if counts else None))
    return found


def standing(found: Sequence[Session]) -> list[Appointment]:
    """Return those that are not cancelled."""
    return [session.appointment for session in found if session.number is not None]


def place_in_series(appointment: Appointment) -> PlaceInSeries | None:
    """Return the place of an appointment, None for one without series. One query where there is a series."""
    if appointment.series_id is None:
        return None
    all_sessions = sessions(appointment.clinic, appointment.series_id)
    at = next(index for index, session in enumerate(all_sessions) if session.appointment == appointment)
    before = [session.appointment for session in all_sessions[:at] if session.number]
    after = [session.appointment for session in all_sessions[at + 1 :] if session.number]
    return PlaceInSeries(
        number=all_sessions[at].number,
        total=sum(session.number is not None for session in all_sessions),
        previous=before[-1] if before else None,
        next=after[0] if after else None,
    )
