"""Changing the time zone of a clinic: appointments and absences ahead keep their local time, or their instant.

Which of the two, only people know: patients were promised a local time, unless the zone was wrong from the start. So
only masters may do it, and they are asked. Appointments that have begun or are over keep their instants, because their
day must still show when people came. No row is deleted or shortened: if appointments would overlap, they are named and
nothing is written.

Code that turns local times into instants and writes them has read the clinic's zone before. So that none of it writes
by a zone that is no longer the clinic's, `change_time_zone` locks the clinic's row and every doctor's: a booking locks
its doctor's and then compares the zone (`rules.availability.time_zone_is_unchanged`); code that adds doctors or
absences shares the clinic's row first (`clinic.models.locks.get_shared`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import groupby
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.utils import timezone

from clinic.booking.audit import Author
from clinic.models import Absence, Appointment, AppointmentEvent, Clinic, ClinicEvent
from clinic.models.appointment import FREES_THE_TIME, OVERLAP_LOOKBACK
from clinic.models.locks import get_locked, lock_of_held_row
from clinic.refusals import Reason, Refusal, Refused
from clinic.transactions import run_in_transaction

MAX_CLASHES = 20

DOCTORS_SQL = "SELECT id FROM clinic_doctor WHERE clinic_id = %s ORDER BY id"
# Two statements, since the exclusion constraints check every row as it is written: an appointment that moves by an hour
# would overlap the next one, which has not moved yet. So all are marked as deleted while they move, which no other
# transaction sees. Deferrable constraints would have to be built anew over all rows. 100 000 appointments took 12 to
# 15 s on a busy machine, during which that clinic's bookings are asked to try again.
MOVE_AS_DELETED_SQL = """
    UPDATE clinic_appointment AS appointment
    SET starts_at = moved.starts_at, ends_at = moved.ends_at, updated_at = %s, deleted_at = %s
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS moved (id, starts_at, ends_at)
    WHERE clinic_id = %s AND appointment.id = moved.id
"""
RESTORE_SQL = "UPDATE clinic_appointment SET deleted_at = NULL WHERE clinic_id = %s AND id = ANY (%s)"
INSERT_EVENTS_SQL = """
    INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, kind, at, door, user_id, credential, before, after)
    SELECT %s, id, %s, %s, %s, %s, %s,
        jsonb_build_object('starts_at', old_start, 'ends_at', old_end, 'time_zone', %s::text),
        jsonb_build_object('starts_at', new_start, 'ends_at', new_end, 'time_zone', %s::text)
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS moved (id, old_start, old_end, new_start, new_end)
"""


class Keep(Enum):
    """The part of a time that stays when the zone changes: the local time (CLOCK), or the instant."""

    CLOCK = "clock"
    INSTANT = "instant"


@dataclass(frozen=True)
class Ahead:
    """Counts of a clinic's appointments ahead, also cancelled, and of absences and closures that have not ended."""

    appointments: int
    absences: int

    def __bool__(self) -> bool:
        return bool(self.appointments or self.absences)


@dataclass(frozen=True)
class Move:
    """An appointment with its stored instants (`starts_at`, `ends_at`) and the new ones."""

    id: int
    doctor_id: int
    patient_id: int
    starts_at: datetime
    ends_at: datetime
    new_start: datetime
    new_end: datetime
    takes_time: bool
    is_encaixe: bool


@dataclass(frozen=True)
class Clash:
    """Two appointments that would overlap for their doctor or their patient; the patients are loaded."""

    appointment: Appointment
    other: Appointment


@dataclass(frozen=True)
class Outlook:
    """The effect of another zone: what is ahead, how many of the appointments begin at a local time that its clocks
    skip, and which would overlap if all kept their local time (the first MAX_CLASHES)."""

    ahead: Ahead
    jumped: int
    clashes: list[Clash]


class AskHowToKeep(Exception):
    """Something is ahead, and the caller has not chosen whether it keeps its local time or its instant."""


class TimesClash(Exception):
    """Nothing was written: with their local times kept, the appointments of `clashes` would overlap."""

    def __init__(self, clashes: list[Clash]) -> None:
        super().__init__(len(clashes))
        self.clashes = clashes


def look_ahead(clinic: Clinic, time_zone: str, now: datetime) -> Outlook:
    """Return the effect of that zone. Locks nothing; three queries, and two more for what would overlap."""
    moves, zone = _moves(clinic, time_zone, now), ZoneInfo(time_zone)
    jumped = [move for move in moves if _local(move.starts_at, clinic.zone) != _local(move.new_start, zone)]
    ahead = Ahead(len(moves), _absences_ahead(clinic, now).count())
    return Outlook(ahead, len(jumped), _clashes(clinic, moves, now))


