"""Free times, computed from what is loaded: the one place that decides what is offered. Asks no database."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from clinic.models import Doctor
from clinic.schedule.limits import MAX_DURATION, NO_LIMITS, Limits
from clinic.schedule.schedules import Schedules
from clinic.schedule.spans import Span, without

EARLIEST = datetime.min.replace(tzinfo=UTC)


class Opening(NamedTuple):
    """A free time of one doctor, as UTC instants."""

    starts_at: datetime
    ends_at: datetime
    doctor_id: int


class FreeStart(NamedTuple):
    """A start at which one doctor is free, and until when: UTC instants."""

    starts_at: datetime
    until: datetime


def openings_on(
    day: date,
    doctor: Doctor,
    *,
    schedules: Schedules,
    taken: Iterable[Span],
    length: timedelta,
    now: datetime,
    limits: Limits = NO_LIMITS,
) -> Iterator[Opening]:
    """Return the times of `length` for which the doctor can be booked on the local date `day`, in order.

    They begin after `now` on the doctor's grid, which starts anew with every block of working hours, and lie in open
    time outside the spans `taken`. An inactive doctor has none, a date that `limits` do not admit neither. Where the
    clock shows an hour twice, only its first pass is offered: a time as the clock shows it means that one. A program
    that sends an offset can still book the second.
    """
    return longest_openings_on(day, doctor, schedules=schedules, taken=taken, lengths=[length], now=now, limits=limits)


def longest_openings_on(
    day: date,
    doctor: Doctor,
    *,
    schedules: Schedules,
    taken: Iterable[Span],
    lengths: Sequence[timedelta],
    now: datetime,
    limits: Limits = NO_LIMITS,
) -> Iterator[Opening]:
    """Yield the same times as `openings_on`, each as long as the longest of `lengths` for which it is free.

    `lengths` are in ascending order."""
    possible = [length for length in lengths if timedelta(0) < length <= MAX_DURATION]
    for starts_at, until in free_starts_on(day, doctor, schedules=schedules, taken=taken, now=now, limits=limits):
        if fitting := bisect(possible, until - starts_at):
            yield Opening(starts_at, starts_at + possible[fitting - 1], doctor.pk)


def free_starts_on(
    day: date,
    doctor: Doctor,
    *,
    schedules: Schedules,
    taken: Iterable[Span],
    now: datetime,
    limits: Limits,
) -> Iterator[FreeStart]:
    """Yield the starts of `openings_on` of any length, in order."""
    clinic = schedules.clinic
    if not doctor.active or not limits.admit(clinic, doctor, day, now):
        return
    earliest = limits.earliest(doctor, now)
    midnight, next_midnight = schedules.day(day)
    is_long_day = next_midnight - midnight > timedelta(days=1)
    free = without(schedules.open(doctor.pk, day), taken)
    for starts_at, until in _free_starts(_grid(day, doctor, schedules), free):
        if starts_at > now and starts_at >= earliest and not (is_long_day and clinic.local(starts_at).fold):
            yield FreeStart(starts_at, until)


def _grid(day: date, doctor: Doctor, schedules: Schedules) -> Iterator[datetime]:
    """Yield every start on that date; a night that began on the day before goes on in the steps in which it began."""
    midnight, next_midnight = schedules.day(day)
    step = timedelta(minutes=doctor.interval_minutes)
    for block in schedules.blocks(doctor.pk, day):
        starts_at = block.starts_at
        if starts_at < midnight:
            starts_at += -((starts_at - midnight) // step) * step
        while starts_at < min(block.ends_at, next_midnight):
            yield starts_at
            starts_at += step


def _free_starts(starts: Iterable[datetime], spans: Iterable[Span]) -> Iterator[tuple[datetime, datetime]]:
    """Yield those starts that lie within one of the spans, with its end; both are in order of time."""
    following = iter(spans)
    span, until = next(following, None), EARLIEST
    for starts_at in starts:
        while span and span.starts_at <= starts_at:
            until = max(until, span.ends_at)
            span = next(following, None)
        if starts_at < until:
            yield starts_at, until
