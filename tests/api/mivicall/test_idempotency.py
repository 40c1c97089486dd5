"""Idempotency-Key over this API: the same answer again, and nothing done twice."""

import json

import pytest

from clinic.access import idempotency
from clinic.models import Appointment, AppointmentEvent, Patient, StoredAnswer
from clinic.registry import Author, request_deletion
from tests.api.mivicall.conftest import PHONE
from tests.factories import book_appointment, make_clinic, make_doctor
from tests.test_races import at_once

pytestmark = pytest.mark.django_db

KEY = "pms-create-4711"


def counts():
    return Appointment.objects.count(), Patient.objects.count(), AppointmentEvent.objects.count()


def same(answer, first):
    return (answer.status_code, answer.content) == (first.status_code, first.content)


def test_a_repeated_booking_is_answered_alike_and_booked_once(program, good):
    first = program("POST", "/appointments", good, key=KEY)
    assert (first.status_code, first.get("Idempotency-Replayed")) == (201, None)
    again = program("POST", "/appointments", good, key=KEY)
    assert same(again, first)
    assert again["Idempotency-Replayed"] == "true"
    assert again["Content-Type"] == "application/json"
    assert again["X-Request-Id"] != first["X-Request-Id"]
    assert "X-RateLimit-Remaining" in again
    assert counts() == (1, 1, 1)


def test_without_a_key_or_with_another_it_is_another_booking(program, good):
    assert program("POST", "/appointments", good, key=KEY).status_code == 201
    assert program("POST", "/appointments", good).json()["error"] == "slot_conflict"
    assert program("POST", "/appointments", good, key=KEY + "2").json()["error"] == "slot_conflict"


def test_the_first_answer_stands_whatever_happened_in_between(program, good):
    first = program("POST", "/appointments", good, key=KEY)
    program("DELETE", f"/appointments/{first.json()['id']}")
    assert same(program("POST", "/appointments", good, key=KEY), first)
    assert counts() == (1, 1, 2)


def test_the_key_of_another_body_or_path_is_used_up(program, good):
    first = program("POST", "/appointments", good, key=KEY)
    address = f"/appointments/{first.json()['id']}"
    others = [
        program("POST", "/appointments", good | {"patientNotes": "x"}, key=KEY),
        program("POST", "/appointments", raw=json.dumps(good, indent=1), key=KEY),
        program("PATCH", address, good, key=KEY),
        program("DELETE", address, key=KEY),
    ]
    for answer in others:
        assert (answer.status_code, answer.json()["error"]) == (422, "idempotency_key_reused")
        assert "errors" not in answer.json()
    assert counts() == (1, 1, 1)


OTHER_BYTES = {
    "another order of keys": lambda body: json.dumps(dict(reversed(body.items()))),
    "other blanks": lambda body: json.dumps(body, indent=1),
    "a line end behind": lambda body: json.dumps(body) + "\n",
    "letters written as escapes": lambda body: json.dumps(body).replace("Ana", "\\u0041na"),
    "no blanks": lambda body: json.dumps(body, separators=(",", ":")),
}


@pytest.mark.parametrize("written", OTHER_BYTES.values(), ids=OTHER_BYTES)
def test_the_same_json_in_other_bytes_is_another_request(program, good, written):
    program("POST", "/appointments", good, key=KEY)
    answer = program("POST", "/appointments", raw=written(good), key=KEY)
    assert (answer.status_code, answer.json()["error"]) == (422, "idempotency_key_reused")
    assert counts() == (1, 1, 1)


def test_repeated_conflict_gets_the_same_alternatives(program, good, doctor, at):
    taken = book_appointment(doctor, starts_at=at(9))
    first = program("POST", "/appointments", good, key=KEY)
    assert (first.status_code, len(first.json()["alternatives"])) == (409, 3)
    Appointment.objects.filter(pk=taken.pk).update(status="cancelled", cancelled_by="clinic")
    again = program("POST", "/appointments", good, key=KEY)
    assert same(again, first)
    assert again["Idempotency-Replayed"] == "true"
    assert program("POST", "/appointments", good, key=KEY + "2").status_code == 201


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"patientName": ""}, 422), ({"professionalId": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}, 404)],
    ids=["invalid", "not found"],
)
def test_error_without_a_write_is_not_stored_so_retry_works(program, good, wrong, status):
    assert program("POST", "/appointments", good | wrong, key=KEY).status_code == status
    assert StoredAnswer.objects.count() == 0
    assert program("POST", "/appointments", good, key=KEY).status_code == 201