def change_time_zone(
    clinic: Clinic, time_zone: str, *, keep: Keep | None, by: Author, now: datetime | None = None
) -> ClinicEvent:
    """Store the zone, move what is ahead if it keeps its local time, and record it, in one transaction.

    Appointments that start after `now` are ahead; the others keep their instants: they are history. An absence that has
    begun keeps its start. An appointment keeps its length. At a local time that the clocks skip, it moves as far after
    the gap; one at the second of two equal local times stays at the second where the new zone has two.

    Locks the clinic's row, then all its doctors' in order of id. Raises AskHowToKeep, TimesClash, and Refused
    (TRY_AGAIN) when a row is locked by others for too long or `clinic` has another zone by now.
    """
    return run_in_transaction(lambda: _change(clinic, time_zone, keep, by, now))


def at_same_local_time(instant: datetime, old: ZoneInfo, new: ZoneInfo) -> datetime:
    """Return the UTC instant whose local time in `new` is the local time of `instant` in `old`."""
    return instant.astimezone(old).replace(tzinfo=new).astimezone(UTC)


def _change(clinic: Clinic, time_zone: str, keep: Keep | None, by: Author, now: datetime | None) -> ClinicEvent:
    stored = get_locked(Clinic.objects.filter(pk=clinic.pk))
    if stored.time_zone != clinic.time_zone:
        raise Refused([Refusal(Reason.TRY_AGAIN)])
    _lock_doctors(stored)
    now = now or timezone.now()  # after the waits for the locks
    ahead = Ahead(_appointments_ahead(stored, now).count(), _absences_ahead(stored, now).count())
    if ahead:
        if keep is None:
            raise AskHowToKeep
        _move_appointments(stored, time_zone, keep, by, now)
        if keep is Keep.CLOCK:
            _move_absences(stored, time_zone, now)
    Clinic.objects.filter(pk=stored.pk).update(time_zone=time_zone)
    return ClinicEvent.objects.create(
        clinic=stored,
        kind=ClinicEvent.Kind.TIME_ZONE,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        before={"time_zone": stored.time_zone},
        after={
            "time_zone": time_zone,
            "keep": keep.value if keep and ahead else "",
            "appointments": ahead.appointments,
            "absences": ahead.absences,
        },
    )


def _lock_doctors(clinic: Clinic) -> None:
    with lock_of_held_row() as lock, connection.cursor() as cursor:
        cursor.execute(f"{DOCTORS_SQL} {lock}", [clinic.pk])


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _appointments_ahead(clinic: Clinic, now: datetime) -> models.QuerySet[Appointment]:
    return Appointment.objects.of(clinic).kept().filter(starts_at__gt=now)


def _absences_ahead(clinic: Clinic, now: datetime) -> models.QuerySet[Absence]:
    return Absence.objects.of(clinic).filter(ends_at__gt=now)


def _moves(clinic: Clinic, time_zone: str, now: datetime) -> list[Move]:
    """Return a move for each appointment ahead, to the instants that keep its local time."""
    old, new = clinic.zone, ZoneInfo(time_zone)
    rows = _appointments_ahead(clinic, now).values_list(
        "pk", "doctor_id", "patient_id", "starts_at", "ends_at", "status", "encaixe_by_id"
    )
    moves = []
    for pk, doctor, patient, starts_at, ends_at, status, encaixe_by in rows:
        new_start = at_same_local_time(starts_at, old, new)
        new_end = new_start + (ends_at - starts_at)
        stands = status not in FREES_THE_TIME
        moves.append(Move(pk, doctor, patient, starts_at, ends_at, new_start, new_end, stands, encaixe_by is not None))
    return moves


def _move_appointments(clinic: Clinic, time_zone: str, keep: Keep, by: Author, now: datetime) -> None:
    moves = _moves(clinic, time_zone, now)
    if not moves:
        return
    if keep is Keep.CLOCK:
        if clashes := _clashes(clinic, moves, now):
            raise TimesClash(clashes)
        _write(clinic, moves, now)
    else:
        _appointments_ahead(clinic, now).update(updated_at=now)  # their local times have changed
    _record(clinic, time_zone, moves, keep, by, now)


