"""Series against bookings of the same times, really at once: a series is booked as a whole or not at all."""

from datetime import timedelta
from uuid import uuid4

import pytest

from clinic.booking import book_series, cancel_sessions, change_status, state
from clinic.models import Appointment, Series
from clinic.refusals import Reason, Refused
from clinic.schedule import Recurrence
from tests.booking.desk import BY, MONDAY, open_desk
from tests.test_races import at_once, booking, reasons_of, won

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, SESSIONS = 4, 6
WEEKLY = Recurrence(every=1, weekdays=frozenset({1}), count=SESSIONS)


@pytest.fixture
def desk():
    return open_desk()


def repeating(desk, appointment, starts, key=None):
    key = key or uuid4()
    arguments = {"clinic": desk.clinic, "key": key, "by": BY, "now": desk.now}
    return lambda: book_series(appointment.pk, starts, WEEKLY, **arguments)


def cancelling(desk, series, seen):
    return lambda: cancel_sessions(series.pk, seen, clinic=desk.clinic, cancelled_by="patient", by=BY, now=desk.now)


def confirming(desk, session):
    seen = state(session)
    return lambda: change_status(session.pk, "confirmed", clinic=desk.clinic, seen=seen, by=BY, now=desk.now)


def weeks(desk, hour, minute=0):
    return [desk.at(hour, minute, day=MONDAY + timedelta(weeks=number)) for number in range(1, SESSIONS + 1)]


def unexpected(outcomes):
    return [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)]


def test_a_series_is_never_half_booked(desk):
    for number in range(ROUNDS):
        starts = weeks(desk, 8 + number)
        first = desk.book(starts_at=desk.at(8 + number))
        others = [
            booking(desk, patient=desk.another_patient().pk, starts_at=starts_at) for starts_at in reversed(starts)
        ]
        outcomes = at_once(repeating(desk, first, starts), *others)
        assert unexpected(outcomes) == []
        own = Appointment.objects.filter(patient=desk.patient, starts_at__in=starts).count()
        assert own == (SESSIONS if isinstance(outcomes[0], Series) else 0)
        assert Appointment.objects.filter(starts_at__in=starts).count() == SESSIONS or own == 0


def test_one_form_sent_twice_at_once_books_once(desk):
    first, key = desk.book(), uuid4()
    outcomes = at_once(*(repeating(desk, first, weeks(desk, 9), key) for _ in range(2)))
    assert won(outcomes) == outcomes and len({series.pk for series in outcomes}) == 1
    assert Appointment.objects.count() == SESSIONS + 1


def test_two_series_over_the_same_times_are_one(desk):
    """Two patients of one doctor, and the same dates: the second is refused at the first date."""
    one, other = desk.book(), desk.book(patient=desk.another_patient().pk, starts_at=desk.at(10))
    outcomes = at_once(*(repeating(desk, appointment, weeks(desk, 14)) for appointment in (one, other)))
    assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.DOCTOR_TAKEN}]
    assert Appointment.objects.count() == SESSIONS + 2 and Series.objects.count() == 1


def test_two_desks_that_repeat_one_appointment_make_one_series(desk):
    first = desk.book()
    outcomes = at_once(repeating(desk, first, weeks(desk, 9)), repeating(desk, first, weeks(desk, 9, 30)))
    assert won(outcomes) == outcomes and Series.objects.count() == 1
    assert Series.objects.get().sessions.count() == 2 * SESSIONS + 1


def test_cancelling_a_series_and_confirming_one_never_mix(desk):
    for number in range(ROUNDS):
        first = desk.book(starts_at=desk.at(8 + number))
        series = repeating(desk, first, weeks(desk, 8 + number))()
        seen = {session.pk: state(session) for session in series.sessions.all()}
        outcomes = at_once(cancelling(desk, series, seen), confirming(desk, series.sessions.latest("starts_at")))
        assert unexpected(outcomes) == []
        cancelled = series.sessions.filter(status="cancelled").count()
        assert cancelled in (0, SESSIONS + 1) and (cancelled == 0) == isinstance(outcomes[0], Refused)
