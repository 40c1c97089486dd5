"""The whole run: people and databases, then the measurements in turns, then the table."""

import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.management import call_command

from clinic.management.demo import bulk
from clinic.models import Clinic, StaffUser
from tests.benchmarks import api, audit, booking, day_page, desk, imports, lists, reports, searches
from tests.benchmarks.browser import Session, sign_in
from tests.benchmarks.day_page import Times
from tests.benchmarks.houses import House, houses, machine
from tests.benchmarks.load import Generator, generator

FORM, BARE = booking.through_the_form, booking.by_the_bare_view
MIVICALL, IMAGEMAIS = api.through_mivicall, api.through_imagemais
CREATED, REDIRECTED = 201, 302
PAGE, DAYS, BARE_DAYS = day_page.clinics_page, day_page.clinics_days, day_page.bare_days
WHOLE_WEEKS, BARE_WHOLE_WEEKS = day_page.clinics_whole_weeks, day_page.bare_whole_weeks
WEEK, WEEKS, BARE_WEEKS = day_page.clinics_week, day_page.clinics_weeks, day_page.bare_weeks
FINDER, PENDING, NUMBER = searches.finder, searches.pending_page, searches.pending_number
USERNAME, MANAGER = "recepcao-carga", "gestao-carga"
IMPORTED = 50_000, 100_000  # patients, appointments
BEGAN = time.perf_counter()  # that clock itself counts from the machine's start


def run(server: str, sizes: list[int], clients: list[int], *, quick: bool, only: str = "") -> Iterator[str]:
    """Measure, and yield each table as soon as it is known; with `only` that of "bookings", "desk", "lists", "pages" or
    "searches" alone, or that of "audit", "imports" or "reports". `server` is the database that Django is
    connected to; it may be empty."""
    call_command("migrate", verbosity=0)
    clinic, password = bulk.load_clinic(), secrets.token_urlsafe()
    user = StaffUser.objects.create_user(USERNAME, password, name="Recepção", clinic=clinic)
    master = StaffUser.objects.create_user(f"{USERNAME}-master", None, clinic=clinic, role=StaffUser.Role.MASTER)
    manager = StaffUser.objects.create_user(MANAGER, password, clinic=clinic, role=StaffUser.Role.MANAGER)
    booking.discount_of(clinic)
    program = api.program(clinic, master)
    if only == "imports":
        report("imports")
        yield imports.measured_imports(clinic, manager, (1_000, 2_000) if quick else IMPORTED)
        return
    if only == "audit":
        report("audit")
        yield audit.measured_audit(server, clinic, manager, sizes[0], 5 if quick else 20)
        return
    with houses(server, urlsplit(server).path[1:], sizes) as built, generator() as load:
        if only == "reports":
            yield measured_reports(load, built, password, clinic, manager, quick=quick)
            return
        report("sign-in")
        sessions = {house.stored: sessions_of(house, password, 1) for house in built[1:-1]}
        sessions |= {house.stored: sessions_of(house, password, max(clients)) for house in (built[0], built[-1])}
        for house in built:
            house.slots = booking.free_times(clinic)
        asked = Asked(load, built, sessions, clinic, user, program, clients, quick)
        yield f"Measured {date.today():%Y-%m-%d} on {machine()}; everything on that one machine, load included."
        # What lies ahead is filled for the searches, and a booking takes a free time: they come last.
        for name, measure in (
            ("desk", measured_desk),
            ("lists", measured_lists),
            ("pages", measured_day_and_week),
            ("searches", measured_searches),
            ("bookings", measured_bookings),
        ):
            if only in {"", name}:
                report(name)
                yield measure(asked)


class Asked(NamedTuple):
    """What every measurement is given; sessions by the number of appointments that their house stores."""

    load: Generator
    built: list[House]
    sessions: dict[int, list[Session]]
    clinic: Clinic
    user: StaffUser
    program: api.Program
    clients: list[int]
    is_quick: bool

    @property
    def sizes(self) -> list[int]:
        return [house.stored for house in self.built]

    @property
    def turns(self) -> dict[str, int]:
        return {"rounds": 2 if self.is_quick else 8, "times": 20 if self.is_quick else 60}


def measured_desk(asked: Asked) -> str:
    first, rounds, day = asked.built[0], asked.turns["rounds"], bulk.last_full_day(asked.clinic)
    sessions = asked.sessions[first.stored]
    return desk.table(
        desk.measure_screens(asked.load, first, sessions[0], day, rounds=rounds),
        desk.measure_moves(asked.load, first, sessions, asked.clinic, rounds=rounds),
    )


def measured_lists(asked: Asked) -> str:
    return lists.table(asked.sizes, lists.measure(asked.load, asked.built, asked.program, asked.clinic, **asked.turns))


