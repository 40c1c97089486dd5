"""Reports over a month and over a year, beside one GROUP BY of the same rows by hand, behind a bare view."""

from collections import defaultdict
from datetime import date, timedelta

import psycopg
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from clinic.models import Clinic, StaffUser
from clinic.queries.reports import REPORTS
from tests.benchmarks import day_page
from tests.benchmarks.browser import Session
from tests.benchmarks.day_page import Times
from tests.benchmarks.houses import House
from tests.benchmarks.load import Generator

MONTHS = [1, 12]
# What `seed_load` leaves out: arrivals, beginnings and ends of visits, confirmations, sources, discounts.
ENRICHED = [
    """INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, kind, at, door, credential, before, after)
       SELECT clinic_id, visit.id, 'status_changed', starts_at + visit.id % 7 * interval '1 minute' + step.at,
           'browser', '', jsonb_build_object('status', step.before), jsonb_build_object('status', step.after)
       FROM clinic_appointment AS visit, (VALUES
           (interval '-2 days', 'scheduled', 'confirmed'), (interval '-12 minutes', 'confirmed', 'checked_in'),
           (interval '2 minutes', 'checked_in', 'in_service'), (interval '25 minutes', 'in_service', 'finished')
       ) AS step (at, before, after)
       WHERE status = 'finished' AND starts_at > now() - interval '13 months'""",
    """INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, kind, at, door, credential, before, after)
       SELECT clinic_id, id, 'status_changed', starts_at + interval '1 hour', 'browser', '',
           '{"status": "scheduled"}', '{"status": "no_show"}'
       FROM clinic_appointment WHERE status = 'no_show' AND starts_at > now() - interval '13 months'""",
    """INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, kind, at, door, credential, before, after)
       SELECT clinic_id, id, 'not_reached', starts_at - interval '1 day', 'browser', '', '{}', '{}'
       FROM clinic_appointment WHERE id % 3 = 0 AND starts_at > now() - interval '13 months'""",
    """INSERT INTO clinic_applieddiscount (clinic_id, line_id, discount_id, discount_name, value)
       SELECT line.clinic_id, line.id, discount.id, discount.name, 10
       FROM clinic_appointmentprocedure AS line
       JOIN clinic_appointment AS visit ON visit.id = line.appointment_id
       CROSS JOIN (SELECT id, name FROM clinic_discount ORDER BY id LIMIT 1) AS discount
       WHERE visit.id % 5 = 0 AND visit.starts_at > now() - interval '13 months'""",
    "VACUUM (ANALYZE)",
]  # fmt: skip


def enrich(house: House) -> None:
    with psycopg.connect(house.url, autocommit=True) as session:
        for statement in ENRICHED:
            session.execute(statement)


def period(months: int) -> tuple[date, date]:
    """The dates up to yesterday."""
    last = timezone.localdate() - timedelta(days=1)
    return last - relativedelta(months=months) + timedelta(days=1), last


def page(name: str, months: int) -> str:
    first, last = period(months)
    return f"/relatorios/{name}/?de={first}&ate={last}"


def by_hand(session: Session, clinic: Clinic, name: str, months: int) -> str:
    first, last = period(months)
    path = f"/bare/{clinic.pk}/relatorio/{name}/{first}/{last}/"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{session.port}\r\n\r\n"


def measure(
    load: Generator, built: list[House], sessions: dict[int, Session], clinic: Clinic, *, rounds: int, times: int
) -> dict[tuple, tuple[Times, Times]]:
    """(report, by hand) by (name, months, stored), by turns. The first round is a warm-up and is not counted."""
    measured: dict[tuple, tuple[Times, Times]] = defaultdict(lambda: (Times(), Times()))
    for house in built:
        enrich(house)
    for number in range(rounds + 1):
        for house in built:
            session = sessions[house.stored]
            for name in REPORTS:
                for months in MONTHS:
                    ours, beside = measured[name, months, house.stored]
                    for into, request in (
                        (beside, by_hand(session, clinic, name, months)),
                        (ours, session.get(page(name, months))),
                    ):
                        latencies = day_page.measure(load, house, [request], times)
                        if number:
                            into.rounds.append(latencies)
    return measured


def table(measured: dict[tuple, tuple[Times, Times]], manager: StaffUser) -> str:
    lines = [
        "| report | p50, p95 | one GROUP BY by hand: p50, p95 | ratio of p95, ≤ 5 | queries, ≤ 8 |",
        "|---|--:|--:|--:|--:|",
    ]
    for (name, months, stored), (ours, beside) in measured.items():
        queries = day_page.queries(manager, page(name, months))
        lines.append(
            f"| {REPORTS[name].title}, {months} months, {stored} stored | {ms(ours)} | {ms(beside)} "
            f"| {ours.p95 / beside.p95:.2f} | {queries} |"
        )
    return "\n".join(lines)


def ms(times: Times) -> str:
    return f"{times.p50 * 1000:.0f}, {times.p95 * 1000:.0f} ms"
