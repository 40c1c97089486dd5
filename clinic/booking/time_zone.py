"""Giving a clinic another time zone: what is ahead keeps its time on the clock, or its instant.

Only people know which of the two: appointments were promised by the clock, unless the zone was wrong from the start. So
only masters may do it, and they are asked. What has begun or is over keeps its instant, because a past day must show
when people came. No row is deleted or shortened: if appointments would overlap they are named, and nothing is written.

Code that turns local times into instants has read the clinic's zone before it writes them. So that none of it writes
by a zone that is no longer the clinic's, `change_time_zone` locks the clinic's row and every doctor's: a booking locks
its doctor's and then compares the zone (`rules.availability.time_zone_is_unchanged`); code that adds doctors or
absences shares the clinic's row first (`clinic.models.locks.get_shared`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import groupby
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from clinic.models import Absence, Appointment, AppointmentEvent, Clinic, ClinicEvent
from clinic.models.appointment import FREES_THE_TIME, OVERLAP_LOOKBACK
from clinic.models.locks import get_locked, lock_of_held_row
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author
from clinic.transactions import run_in_transaction

MAX_CLASHES = 20

DOCTORS_SQL = "SELECT id FROM clinic_doctor WHERE clinic_id = %s ORDER BY id"
# Two statements, since the exclusion constraints check every row as it is written: an appointment that moves by an hour
# would overlap the next one, which has not moved yet. Between the two statements all of them are marked as deleted,
# which no other transaction sees. Deferrable constraints would have to be rebuilt over all rows. 100 000 appointments
# took 12 to 15 s on a busy machine; meanwhile that clinic's bookings are asked to try again.
MOVE_AS_DELETED_SQL = """
    UPDATE clinic_appointment AS appointment
    SET starts_at = moved.starts_at, ends_at = moved.ends_at, updated_at = %s, deleted_at = %s
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS moved (id, starts_at, ends_at)
    WHERE clinic_id = %s AND appointment.id = moved.id
"""
RESTORE_SQL = "UPDATE clinic_appointment SET deleted_at = NULL WHERE clinic_id = %s AND id = ANY (%s)"
RECORD_EVENTS_SQL = """
    INSERT INTO clinic_appointmentevent
        (clinic_id, appointment_id, doctor_id, kind, at, door, user_id, credential, before, after)
    SELECT %s, moved.id, appointment.doctor_id, %s, %s, %s, %s, %s,
        jsonb_build_object('starts_at', old_start, 'ends_at', old_end, 'time_zone', %s::text),
        jsonb_build_object('starts_at', new_start, 'ends_at', new_end, 'time_zone', %s::text)
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS moved (id, old_start, old_end, new_start, new_end)
    JOIN clinic_appointment AS appointment ON appointment.id = moved.id
