"""How long a doctor can be booked, by weekday and hour of the clock, over months or years.

Most dates of a weekday are alike as long as the same hours hold: they are computed once. The others, with an absence, a
holiday or a change of the clock, are computed one by one.
"""

from collections import Counter
from datetime import date, datetime, time, timedelta
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
        for weekday in range(7):
            days = _alike(begins + weekday * DAY, ends, apart)
            for hour, count in _minutes_on(schedules, doctor_id, days[0]).items() if days else ():
                minutes[hour] += count * len(days)
    return minutes


def _alike(day: date, ends: date, apart: set[date]) -> list[date]:
    """Return that date and those of its weekday before `ends` that are not `apart`."""
    return [each for number in range(0, (ends - day).days, 7) if (each := day + timedelta(days=number)) not in apart]


def _minutes_on(schedules: Schedules, doctor_id: int, day: date) -> Counter[WeekdayHour]:
    midnight, next_midnight = schedules.day(day)
    weekday, is_changed = day.isoweekday(), next_midnight - midnight != DAY
    minutes: Counter[WeekdayHour] = Counter()
    for span in schedules.open(doctor_id, day):
        part = within(span, midnight, next_midnight)
        if is_changed:
            _add_by_the_clock(minutes, weekday, part, schedules.clinic)
        else:
            _add(minutes, weekday, part.starts_at - midnight, part.ends_at - midnight)
    return minutes


def _add(minutes: Counter[WeekdayHour], weekday: int, starts: timedelta, ends: timedelta) -> None:
    """Add the minutes of each hour from `starts` to `ends`, both counted from midnight of a day of 24 hours."""
    while starts < ends:
        hour = starts // HOUR
        until = min((hour + 1) * HOUR, ends)
        minutes[weekday, hour] += (until - starts) // MINUTE
        starts = until


def _add_by_the_clock(minutes: Counter[WeekdayHour], weekday: int, part: Span, clinic: Clinic) -> None:
    starts_at = part.starts_at
    while starts_at < part.ends_at:
        local = clinic.local(starts_at)
        ends_at = min(starts_at + _left_of_hour(local), part.ends_at)
        minutes[weekday, local.hour] += (ends_at - starts_at) // MINUTE
        starts_at = ends_at


def _left_of_hour(local: datetime) -> timedelta:
    return HOUR - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
