"""Which keys are accepted, their scopes and limits; what a test key does is in test_sandbox.py."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.access import api_keys, rate_limit
from clinic.api.mivicall import urls  # noqa: F401 - it declares the operations
from clinic.api.mivicall.api import REQUIRED_SCOPES
from clinic.models import (
    ApiKey,
    Appointment,
    AppointmentEvent,
    ClinicEvent,
    Doctor,
    Patient,
    Procedure,
)
from tests.factories import make_clinic, make_doctor

pytestmark = pytest.mark.django_db

A_DAY = timedelta(days=1)


def the_key():
    return ApiKey.objects.get()


def code(answer):
    return answer.status_code, answer.json()["error"]


# Authentication -------------------------------------------------------------------------------------------------------


@pytest.fixture
def secret(program):
    secret, program.secret = program.secret, ""
    return secret


MALFORMED = {
    "nothing": "",
    "no scheme": "{key}",
    "another scheme": "Basic {key}",
    "only the scheme": "Bearer",
    "only the scheme and a space": "Bearer ",
    "doubled": "Bearer {key}, Bearer {key}",
    "doubled in one": "Bearer {key} {key}",
    "a comma after it": "Bearer {key},",
}


@pytest.mark.parametrize("written", MALFORMED.values(), ids=MALFORMED)
def test_malformed_header_differs_from_wrong_key(program, secret, written):
    answer = program("GET", "/professionals", Authorization=written.format(key=secret))
    assert code(answer) == (401, "malformed_auth_header")


def test_no_header_at_all_is_malformed_too(program, secret):
    assert code(program.get("/professionals")) == (401, "malformed_auth_header")


@pytest.mark.parametrize("written", ["Bearer {key}", "bearer {key}", "BEARER  {key}", "Bearer {key} "])
def test_a_key_may_be_written_as_http_lets_it(program, secret, written):
    assert program("GET", "/professionals", Authorization=written.format(key=secret)).status_code == 200


def invalid_keys(secret):
    other = "a" if secret[-1] != "a" else "b"
    at = next((at for at in range(15, len(secret) - 1) if secret[at] != secret[at + 1]), 15)
    return {
        "last letter": secret[:-1] + other,
        "inner letter": secret[:20] + ("a" if secret[20] != "a" else "b") + secret[21:],
        "swapped letters": secret[:at] + secret[at : at + 2][::-1] + secret[at + 2 :],
        "cut": secret[:-1],
        "longer": secret + "a",
        "test instead of live": secret.replace("live", "test"),
        "another case": secret.upper(),
        "a JWT": "eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo",
        "not ASCII": secret[:-1] + "é",
        "ten thousand letters": "miv_live_" + "a" * 10_000,
    }


@pytest.mark.parametrize("typo", invalid_keys("miv_live_" + "x" * 36))
def test_a_mistyped_key_is_invalid_and_costs_no_look_among_the_keys(program, secret, typo):
    key = invalid_keys(secret)[typo]
    assert key != secret
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = program("GET", "/professionals", Authorization=f"Bearer {key}")
    assert code(answer) == (401, "invalid_api_key")
    assert [query["sql"] for query in queries if "apikey" in query["sql"]] == []


def test_a_well_formed_key_that_nobody_has_is_invalid(program, secret):
    unknown = api_keys._generate("miv_live_")
    assert code(program("GET", "/professionals", Authorization=f"Bearer {unknown}")) == (401, "invalid_api_key")


def test_a_revoked_key_is_invalid_with_the_next_request(program):
    assert program.get("/professionals").status_code == 200
    api_keys.revoke(the_key().pk, clinic=program.clinic, by=None, channel="command")
    assert code(program.get("/professionals")) == (401, "invalid_api_key")


def test_a_key_expires_after_its_year(saturday, program):
    saturday.move_to(the_key().expires_at - timedelta(seconds=1), tick=False)
    assert program.get("/professionals").status_code == 200
    saturday.shift(1)
    assert code(program.get("/professionals")) == (401, "expired_api_key")


def test_a_rotated_key_works_beside_the_new_one_for_a_day(saturday, program, mivicall):
    _, new = api_keys.rotate(the_key().pk, clinic=program.clinic, by=None, channel="command")
    old, program.secret = program.secret, new
    saturday.shift(A_DAY - timedelta(seconds=1))
    assert program("GET", "/professionals").status_code == 200
    program.secret = old
    assert program("GET", "/professionals").status_code == 200
    saturday.shift(1)
    assert code(program.get("/professionals")) == (401, "expired_api_key")
    program.secret = new
    assert program("GET", "/professionals").status_code == 200


def test_a_key_of_an_inactive_clinic_is_turned_away(program):
    program.clinic.active = False
    program.clinic.save()
    assert code(program.get("/professionals")) == (403, "tenant_inactive")


def test_the_answer_to_a_stranger_holds_no_part_of_the_key(program, secret, caplog):
    caplog.set_level("DEBUG", logger="clinic.api")
    answer = program("GET", "/professionals", Authorization=f"Bearer {secret[:-1]}")
    assert secret[9:-1] not in answer.text + str(answer.headers) + caplog.text


def test_every_answer_carries_the_id_that_the_log_has(program, caplog):
    caplog.set_level("INFO", logger="clinic.api")
    for call in (("GET", "/professionals"), ("GET", "/nothing"), ("PUT", "/professionals", {})):
        answer = program(*call)
        assert str(UUID(answer["X-Request-Id"])) in caplog.records[-1].getMessage()
        if answer.status_code != 200:
            assert answer.json()["requestId"] == answer["X-Request-Id"]


def test_unsupported_method_is_reported(program):
    answer = program("PUT", "/professionals", {})
    assert code(answer) == (405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD, POST"


def test_invalid_json_is_reported_in_the_envelope(program):
    assert code(program("POST", "/appointments", raw="{")) == (400, "invalid_json")
    assert code(program("POST", "/appointments", raw='{"a": 1, "a": 2}')) == (400, "repeated_key")
    assert code(program("POST", "/appointments", raw='{"a": NaN}')) == (400, "invalid_json")
    assert code(program("POST", "/appointments", raw='{"a": 1e400}')) == (400, "invalid_json")
    assert code(program("POST", "/appointments", raw="[" * 33 + "]" * 33)) == (400, "invalid_json")
    assert code(program("POST", "/appointments", raw=b'{"a": "\xff"}')) == (415, "unsupported_charset")
    assert code(program("POST", "/appointments", raw=" " * (64 * 1024 + 1))) == (413, "payload_too_large")


# Scopes and other clinics ---------------------------------------------------------------------------------------------


@pytest.fixture
def calls(booked, recife):
    """A sound call of every operation, by (method, route)."""
    appointment = f"/appointments/{booked['id']}"
    window = "from=2026-11-23T00:00:00-03:00&to=2026-11-24T00:00:00-03:00"
    another = {
        "professionalId": booked["professionalId"],
        "serviceTypeId": booked["serviceTypeId"],
        "patientName": "Outra Pessoa",
        "patientPhone": "+5581977776666",
        "startsAt": "2026-11-23T10:00:00-03:00",
    }
    professional = f"/professionals/{make_doctor(recife, name='Bia Reis').uuid}"
    service = f"/services/{booked['serviceTypeId']}"
    calls = {
        ("GET", "/appointments"): ("/appointments", None, 200),
        ("POST", "/appointments"): ("/appointments", another, 201),
        ("GET", "/appointments/<id>"): (appointment, None, 200),
        ("PATCH", "/appointments/<id>"): (appointment, {"patientNotes": "x"}, 200),
        ("DELETE", "/appointments/<id>"): (appointment, None, 204),
        ("GET", "/professionals"): ("/professionals", None, 200),
        ("POST", "/professionals"): ("/professionals", {"name": "Célia Reis"}, 201),
        ("PATCH", "/professionals/<id>"): (professional, {"specialty": "Ortopedia"}, 200),
        ("DELETE", "/professionals/<id>"): (professional, None, 204),
        ("GET", "/services"): ("/services", None, 200),
        ("POST", "/services"): ("/services", {"name": "Ecografia", "price": 90}, 201),
        ("PATCH", "/services/<id>"): (service, {"price": 90}, 200),
        ("DELETE", "/services/<id>"): (service, None, 204),
        ("PATCH", "/tenants/me"): ("/tenants/me", {"city": "Olinda"}, 200),
        ("GET", "/tenants/me"): ("/tenants/me", None, 200),
        ("GET", "/availability"): (f"/availability?serviceTypeId={booked['serviceTypeId']}&{window}", None, 200),
        ("GET", "/patients"): ("/patients?search=Ana", None, 200),
        ("GET", "/patients/<hash>"): (f"/patients/{booked['patientPhoneHash']}", None, 200),
    }
    assert calls.keys() == REQUIRED_SCOPES.keys()
    return calls


OPERATIONS = sorted(REQUIRED_SCOPES)


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_operation_needs_each_of_its_scopes_and_names_the_missing(mivicall, recife, calls, operation):
    path, body, status = calls[operation]
    for missing in REQUIRED_SCOPES[operation]:
        others = [scope for scope in ApiKey.Scope.values if scope != missing]
        answer = mivicall(recife, scopes=others)(operation[0], path, body)
        assert code(answer) == (403, "insufficient_scope")
        assert answer.json()["message"] == f"A chave não tem a permissão {missing}."
    assert mivicall(recife, scopes=sorted(REQUIRED_SCOPES[operation]))(operation[0], path, body).status_code == status


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if operation[0] != "GET"], ids=" ".join)
def test_without_the_scope_nothing_is_learned_of_the_request(mivicall, recife, calls, operation):
    path, body, status = calls[operation]
    assert mivicall(recife)(operation[0], path, body, key="once").status_code == status
    reader = mivicall(recife, scopes=["appointments:read"])
    for answer in (
        reader(operation[0], path, body, key="once"),
        reader(operation[0], path, raw="{"),
        reader(operation[0], path, raw=" " * 70_000),
        reader(operation[0], path, {}, key="\x07"),
        reader(operation[0], path, {}),
    ):
        assert code(answer) == (403, "insufficient_scope")


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
@pytest.mark.parametrize("scopes", [[scope] for scope in ApiKey.Scope.values] + [ApiKey.Scope.values], ids=str)
def test_a_key_of_another_clinic_finds_nothing_whatever_it_may(mivicall, recife, booked, calls, operation, scopes):
    path, body, status = calls[operation]
    before = stored_of(recife)
    answer = mivicall(make_clinic(), scopes=scopes)(operation[0], path, body)
    if REQUIRED_SCOPES[operation] - set(scopes):
        assert answer.status_code == 403
    elif operation[1] in {"/appointments", "/professionals", "/services", "/patients"} and operation[0] == "GET":
        assert answer.json() == {"items": []}
    elif operation[1] == "/tenants/me":
        assert answer.json()["id"] != str(recife.uuid)
    elif operation in {("POST", "/professionals"), ("POST", "/services")}:
        assert answer.status_code == 201
    else:
        assert answer.status_code == 404
    assert booked["id"] not in answer.text and "Helena" not in answer.text and "Ana" not in answer.text
    assert stored_of(recife) == before


def stored_of(clinic):
    models = (Appointment, AppointmentEvent, Patient, Doctor, Procedure, ClinicEvent)
    return [list(model.objects.of(clinic).values().order_by("pk")) for model in models] + [clinic.name, clinic.town]


# The rate limit -------------------------------------------------------------------------------------------------------


def test_every_answer_tells_the_limit(program, booked):
    for answer in (
        program.get("/professionals"),
        program.get("/nothing"),
        program("POST", "/appointments", raw="{"),
        program("DELETE", f"/appointments/{uuid4()}"),
        program("PUT", "/professionals", {}),
    ):
        assert answer["X-RateLimit-Limit"] == "300"
        assert 0 < int(answer["X-RateLimit-Remaining"]) < 300
        assert int(answer["X-RateLimit-Reset"]) > 0
    program.secret = ""
    stranger = program.get("/professionals")
    assert (stranger.status_code, stranger["X-RateLimit-Limit"]) == (401, "300")


def test_request_over_minute_limit_gets_429_with_retry_after(program, settings):
    settings.API_REQUESTS_A_MINUTE = 5
    remaining = [program.get("/professionals")["X-RateLimit-Remaining"] for _ in range(5)]
    assert remaining == ["4", "3", "2", "1", "0"]
    answer = program.get("/professionals")
    assert answer.status_code == 429
    wait = answer.json()["retryAfter"]
    assert answer.json() == {
        "error": "rate_limit_exceeded",
        "message": f"API key exceeded 5 req/min. Retry in {wait} seconds.",
        "retryAfter": wait,
    }
    assert list(answer.json()) == ["error", "message", "retryAfter"]
    assert 50 <= wait <= 60
    assert answer["Retry-After"] == str(wait)
    assert answer["X-RateLimit-Remaining"] == "0"


def test_a_second_holds_thirty_by_whatever_process_they_came(program):
    counted = [rate_limit.admit(f"api key {the_key().pk}", *rate_limit.limits()).admitted for _ in range(30)]
    answer = program.get("/professionals")
    assert (all(counted), answer.status_code, answer.json()["retryAfter"]) == (True, 429, 1)


def test_the_burst_is_shorter_than_the_minute(program, settings):
    settings.API_REQUESTS_A_SECOND = 2
    answers = [program.get("/professionals") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["retryAfter"] == 1
    assert answers[2].json()["message"] == "API key exceeded 2 req/s. Retry in 1 seconds."
    assert int(answers[2]["X-RateLimit-Remaining"]) > 200


def test_one_keys_requests_are_not_counted_for_another(program, mivicall, recife, settings):
    settings.API_REQUESTS_A_MINUTE = 1
    assert program.get("/professionals").status_code == 200
    assert program.get("/professionals").status_code == 429
    assert mivicall(recife).get("/professionals").status_code == 200


def test_refused_requests_count_as_well(program, settings):
    settings.API_REQUESTS_A_MINUTE = 2
    assert program("POST", "/appointments", raw="{").status_code == 400
    assert program.get("/nothing").status_code == 404
    assert program.get("/professionals").status_code == 429


def test_repeated_unknown_keys_from_one_address_get_429(program, settings):
    settings.API_FAILURES_A_MINUTE = 3
    secret, program.secret = program.secret, "miv_live_guess"
    answers = [program.get("/professionals") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[-1].json()["message"].startswith("Too many failed authentications from this address. Retry in ")
    assert answers[3]["Retry-After"] == str(answers[3].json()["retryAfter"])
    program.secret = secret
    assert program.get("/professionals").status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_an_operation_that_no_scopes_are_named_for_is_nobodys(program, calls, operation, monkeypatch):
    monkeypatch.delitem(REQUIRED_SCOPES, operation)
    path, body, _ = calls[operation]
    assert program(operation[0], path, body).status_code in {404, 405}
    assert code(program(operation[0], path, body))[1] in {"not_found", "method_not_allowed"}
