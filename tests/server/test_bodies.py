"""Bodies that come slowly, never, too long or broken: no thread waits for them, and each is answered."""

import time
from contextlib import ExitStack
from datetime import timedelta
from select import select

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.models import ImportRun
from clinic.server import uploads
from tests.factories import make_clinic, make_manager
from tests.server.conftest import answer_of, eventually

ADDRESSES = ("/entrar/", "/api/appointments", "/v1/appointments")
FORM = "Content-Type: application/x-www-form-urlencoded\r\nCookie: csrftoken=abcdefghijabcdefghijabcdefghij12\r\n"
BY_LENGTH = "Content-Length: 1000\r\n\r\na="
CHUNKED = "Transfer-Encoding: chunked\r\n\r\n2\r\na=\r\n"


def head(path: str, rest: str, kind: str = FORM) -> str:
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}{rest}"


def test_half_sent_bodies_hold_nothing_up_and_are_closed(served):
    began = time.monotonic()
    hanging = [served.begin(head(path, rest)) for path in ADDRESSES for rest in (BY_LENGTH, CHUNKED) for _ in range(10)]
    for _ in range(20):
        assert served.ask("/health")[0] == 200
        assert served.ask("/entrar/")[0] == 200
    assert time.monotonic() - began < 8, "answered only once the hanging bodies were given up"
    statuses = [answer_of(each).split(" ", 2)[1] for each in hanging]
    assert statuses == ["408"] * 20 + ["401"] * 40
    assert 10 <= time.monotonic() - began < 15


def test_a_dripping_body_is_closed_at_the_same_moment(served):
    began = time.monotonic()
    dripping = served.begin(head("/entrar/", BY_LENGTH))
    while time.monotonic() - began < 9:
        dripping.sendall(b"b")
        time.sleep(0.5)  # the client's own slowness
    assert "408 Request Timeout" in answer_of(dripping)
    assert time.monotonic() - began < 15


