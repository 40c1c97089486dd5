"""The dates of what is repeated: every so many days, or every so many weeks on some weekdays. Pure: no hour, no zone,
no holiday. The hour is the clinic's wall time on each date, so it survives changeovers of the clock."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count as count_up
from typing import NamedTuple

MAX_DATES = 60
MAX_INTERVAL = 52  # days or weeks from one to the next


@dataclass(frozen=True)
class Recurrence:
    """Every `every` days, or with ISO `weekdays` every `every` weeks on those: `count` dates, or those until the local
    date `until`, which is included. Weeks begin on Mondays."""

    every: int
    weekdays: frozenset[int] = frozenset()
    count: int | None = None
    until: date | None = None


class Dates(NamedTuple):
    """Dates in order; `is_cut` says that more were asked for than MAX_DATES or than can be booked yet."""

    dates: list[date]
    is_cut: bool


def dates_after(first: date, rule: Recurrence, bookable: tuple[date, date], *, besides: Collection[date] = ()) -> Dates:
    """Return the dates of a rule that begins on the local date `first`, without that one: those on which something may
    be booked, from the first of the `bookable` dates to the last. Earlier ones do not count, nor those in `besides`."""
    earliest, last = bookable
    found: list[date] = []
    for day in _all_dates(first, rule):
        if len(found) == rule.count or (rule.until is not None and day > rule.until):
            return Dates(found, is_cut=False)
        if day > last or len(found) == MAX_DATES:
            break
        if day >= earliest and day not in besides:
            found.append(day)
    return Dates(found, is_cut=True)


def period_of(first: date, rule: Recurrence, day: date) -> int:
    """Return the number of the period of the rule in which a day is, 0 for that of `first`: with weekdays so many whole
    weeks, else the days that are nearer to one date of the rule than to the next."""
    if rule.weekdays:
        return (day - _monday(first)).days // (7 * rule.every)
    return ((day - first).days + rule.every // 2) // rule.every


def _all_dates(first: date, rule: Recurrence) -> Iterator[date]:
    """Yield the dates after `first` until the end of the calendar."""
    offsets = sorted(weekday - 1 for weekday in rule.weekdays)
    monday = _monday(first)
    try:
        for number in count_up():
            if offsets:
                week = monday + timedelta(weeks=number * rule.every)
                yield from (day for offset in offsets if (day := week + timedelta(days=offset)) > first)
            else:
                yield first + timedelta(days=(number + 1) * rule.every)
    except OverflowError:
        return


def _monday(day: date) -> date:
    """Return the Monday of the week of a day."""
    return day - timedelta(days=day.isoweekday() - 1)
