"""The day of 20 doctors with 16 appointments each, and the week of one: how long, how many queries, how many bytes."""

import gzip
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle, islice
from statistics import median, quantiles
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.management.demo import bulk
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


def clinics_page(session: Session, clinic: Clinic, day: date) -> list[str]:
    return [session.get(f"/agenda/{day}/")]


def clinics_days(session: Session, clinic: Clinic, day: date) -> list[str]:
    return [session.get(f"/agenda/{other}/") for other in working_days(day)]


def bare_days(session: Session, clinic: Clinic, day: date) -> list[str]:
    return [bare(session, f"/bare/{clinic.pk}/dia/{other}/") for other in working_days(day)]


def clinics_week(session: Session, clinic: Clinic, day: date) -> list[str]:
    return clinics_weeks(session, clinic, day)[:1]


def clinics_weeks(session: Session, clinic: Clinic, day: date) -> list[str]:
    return [session.get(f"/agenda/semana/{doctor}/{day}/") for doctor in doctors(clinic)]


def bare_weeks(session: Session, clinic: Clinic, day: date) -> list[str]:
    monday = day - timedelta(days=day.weekday())
    return [bare(session, f"/bare/{clinic.pk}/semana/{doctor}/{monday}/") for doctor in doctors(clinic)]


def clinics_whole_weeks(session: Session, clinic: Clinic, day: date) -> list[str]:
    return clinics_weeks(session, clinic, whole_week(day))


def bare_whole_weeks(session: Session, clinic: Clinic, day: date) -> list[str]:
    return bare_weeks(session, clinic, whole_week(day))


def whole_week(last: date) -> date:
    """The Monday of the last week of full days. The week of the last full day has one to seven of them, by the weekday
    on which the houses are built: a bare page of sixteen rows to one of 112, beside ours with as many free times."""
    return last - timedelta(days=last.weekday() if last.weekday() == 6 else last.weekday() + 7)


def bare(session: Session, path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{session.port}\r\n\r\n"


def working_days(last: date) -> list[date]:
    """As many full days as there are doctors, more than a process keeps drawn."""
    before = (last - timedelta(days=number) for number in range(2 * bulk.DOCTORS))
    return list(islice((day for day in before if day.weekday() < 5), bulk.DOCTORS))


def doctors(clinic: Clinic) -> list[int]:
    return list(Doctor.objects.of(clinic).order_by("pk").values_list("pk", flat=True))


def measure(generator: Generator, house: House, requests: list[str], times: int) -> list[float]:
    """The latencies of one client that asks so often, one request after the other, each in its turn."""
    return generator.run(Job(house.port, [list(islice(cycle(requests), times))])).latencies


def queries(user: StaffUser, path: str) -> int:
    """How many queries a page takes that nobody asked for before, those for session and user included."""
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(user)
    browser.get("/")
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
