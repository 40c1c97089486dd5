"""Requests that no view answers."""

import asyncio

from clinic.server.application import FAILED, Application


def test_what_django_cannot_read_is_answered_protected_and_logged(caplog):
    def broken(_environ, _start):
        raise ValueError("no request")

    scope = {
        "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2), "scheme": "http", "http_version": "1.1", "headers": [],
    }  # fmt: skip
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Application(broken, running=1, waiting=1)(scope, None, send))
    start, body = sent
    assert (start["status"], body["body"].decode()) == (500, FAILED)
    assert (b"x-content-type-options", b"nosniff") in start["headers"]
    assert b"content-security-policy" in dict(start["headers"])
    assert "no request" in caplog.text
