"""Giving a time to who waits: a booking, or a swap, which keeps the far appointment until the near one is booked."""

from datetime import timedelta

import pytest

from clinic import booking
from clinic.booking import WaitingWish
from clinic.models import Appointment, AppointmentEvent, WaitingEntry
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, outcome, reasons, refused, stored
from tests.booking.test_family import visited
from tests.booking.test_waiting_list import FAR, kinds, put
from tests.factories import make_payer

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def far(desk):
    return desk.book(starts_at=desk.at(10, day=FAR))


def give(desk, entry, starts_at, doctor=None, seen=None, place=None):
    doctor = doctor or desk.doctor
    return booking.book_waiting(
        entry.pk,
        clinic=desk.clinic,
        doctor=doctor.pk,
        starts_at=starts_at,
        by=BY,
        now=desk.now,
        seen=seen,
        place=place,
    )


def test_who_has_no_appointment_is_booked_by_the_same_rules(desk):
    entry = put(desk)
    booked = give(desk, entry, desk.at(9))
    entry.refresh_from_db()
    assert (entry.outcome, entry.booked, entry.closed_at) == ("booked", booked, desk.now)
    assert (booked.patient, booked.starts_at, booked.status) == (desk.patient, desk.at(9), "scheduled")
    assert [line.procedure for line in booked.lines.all()] == [desk.procedure]
    assert kinds(entry) == ["put", "booked"]
    # Once more is refused, and books nothing.
    before = stored()
    assert reasons(give, desk, entry, desk.at(10)) == {Reason.WAITING_CLOSED}
    assert stored() == before


def test_a_swap_moves_the_far_appointment_and_closes_the_request(desk, far):
    entry = put(desk, appointment=far.pk)
    moved = give(desk, entry, desk.at(9), seen=1, place=booking.place(far))
    assert (moved.pk, moved.starts_at, moved.status) == (far.pk, desk.at(9), "rescheduled")
    entry.refresh_from_db()
    assert (entry.outcome, entry.booked) == ("booked", far)
    assert [event.kind for event in far.events.all()] == ["booked", "rescheduled"]
    assert Appointment.objects.count() == 1


def test_a_taken_time_leaves_the_far_appointment_where_it_is(desk, far):
    entry = put(desk, appointment=far.pk)
    desk.book(patient=desk.another_patient().pk)
    refusal = refused(give, desk, entry, desk.at(9))
    assert refusal.reasons == {Reason.DOCTOR_TAKEN}
    assert len(refusal.alternatives) == 3
    far.refresh_from_db()
    entry.refresh_from_db()
    assert (far.starts_at, far.status, entry.closed_at) == (desk.at(10, day=FAR), "scheduled", None)


@pytest.mark.parametrize("status", ["cancelled", "finished", "deleted"])
def test_a_partner_that_is_gone_is_said_and_nothing_is_written(desk, far, status):
    entry = put(desk, appointment=far.pk)
    cancelled_by = "patient" if status == "cancelled" else ""
    values = {"deleted_at": desk.now} if status == "deleted" else {"status": status, "cancelled_by": cancelled_by}
    Appointment.objects.filter(pk=far.pk).update(**values)
    before = stored()
    refusal = refused(give, desk, entry, desk.at(9))
    assert refusal.reasons == {Reason.WAITING_APPOINTMENT_GONE}
    assert "Mantenha o pedido na fila sem ele" in refusal.message
    entry.refresh_from_db()
    assert stored() == before and entry.closed_at is None


def test_an_appointment_moved_meanwhile_is_not_moved_again(desk, far):
    entry = put(desk, appointment=far.pk)
    place = booking.place(far)
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    booking.reschedule(far.pk, doctor=desk.doctor.pk, starts_at=desk.at(11, day=FAR), **act)
    assert reasons(give, desk, entry, desk.at(9), place=place) == {Reason.CHANGED_MEANWHILE}
    assert give(desk, entry, desk.at(9)).starts_at == desk.at(9)


def test_a_request_that_was_changed_meanwhile_is_not_booked(desk):
    entry = put(desk)
    wish = WaitingWish(procedures=[desk.procedure.pk], note="só à tarde")
    booking.change_waiting(entry.pk, wish, clinic=desk.clinic, by=BY, seen=1, now=desk.now)
    before = stored()
    assert reasons(give, desk, entry, desk.at(9), seen=1) == {Reason.WAITING_CHANGED}
    assert stored() == before


def test_undoing_the_move_opens_the_request_again(desk, far):
    entry = put(desk, appointment=far.pk)
    give(desk, entry, desk.at(9))
    booking.undo(far.pk, clinic=desk.clinic, by=BY, now=desk.now)
    far.refresh_from_db()
    entry.refresh_from_db()
    assert (far.starts_at, entry.outcome, entry.closed_at) == (desk.at(10, day=FAR), "", None)
    assert kinds(entry) == ["put", "booked", "reopened"]


