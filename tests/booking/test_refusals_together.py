"""All that is wrong with a proposal is reported at once."""

from datetime import date, timedelta

from clinic.booking import LineRequest, book
from clinic.refusals import Reason
from clinic.registry import PatientDetails, register_patient
from tests.booking.desk import BY, MONDAY, refused
from tests.factories import make_discount, make_procedure


def test_all_broken_rules_are_reported_together(desk):
    expired = make_discount(desk.clinic, expires_on=MONDAY - timedelta(days=1))
    proposal = desk.proposal(
        details=PatientDetails(
            name="", phone="123", birth_date=date(2030, 1, 1), cpf="1", nif="1", email="@", social_name="s" * 200
        ),
        lines=(LineRequest(make_procedure(desk.clinic).pk), LineRequest(0, expired.pk)),
        discount=0,
        starts_at=desk.at(6),
        ends_at=desk.at(5),
        notes="n" * 6000,
    )

    assert refused(book, proposal, by=BY, now=desk.now).reasons == {
        Reason.NAME_MISSING,
        Reason.PHONE_TOO_SHORT,
        Reason.BIRTH_DATE_IMPOSSIBLE,
        Reason.CPF_SHAPE,
        Reason.NIF_INVALID,
        Reason.EMAIL_INVALID,
        Reason.SOCIAL_NAME_TOO_LONG,
        Reason.PROCEDURE_NOT_OFFERED,
        Reason.PROCEDURE_UNKNOWN,
        Reason.DISCOUNT_UNKNOWN,
        Reason.DISCOUNT_EXPIRED,
        Reason.TIME_PAST,
        Reason.END_NOT_AFTER_START,
        Reason.NOTES_TOO_LONG,
    }


def test_empty_body_is_reported_field_by_field(desk):
    proposal = desk.proposal(doctor=None, patient=None, lines=(), starts_at=None)

    assert [refusal.field for refusal in refused(book, proposal, by=BY).refusals] == [
        "doctor",
        "patient",
        "procedures",
        "starts_at",
    ]


def test_closed_doctor_and_busy_patient_are_both_reported(desk):
    other = desk.another_doctor(hours=[(desk.clinic.local(desk.at(14)).time(), desk.clinic.local(desk.at(15)).time())])
    desk.book()

    assert refused(desk.book, doctor=other.pk).reasons == {Reason.OUTSIDE_HOURS, Reason.PATIENT_ELSEWHERE}


def test_registering_reports_all_faults_and_a_taken_cpf_at_once(desk):
    wrong = PatientDetails(name="", phone="1", cpf=desk.patient.cpf)

    refusal = refused(register_patient, desk.clinic, wrong, by=BY)

    assert refusal.reasons == {Reason.NAME_MISSING, Reason.PHONE_IMPOSSIBLE, Reason.CPF_TAKEN}
