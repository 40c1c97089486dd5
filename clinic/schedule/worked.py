"""How long a doctor can be booked, by weekday and hour of the clock, over months or years.

Most dates of a weekday are alike as long as the same hours hold: they are computed once. The others, with an absence, a
holiday or a change of the clock, are computed one by one.
"""

from collections import Counter
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from clinic.models import Clinic
from clinic.schedule.schedules import Schedules
from clinic.schedule.spans import Span, within

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

type WeekdayHour = tuple[int, int]  # ISO weekday, and hour of the clinic's clock


def clock_changes(clinic: Clinic, first: date, last: date) -> list[date]:
    """Return the local dates from `first` to `last`, both included, that are not 24 hours long."""
    days = (first + number * DAY for number in range((last - first).days + 2))
    midnights = [(day, datetime.combine(day, time(), clinic.zone).utcoffset()) for day in days]
    return [day for (day, before), (_next, after) in pairwise(midnights) if before != after]


def worked_minutes(schedules: Schedules, doctor_id: int, first: date, last: date) -> Counter[WeekdayHour]:
    """Return the minutes in which the doctor can be booked, taken or not, on the local dates `first` to `last`, both
    included; a night counts on both of its dates. `schedules` were loaded for these dates."""
    apart = schedules.dates_apart(doctor_id, first, last)
    edges = [first, *(day for day in schedules.changes_of_hours(doctor_id) if first < day <= last), last + DAY]
    minutes: Counter[WeekdayHour] = Counter()
    for day in apart:
        minutes.update(_minutes_on(schedules, doctor_id, day))
    for begins, ends in pairwise(edges):
        for day, times in _alike(begins, ends, frozenset(apart)):
            weekday = day.isoweekday()
            for hour, count in _minutes_of_hours(tuple(schedules.written_minutes(doctor_id, day))):
                minutes[weekday, hour] += count * times
    return minutes


@lru_cache(maxsize=64)
def _alike(begins: date, ends: date, apart: frozenset[date]) -> tuple[tuple[date, int], ...]:
    """Return the first date of each weekday from `begins` to before `ends` that is not `apart`, and how many there are
    of it. Doctors who are away on the same dates share it."""
    weekdays = [
        [day for number in range(weekday, (ends - begins).days, 7) if (day := begins + number * DAY) not in apart]
        for weekday in range(7)
    ]
    return tuple((days[0], len(days)) for days in weekdays if days)


@lru_cache(maxsize=1024)
def _minutes_of_hours(parts: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Return how many minutes of each hour of the clock lie in parts of a day of 24 hours, (hour, minutes); a part is
    [start, end) in minutes after midnight. Doctors who work at the same hours share it."""
    minutes: Counter[int] = Counter()
    counted = 0  # the minute up to which parts that overlap are counted
    for starts, ends in sorted(parts):
        at, counted = max(starts, counted), max(ends, counted)
        while at < ends:
            until = min(at - at % 60 + 60, ends)
            minutes[at // 60] += until - at
            at = until
    return tuple(minutes.items())


def _minutes_on(schedules: Schedules, doctor_id: int, day: date) -> Counter[WeekdayHour]:
    midnight, next_midnight = schedules.day(day)
    spans = [within(span, midnight, next_midnight) for span in schedules.open(doctor_id, day)]
    minutes: Counter[WeekdayHour] = Counter()
    if next_midnight - midnight != DAY:
        for span in spans:
            _add_by_the_clock(minutes, day.isoweekday(), span, schedules.clinic)
        return minutes
    parts = tuple(((span.starts_at - midnight) // MINUTE, (span.ends_at - midnight) // MINUTE) for span in spans)
    return Counter({(day.isoweekday(), hour): count for hour, count in _minutes_of_hours(parts)})


def _add_by_the_clock(minutes: Counter[WeekdayHour], weekday: int, part: Span, clinic: Clinic) -> None:
    starts_at = part.starts_at
    while starts_at < part.ends_at:
        local = clinic.local(starts_at)
        ends_at = min(starts_at + _left_of_hour(local), part.ends_at)
        minutes[weekday, local.hour] += (ends_at - starts_at) // MINUTE
        starts_at = ends_at


def _left_of_hour(local: datetime) -> timedelta:
    return HOUR - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
