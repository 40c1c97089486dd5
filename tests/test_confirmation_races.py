"""Two people at one list of calls: really at once."""

import pytest

from clinic.booking import begin_call, call_later, change_status, state
from clinic.models import Appointment, ConfirmationCall
from clinic.refusals import Reason, Refused
from tests.booking.desk import BY, open_desk
from tests.factories import make_user
from tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    return open_desk()


def test_of_two_who_confirm_one_row_the_second_is_refused(desk):
    visit = desk.book()
    seen = state(visit)

    def confirm():
        return change_status(visit.pk, "confirmed", clinic=desk.clinic, by=BY, seen=seen, now=desk.now)

    results = at_once(confirm, confirm)
    assert sorted(type(result) for result in results if isinstance(result, Appointment)) == [Appointment]
    (refused,) = (result for result in results if isinstance(result, Refused))
    assert refused.reasons == {Reason.CHANGED_MEANWHILE}
    assert visit.events.filter(kind="status_changed").count() == 1


def test_of_several_who_begin_to_call_one_is_noted(desk):
    visit = desk.book()
    callers = [make_user(desk.clinic) for _ in range(6)]

    def begin(caller):
        return lambda: begin_call(visit.pk, clinic=desk.clinic, caller=caller, now=desk.now)

    results = at_once(*map(begin, callers))
    assert sorted(results) == [False] * 5 + [True]
    assert ConfirmationCall.objects.get().caller == callers[results.index(True)]


def test_one_hour_given_twice_at_once_is_one_event(desk):
    visit = desk.book()

    def put_off():
        return call_later(visit.pk, desk.at(8), clinic=desk.clinic, by=BY, now=desk.now)

    assert all(isinstance(result, Appointment) for result in at_once(put_off, put_off, put_off))
    assert visit.events.filter(kind="call_later").count() == 1
