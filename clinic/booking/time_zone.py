"""Giving a clinic another time zone: what is ahead keeps its time on the clock, or its instant.

Which of the two, only people know: what is ahead was promised by the clock, unless the zone was wrong from the start.
So masters alone may do it, and are asked. What has begun or is over keeps its instant, because a day seen again must
show when people came. No row is dropped or shortened: what would overlap is named, and nothing is written.

Code that turns local times into instants and writes them has read the clinic's zone before. So that none of it writes
by a zone that is no longer the clinic's, `change_time_zone` holds the clinic's row and every doctor's: a booking holds
its doctor's and then compares the zone (`rules.availability.time_zone_is_unchanged`); what adds doctors or absences shares the
clinic's row first (`clinic.models.locks.get_shared`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from clinic.booking.audit import Author
from clinic.models import Absence, Appointment, AppointmentEvent, Clinic, ClinicEvent
from clinic.models.appointment import FREES_THE_TIME, OVERLAP_LOOKBACK
from clinic.models.locks import get_locked, lock_of_held_row
from clinic.refusals import Reason, Refusal, Refused
from clinic.transactions import run_in_transaction

CLASHES_NAMED = 20

DOCTORS = "SELECT id FROM clinic_doctor WHERE clinic_id = %s ORDER BY id"
# Two statements, since the exclusion constraints look at every row as it is written: what moves by an hour would meet
# the next one, which has not moved yet. Between the two none of them stands, and no other transaction sees that.
# Deferrable constraints would have to be built anew over all rows. 100 000 appointments took 12 to 15 s on a busy
# machine, during which that clinic's bookings are asked to try again.
MOVE_OUT_OF_SIGHT = """
    UPDATE clinic_appointment AS appointment
    SET starts_at = moved.starts_at, ends_at = moved.ends_at, updated_at = %s, deleted_at = %s
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS moved (id, starts_at, ends_at)
    WHERE clinic_id = %s AND appointment.id = moved.id
