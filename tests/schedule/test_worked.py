"""Minutes of work by weekday and hour, as counted date by date."""

from collections import Counter
from datetime import date, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.models import Clinic
from clinic.schedule import Away, DoctorHours, OwnDay, Schedules, worked_minutes
from tests.schedule.test_schedules import MONDAY

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
DOCTOR = 1
TIMES = st.times().map(lambda each: each.replace(second=0, microsecond=0))
HOURS = st.builds(DoctorHours, st.just(DOCTOR), st.integers(1, 7), TIMES, TIMES)
VALID = st.none() | st.integers(-3, 40)  # days after the first date
PERIODS = [
    ("Europe/Lisbon", "PT", date(2026, 10, 1), 45),
    ("Europe/Lisbon", "PT", date(2026, 12, 20), 20),
    ("America/Sao_Paulo", "BR", date(2018, 10, 25), 20),  # a midnight that did not exist
    ("America/Recife", "BR", date(2026, 1, 1), 90),
]


def minute_by_minute(schedules, first, last):
    """Every minute of every date, with no date taken for another."""
    minutes = Counter()
    day = first
    while day <= last:
        midnight, next_midnight = schedules.clinic.day(day)
        for span in schedules.open(DOCTOR, day):
            at = max(span.starts_at, midnight)
            while at < min(span.ends_at, next_midnight):
                minutes[day.isoweekday(), schedules.clinic.local(at).hour] += 1
                at += MINUTE
        day += DAY
    return minutes


@settings(max_examples=25)
@given(
    where=st.sampled_from(PERIODS),
    valid=st.lists(st.tuples(HOURS, VALID, VALID), max_size=6),
    away=st.lists(st.tuples(st.integers(-50, 2500), st.integers(1, 200), st.booleans()), max_size=4),
    own=st.lists(st.tuples(st.integers(0, 19), st.booleans(), TIMES, TIMES), max_size=3),
)
def test_dates_that_are_alike_are_counted_once(where, valid, away, own):
    zone, country, first, length = where
    hours = [
        row._replace(
            valid_from=None if since is None else first + since * DAY,
            valid_until=None if until is None else first + until * DAY,
        )
        for row, since, until in valid
    ]
    clinic = Clinic(time_zone=zone, country=country, observes_holidays=True)
    midnight = clinic.day(first)[0]
    absences = [
        Away(DOCTOR if is_own else None, midnight + start * 30 * MINUTE, midnight + (start + halves) * 30 * MINUTE, "x")
        for start, halves, is_own in away
    ]
    own_days = [
        OwnDay(None, min(starts, ends), max(starts, ends), "x", f"{first + number * DAY:%d/%m/%Y}", opens)
        for number, opens, starts, ends in own
    ]
    schedules = Schedules(clinic, hours, sorted(absences, key=lambda row: row.starts_at), own_days)
    last = first + (length - 1) * DAY
    counted = worked_minutes(schedules, DOCTOR, first, last)
    assert +counted == minute_by_minute(schedules, first, last)


def test_ten_years_are_counted_by_a_few_dates():
    clinic = Clinic(time_zone="America/Recife", country="BR", observes_holidays=False)
    hours = [DoctorHours(DOCTOR, weekday, time(8), time(12)) for weekday in range(1, 6)]
    schedules = Schedules(clinic, hours, [])
    last = date(MONDAY.year + 10, MONDAY.month, MONDAY.day) - DAY
    counted = worked_minutes(schedules, DOCTOR, MONDAY, last)
    assert counted.total() == sum((MONDAY + n * DAY).isoweekday() < 6 for n in range((last - MONDAY).days + 1)) * 240
    assert schedules._open.cache_info().currsize == 0
