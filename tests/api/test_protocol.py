"""What HTTP asks of every address of both APIs, whatever it does."""

import gzip
import json
import time

import pytest

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["imagemais", "mivicall"])
def program(request, recife, settings):
    settings.API_REQUESTS_A_SECOND = 1000
    return request.getfixturevalue(request.param)(recife)


def code(answer):
    return answer.json().get("error") or answer.json()["message"]


def message(answer):
    return answer.json()["message"]


LISTS = {
    "/api": ["/appointments", "/patients", "/doctors", "/procedures", "/discounts"],
    "/v1": ["/appointments", "/patients?search=ana", "/professionals", "/services", "/tenants/me"],
}


# The query ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rg", "updatedsince", "dateInitial", "x\u202e", "", "a" * 5000])
def test_a_parameter_that_an_address_lacks_is_refused(program, name):
    for path in LISTS[program.base]:
        answer = program.get(path.split("?")[0], **({"search": "ana"} if "?" in path else {}), **{name: "1"})
        assert answer.status_code in {400, 422}, path
        assert name[:40].replace("\u202e", "") in message(answer)
        assert len(message(answer)) < 250


def test_the_refusal_of_a_parameter_names_those_that_exist(program):
    sentence = message(program.get("/appointments", dateInitial="2026-11-23"))
    expected = "date, dateStart, dateEnd, doctorId" if program.base == "/api" else "from, to, professionalId"
    assert "dateInitial" in sentence and expected in sentence


def test_an_address_without_parameters_says_so(program):
    address = "/doctors" if program.base == "/api" else "/services"
    assert message(program("POST", f"{address}?x=1", {})).rstrip(".").endswith("nenhum")


def test_a_parameter_that_comes_twice_is_refused(program):
    answer = program("GET", "/appointments?limit=5&limit=6")
    assert answer.status_code in {400, 422}
    assert "limit" in message(answer)


def test_a_refused_query_claims_no_key(program):
    assert program("POST", "/appointments?x=1", {}, key="once").status_code in {400, 422}
    without_key = message(program("POST", "/appointments", {}))
    assert message(program("POST", "/appointments", {}, key="once")) == without_key


# Methods and addresses ------------------------------------------------------------------------------------------------


def test_head_is_answered_as_get_without_its_body(program):
    for path in LISTS[program.base]:
        head, got = program("HEAD", path), program("GET", path)
        assert (head.status_code, head["Content-Type"]) == (got.status_code, got["Content-Type"]), path
        assert head.content == b""


def test_a_slash_at_the_end_leads_to_the_same_place(program):
    for path in LISTS[program.base]:
        address, _, query = path.partition("?")
        assert program("GET", f"{address}/?{query}").json() == program("GET", path).json()


def test_health_takes_a_slash_at_the_end_too(client):
    assert client.get("/health/").json().keys() == client.get("/health").json().keys()


def test_a_wrong_method_is_reported_before_a_used_key(program):
    answer = program("PUT", "/appointments", {}, key="once")
    assert (answer.status_code, answer["Allow"]) == (405, "POST, GET, HEAD")
    assert message(answer).rstrip(".").endswith("aceita: POST, GET, HEAD")
    assert program("PUT", "/appointments", {"other": 1}, key="once").status_code == 405


def test_capitals_before_an_address_are_answered_by_the_api(program, client):
    answer = client.get(f"{program.base.upper()}/doctors", headers={"Authorization": f"Bearer {program.secret}"})
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert not answer.cookies and "Cookie" not in answer.get("Vary", "")


@pytest.mark.parametrize("host", ["evil.example", "a b", "x" * 300, ""])
@pytest.mark.parametrize("path", ["/appointments", "/nothing", "/"])
def test_another_host_is_refused_in_the_form_of_the_api(program, client, settings, host, path):
    settings.ALLOWED_HOSTS = ["clinic.example"]
    headers = {"Authorization": f"Bearer {program.secret}"}
    for plain_http in (False, True):
        settings.SECURE_SSL_REDIRECT = plain_http
        answer = client.get(program.base + path, headers=headers, HTTP_HOST=host)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
        assert "Host" in message(answer) and answer["X-Request-Id"] and answer["Cache-Control"] == "no-store"
    assert client.get("/entrar/", HTTP_HOST=host)["Content-Type"].startswith("text/html")


# Headers --------------------------------------------------------------------------------------------------------------


def test_every_answer_has_the_headers_of_an_api_and_none_of_a_page(program):
    for path in [*LISTS[program.base], "/nothing", "/appointments?x=1"]:
        answer = program("GET", path)
        assert answer["Cache-Control"] == "no-store", path
        assert answer["Content-Type"] == "application/json", path
        assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'", path
        assert len(answer["X-Request-Id"]) == 36
        assert int(answer["X-RateLimit-Remaining"]) < int(answer["X-RateLimit-Limit"])


def test_who_is_not_let_in_reads_how_to_ask(program):
    program.secret = "nonsense"
    answer = program("GET", "/appointments")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="clinic"')


# The body -------------------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_skipped(program):
    with_mark = program("POST", "/appointments", raw=b"\xef\xbb\xbf{}")
    assert with_mark.status_code == program("POST", "/appointments", raw=b"{}").status_code
    assert message(with_mark) == message(program("POST", "/appointments", raw=b"{}"))


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (gzip.compress(b"{}"), {"Content-Encoding": "gzip"}),
        (json.dumps({"a": "é"}, ensure_ascii=False).encode("latin-1"), {}),
    ],
    ids=["compressed", "latin-1"],
)
def test_a_body_in_another_form_is_refused_by_its_name(program, raw, headers):
    answer = program("POST", "/appointments", raw=raw, **headers)
    assert answer.status_code == 415
    assert ("compressão" if headers else "UTF-8") in message(answer)


def test_thousands_of_keys_are_looked_through_once(program):
    keys = ",".join(f'"k{number}":1' for number in range(5000))
    started = time.thread_time()  # of a processor: what else the machine does takes none of it
    answer = program("POST", "/appointments", raw=f'{{{keys},"k1":2}}')
    assert (answer.status_code, time.thread_time() - started < 0.5) == (400, True)
    assert message(answer).rstrip(".").endswith("repetida: k1")


def test_a_repeated_key_is_named(program):
    answer = program("POST", "/appointments", raw='{"notes": "a", "notes": "b"}')
    assert answer.status_code == 400
    assert "chave repetida: notes" in message(answer)
