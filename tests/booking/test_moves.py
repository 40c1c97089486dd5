"""Moving an appointment, and undoing the last thing that happened to it."""

from datetime import timedelta

import pytest

from clinic.booking import check_reschedule, edit_notes, reschedule, undo, undoable
from clinic.models import Absence, Appointment, Doctor
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, reasons, refused
from tests.booking.test_statuses import appointment_in, change, move
from tests.factories import make_procedure


def undone(desk, appointment, now=None):
    return undo(appointment.pk, clinic=desk.clinic, by=BY, now=now or desk.at(9, 10))


def test_a_moved_appointment_keeps_its_length_and_becomes_reagendado(desk):
    colleague = desk.another_doctor()
    appointment = desk.book(ends_at=desk.at(9, 50))

    moved = move(desk, appointment, desk.at(14), doctor=colleague.uuid)

    stored = Appointment.objects.get(pk=moved.pk)
    assert (stored.doctor, stored.status) == (colleague, "rescheduled")
    assert (stored.starts_at, stored.ends_at) == (desk.at(14), desk.at(14, 50))
    event = stored.events.last()
    assert (event.kind, event.before["doctor"], event.after["doctor"]) == (
        "rescheduled",
        desk.doctor.pk,
        colleague.pk,
    )
    assert (event.before["status"], event.after["status"]) == ("scheduled", "rescheduled")


def test_an_appointment_may_move_into_its_own_time_and_be_shortened(desk):
    appointment = desk.book(ends_at=desk.at(10))

    assert move(desk, appointment, desk.at(9, 15)).ends_at == desk.at(10, 15)
    assert move(desk, appointment, desk.at(9, 15), ends_at=desk.at(9, 30)).ends_at == desk.at(9, 30)


def test_move_is_refused_by_each_booking_rule_with_its_reason(desk):
    appointment = desk.book()
    desk.book(starts_at=desk.at(14), patient=desk.another_patient().pk)
    stranger = desk.another_doctor(procedures=[make_procedure(desk.clinic)])
    colleague = desk.another_doctor()
    desk.book(starts_at=desk.at(16), doctor=colleague.pk)
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=desk.at(17), ends_at=desk.at(18), reason="plantão"
    )

    for wanted, starts_at, doctor in (
        ({Reason.DOCTOR_TAKEN}, desk.at(14), desk.doctor.pk),
        ({Reason.PATIENT_ELSEWHERE}, desk.at(16), desk.doctor.pk),
        ({Reason.DOCTOR_ABSENT}, desk.at(17), desk.doctor.pk),
        ({Reason.OUTSIDE_HOURS}, desk.at(12), desk.doctor.pk),
        ({Reason.PROCEDURE_NOT_OFFERED}, desk.at(10), stranger.pk),
        ({Reason.DOCTOR_UNKNOWN}, desk.at(10), 0),
        ({Reason.DOCTOR_UNKNOWN, Reason.TIME_PAST}, desk.at(6), 0),
        ({Reason.DOCTOR_MISSING}, desk.at(10), None),
        ({Reason.START_MISSING}, None, desk.doctor.pk),
        ({Reason.TIME_PAST}, desk.at(6), desk.doctor.pk),
        ({Reason.DATE_PAST}, desk.at(9, day=MONDAY - timedelta(days=1)), desk.doctor.pk),
        ({Reason.NOTHING_CHANGED}, desk.at(9), desk.doctor.pk),
    ):
        target = {"clinic": desk.clinic, "doctor": doctor, "starts_at": starts_at, "now": desk.now}
        assert check_reschedule(appointment.pk, **target).reasons == wanted
        assert reasons(reschedule, appointment.pk, by=BY, **target) == wanted
    assert refused(move, desk, appointment, desk.at(10), ends_at=desk.at(10)).reasons == {Reason.END_NOT_AFTER_START}
    assert appointment.events.count() == 1


def test_appointment_of_withdrawn_procedure_can_still_be_moved(desk):
    appointment = desk.book()
    type(desk.procedure).objects.filter(pk=desk.procedure.pk).update(active=False)

    assert move(desk, appointment, desk.at(10)).starts_at == desk.at(10)


def test_alternatives_of_a_refused_move_are_other_bookable_times(desk):
    appointment = desk.book(starts_at=desk.at(9))
    desk.book(starts_at=desk.at(9, 30), patient=desk.another_patient().pk)

    refusal = refused(move, desk, appointment, desk.at(9, 30))

    offered = [desk.clock(opening.starts_at) for opening in refusal.alternatives]
    assert offered == ["23/11 10:00", "23/11 13:00", "24/11 08:00"]
    for opening in refusal.alternatives:
        times = {"doctor": opening.doctor_id, "starts_at": opening.starts_at, "ends_at": opening.ends_at}
        assert check_reschedule(appointment.pk, clinic=desk.clinic, now=desk.now, **times) is None


def test_a_missed_appointment_can_be_moved(desk):
    appointment = appointment_in(desk, "no_show")

    assert move(desk, appointment, desk.at(10), now=desk.at(9, 30)).status == "rescheduled"


# Undo


