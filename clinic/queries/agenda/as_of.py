"""A day as its page was at a moment, and the difference between two moments: what is stored, with every event since
taken back. Reads only.

From the present backwards, since an event holds both sides of what it changed: few events are later than the moment,
and appointments that no event booked come out right too. What belongs to the patient is today's.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import Enum
from itertools import batched
from typing import Any

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from clinic.models import Appointment, AppointmentEvent, Clinic, Patient
from clinic.models.appointment import OVERLAP_LOOKBACK, Status
from clinic.models.history import changes_encaixe
from clinic.models.ranges import Instant
from clinic.queries.agenda.layout import DayLayout, Words
from clinic.queries.agenda.page import Day
from clinic.queries.agenda.rows import AppointmentRow
from clinic.queries.agenda.stored import stored_values
from clinic.queries.history import sentence
from clinic.queries.set_up_as_of import doctors_as_of, noted_since, schedules_as_of

Kind = AppointmentEvent.Kind
BATCH = 150  # ids a statement: of more at once, PostgreSQL would read all patients rather than look each one up
MOVES = [Kind.RESCHEDULED, Kind.TIME_ZONE]  # the events of the index appointmentevent_former_start
STORED = [field.name for field in fields(AppointmentRow)][:18]  # what `stored_values` gives
# What a page shows of an appointment that its own events change.
COMPARED = ("doctor_id", "starts_at", "ends_at", "status", "procedures", "encaixe", "has_notes")


@dataclass(frozen=True)
class DayAsOf:
    """The page of a day as it was. `unknown_until` is the instant since which changes of the set-up are noted, if
    the moment is earlier: hours and doctors are the oldest that are known then. Else it is None."""

    day: Day
    unknown_until: datetime | None


class Change(Enum):
    """What became of an appointment on a day between two moments."""

    ADDED = "added"
    MOVED_HERE = "moved_here"
    MOVED_AWAY = "moved_away"
    MOVED = "moved"
    CANCELLED = "cancelled"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """An appointment that a day shows otherwise at the later moment: `events` are (instant, sentence, author), from the
    first on; of a blocked patient none."""

    kind: Change
    appointment: int
    patient: str
    starts_at: datetime
    doctor_id: int
    events: list[tuple[datetime, str, str]]


def day_as_of(clinic: Clinic, on: date, moment: datetime, now: datetime) -> DayAsOf:
    """Return the local date as it was at that instant, without free times. At most eighteen queries."""
    rows, since = _rows_as_of(clinic, on, moment), noted_since()
    noted = max(moment, since) if since else now
    doctors = doctors_as_of(clinic, noted)
    if not any(doctor.active for doctor in doctors):
        # Nobody was there yet, as where appointments were brought from another system: the set-up of today.
        noted, doctors = now, doctors_as_of(clinic, now)
    booked = {row.doctor_id for row in rows.values()}
    shown = [doctor for doctor in doctors if doctor.active or doctor.pk in booked]
    layout = DayLayout(clinic, on, moment, schedules_as_of(clinic, noted), {}, Words(), hides_freed=False)
    values = [tuple(getattr(row, name) for name in STORED) for row in rows.values()]
    known = {doctor.pk for doctor in shown}
    day = layout.lay_out(shown, known, values, dict.fromkeys(known, 0), [])
    for column in day.columns:
        column.performs_nothing = False
    return DayAsOf(day, since if since and moment < since else None)


def differences(clinic: Clinic, on: date, first: datetime, last: datetime) -> list[Difference]:
    """Return what the local date shows otherwise at the instant `last` than at `first`, in the order of the clock. At
    most twelve queries."""
    was, now = _rows_as_of(clinic, on, first), _rows_as_of(clinic, on, last)
    changed = {pk for pk in was.keys() | now.keys() if _compared(was.get(pk)) != _compared(now.get(pk))}
    unsaid = _of_blocked(clinic, changed)
    events = defaultdict(list)
    between = AppointmentEvent.objects.of(clinic).filter(appointment__in=changed, at__gt=first, at__lte=last)
    for event in between.select_related("user").order_by("pk"):
        event.clinic = clinic
        events[event.appointment_id].append(event)
    found = [
        Difference(
            kind=_kind(was.get(pk), now.get(pk), events[pk]),
            appointment=pk,
            patient=row.patient,
            starts_at=row.starts_at,
            doctor_id=row.doctor_id,
            events=[
                (event.at, sentence(event, clinic.zone), str(event.user or event.credential))
                for event in events[pk]
                if pk not in unsaid
            ],
        )
        for pk in changed
        if (row := now.get(pk) or was.get(pk))
    ]
    return sorted(found, key=lambda one: (one.starts_at, one.appointment))


def _of_blocked(clinic: Clinic, appointments: Iterable[int]) -> set[int]:
    """Return which of these appointments are of blocked patients. Two queries by ids: joined, all patients are read."""
    visits = Appointment.objects.of(clinic).filter(pk__in=appointments).values_list("pk", "patient_id")
    patients = dict(visits)
    blocked = Patient.objects.of(clinic).filter(pk__in=set(patients.values()), blocked_at__isnull=False)
    ids = set(blocked.values_list("pk", flat=True))
    return {pk for pk, patient in patients.items() if patient in ids}


def _kind(was: AppointmentRow | None, now: AppointmentRow | None, events: Iterable[AppointmentEvent]) -> Change:
    if was is None:
        is_new = any(event.kind == Kind.BOOKED for event in events)
        return Change.ADDED if is_new else Change.MOVED_HERE
    if now is None:
        return Change.MOVED_AWAY
    if now.status == Status.CANCELLED != was.status:
        return Change.CANCELLED
    has_moved = (was.doctor_id, was.starts_at) != (now.doctor_id, now.starts_at)
    return Change.MOVED if has_moved else Change.CHANGED


def _compared(row: AppointmentRow | None) -> tuple[Any, ...] | None:
    return None if row is None else tuple(getattr(row, name) for name in COMPARED)


def _rows_as_of(clinic: Clinic, on: date, moment: datetime) -> dict[int, AppointmentRow]:
    """Return the appointments that touched the local date then, by id, in the order of their starts. Five queries, one
    more for each BATCH of appointments."""
    midnight, next_midnight = clinic.day(on)
    earliest = midnight - OVERLAP_LOOKBACK
    here = set(
        Appointment.objects.of(clinic)
        .filter(starts_at__gte=earliest, starts_at__lt=next_midnight)
        .values_list("pk", flat=True)
    )
    was_at = Instant(KeyTextTransform("starts_at", "before"))
    moved = AppointmentEvent.objects.of(clinic).filter(
        GreaterThanOrEqual(was_at, earliest), LessThan(was_at, next_midnight), kind__in=MOVES, at__gt=moment
    )
    away = set(moved.values_list("appointment", flat=True)) - here
    wanted = Appointment.objects.of(clinic).kept().filter(created_at__lte=moment)
    rows = {
        values[0]: AppointmentRow(*values)
        for ids in batched(sorted(here | away), BATCH, strict=False)
        for values in stored_values(wanted.filter(pk__in=ids), clinic, moment)
    }
    for pk, events in _events_since(clinic, rows, moment).items():
        row = _taken_back(rows[pk], events)
        if row is None:
            del rows[pk]
        else:
            rows[pk] = row
    found = [row for row in rows.values() if row.starts_at < next_midnight and row.ends_at > midnight]
    _note_who_is_shown(clinic, away & {row.id for row in found})
    return {row.id: row for row in sorted(found, key=lambda row: (row.starts_at, row.id))}


def _note_who_is_shown(clinic: Clinic, away: Iterable[int]) -> None:
    """Read the patients who are no longer on that date, for the access log: it has those of the date as a whole."""
    list(Patient.objects.of(clinic).filter(appointments__in=list(away)).only("pk", "clinic"))


def _events_since(clinic: Clinic, ids: Iterable[int], moment: datetime) -> dict[int, list[AppointmentEvent]]:
    """Return the events after the moment by appointment, the last one first."""
    events = AppointmentEvent.objects.of(clinic).filter(Q(appointment__in=list(ids)), at__gt=moment)
    found = defaultdict(list)
    for event in events.only("appointment", "kind", "before", "after").order_by("-pk"):
        found[event.appointment_id].append(event)
    return found


def _taken_back(row: AppointmentRow, events: Iterable[AppointmentEvent]) -> AppointmentRow | None:
    """Return the row before all of these events; None for one that was not booked yet."""
    for event in events:
        before = event.before
        if event.kind == Kind.BOOKED:
            return None
        values: dict[str, Any] = {}
        for name in ("starts_at", "ends_at"):
            if name in before:
                values[name] = datetime.fromisoformat(before[name])
        if "status" in before:
            values |= {"status": before["status"], "arrived_at": None, "move": None}
        if "lines" in before:
            values["procedures"] = ", ".join(line["procedure"] for line in before["lines"])
        if "notes" in before:
            values["has_notes"] = bool(before["notes"])
        if changes_encaixe(event):
            values["encaixe"] = before.get("encaixe_by")
        if event.kind == Kind.RESCHEDULED:
            values |= {"doctor_id": before["doctor"], "unperformed": ""}
        row = replace(row, **values)
    return row
