"""Hours that run until midnight or past it, and appointments that do."""

from datetime import date, time, timedelta

import pytest

from clinic.booking import day_of_end, openings
from clinic.models import END_OF_DAY, Absence, Appointment, WorkingHours
from clinic.queries import agenda
from clinic.refusals import Reason
from clinic.schedule import are_valid_hours, load_schedules, overlapping_hours
from tests.booking.desk import MONDAY, Desk, reasons, refused
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure

pytestmark = pytest.mark.django_db

SUNDAY, TUESDAY = MONDAY - timedelta(days=1), MONDAY + timedelta(days=1)
NIGHT = (time(20), time(6))


def open_at(hours, days=range(1, 8), **clinic):
    """A desk whose doctor works those hours, on a grid of half hours."""
    clinic = make_clinic(**clinic)
    procedure = make_procedure(clinic, duration_minutes=30)
    doctor = make_doctor(clinic, name="Dra. Noite", procedures=[procedure], days=days, hours=hours, interval_minutes=30)
    return Desk(clinic, procedure, doctor, make_patient(clinic))


def clocks(desk, spans):
    return [f"{desk.clock(span.starts_at)}–{desk.clock(span.ends_at)}" for span in spans]


def blocks(desk, day):
    return clocks(desk, load_schedules(desk.clinic, [desk.doctor], day, day).blocks(desk.doctor.pk, day))


def drawn(desk, day, kind, now):
    shown = agenda.day(desk.clinic, day, now=now)
    return [cell for hour in shown.hours for row in hour.rows for cell in row.cells if cell.kind == kind]


@pytest.mark.parametrize(
    ("hours", "days", "expected"),
    [
        ([(time(20), time(0))], [1], ["23/11 20:00–24/11 00:00"]),
        ([NIGHT], [1], ["23/11 20:00–24/11 06:00"]),
        ([NIGHT], [7], ["22/11 20:00–23/11 06:00"]),
        ([NIGHT], [7, 1], ["22/11 20:00–23/11 06:00", "23/11 20:00–24/11 06:00"]),
        ([(time(20), time(0))], [7], []),
        ([(time(0), time(0))], [1], ["23/11 00:00–24/11 00:00"]),
        ([(time(20), time(0)), (time(0), time(6))], [1, 2], ["23/11 00:00–23/11 06:00", "23/11 20:00–24/11 06:00"]),
        ([(time(14), time(20)), NIGHT], [7], ["22/11 14:00–23/11 06:00"]),
    ],
)
def test_the_hours_of_a_day_are_those_that_touch_it_whole(hours, days, expected):
    assert blocks(open_at(hours, days), MONDAY) == expected


@pytest.mark.parametrize(
    ("zone", "country", "day", "hours"),
    [
        ("Europe/Lisbon", "PT", date(2026, 3, 28), 9),
        ("Europe/Lisbon", "PT", date(2026, 10, 24), 11),
        ("Europe/Lisbon", "PT", date(2026, 11, 23), 10),
        ("Atlantic/Azores", "PT", date(2026, 3, 28), 9),
        ("Atlantic/Azores", "PT", date(2026, 10, 24), 11),
        ("America/Recife", "BR", date(2026, 11, 23), 10),
    ],
)
def test_a_night_lasts_as_long_as_the_clocks_let_it(zone, country, day, hours):
    desk = open_at([NIGHT], time_zone=zone, country=country)

    (*_, night) = load_schedules(desk.clinic, [desk.doctor], day, day).blocks(desk.doctor.pk, day)

    assert night.ends_at - night.starts_at == timedelta(hours=hours)
    assert desk.clinic.local(night.ends_at).time() == time(6)


def test_night_shift_spans_two_days_and_holiday_closes_its_date():
    desk = open_at([NIGHT], days=[3, 4, 5], observes_holidays=True)
    christmas = date(2026, 12, 25)  # a Friday

    def opened(day):
        return clocks(desk, load_schedules(desk.clinic, [desk.doctor], day, day).open(desk.doctor.pk, day))

    assert opened(christmas - timedelta(days=1)) == ["23/12 20:00–24/12 06:00", "24/12 20:00–25/12 00:00"]
    assert opened(christmas) == []
    assert opened(christmas + timedelta(days=1)) == ["26/12 00:00–26/12 06:00"]


