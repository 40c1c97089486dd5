"""Free times computed from hours, absences and taken spans alone: no database is asked."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from clinic.models import Clinic, Doctor
from clinic.models.booking_limits import MAX_DAYS_AHEAD
from clinic.schedule import DoctorHours, Schedules, Span, openings_on

MONDAY = date(2026, 11, 23)
CHANGEOVER = date(2026, 10, 25)  # in Lisbon the hour from 01:00 comes twice
HALF_HOUR = timedelta(minutes=30)


def a_clinic(zone="America/Recife"):
    return Clinic(pk=1, country="BR", time_zone=zone, observes_holidays=False)


def offered(clinic, day=MONDAY, *, hours=(8, 10), interval=30, length=HALF_HOUR, taken=(), now=None, active=True):
    """The local times of what is offered of a doctor with these hours, given as whole hours."""
    starts, ends = (time(hour) for hour in hours)
    doctor = Doctor(pk=7, interval_minutes=interval, active=active)
    schedules = Schedules(clinic, [DoctorHours(7, day.isoweekday(), starts, ends)], [])
    now = now or clinic.day(day)[0] - HALF_HOUR
    found = openings_on(day, doctor, schedules=schedules, taken=taken, length=length, now=now)
    return [f"{clinic.local(opening.starts_at):%H:%M}" for opening in found]


def span(clinic, starts, ends, day=MONDAY):
    return Span(clinic.instant(day, starts), clinic.instant(day, ends))


def test_the_grid_is_offered():
    assert offered(a_clinic()) == ["08:00", "08:30", "09:00", "09:30"]


def test_a_length_that_is_not_the_step_fits_its_block():
    assert offered(a_clinic(), interval=15, length=timedelta(hours=1)) == ["08:00", "08:15", "08:30", "08:45", "09:00"]
    assert offered(a_clinic(), length=timedelta(hours=2)) == ["08:00"]
    assert offered(a_clinic(), length=timedelta(hours=2, minutes=1)) == []


def test_taken_time_is_not_offered_and_its_edges_are():
    clinic = a_clinic()

    assert offered(clinic, taken=[span(clinic, time(8, 30), time(9))]) == ["08:00", "09:00", "09:30"]
    assert offered(clinic, taken=[span(clinic, time(8, 29), time(9, 1))]) == ["09:30"]
    assert offered(clinic, taken=[span(clinic, time(7), time(8)), span(clinic, time(10), time(11))])[0] == "08:00"


def test_an_inactive_doctor_has_no_openings():
    assert offered(a_clinic(), active=False) == []


@pytest.mark.parametrize(("days", "number"), [(0, 4), (MAX_DAYS_AHEAD, 4), (MAX_DAYS_AHEAD + 1, 0), (-1, 0)])
def test_only_dates_that_can_be_booked_have_openings(days, number):
    clinic = a_clinic()
    now = clinic.day(MONDAY - timedelta(days=days))[0]

    assert len(offered(clinic, now=now)) == number


@pytest.mark.parametrize("minutes", [0, -30, 721])
def test_a_length_that_no_appointment_has_is_not_offered(minutes):
    assert offered(a_clinic(), hours=(0, 23), length=timedelta(minutes=minutes)) == []


def test_time_that_has_begun_is_not_offered():
    clinic = a_clinic()

    assert offered(clinic, now=clinic.instant(MONDAY, time(8, 30))) == ["09:00", "09:30"]
    assert offered(clinic, now=clinic.instant(MONDAY, time(8, 29, 59)))[0] == "08:30"


def test_an_hour_that_comes_twice_is_offered_once():
    lisbon = a_clinic("Europe/Lisbon")

    assert offered(lisbon, CHANGEOVER, hours=(0, 3)) == ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30"]


def test_repeated_hour_is_no_opening_when_its_first_pass_is_taken():
    lisbon = a_clinic("Europe/Lisbon")
    taken = [Span(datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC))]

    assert offered(lisbon, CHANGEOVER, hours=(0, 3), taken=taken) == ["00:00", "00:30", "02:00", "02:30"]
