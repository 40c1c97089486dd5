"""What the ASGI application adds to Django's answers."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clinic.server.application import FAILED, Application

SCOPE = {
    "method": "POST",
    "raw_path": b"/",
    "query_string": b"",
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 2),
    "http_version": "1.1",
    "scheme": "http",
    "headers": [],
}


def test_unreadable_request_gets_protected_answer_and_a_log_entry(caplog):
    def broken(_environ, _start):
        raise ValueError("no request")

    answer = Application(broken, running=1, waiting=1).answer({})
    assert (answer.status, answer.body.decode()) == (500, FAILED)
    assert (b"x-content-type-options", b"nosniff") in answer.headers
    assert b"content-security-policy" in dict(answer.headers)
    assert "no request" in caplog.text


@pytest.mark.parametrize(
    ("status", "path", "later"),
    [(200, "/entrar/", 0), (429, "/entrar/", 1), (503, "/entrar/", 1), (429, "/v1/patients", 0), (503, "/health", 0)],
)
def test_a_refused_page_is_sent_after_a_second(status, path, later):
    def wsgi(environ, start_response):
        start_response(f"{status} So", [])
        return [b""]

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    sent, began = [], time.monotonic()
    asked = Application(wsgi, running=1, waiting=1)(SCOPE | {"path": path}, receive, send)
    with ThreadPoolExecutor(1) as thread:  # in this one, Playwright's loop may be running
        thread.submit(asyncio.run, asked).result()
    assert sent[0]["status"] == status
    assert later <= time.monotonic() - began < later + 1