def measured_day_and_week(asked: Asked) -> str:
    day = bulk.last_full_day(asked.clinic)
    shown = BARE_DAYS, DAYS, PAGE, BARE_WEEKS, WEEKS, WEEK, BARE_WHOLE_WEEKS, WHOLE_WEEKS
    pages = measure_pages(asked.load, asked.built, asked.sessions, asked.clinic, shown, day, **asked.turns)
    addresses = f"/agenda/{day}/", f"/agenda/semana/{day_page.doctors(asked.clinic)[0]}/{day}/"
    page_queries = [day_page.queries(asked.user, address) for address in addresses]
    size, total = day_page.first_visit(asked.sessions[asked.sizes[0]][0], f"/agenda/{day}/")
    return table_of_pages(asked.sizes, pages, page_queries, size, total)


def measured_bookings(asked: Asked) -> str:
    rounds, seconds = (2, 1) if asked.is_quick else (6, 4)
    rates = measure_bookings(
        asked.load,
        asked.built,
        asked.sessions,
        asked.program,
        asked.clinic,
        asked.clients,
        rounds=rounds,
        seconds=seconds,
    )
    return table_of_bookings(asked.sizes, asked.clients, rates)


def measured_searches(asked: Asked) -> str:
    """Fill what lies ahead of every house, measure, and return the table."""
    for house in asked.built:
        searches.fill_house(house.url)
    shown, day = (DAYS, FINDER, PENDING, NUMBER), bulk.last_full_day(asked.clinic)
    pages = measure_pages(asked.load, asked.built, asked.sessions, asked.clinic, shown, day, **asked.turns)
    return table_of_searches(asked.sizes, pages, *searches.queries(asked.user, asked.clinic))


def measured_reports(
    load: Generator, built: list[House], password: str, clinic: Clinic, manager: StaffUser, *, quick: bool
) -> str:
    report("reports")
    sessions = {house.stored: sign_in(house.port, MANAGER, password, "/agendamentos/novo/") for house in built}
    turns = {"rounds": 1 if quick else 4, "times": 5 if quick else 20}
    return reports.table(reports.measure(load, built, sessions, clinic, **turns), manager)


def report(what: str) -> None:
    """On standard error, with the seconds since the run began."""
    print(f"{time.perf_counter() - BEGAN:.0f} s: {what} …", file=sys.stderr, flush=True)


def sessions_of(house: House, password: str, count: int) -> list[Session]:
    return [sign_in(house.port, USERNAME, password, "/agendamentos/novo/") for _ in range(count)]


def measure_pages(
    load: Generator,
    built: list[House],
    sessions: dict[int, list[Session]],
    clinic: Clinic,
    pages: tuple,
    day: date,
    *,
    rounds: int,
    times: int,
) -> dict[tuple, Times]:
    """By (page, stored). Every round asks each page of each house; the first is a warm-up and is not counted."""
    measured = defaultdict(Times)
    for number in range(rounds + 1):
        for house in built:
            for page in pages:
                requests = page(sessions[house.stored][0], clinic, day)
                latencies = day_page.measure(load, house, requests, times)
                if number:
                    measured[page, house.stored].rounds.append(latencies)
    return measured


def measure_bookings(
    load: Generator,
    built: list[House],
    sessions: dict[int, list[Session]],
    program: api.Program,
    clinic: Clinic,
    clients: list[int],
    *,
    rounds: int,
    seconds: float,
) -> dict[tuple, list[float]]:
    """Bookings a second, a number for each round, by (request, clients, stored): the fullest house with every number of
    clients, the emptiest and the APIs with the highest. The first round is a warm-up and is not counted."""
    most, crowd = built[-1], clients[-1]
    turns = [(most, count, way) for count in clients for way in (BARE, FORM)]
    turns += [(most, crowd, MIVICALL), (most, crowd, IMAGEMAIS), (built[0], crowd, BARE), (built[0], crowd, FORM)]
    measured = defaultdict(list)
    for number in range(rounds + 1):
        for house, count, way in turns:
            is_api = way in {MIVICALL, IMAGEMAIS}
            senders = [program] * count if is_api else sessions[house.stored][:count]
            expected = CREATED if is_api else REDIRECTED
            rate = booking.rate(load, house, clinic, senders, way, seconds if number else 1, expected)
            if number:
                measured[way, count, house.stored].append(rate)
    return measured


def ratio(one: list[float], other: list[float]) -> float:
    """The median of the rounds' ratios: what slows the machine down for a while slows both sides of a round."""
    return median(each / beside for each, beside in zip(one, other, strict=True))


def row(name: str, ours: list[float], beside: list[float], goal: str = "") -> str:
    return f"| {name} | {median(ours):.0f} | {median(beside):.0f} | {ratio(ours, beside):.2f} | {goal} |"