def test_a_slow_but_complete_body_arrives(served):
    body = "username=" + "x" * 60 * 1024
    slow = served.begin(head("/entrar/", f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"))
    for part in range(8):
        slow.sendall(body[part * len(body) // 8 : (part + 1) * len(body) // 8].encode())
        time.sleep(0.9)  # the client's own slowness
    assert answer_of(slow).startswith("HTTP/1.1 403 ")


FILE = "--b\r\nContent-Disposition: form-data; name=a; filename=a.bin\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "kind", "rest", "status"),
    [
        ("/entrar/", FORM, "Content-Length: 40000000\r\n\r\na=", 413),
        ("/entrar/", FORM, f"Content-Length: {'9' * 5000}\r\n\r\na=", 400),  # by the parser of HTTP
        ("/entrar/", FORM, f"Content-Length: {'0' * 5000}\r\n\r\n", 413),  # Python reads no number of that many digits
        ("/api/appointments", FORM, "Content-Length: 40000000\r\n\r\na=", 401),
        ("/entrar/", "Content-Type: multipart/form-data; boundary=b\r\n", f"Content-Length: 999\r\n\r\n{FILE}", 415),
        ("/pacientes/", "Content-Type: Multipart/Mixed; boundary=b\r\n", f"Content-Length: 999\r\n\r\n{FILE}", 415),
        ("/entrar/", FORM, f"Transfer-Encoding: chunked\r\n\r\n50000\r\n{'a' * 0x50000}\r\n", 413),  # and no end
        ("/entrar/", FORM, "Transfer-Encoding: chunked\r\n\r\n2\r\na=\r\nZZ\r\n", 400),
        ("/entrar/", FORM, "Transfer-Encoding: chunked\r\n\r\n-2\r\na=\r\n", 400),
    ],
)
def test_a_body_that_cannot_be_taken_is_answered_at_once(served, path, kind, rest, status):
    began = time.monotonic()
    assert answer_of(served.begin(head(path, rest, kind))).startswith(f"HTTP/1.1 {status} ")
    assert time.monotonic() - began < 5


def test_a_page_of_refusal_is_protected_and_says_what_to_do(served):
    answer = answer_of(served.begin(head("/entrar/", "Content-Length: 40000000\r\n\r\na=")))
    assert "content-security-policy: default-src 'none'" in answer
    assert "x-content-type-options: nosniff" in answer
    assert "encurte os textos e tente de novo" in answer


MULTIPART = "Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n"
WHOLE_FILE = f"{FILE}Nome\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("ticket", "rest", "status"),
    [
        (True, f"Content-Length: {len(WHOLE_FILE)}\r\n\r\n{WHOLE_FILE}", 403),  # read, and without a CSRF token
        (True, "Content-Length: 1000000000\r\n\r\n--b", 413),
        (True, f"Transfer-Encoding: chunked\r\n\r\n{len(WHOLE_FILE):x}\r\n{WHOLE_FILE}\r\n0\r\n\r\n", 400),
        (False, f"Content-Length: {len(WHOLE_FILE)}\r\n\r\n{WHOLE_FILE}", 415),
    ],
    ids=["whole", "gigabyte", "no-length", "no-ticket"],
)
def test_a_file_is_read_with_a_ticket_up_to_a_bound(served, ticket, rest, status):
    text = uploads.ticket(1) if ticket else f"{uploads.ticket(1)}x"
    answer = answer_of(served.begin(head(f"{uploads.PREFIX}{text}/", rest, MULTIPART)))
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert ("64 MB" in answer) == (status == 413)


def test_a_file_of_megabytes_arrives_as_a_browser_sends_it(served):
    manager, client = make_manager(make_clinic()), Client()
    client.force_login(manager)
    page = client.get(reverse("web:import-list"))
    token, session = page.cookies["csrftoken"].value, client.cookies["sessionid"].value
    rows = "".join(f"Pessoa {number};{'x' * 900}\r\n" for number in range(3000))
    parts = {"csrfmiddlewaretoken": token, "file": f"Nome;Notas\r\n{rows}"}
    names = {"csrfmiddlewaretoken": "", "file": '; filename="velho.csv"'}
    body = "".join(
        f'--b1\r\nContent-Disposition: form-data; name="{name}"{names[name]}\r\n\r\n{text}\r\n'
        for name, text in parts.items()
    )
    status, _answer = served.ask(
        f"{uploads.PREFIX}{uploads.ticket(manager.pk)}/",
        "POST",
        f"{body}--b1--\r\n",
        **{"Content-Type": "multipart/form-data; boundary=b1", "Cookie": f"csrftoken={token}; sessionid={session}"},
    )
    assert status == 302
    assert (ImportRun.objects.get().total, ImportRun.objects.get().file_name) == (3000, "velho.csv")


def test_more_files_at_once_than_the_workers_take_are_to_come_again(served):
    address = f"{uploads.PREFIX}{uploads.ticket(1)}/"
    with ExitStack() as stack:
        hanging = [
            stack.enter_context(served.begin(head(address, f"Content-Length: 9999\r\n\r\n{FILE}", MULTIPART)))
            for _ in range(len(served.workers()) * uploads.MAX_AT_ONCE + 1)
        ]  # whichever worker the kernel gives them to, one of them has one too many
        answered, _, _ = select(hanging, [], [], 60)
        refusal = answer_of(answered[0])
        assert refusal.startswith("HTTP/1.1 503 ") and "outros arquivos" in refusal
    whole = head(address, f"Content-Length: {len(WHOLE_FILE)}\r\n\r\n{WHOLE_FILE}", MULTIPART)
    for _ in range(4 * len(served.workers())):  # each worker takes files again
        eventually(lambda: answer_of(served.begin(whole)).startswith("HTTP/1.1 403 "))


def test_a_page_that_was_open_for_an_hour_says_so(served):
    with time_machine.travel(timezone.now() - timedelta(minutes=61)):
        address = f"{uploads.PREFIX}{uploads.ticket(1)}/"
    rest = f"Content-Length: {len(WHOLE_FILE)}\r\n\r\n{WHOLE_FILE}"
    assert "aberta tempo demais" in answer_of(served.begin(head(address, rest, MULTIPART)))
