"""The next free times of several doctors: read in two steps, and walked only as far as they are wanted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby, islice
from operator import attrgetter

from django.utils import timezone

from clinic.booking.booked import load_booked
from clinic.booking.openings import half_day, spread
from clinic.booking.possible_days import PossibleDay, possible_days
from clinic.booking.walk import Walk, present_day
from clinic.models import Appointment, Clinic, Doctor
from clinic.schedule import MAX_DURATION, Limits, Opening, Restricted, Schedules, bookable_dates, load_schedules

FINDER_DAYS = 60
FINDER_COUNT = 3
# As many possible days of doctors are read first, at least; three times are nearly always on them.
FIRST_DAYS, FIRST_DAYS_OF_A_DOCTOR = 40, 4


class PartOfDay(StrEnum):
    """A part of the clinic's local day, by the time at which an appointment begins."""

    MORNING = "manha"
    AFTERNOON = "tarde"
    NIGHT = "noite"

    @property
    def first_hour(self) -> int:
        return {"manha": 0, "tarde": 12, "noite": 18}[self.value]

    @property
    def last_hour(self) -> int:
        return {"manha": 11, "tarde": 17, "noite": 23}[self.value]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A free time of `minutes` is wanted with any of `doctors`, from the local date `first` on.

    Of `parts` (of the day) and ISO `weekdays` none means any. With `is_earliest` the earliest times are wanted,
    otherwise times on different half-days. `patient` is an id: where that patient is elsewhere, nothing is free. The
    time of `moving`, an appointment about to be moved, counts as free, but is not found. `procedures` are those whose
    limits hold beside the doctor's.
    """

    clinic: Clinic
    doctors: Sequence[Doctor]
    minutes: int
    first: date | None = None
    parts: frozenset[PartOfDay] = frozenset()
    weekdays: frozenset[int] = frozenset()
    is_earliest: bool = True
    patient: int | None = None
    moving: Appointment | None = None
    procedures: Sequence[Restricted] = ()

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @property
    def windows(self) -> list[tuple[time, time]]:
        """The local times between which it may begin, both included."""
        parts = self.parts or frozenset(PartOfDay)
        return [(time(part.first_hour), time(part.last_hour, 59)) for part in parts]

    def accepts(self, opening: Opening) -> bool:
        hour = self.clinic.local(opening.starts_at).hour
        is_present = self.moving and opening[::2] == (self.moving.starts_at, self.moving.doctor_id)
        in_part = not self.parts or any(part.first_hour <= hour <= part.last_hour for part in self.parts)
        return in_part and not is_present


@dataclass(frozen=True)
class Found:
    """Free times in order of time, at most FINDER_COUNT, and the local dates between which they were sought.

    `has_hours` is False where none of the doctors works at all on such weekdays and parts of the day."""

    openings: list[Opening]
    first: date
    last: date
    has_hours: bool = True


def find(
    wish: Wish, *, now: datetime | None = None, after: datetime | None = None, before: datetime | None = None
) -> Found:
    """Return the next free times that begin after the instants `now` and `after`, or the last ones before `before`.

    Of several doctors who are free at one time the first of `wish.doctors` is taken. FINDER_DAYS dates are sought at
    most. Three queries, two where the first days suffice, and one more where there is a number a day.
    """
    now = now or timezone.now()
    first, last = _dates(wish, now, after, before)
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    days = [day for day in days if not wish.weekdays or day.isoweekday() in wish.weekdays]
    doctors = [doctor for doctor in wish.doctors if doctor.active]
    if not days or not doctors or not timedelta(0) < wish.length <= MAX_DURATION:
        return Found([], first, last)
    schedules = load_schedules(wish.clinic, doctors, days[0], days[-1])
    booked = load_booked(wish.clinic, doctors, wish.procedures, days[0], days[-1], besides=wish.moving)
    walk = Walk(
        schedules, lambda _doctor, _day: (), now, Limits(wish.procedures, booked, present=present_day(wish.moving))
    )
    found = _in_order(wish, doctors, walk, days, is_backwards=before is not None)
    chosen = _chosen(wish, (opening for opening in found if _is_between(opening, after, before)))
    return Found(chosen, first, last, has_hours=bool(chosen) or _has_hours(wish, doctors, schedules, days))


def _has_hours(wish: Wish, doctors: list[Doctor], schedules: Schedules, days: list[date]) -> bool:
    """Return whether one of them has hours of work in the wanted parts of one of these days; of each weekday the last
    is looked at."""
    at = wish.clinic.nearest_instant
    return any(
        block.overlaps(at(day, first), at(day, last))
        for day in {day.isoweekday(): day for day in days}.values()
        for doctor in doctors
        for block in schedules.blocks(doctor.pk, day)
        for first, last in wish.windows
    )


def _dates(wish: Wish, now: datetime, after: datetime | None, before: datetime | None) -> tuple[date, date]:
    """Return the first and the last date to look at; the last is before the first where nothing may be booked."""
    earliest, latest = bookable_dates(wish.clinic, now)
    first = max(earliest, wish.first or earliest)
    span = timedelta(days=FINDER_DAYS - 1)
    if before:
        last = min(latest, wish.clinic.local(before).date())
        return max(first, last - span), last
    if after:
        first = max(first, wish.clinic.local(after).date())
    return first, min(latest, first + span)


def _is_between(opening: Opening, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or opening.starts_at > after) and (before is None or opening.starts_at < before)


def _in_order(
    wish: Wish, doctors: list[Doctor], walk: Walk, days: list[date], *, is_backwards: bool
) -> Iterator[Opening]:
    """Yield the free times of the days, in order of time or `is_backwards` the latest first, one for each start."""
    place = {doctor.pk: index for index, doctor in enumerate(doctors)}
    for possible in _grouped(_read(wish, doctors, days[::-1] if is_backwards else days)):
        found = filter(wish.accepts, _of_day(wish, doctors, possible, walk))
        in_order = sorted(found, key=lambda opening: (opening.starts_at, place[opening.doctor_id]))
        distinct = [next(openings) for _start, openings in groupby(in_order, key=attrgetter("starts_at"))]
        yield from reversed(distinct) if is_backwards else distinct


def _read(wish: Wish, doctors: list[Doctor], days: list[date]) -> Iterator[PossibleDay]:
    """Yield the days of doctors on which there may be time: a few by one query, all others by a second."""

    def read(limit: int | None, offset: int) -> list[PossibleDay]:
        return possible_days(
            wish.clinic,
            doctors=[doctor.pk for doctor in doctors],
            days=days,
            length=wish.length,
            windows=wish.windows,
            patient=wish.patient,
            moving=wish.moving,
            limit=limit,
            offset=offset,
        )

    step = max(FIRST_DAYS, FIRST_DAYS_OF_A_DOCTOR * len(doctors))
    first = read(step, 0)
    yield from first
    if len(first) == step:
        yield from read(None, step)


def _grouped(possible: Iterator[PossibleDay]) -> Iterator[list[PossibleDay]]:
    for _day, group in groupby(possible, key=attrgetter("day")):
        yield list(group)


def _of_day(wish: Wish, doctors: list[Doctor], possible: list[PossibleDay], walk: Walk) -> Iterator[Opening]:
    taken = {of_doctor.doctor_id: of_doctor.taken for of_doctor in possible}
    with_time = [doctor for doctor in doctors if doctor.pk in taken]
    walk = replace(walk, taken=lambda doctor, _day: taken[doctor])
    return walk.of_day(possible[0].day, with_time, wish.length)


def _chosen(wish: Wish, found: Iterator[Opening]) -> list[Opening]:
    """Return the first ones in order of time: the earliest, or with the first one those of other half-days."""
    if wish.is_earliest:
        return sorted(islice(found, FINDER_COUNT))
    read: list[Opening] = []
    half_days = set()
    for opening in found:
        read.append(opening)
        half_days.add(half_day(wish.clinic, opening))
        if len(half_days) == FINDER_COUNT:
            break
    return spread(wish.clinic, read, FINDER_COUNT)