"""
PUT_BACK = "UPDATE clinic_appointment SET deleted_at = NULL WHERE clinic_id = %s AND id = ANY (%s)"
RECORD = """
    INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, kind, at, door, user_id, credential, before, after)
    SELECT %s, id, %s, %s, %s, %s, %s,
        jsonb_build_object('starts_at', old_start, 'ends_at', old_end, 'time_zone', %s::text),
        jsonb_build_object('starts_at', new_start, 'ends_at', new_end, 'time_zone', %s::text)
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS moved (id, old_start, old_end, new_start, new_end)
"""


class Keep(Enum):
    """What stays of a time when the zone changes: what the clock shows, or the instant."""

    CLOCK = "clock"
    INSTANT = "instant"


@dataclass(frozen=True)
class Ahead:
    """What of a clinic lies ahead: appointments, cancelled ones too, and absences and closures that have not ended."""

    appointments: int
    absences: int

    def __bool__(self):
        return bool(self.appointments or self.absences)


@dataclass(frozen=True)
class Moved:
    """An appointment with the instants that it has (`starts_at`, `ends_at`) and those that it is to have."""

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
    """Two appointments, with doctor and patient, that would take the same time of one of the two."""

    appointment: Appointment
    other: Appointment


@dataclass(frozen=True)
class Outlook:
    """What would come of another zone: what is ahead, how many of the appointments begin at a time that its clocks jump
    over, and which could not all keep their times on the clock (the first CLASHES_NAMED)."""

    ahead: Ahead
    jumped: int
    clashes: list[Clash]


class AskHowToKeep(Exception):
    """Something is ahead, and nobody has chosen what it is to keep."""


class TimesClash(Exception):
    """Nothing was written: with their times on the clock kept, the appointments of `clashes` would overlap."""

    def __init__(self, clashes: list[Clash]):
        super().__init__(len(clashes))
        self.clashes = clashes


def look_ahead(clinic: Clinic, time_zone: str, now: datetime) -> Outlook:
    """What would come of that zone. Nothing is locked; three queries, and two more for what would clash."""
    moved, zone = _moved(clinic, time_zone, now), ZoneInfo(time_zone)
    jumped = [each for each in moved if _wall(each.starts_at, clinic.zone) != _wall(each.new_start, zone)]
    return Outlook(Ahead(len(moved), _absences(clinic, now).count()), len(jumped), _clashes(clinic, moved, now))


def change_time_zone(
    clinic: Clinic, time_zone: str, *, keep: Keep | None, by: Author, now: datetime | None = None
) -> ClinicEvent:
    """Store the zone, move what is ahead if it keeps its clock, and record it, in one transaction.

    Ahead is what starts later than `now`. What has begun or is over keeps its instants: it is history. An absence that
    has begun keeps its start. An appointment keeps its length; at a time that the clocks jump over it is put as far
    after the jump, and one that had the second of two equal times has it again where there are two.

    Locks the clinic's row, then all its doctors' in order of id. Raises AskHowToKeep, TimesClash, and Refused
    (TRY_AGAIN) when a row is held for too long or `clinic` has another zone by now.
    """
    return run_in_transaction(lambda: _change(clinic, time_zone, keep, by, now))


def at_the_same_clock(instant: datetime, old: ZoneInfo, new: ZoneInfo) -> datetime:
    """The UTC instant at which the clocks of `new` show what those of `old` show at this one."""
    return instant.astimezone(old).replace(tzinfo=new).astimezone(UTC)


def _change(clinic, time_zone, keep, by, now):
    stored = get_locked(Clinic.objects.filter(pk=clinic.pk))
    if stored.time_zone != clinic.time_zone:
        raise Refused([Refusal(Reason.TRY_AGAIN)])
    _hold_doctors(stored)
    now = now or timezone.now()  # after what was waited for
    found = Ahead(_appointments(stored, now).count(), _absences(stored, now).count())
    if found and keep is None:
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
            "keep": keep.value if found else "",
            "appointments": found.appointments,
            "absences": found.absences,
        },
    )


def _hold_doctors(clinic):
    with lock_of_held_row() as lock, connection.cursor() as cursor:
        cursor.execute(f"{DOCTORS} {lock}", [clinic.pk])


def _wall(instant, zone):
    return instant.astimezone(zone).replace(tzinfo=None)


def _appointments(clinic, now):
    return Appointment.objects.of(clinic).kept().filter(starts_at__gt=now)


def _absences(clinic, now):
    return Absence.objects.of(clinic).filter(ends_at__gt=now)


def _moved(clinic, time_zone, now) -> list[Moved]:
    """What is ahead, with the instants that keep its clock."""
    old, new = clinic.zone, ZoneInfo(time_zone)
    columns = ("pk", "doctor_id", "patient_id", "starts_at", "ends_at", "status", "encaixe_by_id")
    moved = []
    for pk, doctor, patient, starts_at, ends_at, status, encaixe in _appointments(clinic, now).values_list(*columns):
        new_start = at_the_same_clock(starts_at, old, new)
        new_end = new_start + (ends_at - starts_at)
        stands = status not in FREES_THE_TIME
        moved.append(Moved(pk, doctor, patient, starts_at, ends_at, new_start, new_end, stands, encaixe is not None))
    return moved


def _move_appointments(clinic, time_zone, keep, by, now):
    moved = _moved(clinic, time_zone, now)
    if not moved:
        return
    if keep is Keep.CLOCK:
        if found := _clashes(clinic, moved, now):
            raise TimesClash(found)
        _write(clinic, moved, now)
    else:
        _appointments(clinic, now).update(updated_at=now)  # their times on the clock are others now
    _record(clinic, time_zone, moved, keep, by, now)


def _write(clinic, moved, now):
    ids = [each.id for each in moved]
    starts, ends = [each.new_start for each in moved], [each.new_end for each in moved]
    with connection.cursor() as cursor:
        cursor.execute(MOVE_OUT_OF_SIGHT, [now, now, ids, starts, ends, clinic.pk])
        cursor.execute(PUT_BACK, [clinic.pk, ids])


def _record(clinic, time_zone, moved, keep, by, now):
    """One event for each, so that its history tells it and an older move is not undone by the old clock."""
    old = [(each.starts_at.isoformat(), each.ends_at.isoformat()) for each in moved]
    new = [(each.new_start.isoformat(), each.new_end.isoformat()) for each in moved] if keep is Keep.CLOCK else old
    columns = [[each.id for each in moved], *map(list, zip(*old, strict=True)), *map(list, zip(*new, strict=True))]
    about = [clinic.pk, AppointmentEvent.Kind.TIME_ZONE, now, by.channel, by.user and by.user.pk, by.credential]
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [*about, clinic.time_zone, time_zone, *columns])


def _move_absences(clinic, time_zone, now):
    """Start and end each by the clock. What has begun keeps its start; where no time would be left between
    them, the length is kept."""
    old, new = clinic.zone, ZoneInfo(time_zone)
    rows = list(_absences(clinic, now))
    for row in rows:
        length, ends_at = row.ends_at - row.starts_at, at_the_same_clock(row.ends_at, old, new)
        if row.starts_at > now:
            row.starts_at = at_the_same_clock(row.starts_at, old, new)
        row.ends_at = ends_at if ends_at > row.starts_at else row.starts_at + length
    Absence.objects.bulk_update(rows, ["starts_at", "ends_at"], batch_size=1000)


def _clashes(clinic, moved, now):
    standing = [each for each in moved if each.takes_time]
    everybody = standing + _staying(clinic, standing, now)
    exclusive = [each for each in everybody if not each.is_encaixe]
    pairs = [*_overlapping(exclusive, attrgetter("doctor_id")), *_overlapping(everybody, attrgetter("patient_id"))]
    return _named(clinic, dict.fromkeys(pairs))


def _staying(clinic, moved, now) -> list[Moved]:
    """Those that have begun, or are over, and may lie where one of these moves to."""
    if not moved:
        return []
    first = min(each.new_start for each in moved)
    begun = Appointment.objects.of(clinic).standing().filter(starts_at__lte=now, starts_at__gt=first - OVERLAP_LOOKBACK)
    columns = ("pk", "doctor_id", "patient_id", "starts_at", "ends_at", "encaixe_by_id")
    rows = begun.filter(ends_at__gt=first).values_list(*columns)
    return [
        Moved(pk, doctor, patient, starts_at, ends_at, starts_at, ends_at, True, encaixe is not None)
        for pk, doctor, patient, starts_at, ends_at, encaixe in rows
    ]


def _overlapping(rows: Iterable[Moved], whose) -> Iterable[tuple[int, int]]:
    """Ids of two of the same person, the earlier first, the second of which begins before the first has ended."""
    ordered = sorted(rows, key=lambda each: (whose(each), each.new_start, each.new_end))
    for _, own in groupby(ordered, key=whose):
        last = None
        for each in own:
            if last and each.new_start < last.new_end:
                yield last.id, each.id
            if last is None or each.new_end > last.new_end:
                last = each


def _named(clinic, pairs):
    pairs = list(pairs)[:CLASHES_NAMED]
    ids = {pk for pair in pairs for pk in pair}
    rows = Appointment.objects.of(clinic).filter(pk__in=ids).select_related("patient").in_bulk()
    return [Clash(rows[first], rows[second]) for first, second in pairs]
