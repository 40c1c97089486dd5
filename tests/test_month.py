"""A month at a glance: free and booked times of its half-days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import ClinicHoliday
from clinic.queries import agenda
from tests.days import EARLIER, MONDAY, hours, put, shown
from tests.factories import make_clinic, make_doctor

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)


def read(clinic, now=EARLIER, doctors=()):
    return agenda.month(clinic, NOVEMBER, now=now, doctors=doctors)


def date_of(month, day):
    return next(one for week in month.weeks for one in week if one.day == day)


@pytest.fixture
def doctor():
    return make_doctor(hours=hours(("08:00", "12:00"), ("13:00", "15:00")))


def test_weeks_are_whole_from_monday_to_sunday(doctor):
    weeks = read(doctor.clinic).weeks
    assert weeks[0][0].day == date(2026, 10, 26)
    assert weeks[-1][-1].day == date(2026, 12, 6)
    assert {len(week) for week in weeks} == {7}
    assert [one.is_of_month for one in weeks[0]] == [False] * 6 + [True]


def test_half_days_count_what_the_page_of_the_day_counts(doctor):
    put(doctor, "09:00")
    put(doctor, "13:30", 60)
    put(doctor, "11:00", status="cancelled")
    counted = date_of(read(doctor.clinic), MONDAY)
    day = shown(doctor.clinic)
    assert counted.morning.free + counted.afternoon.free == day.free
    assert counted.morning.booked + counted.afternoon.booked == day.booked == 2
    assert (counted.morning.open_minutes, counted.morning.free_minutes) == (240, 210)
    assert (counted.afternoon.open_minutes, counted.afternoon.fullness) == (120, 50)


def test_only_the_chosen_doctors_count(doctor):
    other = make_doctor(doctor.clinic, hours=hours(("08:00", "10:00")))
    assert date_of(read(doctor.clinic), MONDAY).morning.open_minutes == 360
    assert date_of(read(doctor.clinic, doctors=[other.pk]), MONDAY).morning.open_minutes == 120


def test_a_holiday_is_named_and_closed(doctor):
    ClinicHoliday.objects.create(clinic=doctor.clinic, name="Padroeira", falls_on="24/11")
    day = date_of(read(doctor.clinic), MONDAY + timedelta(days=1))
    assert day.holiday == "Padroeira"
    assert not day.is_open


def test_nothing_is_free_on_a_date_that_is_over(doctor):
    past = date_of(read(doctor.clinic, now=datetime(2026, 11, 24, tzinfo=UTC)), MONDAY)
    assert past.morning.free == 0
    assert past.is_open


def test_an_appointment_over_noon_is_of_the_morning(doctor):
    put(doctor, "11:45", 30)
    counted = date_of(read(doctor.clinic), MONDAY)
    assert (counted.morning.booked, counted.afternoon.booked) == (1, 0)


def test_four_queries_whoever_is_booked():
    clinic = make_clinic()
    for _number in range(3):
        put(make_doctor(clinic, hours=hours(("08:00", "12:00"))), "09:00")
    with CaptureQueriesContext(connection) as queries:
        read(clinic)
    assert len(queries) == 4