def table_of_bookings(sizes: list[int], clients: list[int], rates: dict[tuple, list[float]]) -> str:
    least, most, crowd = sizes[0], sizes[-1], clients[-1]
    fullest, emptiest = rates[FORM, crowd, most], rates[FORM, crowd, least]
    lines = [
        "| bookings a second | ours | bare Django view | ratio | to reach |",
        "|---|--:|--:|--:|--:|",
    ]
    for count in clients:
        form, bare = rates[FORM, count, most], rates[BARE, count, most]
        goal = "≥ 0.6" if count == crowd else ""
        lines.append(row(f"{count} clients, form, {most} stored", form, bare, goal))
    bare = rates[BARE, crowd, most]
    for name, way in (("`POST /v1/appointments`, Idempotency-Key", MIVICALL), ("`POST /api/appointments`", IMAGEMAIS)):
        lines.append(row(f"{crowd} clients, {name}", rates[way, crowd, most], bare, "≥ 0.5"))
    lines += [
        row(f"{crowd} clients, form, {least} stored", emptiest, rates[BARE, crowd, least]),
        row(f"form, {most} stored beside {least}", fullest, emptiest, "≥ 0.9"),
    ]
    return "\n".join(lines)


def table_of_pages(sizes: list[int], pages: dict[tuple, Times], queries: list[int], size: int, total: int) -> str:
    least, most = sizes[0], sizes[-1]
    ms = {key: (times.p50 * 1000, times.p95 * 1000) for key, times in pages.items()}
    lines = [
        "| page, 20 doctors × 16 a day | p50, p95 | bare page: p50, p95 | ratio of p95 | to reach |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, ours, beside, stored in [
        *(("days in turn", DAYS, BARE_DAYS, stored) for stored in sizes),
        *(("one day again", PAGE, BARE_DAYS, stored) for stored in sizes),
        *(("weeks of the doctors in turn", WEEKS, BARE_WEEKS, stored) for stored in sizes),
        *(("one week again", WEEK, BARE_WEEKS, stored) for stored in sizes),
        *(("whole weeks of the doctors in turn", WHOLE_WEEKS, BARE_WHOLE_WEEKS, stored) for stored in sizes),
    ]:
        (p50, p95), (bare_p50, bare_p95) = ms[ours, stored], ms[beside, stored]
        lines.append(
            f"| {name}, {stored} stored | {p50:.0f}, {p95:.0f} ms | {bare_p50:.0f}, {bare_p95:.0f} ms "
            f"| {p95 / bare_p95:.2f} | ≤ 2.5 |"
        )
    flat, few, many = ms[DAYS, most][1] / ms[DAYS, least][1], ms[DAYS, least][1], ms[DAYS, most][1]
    lines += [
        f"| day, {most} stored beside {least} | {many:.0f} ms | {few:.0f} ms | {flat:.2f} | ≤ 1.15 |",
        "",
        "| the same page | | to reach |",
        "|---|--:|--:|",
        f"| queries of the day, of the week, drawn anew | {queries[0]}, {queries[1]} | ≤ 8 |",
        f"| gzipped | {size / 1000:.1f} kB | ≤ 16.3 kB |",
        f"| first visit in all, compressed | {total / 1000:.1f} kB | ≤ 90 kB |",
    ]
    return "\n".join(lines)


def table_of_searches(sizes: list[int], pages: dict[tuple, Times], of_finder: int, of_pending: int) -> str:
    names = {FINDER: "next free time", PENDING: "what is pending", NUMBER: "its number"}
    least, most = sizes[0], sizes[-1]
    lines = [
        f"| {searches.DAYS} days × 20 doctors, nearly full | p50, p95 | day page: p50 | ratio of p50 | to reach |",
        "|---|--:|--:|--:|--:|",
    ]
    for request, name in names.items():
        for stored in sizes:
            ours, beside = pages[request, stored], pages[DAYS, stored]
            goal = "≤ 1" if request is FINDER else ""
            lines.append(
                f"| {name}, {stored} stored | {ours.p50 * 1000:.0f}, {ours.p95 * 1000:.0f} ms "
                f"| {beside.p50 * 1000:.0f} ms | {ours.p50 / beside.p50:.2f} | {goal} |"
            )
        many, few = pages[request, most].p50, pages[request, least].p50
        lines.append(
            f"| {name}, {most} stored beside {least} | {many * 1000:.0f} ms | {few * 1000:.0f} ms "
            f"| {many / few:.2f} | ≤ 1.15 |"
        )
    lines += [
        f"| queries of the search for a time |  |  | {of_finder} | ≤ 4 |",
        f"| queries of the page of what is pending |  |  | {of_pending} |  |",
    ]
    return "\n".join(lines)
