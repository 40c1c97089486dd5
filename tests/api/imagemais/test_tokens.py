"""Which tokens are accepted: every way in which one can be wrong, and the answer to it."""

from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from clinic.access import access_tokens, secret_keys
from clinic.models import AccessToken, StaffUser
from tests.factories import book_appointment, make_clinic, make_doctor

INVALID = {"statusCode": 401, "message": "invalid token"}
EXPIRED = {"statusCode": 401, "message": "jwt expired"}


def signed(claims, key=None, algorithm="HS256"):
    return jwt.encode(claims, secret_keys.access_token_keys()[0] if key is None else key, algorithm)


def claims(ask):
    return jwt.decode(ask.secret, options={"verify_signature": False})


FORGED = {
    "missing": lambda ask: "",
    "not a token": lambda ask: "abc",
    "two dots": lambda ask: "a.b.c",
    "alg none": lambda ask: jwt.encode(claims(ask), None, "none"),
    "wrong secret": lambda ask: signed(claims(ask), "x" * 64),
    "another algorithm": lambda ask: signed(claims(ask), algorithm="HS512"),
    "another audience": lambda ask: signed(claims(ask) | {"aud": "https://example.com"}),
    "another issuer": lambda ask: signed(claims(ask) | {"iss": "https://example.com"}),
    "no expiry": lambda ask: signed({k: v for k, v in claims(ask).items() if k != "exp"}),
    "no jti": lambda ask: signed({k: v for k, v in claims(ask).items() if k != "jti"}),
    "never released": lambda ask: signed(claims(ask) | {"jti": str(uuid4())}),
    "jti of another type": lambda ask: signed(claims(ask) | {"jti": "5"}),
    "another user": lambda ask: signed(claims(ask) | {"sub": claims(ask)["sub"] + 1}),
    "user as text": lambda ask: signed(claims(ask) | {"sub": str(claims(ask)["sub"])}),
    "another clinic": lambda ask: signed(claims(ask) | {"accountId": make_clinic().pk}),
    "a huge clinic": lambda ask: signed(claims(ask) | {"accountId": 10**30}),
    "a boolean clinic": lambda ask: signed(claims(ask) | {"accountId": True}),
    "cut short": lambda ask: ask.secret[:-2],
    "twice": lambda ask: f"{ask.secret}, Bearer {ask.secret}",
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("case", FORGED)
def test_a_token_that_was_not_released_like_this_is_invalid(desk, case):
    desk.ask.secret = FORGED[case](desk.ask)
    answer = desk.ask("POST", "/appointments", desk.booking())
    assert (answer.status_code, answer.json()) == (401, INVALID)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Token {}", "{}"])
def test_a_malformed_header_is_invalid(desk, header):
    written = header.format(desk.ask.secret)
    desk.ask.secret = ""
    answer = desk.ask("GET", "/doctors", Authorization=written)
    assert (answer.status_code, answer.json()) == (401, INVALID)


def test_a_token_lives_for_an_hour_and_not_a_second_longer(desk, saturday):
    saturday.move_to("2026-11-21T15:59:59Z", tick=False)
    assert desk.ask.get("/doctors").status_code == 200
    saturday.move_to("2026-11-21T16:00:00Z", tick=False)
    assert desk.ask.get("/doctors").json() == EXPIRED


def test_a_forged_token_is_invalid_even_when_expired(desk, saturday):
    desk.ask.secret = signed(claims(desk.ask), "x" * 64)
    saturday.shift(timedelta(hours=2))
    assert desk.ask.get("/doctors").json() == INVALID


def revoked(desk):
    access_tokens.revoke(AccessToken.objects.get().pk, clinic=desk.clinic, by=None, channel="command")


TURNED_AWAY = {
    "revoked": revoked,
    "disabled user": lambda desk: StaffUser.objects.update(is_active=False),
    "demoted user": lambda desk: StaffUser.objects.update(role=StaffUser.Role.MANAGER),
    "user of another clinic now": lambda desk: StaffUser.objects.update(clinic=make_clinic()),
    "inactive clinic": lambda desk: desk.clinic.__class__.objects.update(active=False),
}


@pytest.mark.parametrize("case", TURNED_AWAY)
def test_revoked_access_ends_with_the_next_request(desk, case):
    assert desk.ask.get("/doctors").status_code == 200
    TURNED_AWAY[case](desk)
    answer = desk.ask.get("/doctors")
    assert (answer.status_code, answer.json()) == (401, INVALID)


def test_the_scheme_is_not_case_sensitive(desk):
    secret, desk.ask.secret = desk.ask.secret, ""
    assert desk.ask("GET", "/doctors", Authorization=f"bearer {secret}").status_code == 200


def test_the_body_never_names_the_account(desk):
    other = make_clinic()
    (element, _) = desk.ask("POST", "/appointments", desk.booking(accountId=other.pk)).json()
    assert element["accountId"] == desk.clinic.pk
    assert claims(desk.ask)["aud"] == django_settings.PUBLIC_URL


# Another clinic's rows ------------------------------------------------------------------------------------------------


@pytest.fixture
def strange(saturday):
    """An appointment of another clinic, with doctor, procedure, discount and patient."""
    return book_appointment(make_doctor(), now=timezone.now())


WHEN = {"date": "2026-11-24", "startTime": "10:00", "endTime": "10:15"}
OPERATIONS = {
    "get appointment": lambda desk, it: ("GET", f"/appointments/{it.pk}", None),
    "edit appointment": lambda desk, it: (
        "PATCH",
        f"/appointments/{it.pk}",
        {"notes": "meu", "patient": desk.patient()},
    ),
    "move appointment": lambda desk, it: (
        "PATCH",
        f"/appointments/{it.pk}/reschedule",
        WHEN | {"doctorId": desk.doctor.pk},
    ),
    "change status": lambda desk, it: ("PATCH", f"/appointments/{it.pk}/status", {"action": "cancelado"}),
    "receive payment": lambda desk, it: (
        "POST",
        f"/appointments/{it.pk}/receive-payment",
        {"method": "pix", "value": "10"},
    ),
    "get doctor": lambda desk, it: ("GET", f"/doctors/{it.doctor_id}", None),
    "free times": lambda desk, it: ("GET", f"/doctors/{it.doctor_id}/slots?date=2026-11-24", None),
    "edit patient": lambda desk, it: ("PATCH", f"/patients/{it.patient_id}", {"name": "Meu"}),
    "book their doctor": lambda desk, it: ("POST", "/appointments", desk.booking(doctorId=it.doctor_id)),
    "move to their doctor": lambda desk, it: (
        "PATCH",
        f"/appointments/{desk.book()}/reschedule",
        WHEN | {"doctorId": it.doctor_id},
    ),
    "a payment": lambda desk, strange: (
        "POST",
        f"/appointments/{strange.pk}/receive-payment",
        {"method": "pix", "value": 1},
    ),
}


@pytest.mark.parametrize("case", OPERATIONS)
def test_another_clinics_row_is_unknown(desk, strange, case):
    method, path, body = OPERATIONS[case](desk, strange)
    answer = desk.ask(method, path, body)
    assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")
    unknown = "Agendamento" if path.startswith(f"/appointments/{strange.pk}") else "Médico"
    unknown = "Paciente" if path.startswith("/patients") else unknown
    assert answer.json()["message"] == f"{unknown} não encontrado"
    before = strange.updated_at, strange.patient.name
    strange.refresh_from_db()
    strange.patient.refresh_from_db()
    assert (strange.updated_at, strange.patient.name) == before


def test_lists_hold_nothing_of_another_clinic(desk, strange):
    for path in ("/appointments", "/patients", f"/appointments?doctorId={strange.doctor_id}"):
        assert desk.ask("GET", path).json() == []
    ids = {row["id"] for path in ("/doctors", "/procedures", "/discounts") for row in desk.ask.get(path).json()}
    assert ids == {desk.doctor.pk, desk.discount.pk, *(procedure.pk for procedure in desk.procedures)}


def test_every_operation_with_an_id_is_asked_here(desk, strange):
    asked = {
        (method.lower(), path.split("?")[0].replace(str(strange.pk), "{}").replace(str(strange.doctor_id), "{}"))
        for method, path, _ in (case(desk, strange) for name, case in OPERATIONS.items() if "their" not in name)
    }
    documented = Client().get("/api/openapi.json").json()["paths"]
    assert len(asked) == len([method for path, methods in documented.items() for method in methods if "{" in path])


def test_one_tokens_requests_are_counted_together_and_not_for_another(recife, imagemais, settings):
    settings.API_REQUESTS_A_MINUTE = 2
    program, other = imagemais(recife), imagemais(recife)
    assert [program("GET", "/doctors").status_code for _ in range(3)] == [200, 200, 429]
    assert other("GET", "/doctors").status_code == 200
