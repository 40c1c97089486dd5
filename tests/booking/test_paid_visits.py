"""What a payer pays for: until when, with whom, on which weekdays, how often a day; booked, moved and changed."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from clinic.booking import PayerWish, change_payer, change_status, check, reschedule, undo
from clinic.booking.rules.payers import PaidVisit, payer_violations
from clinic.models import Appointment, Doctor, Payer, PayerDoctor
from clinic.refusals import Reason, Refused
from tests.booking.desk import BY, MONDAY, open_desk, reasons
from tests.factories import make_doctor, make_patient, make_payer

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def unimed(desk):
    return make_payer(desk.clinic, name="Unimed")


def restrict(payer, **fields):
    Payer.objects.filter(pk=payer.pk).update(**fields)
    payer.refresh_from_db()


def takes(payer, doctor, **fields):
    return PayerDoctor.objects.create(clinic=payer.clinic, payer=payer, doctor=doctor, **fields)


def book(desk, payer, hour=9, day=MONDAY, **changes):
    patient = make_patient(desk.clinic).pk
    return desk.book(payer=PayerWish(payer.pk), starts_at=desk.at(hour, day=day), patient=patient, **changes)


def move(desk, appointment, starts_at, doctor=None):
    doctor = (doctor or desk.doctor).pk
    return reschedule(appointment.pk, clinic=desk.clinic, doctor=doctor, starts_at=starts_at, by=BY, now=desk.now)


def pay(desk, appointment, payer, now=None):
    wish = PayerWish(payer.pk)
    return change_payer(appointment.pk, clinic=desk.clinic, wish=wish, by=BY, now=now or desk.now)


days = st.none() | st.integers(0, 6)


@given(
    day=st.integers(0, 6),
    begins=days,
    ends=days,
    takers=st.dictionaries(st.sampled_from([1, 2]), st.sets(st.integers(1, 7)), max_size=2),
    limit=st.none() | st.integers(1, 3),
    booked=st.integers(0, 4),
)
def test_a_visit_is_paid_where_no_rule_speaks_against_it(day, begins, ends, takers, limit, booked):
    payer = Payer(name="Unimed", per_day=limit)
    payer.valid_from = None if begins is None else MONDAY + begins * DAY
    payer.valid_until = None if ends is None else MONDAY + ends * DAY
    rows = {pk: PayerDoctor(weekdays=sorted(weekdays)) for pk, weekdays in takers.items()}
    visit = PaidVisit(payer, Doctor(pk=1, name="Ana"), MONDAY + day * DAY, rows, booked)
    is_paid = (
        (begins is None or begins <= day)
        and (ends is None or day <= ends)
        and (not takers or (1 in takers and (not takers[1] or day + 1 in takers[1])))
        and (limit is None or booked < limit)
    )
    assert (not payer_violations(visit)) == is_paid


def test_a_payer_without_restrictions_is_asked_nothing(desk, unimed):
    assert book(desk, unimed).pk


def test_a_private_visit_costs_no_statement_more(desk, unimed):
    desk.book()
    with CaptureQueriesContext(connection) as private:
        desk.book(starts_at=desk.at(10))
    restrict(unimed, per_day=3)
    with CaptureQueriesContext(connection) as again:
        desk.book(starts_at=desk.at(11))
    assert len(again) == len(private) <= 5  # with the two of the savepoint


def test_cancelled_and_other_days_do_not_count(desk, unimed):
    restrict(unimed, per_day=1)
    first = book(desk, unimed)
    assert reasons(book, desk, unimed, 10) == {Reason.PAYER_FULL}
    book(desk, unimed, day=MONDAY + DAY)
    change_status(first.pk, "cancelled", clinic=desk.clinic, cancelled_by="patient", by=BY, now=desk.now)
    assert book(desk, unimed, 10).pk


def test_another_payer_and_another_doctor_do_not_count(desk, unimed):
    other = desk.another_doctor()
    takes(unimed, desk.doctor, per_day=1), takes(unimed, other)
    book(desk, unimed)
    assert reasons(book, desk, unimed, 10) == {Reason.PAYER_FULL_WITH_DOCTOR}
    assert book(desk, unimed, 10, doctor=other.pk).pk
    assert book(desk, make_payer(desk.clinic), 10).pk


def test_every_reason_is_named_at_once(desk, unimed):
    restrict(unimed, valid_until=MONDAY - DAY)
    takes(unimed, make_doctor(desk.clinic))
    expected = {Reason.PAYER_ENDED, Reason.PAYER_NOT_TAKEN}
    assert reasons(book, desk, unimed) == expected
    assert check(desk.proposal(payer=PayerWish(unimed.pk)), now=desk.now).reasons == expected


def test_a_move_asks_for_the_new_place(desk, unimed):
    restrict(unimed, valid_until=MONDAY)
    takes(unimed, desk.doctor, weekdays=[1, 2])
    visit, colleague = book(desk, unimed), desk.another_doctor()
    assert reasons(move, desk, visit, desk.at(9, day=MONDAY + DAY)) == {Reason.PAYER_ENDED}
    assert reasons(move, desk, visit, desk.at(9), colleague) == {Reason.PAYER_NOT_TAKEN}
    restrict(unimed, valid_until=MONDAY - DAY)
    assert move(desk, visit, desk.at(11)).pk  # of the same doctor and day nothing is asked anew


def test_a_moved_visit_does_not_count_itself(desk, unimed):
    restrict(unimed, per_day=1)
    visit = book(desk, unimed)
    assert move(desk, visit, desk.at(11)).pk
    assert move(desk, visit, desk.at(9, day=MONDAY + DAY)).pk
    other = book(desk, unimed, 15)
    assert reasons(move, desk, other, desk.at(15, day=MONDAY + DAY)) == {Reason.PAYER_FULL}


def test_another_payer_is_asked_about_the_place(desk, unimed):
    restrict(unimed, per_day=1)
    visit = book(desk, make_payer(desk.clinic))
    book(desk, unimed, 10)
    assert reasons(pay, desk, visit, unimed) == {Reason.PAYER_FULL}
    assert pay(desk, visit, unimed, now=desk.at(7, day=MONDAY + DAY)).payer == unimed  # who paid for what is over


def test_undoing_asks_no_payer(desk, unimed):
    restrict(unimed, per_day=1)
    first = book(desk, unimed)
    change_status(first.pk, "cancelled", clinic=desk.clinic, cancelled_by="patient", by=BY, now=desk.now)
    book(desk, unimed, 10)
    assert undo(first.pk, clinic=desk.clinic, by=BY, now=desk.now).status == "scheduled"


def test_a_required_guia_is_asked_for_another_payer_only(desk, unimed):
    visit = book(desk, unimed)
    restrict(unimed, requires_authorization=True)
    assert pay(desk, visit, unimed).payer == unimed
    wish = PayerWish(unimed.pk, authorization_number="G1")
    assert desk.book(payer=wish, starts_at=desk.at(10)).authorization_number == "G1"


@pytest.mark.django_db(transaction=True)
def test_two_doctors_at_once_book_one_of_the_last_place():
    desk = open_desk()
    unimed = make_payer(desk.clinic, per_day=1)
    doctors, gate, found = [desk.doctor, desk.another_doctor()], Barrier(2), []

    def act(doctor):
        patient = make_patient(desk.clinic).pk
        gate.wait()
        try:
            desk.book(doctor=doctor.pk, patient=patient, payer=PayerWish(unimed.pk))
        except Refused as refused:
            found.append(refused.reasons)
        finally:
            connection.close()

    for _ in range(5):
        Appointment.objects.update(payer=None)
        Appointment.objects.update(status="cancelled", cancelled_by="clinic")
        threads = [Thread(target=act, args=[doctor]) for doctor in doctors]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert Appointment.objects.filter(payer=unimed).count() == 1
    assert found == [{Reason.PAYER_FULL}] * 5
