"""POST /v1/appointments, straight from the vendor's page, and everything it refuses."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from clinic.api.mivicall import errors
from clinic.models import Absence, ApiKey, Appointment, AppointmentEvent, Patient
from clinic.models.patient import phone_hash
from clinic.refusals import Reason
from tests.api.mivicall.conftest import PHONE
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_procedure
from tests.locks import another_connection

pytestmark = pytest.mark.django_db

# The vendor's page: its sample request, read in the week of its date, and the keys of its sample answer in their order.
SAMPLE = {
    "professionalId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "serviceTypeId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "patientName": "Maria Silva",
    "patientPhone": "+351912345678",
    "startsAt": "2026-05-14T10:00:00+01:00",
    "patientNotes": "<string>",
}
ANSWERED = [
    "id",
    "professionalId",
    "patientName",
    "startsAt",
    "endsAt",
    "status",
    "source",
    "serviceTypeId",
    "patientPhoneHash",
    "patientNotes",
    "metadata",
    "createdAt",
]


def stored():
    return Appointment.objects.count(), Patient.objects.count(), AppointmentEvent.objects.count()


# The vendor's page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def sample(time_machine, lisbon):
    time_machine.move_to("2026-05-11T08:12:43Z", tick=False)
    doctor = make_doctor(lisbon, procedures=[make_procedure(lisbon, duration_minutes=40)])
    return SAMPLE | {"professionalId": str(doctor.uuid), "serviceTypeId": str(doctor.procedures.get().uuid)}


def test_vendor_sample_request_returns_vendor_sample_answer(mivicall, lisbon, sample):
    answer = mivicall(lisbon)("POST", "/appointments", sample)
    assert answer.status_code == 201
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert list(body) == ANSWERED
    assert UUID(body["id"]).version == 4
    assert body == {
        "id": body["id"],
        "professionalId": sample["professionalId"],
        "patientName": "Maria Silva",
        "startsAt": "2026-05-14T10:00:00+01:00",
        "endsAt": "2026-05-14T10:40:00+01:00",
        "status": "confirmed",
        "source": "voice_ai",
        "serviceTypeId": sample["serviceTypeId"],
        "patientPhoneHash": phone_hash("+351912345678", lisbon.pk),
        "patientNotes": "<string>",
        "metadata": {},
        "createdAt": "2026-05-11T08:12:43Z",
    }


def test_stored_answer_equals_the_sent_one(mivicall, lisbon, sample):
    body = mivicall(lisbon)("POST", "/appointments", sample).json()
    booked = Appointment.objects.get()
    assert str(booked.uuid) == body["id"]
    assert (booked.status, booked.source, booked.notes) == ("confirmed", "voice_ai", "<string>")
    assert booked.starts_at == datetime(2026, 5, 14, 9, tzinfo=UTC)
    assert booked.ends_at == datetime(2026, 5, 14, 9, 40, tzinfo=UTC)
    assert (booked.patient.name, booked.patient.phone.as_e164) == ("Maria Silva", "+351912345678")
    assert booked.patient.is_incomplete
    event = booked.events.get()
    assert (event.channel, event.credential, event.kind) == ("mivicall", "central", "booked")
    assert mivicall(lisbon).get(f"/appointments/{body['id']}").json() == body


def test_without_its_optional_field_the_sample_books_too(mivicall, lisbon, sample):
    del sample["patientNotes"]
    body = mivicall(lisbon)("POST", "/appointments", sample).json()
    assert body["patientNotes"] is None


@pytest.mark.parametrize("field", [field for field in SAMPLE if field != "patientNotes"])
def test_every_other_field_of_the_sample_is_required(mivicall, lisbon, sample, field):
    del sample[field]
    answer = mivicall(lisbon)("POST", "/appointments", sample)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": field, "message": "Campo obrigatório."}]


@pytest.mark.parametrize("source", ApiKey.Source.values)
def test_the_key_says_where_its_bookings_come_from(mivicall, recife, good, source):
    body = mivicall(recife, source=source)("POST", "/appointments", good).json()
    assert body["source"] == source == Appointment.objects.get().source


def test_keys_that_the_api_does_not_know_are_ignored(program, good):
    assert program("POST", "/appointments", good | {"id": 7, "status": "cancelled", "x": [None]}).status_code == 201


def test_start_is_returned_in_clinic_time_whatever_offset_was_sent(program, good):
    body = program("POST", "/appointments", good | {"startsAt": "2026-11-23T12:00Z"}).json()
    assert (body["startsAt"], body["endsAt"]) == ("2026-11-23T09:00:00-03:00", "2026-11-23T09:30:00-03:00")


# Patients -------------------------------------------------------------------------------------------------------------


def test_the_same_name_on_the_same_phone_is_the_same_patient(program, good, recife, doctor):
    known = make_patient(recife, name="Ana Beatriz Nogueira", phone=PHONE)
    body = program("POST", "/appointments", good | {"patientName": "  ANA   béatriz nogueira"}).json()
    assert Appointment.objects.get().patient == known
    assert body["patientName"] == "Ana Beatriz Nogueira"


def test_another_name_on_the_same_phone_is_another_patient(program, good, recife, doctor):
    make_patient(recife, name="Bento Nogueira", phone=PHONE)
    program("POST", "/appointments", good)
    assert Patient.objects.filter(phone=PHONE).count() == 2


def test_the_same_patient_of_another_clinic_is_nobody_here(program, good):
    make_patient(make_clinic(), name=good["patientName"], phone=PHONE)
    program("POST", "/appointments", good)
    assert Patient.objects.filter(phone=PHONE).count() == 2


def test_the_phone_comes_back_nowhere_in_clear(program, good, caplog):
    caplog.set_level("DEBUG")
    created = program("POST", "/appointments", good)
    refused = [
        program("POST", "/appointments", good),
        program("POST", "/appointments", good | {"patientPhone": PHONE + "9999999"}),
        program("POST", "/appointments", good | {"patientPhone": PHONE + "9", "startsAt": "x"}),
    ]
    patients = program.get("/patients", search="Ana")
    visits = program.get(f"/patients/{created.json()['patientPhoneHash']}")
    assert [answer.status_code for answer in refused] == [409, 422, 422]
    for answer in (created, *refused, patients, visits):
        assert PHONE[3:] not in answer.text + str(answer.headers)
    written = "".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("clinic", "django.r"))
    )
    assert "POST /v1/appointments 201" in written
    assert PHONE[3:] not in written


# What cannot be read, and what is wrong in itself ---------------------------------------------------------------------


@pytest.mark.parametrize("body", [[], "texto", 7, 10**30, True, None, [{}], 1.5], ids=repr)
def test_a_body_that_is_no_object_is_refused_as_a_whole(program, doctor, body):
    answer = program("POST", "/appointments", raw=json.dumps(body))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": "", "message": "O corpo deve ser um objeto JSON."}]


def test_no_body_is_refused_as_a_whole(program, doctor):
    assert program("POST", "/appointments").json()["errors"][0]["path"] == ""


WRONG_EVERYWHERE = [
    None,
    True,
    False,
    0,
    7,
    -1,
    1.5,
    10**30,
    [],
    {},
    [[]],
    {"a": 1},
    "",
    " ",
    "\0",
    "\ud800",
    "x" * 10_000,
]
WRONG = {
    "professionalId": [
        "3c90c3cc0d444b5088888dd25736052a",
        "{3c90c3cc-0d44-4b50-8888-8dd25736052a}",
        "urn:uuid:3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "3c90c3cc-0d44-4b50-8888-8dd25736052",
        "3c90c3cc-0d44-4b50-8888-8dd25736052g",
        "3c90c3cc-0d44-4b50-8888-8dd25736052a\n",
        "٣c90c3cc-0d44-4b50-8888-8dd25736052a",
    ],
    "patientName": ["12345", "---", "🙂", "Ana\0", "Ana \udfff", "A" * 161, "\u202e"],
    "patientPhone": [
        "81988887777",
        "+4915123456789012",
        "+0581988887777",
        "+5",
        "+1234567890123456",
        "+55 81 98888-7777",
        "+5581988887777\n",
        "+٥٥٨١٩٨٨٨٨٧٧٧٧",
        "tel:+5581988887777",
        "+558198888777A",
        "+55988887777",
        "+99999999",
    ],
    "startsAt": [
        "2026-11-23T09:00:00",
        "2026-11-23",
        "2026-11-23 09:00:00-03:00",
        "23/11/2026 09:00",
        "2026-02-30T09:00:00-03:00",
        "2026-11-23T25:00:00-03:00",
        "2026-11-23T09:00:00-25:00",
        "2026-W48-1T09:00:00-03:00",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "1795435200",
        "٢٠٢٦-11-23T09:00:00-03:00",
        "2026-11-14T09:00:00-03:00",
        "2026-11-21T11:59:59-03:00",
        "2026-11-23T16:00:00.123456-03:00",
        "2026-11-23T16:00:01-03:00",
        "2029-11-23T09:00:00-03:00",
    ],
    "patientNotes": ["x" * 5001, "a\0b", "\udc00"],
}
WRONG["serviceTypeId"] = WRONG["professionalId"]
NO_MATTER = {"patientNotes": [None, "", " "]}
CASES = [
    (field, value)
    for field, values in WRONG.items()
    for value in [*WRONG_EVERYWHERE, *values]
    if not any(value is right or value == right for right in NO_MATTER.get(field, []))
]


@pytest.mark.parametrize(("field", "value"), CASES, ids=lambda value: ascii(value)[:40])
def test_a_wrong_value_is_a_message_at_its_field_and_nothing_else(program, good, field, value):
    before = stored()
    answer = program("POST", "/appointments", good | {field: value})
    assert answer.status_code == 422
    body = answer.json()
    assert list(body) == ["error", "message", "requestId", "errors"]
    assert body["error"] == "validation_failed"
    assert body["requestId"] == answer["X-Request-Id"]
    assert [error["path"] for error in body["errors"]] == [field]
    assert body["errors"][0]["message"].endswith(".")
    assert stored() == before


@pytest.mark.parametrize(
    "number", ["+558188887777", "+5520999999999", "+5581899999999", "+351512345678", "+44207946095"]
)
def test_a_phone_that_may_not_exist_is_kept_to_be_confirmed(program, good, number):
    assert program("POST", "/appointments", good | {"patientPhone": number}).status_code == 201
    patient = Appointment.objects.get().patient
    assert patient.phone.as_e164 == number and patient.has_doubtful_phone


def test_a_patient_stored_without_the_ninth_digit_is_found(program, good, recife):
    known = make_patient(recife, name=good["patientName"], phone="+558188887777", cpf=None)
    assert program("POST", "/appointments", good | {"patientPhone": "+5581988887777"}).status_code == 201
    assert Appointment.objects.get().patient == known


def test_bad_input_and_broken_rules_are_reported_together(program, good):
    spoiled = good | {
        "serviceTypeId": 7,
        "patientName": "   ",
        "patientPhone": "+551",
        "startsAt": "2026-11-14T09:00:00-03:00",
        "patientNotes": "x" * 5001,
    }
    body = program("POST", "/appointments", spoiled).json()
    assert {error["path"]: error["message"].split()[0] for error in body["errors"]} == {
        "serviceTypeId": "Deve",
        "patientName": "Informe",
        "patientPhone": "Este",
        "startsAt": "Esta",
        "patientNotes": "As",
    }


def test_nothing_readable_at_all_is_a_message_for_every_field(program, doctor):
    body = program("POST", "/appointments", dict.fromkeys(SAMPLE, 7)).json()
    assert [error["path"] for error in body["errors"]] == list(SAMPLE)


def test_sentences_are_in_the_clinics_own_portuguese(mivicall, lisbon, good):
    body = mivicall(lisbon)("POST", "/appointments", good | {"patientName": ""}).json()
    assert {"path": "patientName", "message": "Indique o nome do utente."} in body["errors"]


# What is not there, and what cannot be had ----------------------------------------------------------------------------


def refused(program, body):
    before = stored()
    answer = program("POST", "/appointments", body)
    assert stored() == before
    content = answer.json()
    assert content["requestId"] == answer["X-Request-Id"]
    return answer.status_code, content["error"], content


@pytest.mark.parametrize("whose", ["nobody's", "another clinic's", "inactive"])
@pytest.mark.parametrize(
    ("field", "code", "make"),
    [
        ("professionalId", "professional_not_found", make_doctor),
        ("serviceTypeId", "service_not_found", make_procedure),
    ],
    ids=["professional", "service"],
)
def test_row_unknown_to_the_clinic_is_not_found(program, recife, good, field, code, make, whose):
    made = {"another clinic's": make, "inactive": lambda: make(recife, active=False)}
    good[field] = str(made[whose]().uuid) if whose in made else str(uuid4())
    assert refused(program, good)[:2] == (404, code)


def test_a_service_the_professional_does_not_perform_is_not_offered(program, recife, good):
    good["serviceTypeId"] = str(make_procedure(recife, name="Ecografia").uuid)
    status, code, body = refused(program, good)
    assert (status, code) == (409, "service_not_offered")
    assert body["message"].startswith("A Dra. Helena Prado não realiza Ecografia")
    assert "alternatives" not in body


def spoil_hours(good, recife, doctor, at):
    good["startsAt"] = "2026-11-23T07:00:00-03:00"


def spoil_lunch(good, recife, doctor, at):
    good["startsAt"] = "2026-11-23T11:45:00-03:00"


def spoil_absence(good, recife, doctor, at):
    Absence.objects.create(clinic=recife, doctor=doctor, starts_at=at(8), ends_at=at(12), reason="férias")


def spoil_closed(good, recife, doctor, at):
    Absence.objects.create(clinic=recife, starts_at=at(8), ends_at=at(12), reason="obras")


def spoil_holiday(good, recife, doctor, at):
    recife.observes_holidays = True
    recife.save()
    good["startsAt"] = "2026-12-25T09:00:00-03:00"


def spoil_taken(good, recife, doctor, at):
    book_appointment(doctor, starts_at=at(9))


def spoil_elsewhere(good, recife, doctor, at):
    patient = make_patient(recife, name=good["patientName"], phone=PHONE)
    book_appointment(make_doctor(recife), patient=patient.pk, starts_at=at(9))


ON_TIME = {
    "outside hours": (spoil_hours, "outside_working_hours"),
    "over lunch": (spoil_lunch, "outside_working_hours"),
    "absence": (spoil_absence, "outside_working_hours"),
    "clinic closed": (spoil_closed, "outside_working_hours"),
    "holiday": (spoil_holiday, "outside_working_hours"),
    "taken": (spoil_taken, "slot_conflict"),
    "patient elsewhere": (spoil_elsewhere, "slot_conflict"),
}


@pytest.mark.parametrize(("spoil", "expected"), ON_TIME.values(), ids=ON_TIME)
def test_a_time_that_cannot_be_had_comes_with_three_that_can(program, recife, doctor, good, at, spoil, expected):
    spoil(good, recife, doctor, at)
    status, code, body = refused(program, good)
    assert (status, code) == (409, expected)
    assert list(body) == ["error", "message", "requestId", "alternatives"]
    assert len(body["alternatives"]) == 3
    assert all(time.endswith("-03:00") for time in body["alternatives"])
    assert sorted(body["alternatives"]) == body["alternatives"] and body["alternatives"][0] >= good["startsAt"]
    assert program("POST", "/appointments", good | {"startsAt": body["alternatives"][1]}).status_code == 201


def test_alternatives_are_the_next_three_even_if_earlier_is_nearer(program, doctor, good, at):
    book_appointment(doctor, starts_at=at(15))
    body = refused(program, good | {"startsAt": "2026-11-23T15:00:00-03:00"})[2]
    assert [time[11:16] for time in body["alternatives"]] == ["15:30", "15:45", "16:00"]


def test_busy_patient_message_reveals_nothing_else_of_the_patient(program, recife, doctor, good, at):
    spoil_elsewhere(good, recife, doctor, at)
    assert refused(program, good)[2]["message"] == "O utente já tem uma marcação a essa hora."


def test_invalid_input_precedes_not_found_and_that_conflict(program, recife, doctor, good, at):
    spoil_taken(good, recife, doctor, at)
    good["serviceTypeId"] = str(uuid4())
    assert refused(program, good | {"patientName": ""})[:2] == (422, "validation_failed")
    assert refused(program, good)[:2] == (404, "service_not_found")


def test_every_reason_of_booking_has_its_answer_and_only_one():
    assert errors.FIELDS_OF_REASONS.keys() | errors.ANSWERS_OF_REASONS.keys() == set(Reason)
    assert errors.FIELDS_OF_REASONS.keys() & errors.ANSWERS_OF_REASONS.keys() == set()
    assert set(errors.FIELDS_OF_REASONS.values()) <= {*SAMPLE, "status", "metadata"}


def test_an_end_beyond_twelve_hours_cannot_be_asked_for(program, recife, doctor, good):
    """The service decides how long; the longest of them still fits no working day here."""
    doctor.procedures.set([make_procedure(recife, duration_minutes=720)])
    good["serviceTypeId"] = str(doctor.procedures.get().uuid)
    status, code, body = refused(program, good)
    assert (status, code, body["alternatives"]) == (409, "outside_working_hours", [])


@pytest.mark.django_db(transaction=True)
def test_locked_rows_answer_busy_and_the_same_call_works_later(program, good, doctor):
    with another_connection() as holder:
        holder.execute("SELECT FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [doctor.pk])
        answer = program("POST", "/appointments", good, key="pms-create-1")
        assert (answer.status_code, answer.json()["error"]) == (503, "busy")
        assert answer["Retry-After"] == "1"
        assert stored() == (0, 0, 0)
        holder.rollback()
    assert program("POST", "/appointments", good, key="pms-create-1").status_code == 201
