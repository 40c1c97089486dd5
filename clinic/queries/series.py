"""The sessions of a series. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from clinic.models import Appointment, Clinic
from clinic.models.appointment import Status


@dataclass(frozen=True)
class Session:
    """A session and its number in the series; None for a cancelled one, which does not count."""

    appointment: Appointment
    number: int | None


class Sibling(NamedTuple):
    """The id of an appointment of a series, its start and its status."""

    pk: int
    starts_at: datetime
    status: str


@dataclass(frozen=True)
class PlaceInSeries:
    """Where an appointment stands among the sessions of its series, of which `total` are not cancelled; the sessions
    before and after it, None for none."""

    number: int | None
    total: int
    previous: Sibling | None
    next: Sibling | None


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
    """Return the place of an appointment, None for one without series or deleted. One query where there is a series."""
    if appointment.series_id is None:
        return None
    rows = Appointment.objects.of(appointment.clinic).kept().filter(series=appointment.series_id)
    columns = rows.order_by("starts_at", "pk").values_list("pk", "starts_at", "status")
    all_sessions = [Sibling(*row) for row in columns]
    at = next((index for index, row in enumerate(all_sessions) if row.pk == appointment.pk), None)
    if at is None:
        return None
    before, after = _counted(all_sessions[:at]), _counted(all_sessions[at + 1 :])
    counts = bool(_counted(all_sessions[at : at + 1]))
    return PlaceInSeries(
        number=len(before) + 1 if counts else None,
        total=len(before) + counts + len(after),
        previous=before[-1] if before else None,
        next=after[0] if after else None,
    )


def _counted(found: Sequence[Sibling]) -> list[Sibling]:
    return [row for row in found if row.status != Status.CANCELLED]
