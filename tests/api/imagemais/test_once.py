"""Idempotency-Key over this API, and what each list costs."""

import json
from datetime import time

import pytest

from clinic.booking import LineRequest
from clinic.models import Appointment, Doctor, Patient, StoredAnswer
from clinic.registry import Author, request_deletion, restrict
from tests.factories import book_appointment, make_clinic, make_discount, make_doctor, make_patient, make_procedure

VALID = {"name": "Ana", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "529.982.247-25"}


def test_repeated_request_with_same_key_runs_once_and_replays(desk):
    first = desk.ask("POST", "/appointments", desk.booking(), key="a")
    again = desk.ask("POST", "/appointments", desk.booking(), key="a")
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first
    assert Appointment.objects.count() == 1


def test_the_answer_is_kept_whatever_happens_in_between(desk):
    first = desk.ask("POST", "/appointments", desk.booking(), key="a")
    pk = first.json()[0]["id"]
    desk.ask("PATCH", f"/appointments/{pk}/status", {"action": "cancelado"})
    assert desk.ask("POST", "/appointments", desk.booking(), key="a").content == first.content


@pytest.mark.parametrize("change", [{"notes": "outras"}, {"startTime": "10:00", "endTime": "10:15"}])
def test_another_request_with_the_same_key_is_refused(desk, change):
    desk.ask("POST", "/appointments", desk.booking(), key="a")
    answer = desk.ask("POST", "/appointments", desk.booking(**change), key="a")
    assert answer.status_code == 422
    assert answer.json() == {
        "message": "Idempotency-Key já usada com outra requisição",
        "error": "Unprocessable Entity",
        "statusCode": 422,
    }


@pytest.mark.parametrize("act", [request_deletion, restrict])
def test_an_answer_erased_with_its_patient_is_gone(desk, act):
    patient = desk.ask("POST", "/patients", {"name": "Ana"}, key="a").json()["id"]
    by = Author(channel="command", credential="tests")
    act(patient, clinic=desk.clinic, reason="pedido do titular", by=by)

    answer = desk.ask("POST", "/patients", {"name": "Ana"}, key="a")
    assert (answer.status_code, answer.json()["error"]) == (410, "Gone")
    assert "já não está guardada" in answer.json()["message"]
    assert Patient.objects.count() == 1


OTHER_BYTES = {
    "another order of keys": lambda body: json.dumps(dict(reversed(body.items()))),
    "another order within": lambda body: json.dumps(body | {"patient": dict(reversed(body["patient"].items()))}),
    "other blanks": lambda body: json.dumps(body, indent=1),
    "a line end behind": lambda body: json.dumps(body) + "\n",
    "accents written out": lambda body: json.dumps(body, ensure_ascii=False),
    "no blanks": lambda body: json.dumps(body, separators=(",", ":")),
}


@pytest.mark.parametrize("written", OTHER_BYTES.values(), ids=OTHER_BYTES)
def test_the_same_json_in_other_bytes_is_another_request(desk, written):
    desk.ask("POST", "/appointments", desk.booking(), key="a")
    assert desk.ask("POST", "/appointments", raw=written(desk.booking()), key="a").status_code == 422
    assert Appointment.objects.count() == 1


def test_a_decided_conflict_is_answered_again(desk):
    taken = desk.book()
    other = desk.booking(patient=desk.patient(name="Maria", phone="(81) 98888-7777"))
    first = desk.ask("POST", "/appointments", other, key="b")
    assert first.status_code == 409
    desk.ask("PATCH", f"/appointments/{taken}/status", {"action": "cancelado"})
    again = desk.ask("POST", "/appointments", other, key="b")
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Idempotency-Replayed"] == "true"


def test_errors_400_and_404_are_not_stored_so_corrections_work(desk):
    assert desk.ask("POST", "/appointments", desk.booking(date=None), key="c").status_code == 400
    assert desk.ask("POST", "/appointments", desk.booking(doctorId=10**9), key="c").status_code == 404
    assert not StoredAnswer.objects.exists()
    assert desk.ask("POST", "/appointments", desk.booking(), key="c").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_malformed_key_is_reported(desk, key):
    answer = desk.ask("POST", "/appointments", desk.booking(), key=key)
    assert answer.json()["message"] == "Idempotency-Key deve ter de 1 a 255 caracteres imprimíveis"


def test_every_write_is_done_once(desk, settings):
    settings.API_REQUESTS_A_SECOND = 1000
    booked = desk.book()
    doctor = {
        "name": "Dra Ana",
        "procedureIds": [desk.procedures[0].pk],
        "startTime": "08:00",
        "endTime": "12:00",
        "intervalMinutes": 15,
        "workingDays": "Segunda",
    }
    moved = {"doctorId": desk.doctor.pk, "date": "2026-11-24", "startTime": "10:00", "endTime": "10:15"}
    writes = [
        ("POST", "/doctors", doctor),
        ("POST", "/patients", VALID),
        ("PATCH", f"/appointments/{booked}", {"notes": "x"}),
        ("PATCH", f"/appointments/{booked}/reschedule", moved),
        ("PATCH", f"/appointments/{booked}/status", {"action": "confirmado"}),
    ]
    for number, (method, path, body) in enumerate(writes):
        first, again = (desk.ask(method, path, body, key=f"k{number}") for _ in range(2))
        assert first.status_code in {200, 201}, first.content.decode()
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again["Idempotency-Replayed"] == "true"
    assert Doctor.objects.count() == Patient.objects.count() == 2


def test_chunked_body_is_read_and_distinguished_from_another(desk):
    body = json.dumps(desk.booking()).encode()
    first = desk.ask.chunked("POST", "/appointments", body, key="a")
    assert first.status_code == 201, first.content.decode()
    again = desk.ask("POST", "/appointments", raw=body, key="a")
    assert (again.status_code, again.content) == (201, first.content)
    other = json.dumps(desk.booking(notes="outras")).encode()
    assert desk.ask.chunked("POST", "/appointments", other, key="a").status_code == 422
    assert Appointment.objects.count() == 1


def test_two_clinics_may_use_the_same_key(desk, imagemais):
    desk.ask("POST", "/appointments", desk.booking(), key="a")
    answer = imagemais(make_clinic())("POST", "/patients", VALID, key="a")
    assert answer.status_code == 201


# What it costs --------------------------------------------------------------------------------------------------------

# The token, counted by the same statement, is one of them; where patients are shown, the log of it another.
QUERIES = {
    "/appointments": 4,
    "/doctors": 4,
    "/procedures": 2,
    "/discounts": 2,
    "/patients": 3,
}


def one_more(clinic, number):
    doctor = make_doctor(clinic, hours=((time(8), time(12)),), procedures=[make_procedure(clinic) for _ in range(2)])
    discount = make_discount(clinic)
    lines = [(procedure.pk, discount.pk) for procedure in doctor.procedures.all()]
    book_appointment(doctor, lines=tuple(LineRequest(*line) for line in lines), patient=make_patient(clinic).pk)


@pytest.mark.parametrize("path", QUERIES)
@pytest.mark.parametrize("items", [1, 3])
def test_a_list_costs_the_same_however_long_it_is(recife, imagemais, django_assert_num_queries, path, items):
    for number in range(items):
        one_more(recife, number)
    ask = imagemais(recife)
    with django_assert_num_queries(QUERIES[path]):
        answer = ask.get(path)
    assert len(answer.json()) >= items