@pytest.mark.parametrize(
    ("day", "hour", "minutes"),
    [(MONDAY, 20, 30), (MONDAY, 23, 120), (TUESDAY, 0, 30), (TUESDAY, 5, 60), (MONDAY, 20, 600)],
)
def test_a_night_is_booked_on_either_side_of_midnight(day, hour, minutes):
    desk = open_at([NIGHT], days=[1])
    starts_at = desk.at(hour, day=day)

    booked = desk.book(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes))

    assert desk.clinic.local(booked.starts_at).date() == day


@pytest.mark.parametrize(
    ("day", "hour", "minutes"), [(MONDAY, 19, 120), (TUESDAY, 5, 90), (MONDAY, 5, 30), (TUESDAY, 20, 30)]
)
def test_time_outside_a_night_shift_is_refused(day, hour, minutes):
    desk = open_at([NIGHT], days=[1])
    starts_at = desk.at(hour, day=day)
    ask = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=minutes), "now": desk.at(4)}

    assert reasons(desk.book, **ask) <= {Reason.OUTSIDE_HOURS, Reason.ENDS_AFTER_HOURS} and reasons(desk.book, **ask)


def test_night_shift_is_described_with_its_midnights():
    desk = open_at([NIGHT], days=[7, 1])
    [refusal] = refused(desk.book, starts_at=desk.at(12)).refusals
    assert refusal.message.endswith("das 00:00 às 06:00 e das 20:00 às 06:00.")

    desk = open_at([(time(20), time(0))], days=[1])
    [refusal] = refused(desk.book, starts_at=desk.at(12)).refusals
    assert refusal.message.endswith("das 20:00 às 24:00.")


def test_an_absence_after_midnight_closes_the_rest_of_the_night():
    desk = open_at([NIGHT], days=[1])
    two = desk.at(0, day=TUESDAY)
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=two, ends_at=two + timedelta(hours=8), reason="congresso"
    )

    assert reasons(desk.book, starts_at=desk.at(23, 45)) == {Reason.DOCTOR_ABSENT}
    found = openings(desk.clinic, doctor=desk.doctor, minutes=30, first=MONDAY, last=TUESDAY, now=desk.now)
    assert desk.clock(found[-1].ends_at) == "24/11 00:00"


def test_appointment_after_midnight_takes_overlapping_slot_before():
    desk = open_at([NIGHT], days=[1])
    patient = desk.another_patient()
    desk.book(starts_at=desk.at(0, 15, day=TUESDAY), patient=patient.pk)

    def starts(minutes):
        found = openings(desk.clinic, doctor=desk.doctor, minutes=minutes, first=MONDAY, last=MONDAY, now=desk.now)
        return [desk.clock(each.starts_at)[6:] for each in found]

    assert starts(30)[-1] == "23:30"
    assert starts(60)[-1] == "23:00"
    assert desk.clock(desk.book(starts_at=desk.at(23, 45)).ends_at) == "24/11 00:15"
    assert reasons(desk.book, starts_at=desk.at(23, 50), patient=patient.pk) == {Reason.DOCTOR_TAKEN}


def test_appointment_over_midnight_shows_twice_and_counts_once():
    desk = open_at([NIGHT], days=[1])
    desk.book(starts_at=desk.at(23, 30), ends_at=desk.at(0, 30, day=TUESDAY))

    for day, place in ((MONDAY, "from-42 to-48"), (TUESDAY, "from-0 to-6")):
        [card] = drawn(desk, day, "card", desk.now)
        assert (card.time, card.label[:11]) == ("23:30", "23:30–00:30")
        assert place in card.css_class
    assert [agenda.day(desk.clinic, day, now=desk.now).booked for day in (MONDAY, TUESDAY)] == [1, 0]


def test_the_free_times_of_a_night_stand_on_the_day_they_begin_on():
    desk = open_at([NIGHT], days=[1])
    evening, morning = ([slot.time for slot in drawn(desk, day, "slot", desk.now)] for day in (MONDAY, TUESDAY))

    assert (evening[0], evening[-1], len(evening)) == ("20:00", "23:30", 8)
    assert (morning[0], morning[-1], len(morning)) == ("00:00", "05:30", 12)


def test_slot_over_midnight_is_hidden_if_its_end_is_taken():
    desk = open_at([(time(20, 15), time(6))], days=[1])
    assert [slot.time for slot in drawn(desk, MONDAY, "slot", desk.now)][-1] == "23:45"
    desk.book(starts_at=desk.at(0, day=TUESDAY))

    assert [slot.time for slot in drawn(desk, MONDAY, "slot", desk.now)][-1] == "23:15"
    assert not drawn(desk, MONDAY, "card", desk.now)


