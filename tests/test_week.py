"""The week of one doctor as it is shown: its dates, what is free, weeks in which clocks change, and its version."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Absence, Appointment
from clinic.queries import agenda
from tests.days import EARLIER, MONDAY, cells, free, hours, put, shown
from tests.factories import make_doctor, make_lisbon

pytestmark = pytest.mark.django_db
TUESDAY, SATURDAY, SUNDAY = (MONDAY + timedelta(days=number) for number in (1, 5, 6))


def week(doctor, first=MONDAY, now=EARLIER, **filters):
    return agenda.week(doctor.clinic, doctor.pk, first, now=now, **filters)


def dates(week):
    return [column.on for column in week.columns]


def place(cell):
    return {word for word in cell.css_class.split() if word.startswith(("from-", "to-", "col-"))}


@pytest.fixture
def doctor():
    return make_doctor(hours=hours(("08:00", "12:00")))


def test_each_date_has_a_column_of_its_own(doctor):
    put(doctor, "08:30", day=TUESDAY)
    (card,) = cells(week(doctor), "card")
    assert place(card) == {"from-6", "to-12", "col-2"}
    assert "ter 24/11" in card.label


def test_a_weekend_is_shown_where_there_is_something_to_see():
    doctor = make_doctor(hours=[])
    assert dates(week(doctor)) == [MONDAY + timedelta(days=number) for number in range(5)]
    put(doctor, "09:00", day=SATURDAY)
    assert dates(week(doctor))[5:] == [SATURDAY]


def test_each_date_offers_what_its_own_page_offers(doctor):
    put(doctor, "09:00", day=TUESDAY)
    put(doctor, "10:00", day=TUESDAY, status="cancelled")
    offered = week(doctor, now=doctor.clinic.instant(MONDAY, time(10)))
    slots = cells(offered, "slot")
    for column in offered.columns:
        day = shown(doctor.clinic, on=column.on, now=doctor.clinic.instant(MONDAY, time(10)))
        assert [slot.time for slot in slots if slot.column == column.number] == free(day)
    assert offered.free == len(slots) > 0
    assert offered.booked == 1


def test_hidden_are_cancelled_and_missed_ones(doctor):
    put(doctor, "09:00", status="cancelled")
    put(doctor, "10:00", status="no_show")
    assert len(cells(week(doctor), "card")) == 2
    assert cells(week(doctor, hides_freed=True), "card") == []


def test_a_night_is_on_both_of_its_dates():
    doctor = make_doctor(hours=hours(("20:00", "02:00")))
    put(doctor, "23:30", 60)
    both = cells(week(doctor), "card")
    assert [card.column for card in sorted(both, key=lambda card: card.column)] == [1, 2]
    assert sorted(card.other_date for card in both) == ["", "2026-11-23"]


def test_an_hour_is_on_one_line_though_clocks_change():
    clinic = make_lisbon()
    doctor = make_doctor(clinic, hours=hours(("08:00", "12:00")), days=range(1, 8))
    monday, sunday = date(2027, 3, 22), date(2027, 3, 28)  # clocks go forward on the Sunday at one
    put(doctor, "09:00", day=monday)
    put(doctor, "09:00", day=sunday)
    first, last = sorted(cells(week(doctor, monday), "card"), key=lambda card: card.column)
    assert place(first) - {"col-1"} == place(last) - {"col-7"} == {"from-12", "to-18"}
    assert (first.time, last.time) == ("09:00", "09:00")


def test_closed_time_of_a_date_says_why(doctor):
    at = doctor.clinic.instant
    Absence.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        starts_at=at(TUESDAY, time(8)),
        ends_at=at(TUESDAY, time(12)),
        reason="congresso",
    )
    reasons = {(shade.column, shade.reason) for shade in cells(week(doctor), "shade")}
    assert (2, "congresso") in reasons
    assert not any(slot.column == 2 for slot in cells(week(doctor), "slot"))


def test_the_line_at_this_minute_is_in_todays_column(doctor):
    assert week(doctor, now=doctor.clinic.instant(TUESDAY, time(9))).now_class == "in-column from-12 col-2"
    assert week(doctor, now=doctor.clinic.instant(TUESDAY, time(20))).now_class == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda each: Appointment.objects.filter(pk=each.pk).update(status="confirmed"),
        lambda each: put(each.doctor, "11:00", day=TUESDAY),
        lambda each: each.doctor.hours.update(ends=time(11)),
        lambda each: type(each.doctor).objects.filter(pk=each.doctor_id).update(interval_minutes=20),
    ],
    ids=["status", "booked", "hours", "interval"],
)
def test_the_version_changes_with_whatever_is_drawn(doctor, change):
    appointment = put(doctor, "09:00")
    before = week(doctor).version
    assert week(doctor, now=EARLIER + timedelta(minutes=1)).version == before
    change(appointment)
    doctor.refresh_from_db()
    assert week(doctor).version != before


def test_four_queries_whatever_is_booked(doctor):
    for number in range(7):
        put(doctor, "08:00", day=MONDAY + timedelta(days=number))
    with CaptureQueriesContext(connection) as queries:
        week(doctor)
    assert len(queries) == 4


def test_nothing_is_free_in_a_week_that_is_over(doctor):
    past = week(doctor, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert past.is_past
    assert past.free == 0
