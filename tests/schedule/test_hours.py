"""Hours that hold from and until a date: what is open then, and which of them overlap."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import WorkingHours
from clinic.schedule import load_schedules, overlapping_hours
from tests.factories import make_clinic, make_doctor

MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)


def hours(doctor, weekday, starts, ends, first=None, last=None):
    fields = {"weekday": weekday, "starts": time(starts), "ends": time(ends), "valid_from": first, "valid_until": last}
    return WorkingHours.objects.create(clinic=doctor.clinic, doctor=doctor, **fields)


def opened(doctor, day, loaded=None):
    """The doctor's open time of a date, on the clinic's clock."""
    clock = doctor.clinic.local
    schedules = loaded or load_schedules(doctor.clinic, [doctor], day, day)
    return [
        f"{clock(span.starts_at):%d %H:%M}–{clock(span.ends_at):%d %H:%M}" for span in schedules.open(doctor.pk, day)
    ]


@pytest.fixture
def doctor(db):
    return make_doctor(make_clinic(time_zone="America/Recife"), hours=[])


def test_new_hours_follow_old_ones_on_their_date(doctor):
    hours(doctor, 1, 8, 12, last=MONDAY + WEEK - DAY)
    hours(doctor, 1, 14, 18, first=MONDAY + WEEK)

    assert opened(doctor, MONDAY) == ["23 08:00–23 12:00"]
    assert opened(doctor, MONDAY + WEEK) == ["30 14:00–30 18:00"]


def test_both_ends_of_a_validity_belong_to_it(doctor):
    hours(doctor, 1, 8, 12, first=MONDAY, last=MONDAY + WEEK)

    found = {offset: bool(opened(doctor, MONDAY + offset * WEEK)) for offset in (-1, 0, 1, 2)}

    assert found == {-1: False, 0: True, 1: True, 2: False}


def test_hours_of_several_validities_are_loaded_at_once(doctor):
    hours(doctor, 1, 8, 12, last=MONDAY)
    hours(doctor, 1, 14, 18, first=MONDAY + DAY)
    loaded = load_schedules(doctor.clinic, [doctor], MONDAY, MONDAY + WEEK)

    assert opened(doctor, MONDAY, loaded) == ["23 08:00–23 12:00"]
    assert opened(doctor, MONDAY + WEEK, loaded) == ["30 14:00–30 18:00"]


def test_a_night_of_the_last_date_ends_on_the_next(doctor):
    hours(doctor, 1, 20, 6, last=MONDAY)

    assert opened(doctor, MONDAY) == ["23 20:00–24 06:00"]
    assert opened(doctor, MONDAY + DAY) == ["23 20:00–24 06:00"]
    assert opened(doctor, MONDAY + WEEK) == opened(doctor, MONDAY + WEEK + DAY) == []


def test_a_night_does_not_hold_before_its_first_date(doctor):
    hours(doctor, 1, 20, 6, first=MONDAY + WEEK)

    assert opened(doctor, MONDAY) == opened(doctor, MONDAY + DAY) == []
    assert opened(doctor, MONDAY + WEEK + DAY) == ["30 20:00–01 06:00"]


@pytest.mark.parametrize(
    ("first", "second", "cross"),
    [
        ((None, None), (None, None), True),
        ((None, MONDAY), (MONDAY, None), True),
        ((None, MONDAY - DAY), (MONDAY, None), False),
        ((None, MONDAY), (MONDAY + DAY, None), False),
        ((MONDAY, MONDAY), (None, None), True),
        ((MONDAY + DAY, MONDAY + 5 * DAY), (None, None), False),  # no Monday among them
        ((MONDAY, None), (None, MONDAY + WEEK), True),
    ],
)
def test_hours_overlap_only_where_both_hold(first, second, cross):
    rows = [
        WorkingHours(weekday=1, starts=time(8), ends=time(12), valid_from=first[0], valid_until=first[1]),
        WorkingHours(weekday=1, starts=time(10), ends=time(14), valid_from=second[0], valid_until=second[1]),
    ]

    assert overlapping_hours(rows) == ([(rows[1], rows[0])] if cross else [])


@pytest.mark.parametrize(("last", "cross"), [(MONDAY - 2 * DAY, False), (MONDAY - DAY, True)])
def test_a_sunday_night_overlaps_monday_by_its_own_date(last, cross):
    night = WorkingHours(weekday=7, starts=time(22), ends=time(6), valid_until=last)
    morning = WorkingHours(weekday=1, starts=time(5), ends=time(9), valid_from=MONDAY)

    assert overlapping_hours([night, morning]) == ([(morning, night)] if cross else [])


DATES = st.none() | st.integers(-15, 15).map(lambda days: MONDAY + days * DAY)
ROWS = st.lists(st.tuples(st.integers(1, 7), st.integers(0, 23), st.integers(0, 23), DATES, DATES), max_size=4)


@given(rows=ROWS)
def test_overlaps_are_those_of_some_date(rows):
    """Compared with every date near the validities, looked at one by one."""
    stored = [
        WorkingHours(weekday=day, starts=time(starts), ends=time(ends), valid_from=first, valid_until=last)
        for day, starts, ends, first, last in rows
    ]

    def spans(row):
        for number in range(-40, 41):
            on = MONDAY + number * DAY
            if on.isoweekday() == row.weekday and row.holds_on(on):
                begins = number * 24 + row.starts.hour
                yield begins, begins + (row.ends.hour - row.starts.hour - 1) % 24 + 1

    def meet(row, other):
        return any(a < d and c < b for a, b in spans(row) for c, d in spans(other))

    overlap = any(meet(row, other) for number, row in enumerate(stored) for other in stored[:number])
    assert bool(overlapping_hours(stored)) == overlap