@pytest.mark.parametrize(
    ("steps", "after"),
    [
        (["confirmed"], "scheduled"),
        (["checked_in"], "scheduled"),
        (["confirmed", "checked_in"], "confirmed"),
        (["checked_in", "in_service"], "checked_in"),
        (["checked_in", "in_service", "finished"], "in_service"),
        (["no_show"], "scheduled"),
        (["checked_in", "no_show"], "checked_in"),
        (["no_show", "checked_in"], "no_show"),
        (["cancelled"], "scheduled"),
        (["confirmed", "cancelled"], "scheduled"),
        (["confirmed", "scheduled"], "confirmed"),
    ],
)
def test_the_last_change_of_status_is_undone(desk, steps, after):
    appointment = desk.book()
    for step in steps:
        change(desk, appointment, step)

    assert undone(desk, appointment).status == after
    stored = Appointment.objects.get(pk=appointment.pk)
    assert (stored.status, stored.cancelled_by, stored.cancel_reason) == (after, "", "")
    assert stored.events.last().after == {"status": after, "undo": True}


@pytest.mark.parametrize("step", ["confirmed", "checked_in", "no_show", "cancelled"])
def test_a_moved_visit_is_moved_again_after_an_undo(desk, step):
    appointment = desk.book()
    move(desk, appointment, desk.at(10))
    change(desk, appointment, step, now=desk.at(10, 20))
    assert undone(desk, appointment, now=desk.at(10, 21)).status == "rescheduled"
    change(desk, appointment, "confirmed")


def test_undone_restore_is_cancelled_again_with_author_and_reason(desk):
    appointment = desk.book()
    change(desk, appointment, "cancelled", cancelled_by="patient", reason="viajou")
    change(desk, appointment, "scheduled")

    back = undone(desk, appointment)

    assert (back.status, back.cancelled_by, back.cancel_reason) == ("cancelled", "patient", "viajou")


def test_last_event_is_the_last_written_whatever_its_timestamp(desk):
    """Two servers behind one address may be some seconds apart."""
    appointment = desk.book(now=desk.at(8))
    change(desk, appointment, "checked_in", now=desk.at(8, 30))
    change(desk, appointment, "in_service", now=desk.at(8, 29))

    assert undone(desk, appointment).status == "checked_in"


@pytest.mark.parametrize("before", ["scheduled", "rescheduled", "confirmed", "no_show"])
def test_a_move_is_undone_to_the_old_doctor_time_and_status(desk, before):
    appointment = appointment_in(desk, before)
    move(desk, appointment, desk.at(15), doctor=desk.another_doctor().pk, ends_at=desk.at(16))

    back = undone(desk, appointment, now=desk.at(9, 10))

    assert (back.doctor, back.status, back.starts_at, back.ends_at) == (
        desk.doctor,
        before,
        desk.at(9),
        desk.at(9, 30),
    )


def test_a_move_is_undone_even_when_the_old_time_has_begun_meanwhile(desk):
    """The card was dropped on the wrong hour at 09:05, with the patient at the counter."""
    appointment = desk.book()
    move(desk, appointment, desk.at(11), now=desk.at(9, 5))

    assert undone(desk, appointment, now=desk.at(9, 6)).starts_at == desk.at(9)


def test_a_move_is_not_undone_into_a_time_given_away_meanwhile(desk):
    appointment = desk.book()
    move(desk, appointment, desk.at(11))
    desk.book(patient=desk.another_patient().pk)

    assert refused(undone, desk, appointment).reasons == {Reason.DOCTOR_TAKEN}
    assert Appointment.objects.get(pk=appointment.pk).starts_at == desk.at(11)


def test_a_move_is_not_undone_to_a_doctor_who_left(desk):
    appointment = desk.book()
    move(desk, appointment, desk.at(11), doctor=desk.another_doctor().pk)
    Doctor.objects.filter(pk=desk.doctor.pk).update(active=False)

    assert refused(undone, desk, appointment).reasons == {Reason.DOCTOR_UNKNOWN}


def test_move_of_missed_appointment_is_undone_onto_a_taken_time(desk):
    appointment = appointment_in(desk, "no_show")
    move(desk, appointment, desk.at(11))
    desk.book(patient=desk.another_patient().pk)

    assert undone(desk, appointment).status == "no_show"


def test_an_undo_is_not_undone(desk):
    appointment = appointment_in(desk, "confirmed")
    undone(desk, appointment)

    assert undoable(appointment) is None
    assert refused(undone, desk, appointment).reasons == {Reason.NOTHING_TO_UNDO}


def test_only_the_last_change_is_undone_and_a_note_after_it_ends_that(desk):
    appointment = appointment_in(desk, "confirmed")
    assert undoable(appointment) == appointment.events.last()

    edit_notes(appointment.pk, clinic=desk.clinic, by=BY, notes="liga antes", now=desk.at(9, 6))

    assert undoable(appointment) is None
    assert refused(undone, desk, appointment).reasons == {Reason.NOTHING_TO_UNDO}


def test_an_undo_is_refused_for_the_reasons_of_the_change_it_makes(desk):
    cancelled = appointment_in(desk, "cancelled")
    finished = desk.book(patient=desk.another_patient().pk)
    for step in ("checked_in", "in_service", "finished"):
        change(desk, finished, step)
    other = desk.book(starts_at=desk.at(10), patient=desk.another_patient().pk)
    for step in ("checked_in", "in_service"):
        change(desk, other, step)

    assert refused(undone, desk, cancelled).reasons == {Reason.DOCTOR_TAKEN}
    assert refused(undone, desk, finished).reasons == {Reason.ANOTHER_IN_SERVICE}
    tomorrow = desk.at(9, day=MONDAY + timedelta(days=1))
    assert Reason.UNDO_TOO_LATE in refused(undone, desk, finished, now=tomorrow).reasons
