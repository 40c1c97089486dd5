"""Procedures are changed while others book, at the same moment on connections of their own."""

from itertools import pairwise

import pytest

from clinic.booking import LineRequest, change_procedures, contents
from clinic.models import Appointment
from clinic.refusals import Reason
from tests.booking.desk import BY
from tests.factories import make_patient
from tests.test_races import at_once, booking, deadlocks, desk, reasons_of, watcher, won

__all__ = ["desk", "watcher"]
pytestmark = pytest.mark.django_db(transaction=True)


def growing(desk, appointment, end, **changes):
    lines = (LineRequest(desk.procedure.pk),) * 2
    changes = {"clinic": desk.clinic, "by": BY, "now": desk.now} | changes
    return lambda: change_procedures(appointment.pk, lines=lines, ends_at=end, **changes)


def test_of_a_longer_visit_and_bookings_of_that_time_one_wins(desk, watcher):
    patients = [make_patient(desk.clinic) for _ in range(6)]
    before = deadlocks(watcher)

    for hour in (8, 9, 10, 11):
        first = desk.book(starts_at=desk.at(hour))
        bookings = [booking(desk, starts_at=desk.at(hour, 30), patient=patient.pk) for patient in patients]
        outcomes = at_once(growing(desk, first, desk.at(hour + 1)), *bookings)
        assert len(won(outcomes)) == 1
        assert reasons_of(outcomes) == [{Reason.DOCTOR_TAKEN}] * 6

    rows = list(Appointment.objects.of(desk.clinic).standing())
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(rows))
    assert deadlocks(watcher) == before


def test_of_two_windows_that_change_procedures_at_once_one_does(desk):
    for hour in (8, 9, 10):
        appointment = desk.book(starts_at=desk.at(hour))
        seen = contents(appointment)
        ends = desk.at(hour, 40), desk.at(hour, 50)
        outcomes = at_once(*[growing(desk, appointment, end, seen=seen) for end in ends])
        assert reasons_of(outcomes) == [{Reason.CHANGED_MEANWHILE}]
        assert appointment.lines.count() == 2


def test_double_click_adds_procedures_once(desk):
    appointment = desk.book()
    seen = contents(appointment)

    assert len(won(at_once(*[growing(desk, appointment, desk.at(10), seen=seen)] * 4))) == 4
    assert (appointment.lines.count(), appointment.events.count()) == (2, 2)
