"""Weekly working hours as they are written: wall times of a weekday, which may run over midnight.

Hours whose end is not after their start run into the next day, so nights need no second column. 00:00 as an end is the
midnight between the two.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Protocol

# Longer hours that run past midnight have their two ends mixed up.
MAX_NIGHT = timedelta(hours=16)
WEEK = timedelta(days=7)


class WeeklyHours(Protocol):
    """ISO weekday and local wall times; an end that is not after the start is on the next day."""

    @property
    def weekday(self) -> int: ...
    @property
    def starts(self) -> time: ...
    @property
    def ends(self) -> time: ...


def end_date(day: date, starts: time, ends: time) -> date:
    """Return the local date of the end of what begins on `day`: the next one, unless the end is after the start."""
    return day if ends > starts else day + timedelta(days=1)


def are_valid_hours(starts: time, ends: time) -> bool:
    """Whether a doctor can work so: the end is after the start, or a midnight, or that of a night not too long."""
    return ends > starts or ends == time.min or _length(starts, ends) <= MAX_NIGHT


def overlapping_hours[Hours: WeeklyHours](rows: Iterable[Hours]) -> list[tuple[Hours, Hours]]:
    """Return (row, an earlier one that has not ended when it begins), for every row that begins too early.

    A night reaches into the next day, that of Sunday into Monday.
    """
    spans = [(_since_monday(row), _since_monday(row) + _length(row.starts, row.ends), row) for row in rows]
    spans.sort(key=itemgetter(0, 1))
    longest, pairs = None, []
    for start, end, row in [*spans, *((start + WEEK, end + WEEK, row) for start, end, row in spans)]:
        if longest and start < longest[1] and row is not longest[2] and (row, longest[2]) not in pairs:
            pairs.append((row, longest[2]))
        longest = max(longest or (start, end, row), (start, end, row), key=itemgetter(1))
    return pairs


def _since_monday(row: WeeklyHours) -> timedelta:
    return timedelta(days=row.weekday - 1, hours=row.starts.hour, minutes=row.starts.minute)


def _length(starts: time, ends: time) -> timedelta:
    some_day = date(2000, 1, 1)
    return datetime.combine(end_date(some_day, starts, ends), ends) - datetime.combine(some_day, starts)