def test_a_change_is_made_once_and_answered_alike(program, booked):
    address = f"/appointments/{booked['id']}"
    first = program("PATCH", address, {"startsAt": "2026-11-23T10:00:00-03:00"}, key=KEY)
    program("PATCH", address, {"startsAt": "2026-11-23T11:00:00-03:00"})
    again = program("PATCH", address, {"startsAt": "2026-11-23T10:00:00-03:00"}, key=KEY)
    assert same(again, first) and again["Idempotency-Replayed"] == "true"
    assert program.get(address).json()["startsAt"] == "2026-11-23T11:00:00-03:00"


def test_an_answer_erased_with_its_patient_is_gone(program, good):
    booked = program("POST", "/appointments", good, key="a").json()
    program("DELETE", f"/appointments/{booked['id']}", key="b")
    patient, by = Appointment.objects.get().patient, Author(channel="command", credential="tests")
    request_deletion(patient.pk, clinic=patient.clinic, reason="pedido do titular", by=by)

    answer = program("POST", "/appointments", good, key="a")
    assert (answer.status_code, answer.json()["error"]) == (410, "answer_erased")
    assert program("DELETE", f"/appointments/{booked['id']}", key="b").status_code == 204
    assert Appointment.objects.count() == 1


def test_a_cancellation_is_made_once_and_answered_alike(program, booked):
    address = f"/appointments/{booked['id']}"
    first = program("DELETE", address, key=KEY)
    again = program("DELETE", address, key=KEY)
    assert (first.status_code, first.content) == (again.status_code, again.content) == (204, b"")
    assert again["Idempotency-Replayed"] == "true"
    assert counts() == (1, 1, 2)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x07b", "a\x7f", "caf\x82"], ids=ascii)
def test_a_malformed_key_is_a_message_of_its_own(program, good, key):
    answer = program("POST", "/appointments", good, key=key)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
    assert counts() == (0, 0, 0)


def test_two_clinics_may_choose_the_same_key(program, mivicall, good):
    other = make_clinic()
    doctor = make_doctor(other)
    theirs = good | {"professionalId": str(doctor.uuid), "serviceTypeId": str(doctor.procedures.get().uuid)}
    assert program("POST", "/appointments", good, key=KEY).status_code == 201
    assert mivicall(other)("POST", "/appointments", theirs, key=KEY).status_code == 201


def test_another_key_of_the_same_clinic_gets_the_same_answer(program, mivicall, recife, good):
    first = program("POST", "/appointments", good, key=KEY)
    assert same(mivicall(recife)("POST", "/appointments", good, key=KEY), first)


def test_no_answer_that_is_kept_holds_a_phone(program, good):
    program("POST", "/appointments", good, key=KEY)
    (kept,) = StoredAnswer.objects.values()
    assert PHONE[3:] not in str(kept)


@pytest.mark.django_db(transaction=True)
def test_concurrent_identical_bookings_book_once_and_answer_alike(program, good):
    answers = at_once(*[lambda: program("POST", "/appointments", good, key=KEY)] * 10)
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 9
    assert counts() == (1, 1, 1)


def test_conflict_answer_stands_when_another_request_took_the_key(program, good, doctor, at, monkeypatch):
    book_appointment(doctor, starts_at=at(9))
    claim, asked = idempotency.claim, []

    def claim_once(request):
        asked.append(request)
        if len(asked) > 1:
            raise idempotency.KeyReused
        return claim(request)

    monkeypatch.setattr(idempotency, "claim", claim_once)
    answer = program("POST", "/appointments", good, key=KEY)
    assert (answer.status_code, answer.json()["error"]) == (409, "slot_conflict")
    assert len(asked) == 2 and not StoredAnswer.objects.exists()
