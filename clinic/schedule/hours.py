"""Weekly working hours as they are written: wall times of a weekday, which may run over midnight.

Hours whose end is not after their start run into the next day, so nights need no second column. 00:00 as an end is the
midnight between the two.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import NamedTuple, Protocol

# Longer hours that run past midnight have their two ends mixed up.
MAX_NIGHT_HOURS = 16
MAX_NIGHT = timedelta(hours=MAX_NIGHT_HOURS)
WEEK = timedelta(days=7)


class WeeklyHours(Protocol):
    """ISO weekday and local wall times; an end that is not after the start is on the next day. They hold on local dates
    from `valid_from` to `valid_until`, both included, None for an open end."""

    @property
    def weekday(self) -> int: ...
    @property
    def starts(self) -> time: ...
    @property
    def ends(self) -> time: ...
    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_until(self) -> date | None: ...


class Hours(NamedTuple):
    """Local wall time of the clinic; an end that is not after the start is on the day after the ISO weekday."""

    weekday: int
    starts: time
    ends: time

    @property
    def valid_from(self) -> None:
        """They hold always."""

    @property
    def valid_until(self) -> None:
        """They hold always."""


def end_date(day: date, starts: time, ends: time) -> date:
    """Return the local date of the end of what begins on `day`: the next one, unless the end is after the start."""
    return day if ends > starts else day + timedelta(days=1)


def are_valid_hours(starts: time, ends: time) -> bool:
    """Whether a doctor can work so: the end is after the start, or a midnight, or that of a night not too long."""
    return ends > starts or ends == time.min or _length(starts, ends) <= MAX_NIGHT


def overlapping_hours[H: WeeklyHours](rows: Iterable[H]) -> list[tuple[H, H]]:
    """Return (row, an earlier one that has not ended when it begins), for every row that begins too early on a date on
    which both hold.

    A night reaches into the next day, that of Sunday into Monday.
    """
    spans = [(_since_monday(row), _since_monday(row) + _length(row.starts, row.ends), row) for row in rows]
    spans.sort(key=itemgetter(0, 1))
    spans += [(start + WEEK, end + WEEK, row) for start, end, row in spans]
    pairs: list[tuple[H, H]] = []
    for number, (start, _end, row) in enumerate(spans):
        before = [
            (end, other)
            for earlier, end, other in spans[:number]
            if start < end and other is not row and _hold_together(row, other, start.days - earlier.days)
        ]
        if before and (pair := (row, max(before, key=itemgetter(0))[1])) not in pairs:
            pairs.append(pair)
    return pairs


def ever_hold(row: WeeklyHours) -> bool:
    """Whether the weekday of these hours comes between their dates."""
    return _hold_together(row, row, 0)


def _hold_together(row: WeeklyHours, other: WeeklyHours, days: int) -> bool:
    """Whether there is a date on which `row` begins and `other` has begun so many days before."""
    first = [day.toordinal() + after for day, after in ((row.valid_from, 0), (other.valid_from, days)) if day]
    last = [day.toordinal() + after for day, after in ((row.valid_until, 0), (other.valid_until, days)) if day]
    if not first or not last:
        return True
    return max(first) + (row.weekday - max(first)) % 7 <= min(last)  # day 1 of the calendar is a Monday


def _since_monday(row: WeeklyHours) -> timedelta:
    return timedelta(days=row.weekday - 1, hours=row.starts.hour, minutes=row.starts.minute)


def _length(starts: time, ends: time) -> timedelta:
    some_day = date(2000, 1, 1)
    return datetime.combine(end_date(some_day, starts, ends), ends) - datetime.combine(some_day, starts)
