"""What every request of either API passes, whatever it asks for."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["imagemais", "mivicall"])
def program(request, recife):
    return request.getfixturevalue(request.param)(recife)


def code(answer):
    return answer.json().get("error") or answer.json()["message"]


def test_an_address_that_does_not_exist_is_not_found_in_the_apis_own_words(program):
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
