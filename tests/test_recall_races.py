"""Several desks at one recall, really at once: it is booked once, and nothing is half written."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from clinic.booking import book_recall, change_status, close_recall, merge_patients, undo, undo_merge
from clinic.models import Appointment
from clinic.refusals import Reason, Refused
from tests.booking.desk import BY, open_desk
from tests.booking.test_recalls import DUE, acting, served, write
from tests.locks import held, wait_until_somebody_waits_for_a_lock
from tests.test_races import at_once, reasons_of, won

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4  # of the hours before noon


@pytest.fixture
def desk():
    return open_desk()


def booking_of(desk, recall, hour):
    proposal = replace(desk.proposal(starts_at=desk.at(hour, day=DUE)), patient=recall.patient_id)
    return lambda: book_recall(recall.pk, proposal, by=BY, now=desk.at(10))


def in_vain(outcomes):
    """What went wrong but is no refusal."""
    return [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)]


def test_of_two_desks_that_book_one_recall_the_second_reads_it(desk):
    for number in range(ROUNDS):
        recall = write(desk, served(desk, 8 + number))
        outcomes = at_once(booking_of(desk, recall, 9 + number % 2), booking_of(desk, recall, 14))
        assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.RECALL_BOOKED}]
        recall.refresh_from_db()
        assert (recall.outcome, recall.booked) == ("booked", won(outcomes)[0])
        change_status(recall.booked_id, "cancelled", cancelled_by="clinic", **acting(desk))


def test_a_booking_and_a_refusal_of_the_patient_never_mix(desk):
    for number in range(ROUNDS):
        recall = write(desk, served(desk, 8 + number))
        before = Appointment.objects.count()
        outcomes = at_once(
            booking_of(desk, recall, 9), lambda pk=recall.pk: close_recall(pk, "declined", seen=None, **acting(desk))
        )
        assert in_vain(outcomes) == [] and len(won(outcomes)) == 1
        recall.refresh_from_db()
        assert (recall.outcome == "booked") == (Appointment.objects.count() > before)
        if recall.booked_id:
            change_status(recall.booked_id, "cancelled", cancelled_by="clinic", **acting(desk))


def test_a_booking_beside_a_merge_becomes_the_kept_patients(desk):
    for number in range(ROUNDS):
        kept, merged = desk.another_patient(), desk.another_patient()
        recall = write(desk, served(desk, 8 + number, patient=merged.pk))

        def merge(one=kept.pk, other=merged.pk):
            return merge_patients(one, other, sides={}, **acting(desk))

        outcomes = at_once(booking_of(desk, recall, 8 + number), merge)
        assert in_vain(outcomes) == []
        recall.refresh_from_db()
        booked = Appointment.objects.filter(starts_at=desk.at(8 + number, day=DUE)).get()
        assert (recall.patient, booked.patient) == (kept, kept)
        assert recall.booked == booked


def test_a_recall_that_ceases_to_be_the_patients_is_not_closed(desk):
    merged = desk.another_patient()
    recall = write(desk)
    merge = merge_patients(desk.patient.pk, merged.pk, sides={}, **acting(desk))
    proposal = replace(desk.proposal(starts_at=desk.at(9, day=DUE)), patient=merged.pk)

    def book():
        try:
            book_recall(recall.pk, proposal, by=BY, now=desk.at(10))
        except Refused as refused:
            return refused.reasons
        finally:
            connection.close()

    with ThreadPoolExecutor() as desks, held(desk.doctor) as other:
        booking = desks.submit(book)
        wait_until_somebody_waits_for_a_lock()
        undo_merge(merge.pk, **acting(desk))
        other.rollback()
        assert booking.result() == {Reason.RECALL_CHANGED}
    recall.refresh_from_db()
    assert recall.closed_at is None and not Appointment.objects.filter(patient=merged).exists()


def test_undoing_a_cancellation_beside_a_new_booking(desk):
    for number in range(ROUNDS):
        recall = write(desk, served(desk, 8 + number))
        first = booking_of(desk, recall, 9)()
        change_status(first.pk, "cancelled", cancelled_by="clinic", **acting(desk))
        outcomes = at_once(booking_of(desk, recall, 10), lambda pk=first.pk: undo(pk, **acting(desk)))
        assert in_vain(outcomes) == []
        recall.refresh_from_db()
        standing = list(Appointment.objects.standing().filter(starts_at__gte=desk.at(0, day=DUE)))
        assert recall.outcome == "booked" and recall.booked in standing
        for row in standing:
            change_status(row.pk, "cancelled", cancelled_by="clinic", **acting(desk))
        recall.refresh_from_db()
        assert recall.outcome == ""
