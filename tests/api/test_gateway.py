"""The checks that every request of either API passes, whatever its operation."""

import psycopg
import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from tests.factories import make_master

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["imagemais", "mivicall"])
def program(request, recife):
    return request.getfixturevalue(request.param)(recife)


def code(answer):
    return answer.json().get("error") or answer.json()["message"]


def test_unknown_path_gets_404_in_the_format_of_its_api(program):
    answer = program.get("/nothing")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert "message" in answer.json()


def test_nobody_is_let_in_without_a_credential(program):
    program.secret = ""
    assert program.get("/nothing").status_code == 401


def test_an_address_is_logged_nowhere(program, caplog):
    caplog.set_level("DEBUG")
    for path in ("/patients/+5581988887777", "/nothing/+5581988887777", "/nothing?phone=%2B5581988887777"):
        assert program.get(path).status_code == 404
    program.secret = ""
    assert program.get("/patients/+5581988887777").status_code == 401
    assert "81988887777" not in "".join(record.getMessage() for record in caplog.records if record.name != "django.db")


# The body -------------------------------------------------------------------------------------------------------------


def test_a_body_in_chunks_is_no_larger_than_any_other(program):
    assert program.chunked("POST", "/appointments", b" " * (64 * 1024 + 1)).status_code == 413
    assert program.chunked("POST", "/appointments", b"{").status_code == 400


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x"], ids=["endless", "negative", "no number"])
def test_a_length_that_cannot_be_is_too_large(program, length):
    headers = {"Authorization": f"Bearer {program.secret}"}
    answer = Client().generic(
        "POST", f"{program.base}/appointments", "{}", "application/json", headers=headers, CONTENT_LENGTH=length
    )
    assert answer.status_code == 413


# The query ------------------------------------------------------------------------------------------------------------

MANY = "&".join(["a=1"] * 501)


def as_served(test):
    """The server's own application ends a connection with its request, and looks for collected files."""
    return pytest.mark.filterwarnings("ignore:No directory at")(pytest.mark.django_db(transaction=True)(test))


def served(program, path, content_type, method="GET", data=b""):
    """Status and body, asked of the application as the server does it."""
    application = import_string("clinic.wsgi.application")
    headers = {"Authorization": f"Bearer {program.secret}"}
    request = RequestFactory().generic(method, program.base + path, data, content_type, headers=headers)
    statuses = []
    answer = application(
        request.environ | {"CONTENT_TYPE": content_type}, lambda status, headers: statuses.append(status)
    )
    return int(statuses[0].split()[0]), b"".join(answer).decode()


def test_more_parameters_than_are_read_are_refused(program):
    answer = program("GET", f"/appointments?{MANY}")
    assert answer.status_code == 400
    assert "parâmetros" in answer.json()["message"]


@as_served
@pytest.mark.parametrize("charset", ["hex", "undefined", "nonsense", "utf-16", "utf-8"])
def test_the_query_is_utf_8_whatever_charset_is_declared(program, charset):
    status, body = served(program, "/appointments?status=%ff&from=x", f"application/json; charset={charset}")
    assert status < 500
    assert body.startswith("{")


@as_served
@pytest.mark.parametrize("charset", ["utf-16", "latin-1", '"iso-8859-1"', "x; boundary=y"])
def test_a_body_in_another_charset_than_utf_8_is_refused(program, charset):
    declared = f"application/json; charset={charset}"
    status, body = served(program, "/appointments", declared, "POST", '{"notes": "ã"}'.encode())
    assert status == 415 and "UTF-8" in body
    status, body = served(program, "/appointments", declared, "POST", rb'{"notes": "\u00e3"}')
    assert status in {400, 422} and ("doctorId" in body or "professionalId" in body)


@as_served
@pytest.mark.parametrize(
    "parameters", ["", "; charset=UTF-8", "; charset=UTF_8", ';Charset="utf-8"', "; charset=", "; profile=x"]
)
def test_a_body_that_is_declared_as_utf_8_is_read(program, parameters):
    declared = f"application/json{parameters}"
    status, body = served(program, "/appointments", declared, "POST", '{"notes": "ã"}'.encode())
    assert status in {400, 422} and ("doctorId" in body or "professionalId" in body)


@as_served
def test_too_many_parameters_are_reported_in_any_declared_charset(program):
    status, body = served(program, f"/appointments?{MANY}", "application/json; charset=utf-8")
    assert status == 400 and "parâmetros" in body


# The database ---------------------------------------------------------------------------------------------------------

IN_THE_WAY = [
    (OperationalError, psycopg.errors.LockNotAvailable(), 503, "Outra pessoa"),
    (OperationalError, psycopg.errors.DeadlockDetected(), 503, "Outra pessoa"),
    (IntegrityError, psycopg.errors.ForeignKeyViolation(), 503, "Outra pessoa"),
    (OperationalError, psycopg.OperationalError(), 503, "indisponível"),
    (InterfaceError, psycopg.InterfaceError(), 503, "indisponível"),
    (IntegrityError, psycopg.errors.CheckViolation(), 500, ""),
]


@pytest.mark.parametrize(("kind", "cause", "status", "sentence"), IN_THE_WAY)
def test_database_error_gets_its_own_answer(program, monkeypatch, caplog, kind, cause, status, sentence):
    def refuse(*_):
        raise kind from cause

    monkeypatch.setattr("clinic.api.gateway.read_query", refuse)
    answer = program("POST", "/appointments", {})
    assert answer.status_code == status
    assert sentence in answer.json()["message"]
    assert ("Retry-After" in answer) == (status == 503)
    assert any(record.exc_info for record in caplog.records)


# Cookies --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(recife):
    """Signed in; its next page would write the session."""
    browser = Client()
    browser.force_login(make_master(recife))
    return browser


def of_a_session(queries):
    return [query["sql"] for query in queries if "clinic_staffsession" in query["sql"]]


@pytest.mark.parametrize("path", ["/appointments", "/nothing", "/openapi.json"])
def test_a_browsers_session_is_nothing_to_an_api(program, browser, path):
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get(program.base + path, headers={"Authorization": f"Bearer {program.secret}"})
    assert of_a_session(queries) == []
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


def test_health_costs_no_query_for_any_caller(browser, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not browser.get("/health").cookies
