"""Recalls: who is to be called for another visit, what becomes of one that is booked, and what is kept of it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import Error, connection, transaction

from clinic import booking
from clinic.booking import LineRequest, RecallWish
from clinic.models import Appointment, Patient, Recall, RecallEvent
from clinic.refusals import Reason
from clinic.registry import redact_patient
from tests.booking.desk import BY, MONDAY, reasons, refused
from tests.factories import make_clinic, make_procedure, make_user

DUE = MONDAY + timedelta(weeks=8)


def served(desk, hour=8, *, until="finished", **changes):
    """A visit that has begun, or that is over."""
    visit = desk.book(starts_at=desk.at(hour), **changes)
    for status in ("checked_in", "in_service", "finished"):
        booking.change_status(visit.pk, status, clinic=desk.clinic, by=BY, now=desk.at(hour))
        if status == until:
            break
    return visit


def write(desk, visit=None, *, now=None, by=BY, **wish):
    asked = RecallWish(**{"due_on": DUE, "procedure": desk.procedure.pk, "doctor": desk.doctor.pk} | wish)
    visit = visit or served(desk)
    return booking.write_recall(visit.pk, asked, clinic=desk.clinic, by=by, now=now or desk.at(9))


def book(desk, recall, *, hour=9, now=None, **changes):
    proposal = replace(desk.proposal(starts_at=desk.at(hour, day=DUE)), **changes)
    return booking.book_recall(recall.pk, proposal, by=BY, now=now or desk.at(10))


def acting(desk, now=None):
    return {"clinic": desk.clinic, "by": BY, "now": now or desk.at(10)}


def cancel(desk, visit):
    return booking.change_status(visit.pk, "cancelled", cancelled_by="patient", **acting(desk))


def kinds(recall):
    return [event.kind for event in recall.events.order_by("pk")]


def test_a_recall_keeps_what_is_wanted_and_who_wrote_it(desk):
    user = make_user(desk.clinic)
    visit = served(desk)
    recall = write(desk, visit, by=booking.Author(channel="browser", user=user), note="  trazer   exames ")
    recall.refresh_from_db()
    assert (recall.patient, recall.appointment, recall.due_on) == (desk.patient, visit, DUE)
    assert (recall.procedure, recall.doctor, recall.note) == (desk.procedure, desk.doctor, "trazer exames")
    assert (recall.created_by, recall.created_at, recall.version) == (user, desk.at(9), 1)
    event = recall.events.get()
    assert (event.kind, event.user, event.channel) == ("written", user, "browser")
    assert event.after["due_on"] == DUE.isoformat() and event.after["note"] == "trazer exames"


def test_it_can_be_written_once_the_visit_has_begun(desk):
    assert reasons(write, desk, desk.book(starts_at=desk.at(11))) == {Reason.RECALL_NOT_SERVED}
    assert write(desk, served(desk, until="in_service")).closed_at is None


@pytest.mark.parametrize(
    ("reason", "field", "wish"),
    [
        (Reason.PROCEDURE_UNKNOWN, "procedure", {"procedure": 0}),
        (Reason.DOCTOR_UNKNOWN, "doctor", {"doctor": 0}),
        (Reason.DATE_PAST, "due_on", {"due_on": MONDAY - timedelta(days=1)}),
        (Reason.DATE_TOO_FAR, "due_on", {"due_on": date(2030, 1, 1)}),
        (Reason.RECALL_NOTE_TOO_LONG, "note", {"note": "a" * 201}),
        (Reason.RECALL_NOTE_UNSTORABLE, "note", {"note": "a\x00"}),
    ],
)
def test_what_cannot_be_wanted_is_refused(desk, reason, field, wish):
    answer = refused(write, desk, **wish)
    assert [(refusal.reason, refusal.field) for refusal in answer.refusals] == [(reason, field)]
    assert not Recall.objects.exists()


def test_every_broken_rule_is_named_at_once(desk):
    wish = {"procedure": 0, "due_on": date(2020, 1, 1), "note": "a" * 201}
    assert reasons(write, desk, **wish) == {
        Reason.PROCEDURE_UNKNOWN,
        Reason.DATE_PAST,
        Reason.RECALL_NOTE_TOO_LONG,
    }


def test_the_doctor_performs_it_and_without_one_somebody_does(desk):
    nobodys = make_procedure(desk.clinic)
    visit = served(desk)
    assert reasons(write, desk, visit, procedure=nobodys.pk) == {Reason.RECALL_NOT_PERFORMED}
    assert reasons(write, desk, visit, procedure=nobodys.pk, doctor=None) == {Reason.RECALL_NOT_PERFORMED}
    desk.another_doctor(procedures=[nobodys])
    assert reasons(write, desk, visit, procedure=nobodys.pk) == {Reason.RECALL_NOT_PERFORMED}
    assert write(desk, visit, procedure=nobodys.pk, doctor=None)


def test_a_visit_has_one_open_recall_for_a_procedure(desk):
    visit, other = served(desk), make_procedure(desk.clinic)
    desk.doctor.procedures.add(other)
    first = write(desk, visit)
    assert reasons(write, desk, visit) == {Reason.RECALL_TWICE}
    write(desk, visit, procedure=other.pk)
    booking.close_recall(first.pk, "declined", seen=None, **acting(desk))
    write(desk, visit)
    assert reasons(booking.reopen_recall, first.pk, seen=None, **acting(desk)) == {Reason.RECALL_TWICE}


def test_who_has_died_is_not_called(desk):
    visit = served(desk)
    Patient.objects.filter(pk=desk.patient.pk).update(died=True)
    assert reasons(write, desk, visit) == {Reason.PATIENT_DIED}


def test_a_booking_closes_it_in_the_same_transaction(desk):
    recall = write(desk)
    booked = book(desk, recall)
    recall.refresh_from_db()
    assert (recall.outcome, recall.booked, recall.closed_at) == ("booked", booked, desk.at(10))
    assert kinds(recall) == ["written", "booked"]


def test_a_refused_booking_leaves_it_open(desk):
    recall = write(desk)
    assert Reason.OUTSIDE_HOURS in reasons(book, desk, recall, hour=23)
    recall.refresh_from_db()
    assert recall.closed_at is None and kinds(recall) == ["written"]


def test_who_is_second_reads_what_the_first_one_did(desk):
    recall = write(desk)
    book(desk, recall)
    answer = refused(book, desk, recall, hour=10)
    assert answer.message == "tests já agendou este retorno para 18/01/2027 09:00. Nada foi alterado."
    other = write(desk, served(desk, 10))
    booking.close_recall(other.pk, "elsewhere", seen=None, **acting(desk))
    answer = refused(booking.postpone_recall, other.pk, DUE, seen=None, **acting(desk))
    assert answer.message == "tests já fechou este retorno: já tem horário. Nada foi alterado."
    assert Appointment.objects.standing().count() == 3


def test_a_booking_for_another_patient_leaves_it_open(desk):
    recall = write(desk)
    book(desk, recall, patient=desk.another_patient().pk)
    recall.refresh_from_db()
    assert recall.closed_at is None


def test_what_is_booked_need_not_be_what_was_asked_for(desk):
    other = make_procedure(desk.clinic)
    desk.doctor.procedures.add(other)
    recall = write(desk)
    booked = book(desk, recall, lines=(LineRequest(other.pk),))
    recall.refresh_from_db()
    assert recall.booked == booked


def test_a_cancelled_booking_opens_it_and_undoing_closes_it(desk):
    recall = write(desk)
    booked = book(desk, recall)
    cancel(desk, booked)
    recall.refresh_from_db()
    assert (recall.outcome, recall.closed_at, recall.booked) == ("", None, booked)
    booking.undo(booked.pk, **acting(desk))
    recall.refresh_from_db()
    assert recall.outcome == "booked"
    assert kinds(recall) == ["written", "booked", "reopened", "booked"]


def test_a_missed_booking_opens_it_too_and_a_move_closes_it(desk):
    recall = write(desk)
    booked = book(desk, recall)
    booking.change_status(booked.pk, "no_show", **acting(desk, desk.at(9, 5, day=DUE)))
    recall.refresh_from_db()
    assert recall.closed_at is None
    later = desk.at(9, day=DUE + timedelta(days=7))
    moved = {"doctor": desk.doctor.pk, "starts_at": later}
    booking.reschedule(booked.pk, **moved, **acting(desk, desk.at(9, 10, day=DUE)))
    recall.refresh_from_db()
    assert recall.outcome == "booked"


def test_booked_anew_it_does_not_follow_the_first_booking(desk):
    recall = write(desk)
    first = book(desk, recall)
    cancel(desk, first)
    second = book(desk, recall, hour=10)
    booking.undo(first.pk, **acting(desk))
    recall.refresh_from_db()
    assert (recall.outcome, recall.booked) == ("booked", second)
    cancel(desk, first)
    recall.refresh_from_db()
    assert recall.outcome == "booked"


def test_one_that_was_written_anew_stays_when_a_booking_falls(desk):
    visit = served(desk)
    first = write(desk, visit)
    booked = book(desk, first)
    second = write(desk, visit)
    cancel(desk, booked)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.outcome, second.outcome) == ("booked", "")


def test_closed_by_hand_it_stays_closed_and_can_be_opened(desk):
    recall = write(desk)
    booking.close_recall(recall.pk, "declined", seen=1, **acting(desk))
    recall.refresh_from_db()
    assert (recall.outcome, recall.version) == ("declined", 2)
    assert reasons(booking.close_recall, recall.pk, "elsewhere", seen=None, **acting(desk)) == {Reason.RECALL_CLOSED}
    booking.reopen_recall(recall.pk, seen=None, **acting(desk))
    recall.refresh_from_db()
    assert recall.closed_at is None and kinds(recall) == ["written", "closed", "reopened"]
    assert reasons(booking.reopen_recall, recall.pk, seen=None, **acting(desk)) == {Reason.RECALL_NOT_CLOSED}


def test_a_person_closes_it_with_one_of_two_reasons(desk):
    recall = write(desk)
    for outcome in ("booked", "", "x"):
        assert reasons(booking.close_recall, recall.pk, outcome, seen=None, **acting(desk)) == {
            Reason.RECALL_OUTCOME_UNKNOWN
        }


def test_it_is_postponed_by_who_saw_it_as_it_is(desk):
    recall, later = write(desk), DUE + timedelta(days=30)
    booking.postpone_recall(recall.pk, later, seen=1, **acting(desk))
    recall.refresh_from_db()
    assert (recall.due_on, recall.version) == (later, 2)
    event = recall.events.get(kind="postponed")
    assert (event.before["due_on"], event.after["due_on"]) == (DUE.isoformat(), later.isoformat())
    assert reasons(booking.postpone_recall, recall.pk, DUE, seen=1, **acting(desk)) == {Reason.RECALL_CHANGED}
    past = MONDAY - timedelta(days=1)
    assert reasons(booking.postpone_recall, recall.pk, past, seen=None, **acting(desk)) == {Reason.DATE_PAST}


def test_of_another_clinic_there_is_nothing_to_do(desk):
    recall, elsewhere = write(desk), {"clinic": make_clinic(), "by": BY, "now": desk.now}
    with pytest.raises(Recall.DoesNotExist):
        booking.close_recall(recall.pk, "declined", seen=None, **elsewhere)
    with pytest.raises(Appointment.DoesNotExist):
        booking.write_recall(recall.appointment_id, RecallWish(due_on=DUE, procedure=desk.procedure.pk), **elsewhere)


def test_a_merge_moves_recalls_and_its_undoing_gives_them_back(desk):
    kept = desk.another_patient()
    recall = write(desk)
    merge = booking.merge_patients(kept.pk, desk.patient.pk, clinic=desk.clinic, sides={}, by=BY, now=desk.at(10))
    recall.refresh_from_db()
    assert (recall.patient, recall.version, merge.moved["recalls"]) == (kept, 2, [recall.pk])
    of_kept = write(desk, served(desk, 10, patient=kept.pk), now=desk.at(11))
    # One of the merged patient's visit that is written since goes with the visit.
    other = make_procedure(desk.clinic)
    desk.doctor.procedures.add(other)
    since = write(desk, recall.appointment, procedure=other.pk, now=desk.at(11))
    booking.undo_merge(merge.pk, clinic=desk.clinic, by=BY, now=desk.at(12))
    owners = Recall.objects.order_by("pk").values_list("pk", "patient")
    assert dict(owners) == {recall.pk: desk.patient.pk, of_kept.pk: kept.pk, since.pk: desk.patient.pk}


def test_a_redaction_blanks_the_note_in_the_recall_and_its_history(desk):
    recall = write(desk, note="fala do filho")
    redact_patient(desk.patient.pk, clinic=desk.clinic, by=BY, reason="pedido")
    recall.refresh_from_db()
    assert recall.note == "" and recall.events.get().after["note"] == ""


def test_the_history_can_be_neither_changed_nor_deleted(desk):
    write(desk)
    for statement in ("UPDATE clinic_recallevent SET kind = 'closed'", "DELETE FROM clinic_recallevent"):
        with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert RecallEvent.objects.get().kind == "written"


# Merged patients


@pytest.fixture
def merged(desk):
    """The second record of the desk's patient, with a recall at a visit of its own."""
    other = desk.another_patient(name="Ana Sousa")
    return write(desk, served(desk, 8, patient=other.pk))


