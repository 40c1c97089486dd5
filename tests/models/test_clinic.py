"""Instants, local days and the hours that clocks skip or repeat."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from clinic.models import Clinic, NonexistentTime

ZONES = {
    "São Paulo": "America/Sao_Paulo",
    "Manaus": "America/Manaus",
    "Noronha": "America/Noronha",
    "Recife": "America/Recife",
    "Lisbon": "Europe/Lisbon",
    "Azores": "Atlantic/Azores",
}


def clinic_in(place):
    return Clinic(time_zone=ZONES[place])


def utc(*when):
    return datetime(*when, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "day", "wall", "instant"),
    [
        ("São Paulo", date(2026, 11, 23), time(9), utc(2026, 11, 23, 12)),
        ("São Paulo", date(2018, 1, 15), time(9), utc(2018, 1, 15, 11)),  # summer time, when there was one
        ("Manaus", date(2026, 11, 23), time(9), utc(2026, 11, 23, 13)),
        ("Noronha", date(2026, 11, 23), time(9), utc(2026, 11, 23, 11)),
        ("Lisbon", date(2026, 1, 15), time(9), utc(2026, 1, 15, 9)),
        ("Lisbon", date(2026, 7, 15), time(9), utc(2026, 7, 15, 8)),
        ("Azores", date(2026, 1, 15), time(9), utc(2026, 1, 15, 10)),
        ("Azores", date(2026, 7, 15), time(9), utc(2026, 7, 15, 9)),
        ("Lisbon", date(2026, 10, 25), time(1, 30), utc(2026, 10, 25, 0, 30)),  # the first of two
        ("Azores", date(2026, 10, 25), time(0, 30), utc(2026, 10, 25, 0, 30)),
        ("São Paulo", date(2018, 2, 17), time(23, 30), utc(2018, 2, 18, 1, 30)),
        ("São Paulo", date(2018, 11, 4), time(1), utc(2018, 11, 4, 3)),
    ],
)
def test_a_wall_time_is_the_instant_its_clock_shows(place, day, wall, instant):
    clinic = clinic_in(place)

    assert clinic.instant(day, wall) == instant
    assert clinic.local(instant).replace(tzinfo=None) == datetime.combine(day, wall)


@pytest.mark.parametrize(
    ("place", "day", "wall", "instead"),
    [
        ("São Paulo", date(2018, 11, 4), time(0), utc(2018, 11, 4, 3)),
        ("São Paulo", date(2018, 11, 4), time(0, 59), utc(2018, 11, 4, 3, 59)),
        ("Lisbon", date(2026, 3, 29), time(1, 30), utc(2026, 3, 29, 1, 30)),
        ("Azores", date(2026, 3, 29), time(0), utc(2026, 3, 29, 1)),
    ],
)
def test_a_wall_time_that_clocks_jump_over_does_not_exist(place, day, wall, instead):
    clinic = clinic_in(place)

    with pytest.raises(NonexistentTime):
        clinic.instant(day, wall)
    assert clinic.nearest_instant(day, wall) == instead


@pytest.mark.parametrize("place", ZONES)
def test_the_ends_of_the_calendar_do_not_break_the_clock(place):
    clinic = clinic_in(place)

    for day, wall in ((date.max, time.max), (date.min, time.min), (date.max, time.min)):
        try:
            assert clinic.local(clinic.instant(day, wall)).date() == day
        except NonexistentTime:
            assert day in (date.max, date.min)


@pytest.mark.parametrize(
    ("place", "day", "starts", "hours"),
    [
        ("Recife", date(2026, 11, 23), utc(2026, 11, 23, 3), 24),
        ("Manaus", date(2026, 11, 23), utc(2026, 11, 23, 4), 24),
        ("Noronha", date(2026, 11, 23), utc(2026, 11, 23, 2), 24),
        ("São Paulo", date(2018, 11, 4), utc(2018, 11, 4, 3), 23),
        ("São Paulo", date(2018, 2, 17), utc(2018, 2, 17, 2), 25),
        ("Lisbon", date(2026, 3, 29), utc(2026, 3, 29, 0), 23),
        ("Lisbon", date(2026, 10, 25), utc(2026, 10, 24, 23), 25),
        ("Azores", date(2026, 3, 29), utc(2026, 3, 29, 1), 23),
        ("Azores", date(2026, 10, 25), utc(2026, 10, 25, 0), 25),
    ],
)
def test_a_day_is_from_local_midnight_to_the_next_however_long(place, day, starts, hours):
    clinic = clinic_in(place)

    assert clinic.day(day) == (starts, starts + timedelta(hours=hours))
    assert clinic.day(day)[1] == clinic.day(day + timedelta(days=1))[0]
    assert clinic.local(starts).date() == day
    assert clinic.local(starts - timedelta(seconds=1)).date() == day - timedelta(days=1)


def test_one_instant_is_another_day_in_another_clinic():
    instant = utc(2026, 11, 23, 2, 30)

    days = {place: clinic_in(place).local(instant).date().day for place in ZONES}

    assert days == {"São Paulo": 22, "Manaus": 22, "Noronha": 23, "Recife": 22, "Lisbon": 23, "Azores": 23}
