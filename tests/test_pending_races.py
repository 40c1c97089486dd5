"""Several people at the same pending appointments, and absences recorded while others book: really at once."""

from datetime import timedelta

import pytest

from clinic.booking import book, place, replacement_times, reschedule
from clinic.models import Absence, Appointment
from clinic.queries.pending import pending
from clinic.refusals import Reason, Refused
from clinic.registry import save_absence
from tests.booking.desk import BY, open_desk
from tests.factories import make_manager
from tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    return open_desk()


def absence(desk):
    span = {"starts_at": desk.at(8), "ends_at": desk.at(12)}
    return Absence(clinic=desk.clinic, doctor=desk.doctor, reason="doença", **span)


def test_of_two_who_move_the_same_one_the_second_is_refused(desk):
    visit = desk.book()
    absence(desk).save()
    times = replacement_times(desk.clinic, [visit], now=desk.now)[visit.pk]
    seen = place(visit)

    def take(time):
        target = {"doctor": time.doctor_id, "starts_at": time.starts_at, "seen": seen, "by": BY, "now": desk.now}
        return lambda: reschedule(visit.pk, clinic=desk.clinic, **target)

    results = at_once(*map(take, times))
    moved = [result for result in results if isinstance(result, Appointment)]
    refused = [result for result in results if isinstance(result, Refused)]
    assert (len(moved), len(refused)) == (1, 2)
    assert all(each.reasons == {Reason.CHANGED_MEANWHILE} for each in refused)
    assert visit.events.count() == 2


def test_first_proposals_of_all_can_be_taken_at_once(desk):
    visits = [
        desk.book(starts_at=desk.at(9) + timedelta(minutes=30 * number), patient=desk.another_patient().pk)
        for number in range(5)
    ]
    absence(desk).save()
    times = replacement_times(desk.clinic, visits, now=desk.now)

    def take(visit):
        first = times[visit.pk][0]
        target = {"doctor": first.doctor_id, "starts_at": first.starts_at, "seen": place(visit)}
        return lambda: reschedule(visit.pk, clinic=desk.clinic, by=BY, now=desk.now, **target)

    assert all(isinstance(result, Appointment) for result in at_once(*map(take, visits)))
    assert pending(desk.clinic, now=desk.now) == []


def test_one_booked_during_the_recording_is_refused_or_pending(desk):
    manager = make_manager(desk.clinic)
    proposals = [desk.proposal(starts_at=desk.at(hour), patient=desk.another_patient().pk) for hour in (8, 9, 10, 11)]
    booking = [lambda proposal=proposal: book(proposal, by=BY, now=desk.now) for proposal in proposals]
    _, *results = at_once(lambda: save_absence(absence(desk), manager), *booking)
    booked = {result.pk for result in results if not isinstance(result, Exception)}
    assert {row.pk for row in pending(desk.clinic, now=desk.now)} == booked