"""


class Keep(Enum):
    """The part of a time that stays when the zone changes: what the clock shows, or the instant."""

    CLOCK = "clock"
    INSTANT = "instant"


@dataclass(frozen=True)
class Ahead:
    """How many appointments lie ahead, cancelled ones too, and how many absences and closures have not ended."""

    appointments: int
    absences: int

    def __bool__(self) -> bool:
        return bool(self.appointments or self.absences)


@dataclass(frozen=True)
class MovedAppointment:
    """An appointment with the instants that it has (`starts_at`, `ends_at`) and those that it will have."""

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
    """Two appointments that would take the same time of a doctor or a patient."""

    appointment: Appointment
    other: Appointment


@dataclass(frozen=True)
class Outlook:
    """The effect of another zone: what is ahead, how many of the appointments begin at a time that its clocks jump
    over, and which could not all keep their times on the clock (the first MAX_CLASHES)."""

    ahead: Ahead
    jumped: int
    clashes: list[Clash]


class AskHowToKeep(Exception):
    """Something is ahead, and the author has not chosen what it keeps."""


class TimesClash(Exception):
    """Nothing was written: with their times on the clock kept, the appointments of `clashes` would overlap."""

    def __init__(self, clashes: list[Clash]) -> None:
        super().__init__(len(clashes))
        self.clashes = clashes


def look_ahead(clinic: Clinic, time_zone: str, now: datetime) -> Outlook:
    """Return the effect of that zone. Locks nothing; three queries, and two more for clashes."""
    moved, zone = _load_moved(clinic, time_zone, now), ZoneInfo(time_zone)
    jumped = [row for row in moved if _wall_time(row.starts_at, clinic.zone) != _wall_time(row.new_start, zone)]
    return Outlook(Ahead(len(moved), _absences(clinic, now).count()), len(jumped), _find_clashes(clinic, moved, now))


def change_time_zone(
    clinic: Clinic, time_zone: str, *, keep: Keep | None, by: Author, now: datetime | None = None
) -> ClinicEvent:
    """Store the zone, move what is ahead if it keeps its clock, and record it, in one transaction.

    Ahead is what starts later than `now`. What has begun or is over keeps its instants: it is history. An absence that
    has begun keeps its start. An appointment keeps its length; at a time that the clocks jump over it is put as far
    after the jump, and one at the second of two equal times is again at the second, where there are two.

    Locks the clinic's row, then all its doctors' in order of id. Raises AskHowToKeep, TimesClash, and Refused
    (TRY_AGAIN) when a row is locked for too long or `clinic` has another zone by now.
    """
    return run_in_transaction(lambda: _change(clinic, time_zone, keep, by, now))


def at_the_same_clock(instant: datetime, old: ZoneInfo, new: ZoneInfo) -> datetime:
    """Return the UTC instant at which a clock in `new` shows what a clock in `old` shows at this one."""
    return instant.astimezone(old).replace(tzinfo=new).astimezone(UTC)


def _change(clinic: Clinic, time_zone: str, keep: Keep | None, by: Author, now: datetime | None) -> ClinicEvent:
    stored = get_locked(Clinic.objects.filter(pk=clinic.pk))
    if stored.time_zone != clinic.time_zone:
        raise Refused([Refusal(Reason.TRY_AGAIN)])
    _lock_doctors(stored)
    now = now or timezone.now()  # after the locks were waited for
    ahead = Ahead(_appointments(stored, now).count(), _absences(stored, now).count())
    if ahead and keep is None:
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
            "keep": keep.value if ahead and keep else "",
            "appointments": ahead.appointments,
            "absences": ahead.absences,
        },
    )


def _lock_doctors(clinic: Clinic) -> None:
    with lock_of_held_row() as lock, connection.cursor() as cursor:
        cursor.execute(f"{DOCTORS_SQL} {lock}", [clinic.pk])


def _wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _appointments(clinic: Clinic, now: datetime) -> QuerySet[Appointment]:
    return Appointment.objects.of(clinic).kept().filter(starts_at__gt=now)


def _absences(clinic: Clinic, now: datetime) -> QuerySet[Absence]:
    return Absence.objects.of(clinic).filter(ends_at__gt=now)


def _load_moved(clinic: Clinic, time_zone: str, now: datetime) -> list[MovedAppointment]:
    """Load the appointments ahead, with the instants that keep their time on the clock."""
    old, new = clinic.zone, ZoneInfo(time_zone)
    columns = ("pk", "doctor_id", "patient_id", "starts_at", "ends_at", "status", "encaixe_by_id")
    moved = []
    rows = _appointments(clinic, now).values_list(*columns)
    for pk, doctor, patient, starts_at, ends_at, status, encaixe_by in rows:
        new_start = at_the_same_clock(starts_at, old, new)
        new_end = new_start + (ends_at - starts_at)
        takes_time, is_encaixe = status not in FREES_THE_TIME, encaixe_by is not None
        instants = starts_at, ends_at, new_start, new_end
        moved.append(MovedAppointment(pk, doctor, patient, *instants, takes_time, is_encaixe))
    return moved


def _move_appointments(clinic: Clinic, time_zone: str, keep: Keep | None, by: Author, now: datetime) -> None:
    moved = _load_moved(clinic, time_zone, now)
    if not moved:
        return
    if keep is Keep.CLOCK:
        if clashes := _find_clashes(clinic, moved, now):
            raise TimesClash(clashes)
        _write(clinic, moved, now)
    else:
        _appointments(clinic, now).update(updated_at=now)  # their times on the clock change
    _record_events(clinic, time_zone, moved, keep, by, now)


def _write(clinic: Clinic, moved: Sequence[MovedAppointment], now: datetime) -> None:
    ids = [row.id for row in moved]
    starts, ends = [row.new_start for row in moved], [row.new_end for row in moved]
    with connection.cursor() as cursor:
        cursor.execute(MOVE_AS_DELETED_SQL, [now, now, ids, starts, ends, clinic.pk])
        cursor.execute(RESTORE_SQL, [clinic.pk, ids])


def _record_events(
    clinic: Clinic,
    time_zone: str,
    moved: Sequence[MovedAppointment],
    keep: Keep | None,
    by: Author,
    now: datetime,
) -> None:
    """Store an event for every appointment: its history shows the change, and an older move is not undone by the old
    clock."""
    old = [(row.starts_at.isoformat(), row.ends_at.isoformat()) for row in moved]
    new = [(row.new_start.isoformat(), row.new_end.isoformat()) for row in moved] if keep is Keep.CLOCK else old
    columns = [[row.id for row in moved], *map(list, zip(*old, strict=True)), *map(list, zip(*new, strict=True))]
    user_id = by.user.pk if by.user else None
    shared = [clinic.pk, AppointmentEvent.Kind.TIME_ZONE, now, by.channel, user_id, by.credential]
    parameters: list[Any] = [*shared, clinic.time_zone, time_zone, *columns]
    with connection.cursor() as cursor:
        cursor.execute(RECORD_EVENTS_SQL, parameters)


def _move_absences(clinic: Clinic, time_zone: str, now: datetime) -> None:
    """Move start and end by the clock. An absence that has begun keeps its start; where no time would be left between
    the two, the length is kept."""
    old, new = clinic.zone, ZoneInfo(time_zone)
    rows = list(_absences(clinic, now))
    for row in rows:
        length, ends_at = row.ends_at - row.starts_at, at_the_same_clock(row.ends_at, old, new)
        if row.starts_at > now:
            row.starts_at = at_the_same_clock(row.starts_at, old, new)
        row.ends_at = ends_at if ends_at > row.starts_at else row.starts_at + length
    Absence.objects.bulk_update(rows, ["starts_at", "ends_at"], batch_size=1000)


def _find_clashes(clinic: Clinic, moved: Sequence[MovedAppointment], now: datetime) -> list[Clash]:
    standing = [row for row in moved if row.takes_time]
    of_patients = standing + _load_begun(clinic, standing, now)
    of_doctors = [row for row in of_patients if not row.is_encaixe]
    pairs = [*_overlaps(of_doctors, attrgetter("doctor_id")), *_overlaps(of_patients, attrgetter("patient_id"))]
    return _load_clashes(clinic, dict.fromkeys(pairs))


def _load_begun(clinic: Clinic, moved: Sequence[MovedAppointment], now: datetime) -> list[MovedAppointment]:
    """Load the appointments that have begun, or are over, and may lie where one of `moved` will be."""
    if not moved:
        return []
    first = min(row.new_start for row in moved)
    begun = Appointment.objects.of(clinic).standing().filter(starts_at__lte=now, starts_at__gt=first - OVERLAP_LOOKBACK)
    columns = ("pk", "doctor_id", "patient_id", "starts_at", "ends_at", "encaixe_by_id")
    rows = begun.filter(ends_at__gt=first).values_list(*columns)
    return [
        MovedAppointment(pk, doctor, patient, starts_at, ends_at, starts_at, ends_at, True, encaixe_by is not None)
        for pk, doctor, patient, starts_at, ends_at, encaixe_by in rows
    ]


def _overlaps(
    rows: Iterable[MovedAppointment], person_id: Callable[[MovedAppointment], int]
) -> Iterator[tuple[int, int]]:
    """Yield the ids of two appointments of one person, the second of which begins before the first has ended."""
    ordered = sorted(rows, key=lambda row: (person_id(row), row.new_start, row.new_end))
    for _, rows_of_person in groupby(ordered, key=person_id):
        last = None
        for row in rows_of_person:
            if last and row.new_start < last.new_end:
                yield last.id, row.id
            if last is None or row.new_end > last.new_end:
                last = row


def _load_clashes(clinic: Clinic, pairs: Iterable[tuple[int, int]]) -> list[Clash]:
    named = list(pairs)[:MAX_CLASHES]
    ids = {pk for pair in named for pk in pair}
    rows = Appointment.objects.of(clinic).filter(pk__in=ids).select_related("patient").in_bulk()
    return [Clash(rows[first], rows[second]) for first, second in named]