def merge(desk, recall):
    return booking.merge_patients(desk.patient.pk, recall.patient_id, sides={}, **acting(desk, desk.at(9)))


def undo(desk, merge):
    return booking.undo_merge(merge.pk, **acting(desk, desk.at(11)))


def test_what_a_recall_was_booked_with_since_a_merge_goes_back_too(desk, merged):
    was = merged.patient
    made = merge(desk, merged)
    booked = book(desk, merged)
    assert booked.patient_id == desk.patient.pk
    separated = undo(desk, made)
    assert (separated.appointments, separated.since) == (2, 0)
    booked.refresh_from_db()
    merged.refresh_from_db()
    assert (booked.patient, merged.patient, merged.booked) == (was, was, booked)
    cancel(desk, booked)
    merged.refresh_from_db()
    assert merged.closed_at is None and merged.patient == was


def test_a_recall_written_since_a_merge_goes_with_its_visit(desk, merged):
    was, other = merged.patient, make_procedure(desk.clinic)
    desk.doctor.procedures.add(other)
    made = merge(desk, merged)
    since = write(desk, merged.appointment, procedure=other.pk, now=desk.at(10))
    declined = booking.close_recall(merged.pk, "declined", seen=None, **acting(desk))
    undo(desk, made)
    since.refresh_from_db()
    declined.refresh_from_db()
    assert (since.patient, declined.patient, declined.outcome) == (was, was, "declined")


def test_the_kept_patients_own_recall_keeps_its_booking(desk, merged):
    own = write(desk, served(desk, 9, until="in_service"), now=desk.at(9))
    made = merge(desk, merged)
    booked = book(desk, own)
    assert undo(desk, made).since == 1
    own.refresh_from_db()
    booked.refresh_from_db()
    assert (own.patient, booked.patient) == (desk.patient, desk.patient)


def test_a_recall_of_what_was_booked_since_goes_along(desk, merged):
    was = merged.patient
    made = merge(desk, merged)
    booked = book(desk, merged)
    Appointment.objects.filter(pk=booked.pk).update(status="finished")
    again = write(desk, Appointment.objects.get(pk=booked.pk), now=desk.at(10), due_on=DUE + timedelta(weeks=1))
    second = book(desk, again, starts_at=desk.at(9, day=DUE + timedelta(weeks=1)))
    undo(desk, made)
    second.refresh_from_db()
    again.refresh_from_db()
    assert (again.patient, second.patient) == (was, was)