def test_inactive_doctor_has_no_free_times_on_the_day(desk):
    desk.book()
    type(desk.doctor).objects.update(active=False)

    assert len(drawn(desk, MONDAY, "card", desk.now)) == 1
    assert drawn(desk, MONDAY, "slot", desk.now) == []
    assert agenda.day(desk.clinic, MONDAY, now=desk.now).free == 0


@pytest.mark.parametrize(("ahead", "free"), [(1, 34), (729, 34), (730, 34), (731, 0), (1095, 0), (7300, 0)])
def test_the_day_offers_times_as_far_ahead_as_they_can_be_booked(desk, ahead, free):
    assert len(drawn(desk, MONDAY, "slot", desk.now - timedelta(days=ahead))) == free


# Hours as they are written


@pytest.mark.parametrize(
    ("starts", "ends", "may_be"),
    [
        ((8, 0), (12, 0), True),
        ((20, 0), (0, 0), True),
        ((20, 0), (6, 0), True),
        ((0, 0), (0, 0), True),
        ((22, 0), (14, 0), True),
        ((8, 0), (8, 0), False),
        ((8, 0), (7, 0), False),
        ((12, 0), (11, 59), False),
        ((22, 0), (14, 1), False),
    ],
)
def test_hours_end_after_their_start_at_midnight_or_in_the_morning(starts, ends, may_be):
    assert are_valid_hours(time(*starts), time(*ends)) is may_be


@pytest.mark.parametrize(
    ("rows", "pairs"),
    [
        ([(1, 20, 6), (2, 5, 12)], [(1, 0)]),
        ([(1, 20, 6), (2, 6, 12)], []),
        ([(7, 20, 6), (1, 5, 12)], [(1, 0)]),
        ([(7, 20, 0), (1, 0, 12)], []),
        ([(7, 20, 6), (1, 6, 12)], []),
        ([(1, 8, 12), (1, 11, 13)], [(1, 0)]),
        ([(1, 8, 18), (1, 9, 10), (1, 11, 12)], [(1, 0), (2, 0)]),
        ([(1, 0, 0), (2, 0, 0)], []),
        ([(1, 0, 0), (1, 23, 2)], [(1, 0)]),
        ([(6, 20, 10), (7, 9, 12), (1, 8, 9)], [(1, 0)]),
    ],
)
def test_overlapping_hours_are_found_over_midnight_and_week_end(rows, pairs):
    hours = [WorkingHours(weekday=day, starts=time(starts), ends=time(ends)) for day, starts, ends in rows]

    assert overlapping_hours(hours) == [(hours[later], hours[earlier]) for later, earlier in pairs]


@pytest.mark.parametrize(
    ("starts", "ends", "days"),
    [
        (time(9), time(9, 30), 0),
        (time(23, 30), time(0), 1),
        (time(23, 30), time(0, 30), 1),
        (time(20), time(8), 1),
        (time(20), time(8, 1), 0),
        (time(9), time(8), 0),
        (time(9), time(9), 0),
        (time(9), time(0), 1),
        (time(23), END_OF_DAY, 0),
    ],
)
def test_an_end_that_is_not_after_the_start_is_the_next_mornings(starts, ends, days):
    assert day_of_end(MONDAY, starts, ends) == MONDAY + timedelta(days=days)


def test_end_of_day_is_next_midnight_even_on_clock_changes():
    lisbon = make_clinic(time_zone="Atlantic/Azores", country="PT")

    for day in (date(2026, 3, 28), date(2026, 10, 24), MONDAY):
        assert lisbon.instant(day, END_OF_DAY) == lisbon.day(day)[1]


def test_a_visit_that_ends_at_midnight_is_of_its_day_only():
    desk = open_at([(time(20), time(0))], days=[1, 2])
    desk.book(starts_at=desk.at(23, 30), ends_at=desk.clinic.instant(MONDAY, END_OF_DAY))

    assert len(drawn(desk, MONDAY, "card", desk.now)) == 1
    assert drawn(desk, TUESDAY, "card", desk.now) == []
    assert Appointment.objects.get().ends_at == desk.at(0, day=TUESDAY)
