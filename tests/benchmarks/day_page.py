"""The day of 20 doctors with 16 appointments each, and the week of one: how long, how many queries, how many bytes."""

import gzip
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median, quantiles
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.models import Clinic, Doctor, StaffUser
from tests.benchmarks.browser import Session
from tests.benchmarks.houses import House
from tests.benchmarks.load import Generator, Job

# Where a page, a style sheet or a module names another file of ours.
LINKS = re.compile(
    r"""(?:src|href|content)="(/static/[\w./-]+)|url\(["']?([\w./-]+)|\b(?:from|import)\s*\(?["']([\w./-]+)["']"""
)


@dataclass
class Times:
    """Latencies in seconds, in the rounds they were measured in."""

    rounds: list[list[float]] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return median(median(latencies) for latencies in self.rounds)

    @property
    def p95(self) -> float:
        return median(quantiles(latencies, n=20)[-1] for latencies in self.rounds)


def clinics_page(session: Session, clinic: Clinic, day: date) -> str:
    return session.get(f"/agenda/{day}/")


def bare_page(session: Session, clinic: Clinic, day: date) -> str:
    return f"GET /bare/{clinic.pk}/dia/{day}/ HTTP/1.1\r\nHost: 127.0.0.1:{session.port}\r\n\r\n"


def clinics_week(session: Session, clinic: Clinic, day: date) -> str:
    return session.get(f"/agenda/semana/{first_doctor(clinic)}/{day}/")


def bare_week(session: Session, clinic: Clinic, day: date) -> str:
    path = f"/bare/{clinic.pk}/semana/{first_doctor(clinic)}/{day - timedelta(days=day.weekday())}/"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{session.port}\r\n\r\n"


def first_doctor(clinic: Clinic) -> int:
    return Doctor.objects.of(clinic).order_by("pk").values_list("pk", flat=True)[0]


def measure(generator: Generator, house: House, request: str, times: int) -> list[float]:
    """The latencies of one client that asks so often, one request after the other."""
    return generator.run(Job(house.port, [[request] * times])).latencies


def queries(user: StaffUser, path: str) -> int:
    """How many queries the page takes, those for session and user included."""
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(user)
    browser.get(path)
    with CaptureQueriesContext(connection) as captured:
        browser.get(path)
    return len(captured)


def gzipped_size(session: Session, path: str) -> tuple[int, str]:
    """(bytes of the body as sent, its text)."""
    headers = {"Cookie": session.cookies, "Accept-Encoding": "gzip", "Accept": "text/html"}
    with urlopen(Request(f"http://127.0.0.1:{session.port}{path}", headers=headers)) as answer:
        body = answer.read()
        text = gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body
        return len(body), text.decode(errors="replace")


def first_visit(session: Session, path: str) -> tuple[int, int]:
    """(bytes of the page, bytes of the page with everything it loads), as a browser with an empty cache gets them."""
    size, text = gzipped_size(session, path)
    sizes, waiting = {path: size}, linked(path, text)
    while waiting:
        asset = waiting.pop()
        if asset not in sizes:
            sizes[asset], text = gzipped_size(session, asset)
            waiting |= linked(asset, text) if asset.endswith((".css", ".js")) else set()
    return size, sum(sizes.values())


def linked(path: str, text: str) -> set[str]:
    found = {urljoin(path, next(filter(None, groups))) for groups in LINKS.findall(text)}
    return {link for link in found if link.startswith("/static/")}