def _write(clinic: Clinic, moves: list[Move], now: datetime) -> None:
    ids = [move.id for move in moves]
    starts, ends = [move.new_start for move in moves], [move.new_end for move in moves]
    with connection.cursor() as cursor:
        cursor.execute(MOVE_AS_DELETED_SQL, [now, now, ids, starts, ends, clinic.pk])
        cursor.execute(RESTORE_SQL, [clinic.pk, ids])


def _record(clinic: Clinic, time_zone: str, moves: list[Move], keep: Keep, by: Author, now: datetime) -> None:
    """Store an event for each appointment: its history shows the change, and an older move cannot be undone to an
    instant of the old zone."""
    old = [(move.starts_at.isoformat(), move.ends_at.isoformat()) for move in moves]
    new = [(move.new_start.isoformat(), move.new_end.isoformat()) for move in moves] if keep is Keep.CLOCK else old
    old_starts, old_ends = map(list, zip(*old, strict=True))
    new_starts, new_ends = map(list, zip(*new, strict=True))
    columns: list[Any] = [[move.id for move in moves], old_starts, old_ends, new_starts, new_ends]
    user_id = by.user.pk if by.user else None
    common: list[Any] = [clinic.pk, AppointmentEvent.Kind.TIME_ZONE, now, by.channel, user_id, by.credential]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENTS_SQL, [*common, clinic.time_zone, time_zone, *columns])


def _move_absences(clinic: Clinic, time_zone: str, now: datetime) -> None:
    """Keep the local time of start and end. An absence that has begun keeps its start; where no time would be left
    between the two, it keeps its length."""
    old, new = clinic.zone, ZoneInfo(time_zone)
    absences = list(_absences_ahead(clinic, now))
    for absence in absences:
        length, new_end = absence.ends_at - absence.starts_at, at_same_local_time(absence.ends_at, old, new)
        if absence.starts_at > now:
            absence.starts_at = at_same_local_time(absence.starts_at, old, new)
        absence.ends_at = new_end if new_end > absence.starts_at else absence.starts_at + length
    Absence.objects.bulk_update(absences, ["starts_at", "ends_at"], batch_size=1000)


def _clashes(clinic: Clinic, moves: list[Move], now: datetime) -> list[Clash]:
    """Return the appointments that would overlap: an encaixe may share the doctor's time, never the patient's."""
    standing = [move for move in moves if move.takes_time]
    standing += _present_moves(clinic, standing, now)
    exclusive = [move for move in standing if not move.is_encaixe]
    pairs = [*_overlapping(exclusive, attrgetter("doctor_id")), *_overlapping(standing, attrgetter("patient_id"))]
    return _load_clashes(clinic, list(dict.fromkeys(pairs))[:MAX_CLASHES])


def _present_moves(clinic: Clinic, moves: list[Move], now: datetime) -> list[Move]:
    """Return the appointments that have begun or are over, and may overlap the new time of one of these; they stay at
    their instants."""
    if not moves:
        return []
    first = min(move.new_start for move in moves)
    begun = Appointment.objects.of(clinic).standing().filter(starts_at__lte=now, starts_at__gt=first - OVERLAP_LOOKBACK)
    rows = begun.filter(ends_at__gt=first).values_list(
        "pk", "doctor_id", "patient_id", "starts_at", "ends_at", "encaixe_by_id"
    )
    return [
        Move(pk, doctor, patient, starts_at, ends_at, starts_at, ends_at, True, encaixe_by is not None)
        for pk, doctor, patient, starts_at, ends_at, encaixe_by in rows
    ]


def _overlapping(moves: Iterable[Move], person: Callable[[Move], int]) -> Iterator[tuple[int, int]]:
    """Yield the ids of two appointments of one person, the earlier first, where the second begins before the first has
    ended. `person` returns the id of the doctor or of the patient."""
    ordered = sorted(moves, key=lambda move: (person(move), move.new_start, move.new_end))
    for _, own_moves in groupby(ordered, key=person):
        last = None  # to end
        for move in own_moves:
            if last and move.new_start < last.new_end:
                yield last.id, move.id
            if last is None or move.new_end > last.new_end:
                last = move


def _load_clashes(clinic: Clinic, pairs: list[tuple[int, int]]) -> list[Clash]:
    ids = {pk for pair in pairs for pk in pair}
    appointments = Appointment.objects.of(clinic).filter(pk__in=ids).select_related("patient").in_bulk()
    return [Clash(appointments[first], appointments[second]) for first, second in pairs]
