"""Encaixes at the same minute: the limit of a doctor, a permission that ends, and everything at once."""

from datetime import timedelta
from itertools import combinations
from random import Random

import pytest

from clinic.booking import Author, LineRequest, book, change_procedures, change_status, reschedule, undo
from clinic.models import Appointment, AppointmentEvent, Doctor, StaffUser
from clinic.refusals import Reason, Refused
from tests.booking.desk import open_desk
from tests.factories import make_manager, make_patient, make_user
from tests.locks import another_connection
from tests.test_races import at_once, deadlocks, in_background, reasons_of, until_somebody_waits, won

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS, WRITERS = 50, 6


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def rita(desk):
    return Author(channel="browser", user=make_user(desk.clinic, may_squeeze_in=True))


@pytest.fixture
def watcher():
    with another_connection(autocommit=True) as watching:
        yield watching


def squeezing(desk, by, **changes):
    proposal = desk.proposal(patient=make_patient(desk.clinic).pk, encaixe_reason="dor", **changes)
    return lambda: book(proposal, by=by, now=desk.now)


def encaixes():
    return Appointment.objects.standing().filter(encaixe_by__isnull=False)


def test_of_many_at_once_no_more_than_the_limit_are_booked(desk, rita):
    for hour in (8, 9, 10, 11):
        for half in (0, 30):
            desk.book(starts_at=desk.at(hour, half), patient=make_patient(desk.clinic).pk)
    times = [desk.at(hour, half) for hour in (8, 9, 10, 11) for half in (0, 30)]
    outcomes = at_once(*(squeezing(desk, rita, starts_at=starts_at) for starts_at in times))

    assert len(won(outcomes)) == encaixes().count() == 2
    assert reasons_of(outcomes) == [{Reason.ENCAIXE_LIMIT}] * 6


def test_approved_ones_are_booked_beside_a_full_day(desk, rita):
    Doctor.objects.update(encaixes_per_day=0)
    manager = make_manager(desk.clinic).pk
    times = [desk.at(19), desk.at(20), desk.at(21), desk.at(22)]
    approvals = [manager, None, manager, None]
    works = zip(times, approvals, strict=True)
    outcomes = at_once(*(squeezing(desk, rita, starts_at=at, approved_by=approval) for at, approval in works))

    assert {booked.starts_at for booked in won(outcomes)} == {desk.at(19), desk.at(21)}
    assert encaixes().filter(encaixe_approved_by=manager).count() == encaixes().count() == 2
    assert reasons_of(outcomes) == [{Reason.ENCAIXE_LIMIT}] * 2


def test_a_manager_who_is_just_being_dismissed_is_waited_for(desk, rita, watcher):
    Doctor.objects.update(encaixes_per_day=0)
    manager = make_manager(desk.clinic)
    with another_connection() as master:
        master.execute("UPDATE clinic_staffuser SET role = 'receptionist' WHERE id = %s", [manager.pk])
        outcome = in_background(squeezing(desk, rita, starts_at=desk.at(19), approved_by=manager.pk))
        until_somebody_waits(watcher)
        master.commit()
        with pytest.raises(Refused) as refused:
            outcome.result(20)

    assert Reason.ENCAIXE_NOT_APPROVED in refused.value.reasons and not encaixes().exists()


def test_of_many_over_one_time_one_is_booked(desk, rita):
    desk.book()
    outcomes = at_once(*(squeezing(desk, rita) for _ in range(8)))

    assert len(won(outcomes)) == encaixes().count() == 1
    assert all(Reason.ENCAIXE_TAKEN in reasons for reasons in reasons_of(outcomes))


def test_a_permission_that_is_just_being_ended_is_waited_for(desk, rita, watcher):
    desk.book()
    with another_connection() as manager:
        manager.execute("UPDATE clinic_staffuser SET may_squeeze_in = false WHERE id = %s", [rita.user.pk])
        outcome = in_background(squeezing(desk, rita))
        until_somebody_waits(watcher)
        manager.commit()
        with pytest.raises(Refused) as refused:
            outcome.result(20)

    assert Reason.ENCAIXE_NOT_PERMITTED in refused.value.reasons
    assert not encaixes().exists() and not StaffUser.objects.get(pk=rita.user.pk).may_squeeze_in


def test_a_stampede_of_all_acts_leaves_no_overlap_without_author(desk, rita, watcher):
    """Bookings, encaixes, moves, longer visits, cancellations and undoing by six writers: nothing but refusals."""
    before = deadlocks(watcher)
    doctors = [desk.doctor, desk.another_doctor()]
    patients = [make_patient(desk.clinic).pk for _ in range(8)]
    random = Random(10)  # noqa: S311 - the same acts every time

    def a_work():
        doctor, patient = random.choice(doctors).pk, random.choice(patients)
        starts_at = desk.at(8) + random.randrange(8) * timedelta(minutes=30)
        reason = random.choice([None, "dor"])
        rows = list(Appointment.objects.values_list("pk", "starts_at"))
        common = {"clinic": desk.clinic, "by": rita, "now": desk.now}
        kind = random.choice(["book", "book", "move", "change", "cancel", "undo"]) if rows else "book"
        if kind == "book":
            lines = (LineRequest(desk.procedure.pk),)
            wanted = {"doctor": doctor, "patient": patient, "starts_at": starts_at, "lines": lines}
            proposal = desk.proposal(encaixe_reason=reason, **wanted)
            return lambda: book(proposal, by=rita, now=desk.now)
        pk, begins_at = random.choice(rows)
        if kind == "move":
            place = {"doctor": doctor, "starts_at": starts_at, "encaixe_reason": reason}
            return lambda: reschedule(pk, **place, **common)
        if kind == "change":
            lines = (LineRequest(desk.procedure.pk),) * random.choice([1, 2])
            ends_at = begins_at + random.choice([1, 2, 3]) * timedelta(minutes=30)
            return lambda: change_procedures(pk, lines=lines, ends_at=ends_at, **common)
        if kind == "cancel":
            return lambda: change_status(pk, "cancelled", cancelled_by="clinic", **common)
        return lambda: undo(pk, **common)

    outcomes = []
    for _ in range(ROUNDS):
        outcomes += at_once(*(a_work() for _ in range(WRITERS)))
        assert_nobody_shares_time(desk)

    assert all(isinstance(outcome, Refused | Appointment) for outcome in outcomes)
    # Undoing says so of an event that is no longer the last one; of a conflict or a lock it would have a cause.
    assert not [outcome for outcome in outcomes if isinstance(outcome, Refused) and outcome.__cause__]
    assert any(outcome.is_encaixe for outcome in won(outcomes))
    assert AppointmentEvent.objects.filter(kind="procedures").exists()
    assert deadlocks(watcher) == before


def assert_nobody_shares_time(desk):
    rows = list(Appointment.objects.of(desk.clinic).standing())
    for one, other in combinations(rows, 2):
        if one.starts_at < other.ends_at and one.ends_at > other.starts_at:
            assert one.patient_id != other.patient_id
            assert one.doctor_id != other.doctor_id or one.is_encaixe != other.is_encaixe
    for doctor in Doctor.objects.of(desk.clinic):
        assert sum(row.is_encaixe for row in rows if row.doctor_id == doctor.pk) <= doctor.encaixes_per_day
