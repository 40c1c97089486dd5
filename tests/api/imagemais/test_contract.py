"""The vendor's page for the create call: its sample request, its answer and every error printed there."""

import json
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from clinic.access import secret_keys
from clinic.models import Appointment, Patient
from tests.api.imagemais.conftest import MONDAY

PRINTED = json.loads((Path(__file__).parent / "printed.json").read_text(encoding="utf-8"))


def shape(value):
    """Keys in their order, and the type of each value."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def test_sample_request_returns_sample_shape(desk):
    answer = desk.ask("POST", "/appointments", desk.booking())
    assert answer.status_code == 201
    _, discounted = answer.json()
    assert json.dumps(shape(discounted)) == json.dumps(shape(PRINTED["answer"][0]))


def test_the_sample_answer_comes_back_value_by_value(desk):
    _, discounted = desk.ask("POST", "/appointments", desk.booking()).json()
    (expected,) = PRINTED["answer"]
    booked = Appointment.objects.get()
    expected |= {
        "id": booked.pk,
        "date": f"{MONDAY}T00:00:00.000Z",
        "endTime": "09:15",
        "accountId": desk.clinic.pk,
        "createdAt": "2026-11-21T15:00:00.123Z",
        "updatedAt": "2026-11-21T15:00:00.123Z",
    }
    expected["doctor"]["id"] = desk.doctor.pk
    expected["patient"]["id"] = booked.patient_id
    line = expected["appointmentProcedures"]
    line["procedure"]["id"] = desk.procedures[1].pk
    line["discountsAppointmentProcedures"][0]["discountId"] = desk.discount.pk
    line["discountsAppointmentProcedures"][0]["discount"]["id"] = desk.discount.pk
    assert discounted == expected


def test_one_element_for_each_procedure_and_only_its_own_line_differs(desk):
    plain, discounted = desk.ask("POST", "/appointments", desk.booking()).json()
    assert plain.pop("appointmentProcedures") == {
        "price": "40",
        "discountsAppointmentProcedures": [],
        "procedure": {"id": desk.procedures[0].pk, "name": "HEMOGRAMA", "price": "40"},
    }
    del discounted["appointmentProcedures"]
    assert plain == discounted


def test_invalid_sample_cpf_is_kept_apart_from_the_patient(desk):
    desk.book()
    assert Patient.objects.get().cpf is None
    assert Appointment.objects.get().unverified_cpf == "12345678900"
    assert Appointment.objects.get().source == Appointment.Source.SYNC_EXTERNAL


SPOILT = {
    "times": lambda body: (body.pop("startTime"), body.pop("endTime")),
    "date": lambda body: body.pop("date"),
    "patient": lambda body: body.update(patient={"cpf": "123.456.789-00"}),
    "procedures": lambda body: body.pop("procedures"),
    "doctor": lambda body: body.update(doctorId=10**9),
}


@pytest.mark.parametrize("case", SPOILT)
def test_every_printed_error_is_printed_here(desk, case):
    body = desk.booking()
    SPOILT[case](body)
    answer = desk.ask("POST", "/appointments", body)
    printed = PRINTED["errors"][case]
    # Two of the page's samples leave `error` and `statusCode` out; the answer always has all three.
    printed = {"message": printed["message"], "error": "Bad Request", "statusCode": 400} | printed
    assert json.dumps(answer.json()) == json.dumps(printed)
    assert answer.status_code == printed["statusCode"]
    assert Appointment.objects.count() == Patient.objects.count() == 0


def test_the_printed_conflict_is_printed_here(desk):
    desk.book()
    other = desk.patient(name="Maria Souza", phone="(81) 98888-7777")
    answer = desk.ask("POST", "/appointments", desk.booking(patient=other))
    assert json.dumps(answer.json()) == json.dumps(PRINTED["errors"]["taken"])
    assert answer.status_code == 409


def test_the_printed_refusals_of_tokens_are_printed_here(desk, saturday):
    saturday.shift(timedelta(hours=1, seconds=1))
    assert json.dumps(desk.ask.get("/doctors").json()) == json.dumps(PRINTED["errors"]["expired"])
    desk.ask.secret = jwt.encode({"sub": 32}, "x" * 32)
    assert json.dumps(desk.ask.get("/doctors").json()) == json.dumps(PRINTED["errors"]["invalid"])


def test_the_tokens_claims_are_those_of_the_printed_token(desk):
    claims = jwt.decode(
        desk.ask.secret,
        secret_keys.access_token_keys()[0],
        ["HS256"],
        options={"verify_aud": False, "verify_sub": False},
    )
    assert {name: type(value) for name, value in claims.items() if name != "jti"} == {
        "sub": int,
        "accountId": int,
        "iat": int,
        "exp": int,
        "aud": str,
        "iss": str,
    }
    assert (claims["accountId"], claims["exp"]) == (desk.clinic.pk, claims["iat"] + 3600)
