"""Requests that no view answers."""

from clinic.server.application import FAILED, Application


def test_unreadable_request_gets_protected_answer_and_a_log_entry(caplog):
    def broken(_environ, _start):
        raise ValueError("no request")

    answer = Application(broken, running=1, waiting=1).answer({})
    assert (answer.status, answer.body.decode()) == (500, FAILED)
    assert (b"x-content-type-options", b"nosniff") in answer.headers
    assert b"content-security-policy" in dict(answer.headers)
    assert "no request" in caplog.text
