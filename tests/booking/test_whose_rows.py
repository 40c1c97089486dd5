"""Rows of another clinic are unknown to booking, and its own are found by their uuid too."""

import pytest

from clinic.booking import (
    LineRequest,
    begin_call,
    book,
    call_later,
    change_procedures,
    change_status,
    edit_notes,
    record_not_reached,
    reschedule,
    undo,
)
from clinic.models import Appointment
from clinic.refusals import Reason
from tests.booking.desk import BY, refused
from tests.factories import make_discount, make_doctor, make_patient, make_user


def test_rows_of_another_clinic_are_unknown(desk):
    stranger = make_doctor()
    proposal = desk.proposal(
        doctor=stranger.pk,
        lines=(LineRequest(stranger.procedures.get().pk),),
        discount=make_discount(stranger.clinic).pk,
        patient=make_patient(stranger.clinic).pk,
    )

    assert refused(book, proposal, by=BY, now=desk.now).reasons == {
        Reason.DOCTOR_UNKNOWN,
        Reason.PROCEDURE_UNKNOWN,
        Reason.DISCOUNT_UNKNOWN,
        Reason.PATIENT_UNKNOWN,
    }


def test_doctor_and_procedure_are_found_by_their_uuid_too(desk):
    appointment = desk.book(doctor=desk.doctor.uuid, lines=(LineRequest(desk.procedure.uuid),))

    assert appointment.doctor == desk.doctor
    assert appointment.lines.get().procedure == desk.procedure


@pytest.mark.parametrize(
    "act",
    [
        lambda desk, pk: change_status(pk, "confirmed", clinic=desk.clinic, by=BY),
        lambda desk, pk: undo(pk, clinic=desk.clinic, by=BY),
        lambda desk, pk: edit_notes(pk, clinic=desk.clinic, by=BY, notes="x"),
        lambda desk, pk: change_procedures(pk, clinic=desk.clinic, lines=(), by=BY),
        lambda desk, pk: record_not_reached(pk, clinic=desk.clinic, by=BY),
        lambda desk, pk: call_later(pk, desk.at(8), clinic=desk.clinic, by=BY),
        lambda desk, pk: begin_call(pk, clinic=desk.clinic, caller=make_user(desk.clinic)),
        lambda desk, pk: reschedule(pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(10), by=BY),
    ],
)
def test_another_clinics_or_a_deleted_appointment_does_not_exist(desk, act):
    theirs = desk.book()
    deleted = desk.book(starts_at=desk.at(14))
    Appointment.objects.filter(pk=deleted.pk).update(deleted_at=desk.now)
    elsewhere = type(desk)(make_doctor().clinic, desk.procedure, desk.doctor, desk.patient)

    for at_desk, pk in ((elsewhere, theirs.pk), (desk, deleted.pk), (desk, 10**30), (desk, -1)):
        with pytest.raises(Appointment.DoesNotExist):
            act(at_desk, pk)
