"""The desk at work: two hundred screens that ask whether their day has changed, and moves by drag."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import islice, pairwise
from statistics import median
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from clinic import booking
from clinic.management.demo import bulk
from clinic.models import Appointment, AppointmentProcedure, Clinic, Doctor, Patient, Procedure
from tests.benchmarks.browser import Session
from tests.benchmarks.day_page import Times
from tests.benchmarks.houses import House
from tests.benchmarks.load import Generator, Job

SCREENS = 200
CLIENTS, MOVES = 16, 40  # each client moves one appointment so often in a round
FAR_AHEAD, APART = 500, 100  # days after the last full one, which no booking of the benchmark reaches
LENGTH = timedelta(minutes=30)
PARTIAL = "HX-Request: true\r\n"
VERSION_LASTS = 60  # seconds for which a version has to hold, so that a round of requests ends before


# Unchanged days -------------------------------------------------------------------------------------------------------


def version_of(session: Session, path: str) -> str:
    """The ETag of the day, with the time that it has left: a version ends at a five-minute mark of the clock."""
    headers = {"Cookie": session.cookies, "Accept": "text/html", "HX-Request": "true"}
    while True:
        with urlopen(Request(f"http://127.0.0.1:{session.port}{path}", headers=headers)) as answer:
            etag = answer.headers["ETag"]
        left = int(etag.strip('"').rpartition(".")[2]) - time.time()
        if left > VERSION_LASTS:
            return etag
        time.sleep(max(left, 0) + 1)


def ask(load: Generator, house: House, session: Session, path: str, headers: str) -> list[float]:
    requests = [[session.get(path, headers)] * 5] * SCREENS
    return load.run(Job(house.port, requests, expected=304)).latencies


def measure_screens(load: Generator, house: House, session: Session, day: date, *, rounds: int) -> dict[str, Times]:
    """Latencies of the unchanged day, of a view that answers 304 behind the same middleware and session, and of one
    with neither, by turns. All screens ask at once, five times each; the first round is a warm-up, not counted."""
    path = f"/agenda/{day}/"
    measured = {"day": Times(), "signed in": Times(), "bare": Times()}
    for number in range(rounds + 1):
        known = f"{PARTIAL}If-None-Match: {version_of(session, path)}\r\n"
        for name, where in (("bare", "/bare/304/"), ("signed in", "/inalterado/"), ("day", path)):
            latencies = ask(load, house, session, where, known)
            if number:
                measured[name].rounds.append(latencies)
    return measured


# Moves ----------------------------------------------------------------------------------------------------------------


type Move = Callable[[Session, Appointment, datetime, datetime], str]


def by_drag(session: Session, appointment: Appointment, stored: datetime, wanted: datetime) -> str:
    """What static/js/day/move.js posts for an appointment that stands at `stored`."""
    appointment.starts_at = stored
    local = appointment.clinic.local(wanted)
    fields = {
        "move": "1",
        "doctor": appointment.doctor_id,
        "date": f"{local:%Y-%m-%d}",
        "starts": f"{local:%H:%M}",
        "place": booking.place(appointment),
    }
    return session.post(f"/agendamentos/{appointment.pk}/mover/", fields, PARTIAL)


def by_the_bare_view(session: Session, appointment: Appointment, stored: datetime, wanted: datetime) -> str:
    body = urlencode({
        "appointment": appointment.pk,
        "clinic": appointment.clinic_id,
        "doctor": appointment.doctor_id,
        "doctor_name": appointment.doctor_name,
        "patient": appointment.patient_id,
        "stored": stored.isoformat(),
        "starts_at": wanted.isoformat(),
    })  # fmt: skip
    return (
        f"POST /bare/mover/ HTTP/1.1\r\nHost: 127.0.0.1:{session.port}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


def measure_moves(load: Generator, house: House, sessions: list[Session], clinic: Clinic, *, rounds: int):
    """Moves a second, (by drag, by the bare view), a number for each round; the first is a warm-up, not counted."""
    ways: tuple[Move, Move] = by_drag, by_the_bare_view
    starts = {way: times(clinic, FAR_AHEAD + number * APART) for number, way in enumerate(ways)}
    visits = {way: put_appointments(clinic, starts[way][0]) for way in ways}
    rates: dict[Move, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way in ways:
            steps = list(islice(pairwise(starts[way]), number * MOVES, (number + 1) * MOVES))
            requests = [
                [way(session, visit, stored, wanted) for stored, wanted in steps]
                for session, visit in zip(sessions, visits[way], strict=True)
            ]
            rate = load.run(Job(house.port, requests)).rate
            if number:
                rates[way].append(rate)
    return rates[by_drag], rates[by_the_bare_view]


def times(clinic: Clinic, ahead: int) -> list[datetime]:
    """Every half hour of APART days, from so many days after the last full one on."""
    first = bulk.last_full_day(clinic) + timedelta(days=ahead)
    days = (first + timedelta(days=number) for number in range(APART))
    return [clinic.instant(day, slot) for day in days for slot in bulk.SLOTS]


def put_appointments(clinic: Clinic, starts_at: datetime) -> list[Appointment]:
    """One for each client, of other doctors and patients."""
    doctors, patients = Doctor.objects.of(clinic).order_by("pk"), Patient.objects.of(clinic).order_by("-pk")
    procedure = Procedure.objects.of(clinic).earliest("pk")
    made = [
        Appointment(
            clinic=clinic,
            doctor=doctor,
            doctor_name=doctor.full_name,
            patient=patient,
            starts_at=starts_at,
            ends_at=starts_at + LENGTH,
        )
        for doctor, patient in zip(doctors[:CLIENTS], patients[:CLIENTS], strict=True)
    ]
    Appointment.objects.bulk_create(made)
    AppointmentProcedure.objects.bulk_create(
        AppointmentProcedure(
            clinic=clinic,
            appointment=appointment,
            position=0,
            procedure=procedure,
            procedure_name=procedure.name,
            price=procedure.price,
        )
        for appointment in made
    )
    return made


# The table ------------------------------------------------------------------------------------------------------------


def table(screens: dict[str, Times], moves: tuple[list[float], list[float]]) -> str:
    day, signed_in, bare = screens["day"], screens["signed in"], screens["bare"]
    drags, bare_moves = moves
    ratio = median(ours / beside for ours, beside in zip(drags, bare_moves, strict=True))
    return "\n".join([
        f"| {SCREENS} screens at once, unchanged | p50, p95 | ratio of p95 | to reach |",
        "|---|--:|--:|--:|",
        f"| day | {ms(day)} |  |  |",
        f"| a 304 behind the same middleware and session | {ms(signed_in)} | {day.p95 / signed_in.p95:.2f} | ≤ 1.5 |",
        f"| a 304 with neither | {ms(bare)} | {day.p95 / bare.p95:.2f} |  |",
        "",
        "| moves a second | by drag | bare view | ratio | to reach |",
        "|---|--:|--:|--:|--:|",
        f"| {CLIENTS} clients | {median(drags):.0f} | {median(bare_moves):.0f} | {ratio:.2f} | ≥ 0.6 |",
    ])  # fmt: skip


def ms(times: Times) -> str:
    return f"{times.p50 * 1000:.0f}, {times.p95 * 1000:.0f} ms"
