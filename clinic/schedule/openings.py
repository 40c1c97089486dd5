"""Free times, computed from what is loaded: the one place that decides what is offered. Asks no database."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from clinic.models import Doctor
from clinic.schedule.limits import MAX_DURATION, bookable_dates
from clinic.schedule.schedules import Schedules
from clinic.schedule.spans import Span, without


class Opening(NamedTuple):
    """A free time of one doctor, as UTC instants."""

    starts_at: datetime
    ends_at: datetime
    doctor_id: int


def openings_on(
    day: date, doctor: Doctor, *, schedules: Schedules, taken: Iterable[Span], length: timedelta, now: datetime
) -> Iterator[Opening]:
    """Yield the times of `length` for which the doctor can be booked on the local date `day`, in order.

    They begin after `now` on the doctor's grid, which starts anew with every block of working hours, and lie in open
    time outside the spans `taken`. An inactive doctor has none, a date that is too far ahead neither. Where the clock
    shows an hour twice, only its first pass is offered: a time as the clock shows it means that one. A program that
    sends an offset can still book the second.
    """
    clinic = schedules.clinic
    first, last = bookable_dates(clinic, now)
    if not doctor.active or not first <= day <= last or not timedelta(0) < length <= MAX_DURATION:
        return
    midnight, next_midnight = schedules.day(day)
    is_long_day = next_midnight - midnight > timedelta(days=1)
    free = without(schedules.open(doctor.pk, day), taken)
    for starts_at in _fitting(_grid(day, doctor, schedules), length, free):
        if starts_at > now and not (is_long_day and clinic.local(starts_at).fold):
            yield Opening(starts_at, starts_at + length, doctor.pk)


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


def _fitting(starts: Iterable[datetime], length: timedelta, spans: Iterable[Span]) -> Iterator[datetime]:
    """Yield those starts from which `length` lies within one of the spans; both are in order of time."""
    following = iter(spans)
    span = next(following, None)
    for starts_at in starts:
        while span and span.ends_at < starts_at + length:
            span = next(following, None)
        if span is None:
            return
        if span.starts_at <= starts_at:
            yield starts_at
