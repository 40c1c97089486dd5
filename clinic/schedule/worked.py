"""How long a doctor can be booked, by weekday and hour of the clock, over months or years.

Most dates of a weekday are alike as long as the same hours hold: they are computed once. The others, with an absence, a
holiday or a change of the clock, are computed one by one.
"""

from bisect import bisect
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

from clinic.schedule.schedules import Schedules
from clinic.schedule.spans import within

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

type WeekdayHour = tuple[int, int]  # ISO weekday, and hour of the clinic's clock


def worked_minutes(schedules: Schedules, doctor_id: int, first: date, last: date) -> Counter[WeekdayHour]:
    """Return the minutes in which the doctor can be booked, taken or not, on the local dates `first` to `last`, both
    included; a night counts on both of its dates. `schedules` were loaded for these dates."""
    apart = schedules.dates_apart(doctor_id, first, last)
    changes = schedules.changes_of_hours(doctor_id)
    alike: dict[tuple[int, int], list[date]] = defaultdict(list)
    minutes: Counter[WeekdayHour] = Counter()
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day in apart:
            minutes.update(_minutes_on(schedules, doctor_id, day))
        else:
            alike[day.isoweekday(), bisect(changes, day)].append(day)
    for days in alike.values():
        for hour, count in _minutes_on(schedules, doctor_id, days[0]).items():
            minutes[hour] += count * len(days)
    return minutes


def _minutes_on(schedules: Schedules, doctor_id: int, day: date) -> Counter[WeekdayHour]:
    midnight, next_midnight = schedules.day(day)
    weekday, clock_changes = day.isoweekday(), next_midnight - midnight != DAY
    minutes: Counter[WeekdayHour] = Counter()
    for span in schedules.open(doctor_id, day):
        part = within(span, midnight, next_midnight)
        starts_at, local = part.starts_at, schedules.clinic.local(part.starts_at)
        while starts_at < part.ends_at:
            ends_at = min(starts_at + _left_of_hour(local), part.ends_at)
            minutes[weekday, local.hour] += (ends_at - starts_at) // MINUTE
            local = schedules.clinic.local(ends_at) if clock_changes else local + (ends_at - starts_at)
            starts_at = ends_at
    return minutes


def _left_of_hour(local: datetime) -> timedelta:
    return HOUR - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