def test_undoing_another_move_leaves_the_request_closed(desk, far):
    entry = put(desk, appointment=far.pk)
    give(desk, entry, desk.at(9))
    later = {"clinic": desk.clinic, "by": BY, "now": desk.now + timedelta(minutes=1)}
    booking.reschedule(far.pk, doctor=desk.doctor.pk, starts_at=desk.at(11), **later)
    booking.undo(far.pk, **later)
    entry.refresh_from_db()
    assert entry.outcome == "booked"


def test_an_undone_swap_opens_no_second_request(desk, far):
    entry = put(desk, appointment=far.pk)
    give(desk, entry, desk.at(9))
    put(desk, appointment=far.pk)
    booking.undo(far.pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert WaitingEntry.objects.open().count() == 1
    entry.refresh_from_db()
    assert entry.outcome == "booked"


def test_a_swap_is_one_transaction(desk, far):
    """What is refused at its last step leaves neither move nor event."""
    entry = put(desk, appointment=far.pk)
    events = AppointmentEvent.objects.count()
    assert reasons(give, desk, entry, desk.at(9), seen=7) == {Reason.WAITING_CHANGED}
    far.refresh_from_db()
    assert far.starts_at == desk.at(10, day=FAR)
    assert AppointmentEvent.objects.count() == events


def test_an_unknown_doctor_or_time_is_the_ordinary_refusal(desk, far):
    act = {"clinic": desk.clinic, "by": BY, "now": desk.now, "starts_at": None, "doctor": None}
    for entry in (put(desk, appointment=far.pk), put(desk)):
        refusal = outcome(booking.book_waiting, entry.pk, seen=None, place=None, **act)
        assert Reason.START_MISSING in refusal.reasons


def test_a_later_time_is_no_swap(desk, far):
    entry = put(desk, appointment=far.pk)
    later = far.starts_at + timedelta(days=1)
    for starts_at in (later, far.starts_at):
        assert reasons(give, desk, entry, starts_at) == {Reason.WAITING_NOT_EARLIER}
    far.refresh_from_db()
    entry.refresh_from_db()
    assert (far.starts_at, entry.closed_at) == (desk.at(10, day=FAR), None)


def test_an_appointment_that_was_missed_or_has_begun_is_not_swapped(desk):
    soon = desk.book(starts_at=desk.at(9))
    entry = put(desk, appointment=soon.pk)
    give_late = {"clinic": desk.clinic, "doctor": desk.doctor.pk, "starts_at": desk.at(14), "by": BY}
    for now in (desk.at(9), desk.at(9, 1)):
        assert reasons(booking.book_waiting, entry.pk, now=now, seen=None, place=None, **give_late) == {
            Reason.WAITING_APPOINTMENT_GONE
        }
    booking.change_status(soon.pk, "no_show", clinic=desk.clinic, by=BY, now=desk.at(9, 1))
    assert reasons(booking.book_waiting, entry.pk, now=desk.at(9, 2), seen=None, place=None, **give_late) == {
        Reason.WAITING_APPOINTMENT_GONE
    }
    soon.refresh_from_db()
    assert soon.status == "no_show"


@pytest.fixture
def insured(desk):
    """The desk's patient has a plan, valid for a year."""
    patient = desk.patient
    patient.payer, patient.card_number = make_payer(desk.clinic), "12345"
    patient.card_expires_on = MONDAY + timedelta(days=365)
    patient.save()
    return patient


def test_a_new_time_is_booked_with_the_plan_of_the_patient(desk, insured):
    booked = give(desk, put(desk), desk.at(9))
    assert booked.payer == insured.payer
    insured.refresh_from_db()
    assert insured.card_number == "12345"


@pytest.mark.parametrize("trouble", ["expired", "not accepted"])
def test_a_plan_that_does_not_pay_any_more_is_asked_about(desk, insured, trouble):
    entry = put(desk)
    if trouble == "expired":
        insured.card_expires_on = MONDAY - timedelta(days=1)
        insured.save()
    else:
        insured.payer.active = False
        insured.payer.save()
    before = stored()
    assert reasons(give, desk, entry, desk.at(9)) == {Reason.WAITING_ASK_WHO_PAYS}
    entry.refresh_from_db()
    assert stored() == before and entry.closed_at is None


def test_a_return_is_free_as_in_the_panel(desk):
    visited(desk, desk.patient)
    assert give(desk, put(desk), desk.at(9)).lines.get().price == 0


def test_a_swap_keeps_who_pays_and_asks_nothing(desk, far, insured):
    insured.card_expires_on = MONDAY - timedelta(days=1)
    insured.save()
    assert give(desk, put(desk, appointment=far.pk), desk.at(9)).payer is None
