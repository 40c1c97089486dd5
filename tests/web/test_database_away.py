"""The database away, or its disk full: a page says which, and when to come back."""

import psycopg
import pytest
from django.db import InterfaceError, OperationalError
from django.test import RequestFactory

from clinic.web.errors import server_error


def answer_to(error, cause, language="pt-br"):
    request = RequestFactory().get("/agenda/", headers={"Accept-Language": language})
    try:
        raise error("lost") from cause
    except error:
        return server_error(request)


@pytest.mark.parametrize(
    ("error", "cause", "seconds", "sentence"),
    [
        (OperationalError, psycopg.OperationalError(), "5", "O banco de dados não responde"),
        (InterfaceError, psycopg.InterfaceError(), "5", "O banco de dados não responde"),
        (OperationalError, psycopg.errors.AdminShutdown(), "5", "O banco de dados não responde"),
        (OperationalError, psycopg.errors.DiskFull(), "60", "O disco do servidor está cheio"),
    ],
)
def test_the_page_says_what_is_missing(error, cause, seconds, sentence):
    answer = answer_to(error, cause)
    assert (answer.status_code, answer["Retry-After"]) == (503, seconds)
    assert sentence in answer.text


def test_message_is_in_the_words_of_portugal():
    assert "A base de dados não responde" in answer_to(OperationalError, None, "pt-pt").text


def test_another_fault_stays_one():
    assert answer_to(ValueError, None).status_code == 500
