"""The same bad booking knocks on every door: one rule set answers, and nothing is written. The JSON APIs join here."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from clinic.booking import Author, BookingRefused, LineRequest, PatientDetails, Proposal, Reason, book
from clinic.models import Absence, Appointment, Patient
from tests.factories import (
    book_appointment,
    make_clinic,
    make_discount,
    make_doctor,
    make_patient,
    make_procedure,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

MONDAY = date(2026, 11, 23)


@pytest.fixture
def saturday(time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


@pytest.fixture
def good():
    """A booking that every door takes, as a plain dict; the cases spoil one thing."""
    clinic = make_clinic()
    doctor = make_doctor(clinic, procedures=[make_procedure(clinic, name="Consulta")], name="Dra. Helena Prado")
    return {
        "clinic": clinic,
        "doctor": doctor.pk,
        "procedure": doctor.procedures.get().pk,
        "discount": None,
        "patient": make_patient(clinic).pk,
        "details": None,
        "day": MONDAY,
        "starts": time(9),
        "ends": None,
        "notes": "",
    }


def at(good, hour, minute=0):
    return good["clinic"].instant(MONDAY, time(hour, minute))


def spoil_taken(good):
    book_appointment(good["clinic"].doctor_set.get(), starts_at=at(good, 9))


def spoil_patient_elsewhere(good):
    other = make_doctor(good["clinic"])
    book_appointment(other, patient=good["patient"], starts_at=at(good, 9))


def spoil_absence(good):
    Absence.objects.create(clinic=good["clinic"], starts_at=at(good, 8), ends_at=at(good, 12), reason="dedetização")


def spoil_procedure(good):
    good["procedure"] = make_procedure(good["clinic"]).pk


def spoil_discount(good):
    good["discount"] = make_discount(good["clinic"], expires_on=date(2026, 11, 20)).pk


def spoil_cpf(good):
    good |= {"patient": None, "details": {"name": "Ana", "phone": "81 99999-9999", "cpf": "123.456.789-00"}}


def spoil_phone(good):
    good |= {"patient": None, "details": {"name": "Ana", "phone": "99"}}


BAD = {
    "taken": (spoil_taken, Reason.DOCTOR_TAKEN),
    "patient elsewhere": (spoil_patient_elsewhere, Reason.PATIENT_ELSEWHERE),
    "clinic closed": (spoil_absence, Reason.CLINIC_CLOSED),
    "procedure not offered": (spoil_procedure, Reason.PROCEDURE_NOT_OFFERED),
    "discount expired": (spoil_discount, Reason.DISCOUNT_EXPIRED),
    "cpf with wrong digits": (spoil_cpf, Reason.CPF_INVALID),
    "impossible phone": (spoil_phone, Reason.PHONE_IMPOSSIBLE),
    "outside hours": (lambda good: good.update(starts=time(7)), Reason.OUTSIDE_HOURS),
    "past": (lambda good: good.update(day=MONDAY - timedelta(days=7)), Reason.DATE_PAST),
    "end before start": (lambda good: good.update(ends=time(8, 30)), Reason.END_NOT_AFTER_START),
    "too long notes": (lambda good: good.update(notes="x" * 5001), Reason.NOTES_TOO_LONG),
    "unknown doctor": (lambda good: good.update(doctor=10**9), Reason.DOCTOR_UNKNOWN),
    "another clinic's patient": (lambda good: good.update(patient=make_patient().pk), Reason.PATIENT_UNKNOWN),
    "no procedure": (lambda good: good.update(procedure=None), Reason.PROCEDURES_MISSING),
}


def through_booking(good, client):
    """{field: sentences} that the rule set itself refuses with."""
    clinic = good["clinic"]
    proposal = Proposal(
        clinic=clinic,
        doctor=good["doctor"],
        lines=(LineRequest(good["procedure"], good["discount"]),) if good["procedure"] else (),
        starts_at=clinic.instant(good["day"], good["starts"]),
        ends_at=clinic.instant(good["day"], good["ends"]) if good["ends"] else None,
        patient=good["patient"],
        details=PatientDetails(**good["details"]) if good["details"] else None,
        notes=good["notes"],
    )
    with pytest.raises(BookingRefused) as refused:
        book(proposal, by=Author(door="command", credential="test"))
    return {refusal.message for refusal in refused.value.refusals}


def through_browser(good, client):
    client.force_login(make_user(good["clinic"]))
    fields = {
        "doctor": good["doctor"],
        "procedure": good["procedure"] or "",
        "discount": good["discount"] or "",
        "date": f"{good['day']:%d/%m/%Y}",
        "starts": f"{good['starts']:%H:%M}",
        "ends": f"{good['ends']:%H:%M}" if good["ends"] else "",
        "notes": good["notes"],
        "patient": good["patient"] or "",
        **({"is_new": "1"} | good["details"] if good["details"] else {}),
    }
    answer = client.post(reverse("web:appointment-book"), fields)
    assert answer.status_code in {409, 422}
    return {sentence for sentences in answer.context["form"].errors.values() for sentence in sentences}


@pytest.mark.parametrize("door", [through_booking, through_browser])
@pytest.mark.parametrize(("spoil", "reason"), BAD.values(), ids=BAD)
def test_a_bad_booking_is_refused_for_the_same_reason_at_every_door(good, client, door, spoil, reason):
    spoil(good)
    stored = Appointment.objects.count(), Patient.objects.count()
    (sentence,) = door(good, client)
    # What a sentence says besides its parameters tells which reason it was.
    words = [part.split(")s")[-1] for part in str(reason.sentence).split("%(")]
    assert all(word in sentence for word in words)
    assert (Appointment.objects.count(), Patient.objects.count()) == stored
