"""The audit's page with millions of entries of every source: the processor's time of Python and of PostgreSQL, and the
clock's. The pages are asked for in this process, which has made itself ready as one of the server's does.

The rows are made by INSERT … SELECT in the scratch database of the run, ten for each appointment that is stored,
without triggers and without the indexes, which are built afterwards.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.management.demo import bulk
from clinic.models import Clinic, Doctor, Patient, StaffUser
from clinic.queries.audit import Wanted, entries
from clinic.web.audit.forms import written_position
from tests.benchmarks.day_page import Times

USERS = 20
LATE = 100  # the page that is measured beside the first
NOTED = (
    "clinic_appointmentevent",
    "clinic_clinicevent",
    "clinic_patientaccess",
    "clinic_patientevent",
    "clinic_recallevent",
    "clinic_rowchange",
    "clinic_waitingevent",
)
INSERTED = (*NOTED, "clinic_recall", "clinic_waitingentry")
# `%(u)s`, `%(d)s`, `%(p)s` and `%(c)s` are the first ids of users, doctors, patients and procedures, `%(n)s` the number
# of appointments; 20 users and doctors follow one another.
FILLED = [
    """INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, doctor_id, kind, at, door, user_id, credential,
            before, after)
        SELECT clinic_id, visit.id, doctor_id, 'status_changed', starts_at + step.at, 'browser', %(u)s + visit.id %% 20,
            '', jsonb_build_object('status', step.before), jsonb_build_object('status', step.after)
        FROM clinic_appointment AS visit, (VALUES
            (interval '-2 days', 'scheduled', 'confirmed', 'finished'),
            (interval '-12 minutes', 'confirmed', 'checked_in', 'finished'),
            (interval '2 minutes', 'checked_in', 'in_service', 'finished'),
            (interval '25 minutes', 'in_service', 'finished', 'finished'),
            (interval '1 hour', 'scheduled', 'no_show', 'no_show'),
            (interval '-1 day', 'scheduled', 'cancelled', 'cancelled')
        ) AS step (at, before, after, status) WHERE visit.status = step.status""",
    """INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, doctor_id, kind, at, door, user_id, credential,
            before, after)
        SELECT clinic_id, id, doctor_id, 'annotated', starts_at - interval '1 hour', 'browser', %(u)s + id %% 20, '',
            '{"notes": ""}', '{"notes": "trouxe exames"}'
        FROM clinic_appointment""",
    """INSERT INTO clinic_appointmentevent (clinic_id, appointment_id, doctor_id, kind, at, door, user_id, credential,
            before, after)
        SELECT clinic_id, id, doctor_id, 'rescheduled', starts_at - interval '2 days', 'browser', %(u)s + id %% 20, '',
            jsonb_build_object('doctor', doctor_id, 'doctor_name', doctor_name, 'starts_at',
                starts_at - interval '1 hour', 'ends_at', ends_at - interval '1 hour', 'status', 'scheduled'),
            jsonb_build_object('doctor', doctor_id, 'doctor_name', doctor_name, 'starts_at', starts_at,
                'ends_at', ends_at, 'status', 'rescheduled')
        FROM clinic_appointment WHERE id %% 3 = 0""",
    """INSERT INTO clinic_patientevent (clinic_id, patient_id, kind, at, channel, user_id, credential, changes, reason)
        SELECT clinic_id, id,
            CASE WHEN n = 1 THEN 'registered' WHEN (n * id) %% 4001 = 0 THEN 'merged' ELSE 'changed' END,
            now() - (n * 50000 + id %% 50000) * interval '130 seconds',
            CASE WHEN id %% 50 = 0 THEN 'mivicall' ELSE 'browser' END,
            CASE WHEN id %% 50 > 0 THEN %(u)s + id %% 20 END, CASE WHEN id %% 50 = 0 THEN 'central' ELSE '' END,
            '{"email": ["", "a@example.org"]}', ''
        FROM clinic_patient, generate_series(1, 36) AS n""",
    """INSERT INTO clinic_clinicevent (clinic_id, kind, at, door, user_id, credential, before, after)
        SELECT %(clinic)s, 'delay', now() - n * interval '15 minutes', 'browser', %(u)s + n %% 20, '', '{}',
            jsonb_build_object('doctor', %(d)s + n %% 20, 'doctor_name', 'Dra. Carga', 'minutes', 10,
                'day', '2026-01-01')
        FROM generate_series(1, %(n)s * 3 / 10) AS n""",
    """INSERT INTO clinic_rowchange
        (clinic_id, "table", row, act, at, channel, user_id, credential, request_id, transaction, before, after)
        SELECT %(clinic)s, noted.name, CASE WHEN noted.name = 'doctor' THEN %(d)s + n %% 20 ELSE n END, 'changed',
            now() - n * interval '6 minutes', CASE WHEN n %% 2 = 0 THEN 'browser' ELSE 'admin' END, %(u)s + n %% 20, '',
            CASE WHEN n %% 2 = 0 THEN gen_random_uuid() END, n,
            noted.before::jsonb || noted.whose, noted.after::jsonb || noted.whose
        FROM generate_series(1, %(n)s * 7 / 10) AS n
        CROSS JOIN LATERAL (
            SELECT name, before, after, CASE WHEN name = 'workinghours'
                THEN jsonb_build_object('doctor_id', %(d)s + n %% 20) ELSE '{}' END AS whose
            FROM (VALUES
                (0, 'workinghours', '{"starts": "08:00:00"}', '{"starts": "09:00:00"}'),
                (1, 'procedureprice', '{"price": 90}', '{"price": 95}'),
                (2, 'doctor', '{"name": "Carga", "room": "1"}', '{"name": "Carga", "room": "2"}')
            ) AS kind (number, name, before, after) WHERE number = n %% 3
        ) AS noted""",
    """INSERT INTO clinic_rowchange
        (clinic_id, "table", row, act, at, channel, user_id, credential, request_id, transaction, before, after)
        SELECT %(clinic)s, 'memo', n, step.act, now() - n * interval '25 minutes' + step.later, 'browser',
            %(u)s + (n + step.number) %% 20, '', gen_random_uuid(), n * 2 + step.number,
            step.before::jsonb, step.after::jsonb
        FROM generate_series(1, %(n)s / 5) AS n, (VALUES
            (0, 'added', interval '0', '{}', '{"kind": "note", "day": null}'),
            (1, 'changed', interval '3 hours', '{"done_at": null}', '{"done_at": "2026-01-01T12:00:00+00:00"}')
        ) AS step (number, act, later, before, after)""",
    """INSERT INTO clinic_waitingentry
        (clinic_id, patient_id, weekdays, is_urgent, note, created_at, outcome, closed_at, version)
        SELECT %(clinic)s, id, '{2}', false, '', now() - (id %% 9000 + n * 9000) * interval '25 minutes', 'withdrawn',
            now() - (id %% 9000 + n * 9000) * interval '25 minutes' + interval '2 days', 1
        FROM clinic_patient, generate_series(1, 3) AS n""",
    """INSERT INTO clinic_waitingevent (clinic_id, entry_id, kind, at, channel, user_id, credential, before, after)
        SELECT clinic_id, entry.id, step.kind, entry.created_at + step.number * interval '7 hours', 'browser',
            %(u)s + entry.id %% 20, '', '{}', CASE WHEN step.number = 0 THEN jsonb_build_object(
                'appointment', null, 'procedures', jsonb_build_array(%(c)s), 'doctors',
                jsonb_build_array(%(d)s + entry.id %% 20), 'weekdays', '[2]'::jsonb, 'from_time', null,
                'to_time', null, 'until', null, 'is_urgent', false, 'note', '') ELSE '{}' END
        FROM clinic_waitingentry AS entry,
            (VALUES (0, 'put'), (1, 'not_reached'), (2, 'not_reached'), (3, 'withdrawn')) AS step (number, kind)""",
    """INSERT INTO clinic_recall (clinic_id, patient_id, appointment_id, procedure_id, doctor_id, due_on, note,
            created_at, outcome, closed_at, version)
        SELECT clinic_id, patient_id, id, %(c)s, doctor_id, (starts_at + interval '60 days')::date, '', starts_at,
            'declined', starts_at + interval '65 days', 1
        FROM clinic_appointment WHERE status = 'finished' AND id %% 6 = 0 AND starts_at < now() - interval '70 days'""",
    """INSERT INTO clinic_recallevent (clinic_id, recall_id, kind, at, channel, user_id, credential, before, after)
        SELECT clinic_id, recall.id, step.kind, recall.created_at + step.number * interval '30 days', 'browser',
            %(u)s + recall.id %% 20, '', '{}', CASE step.number WHEN 0 THEN jsonb_build_object(
                'procedure', procedure_id, 'doctor', doctor_id, 'due_on', due_on, 'note', '')
                WHEN 1 THEN jsonb_build_object('due_on', due_on) ELSE '{"outcome": "declined"}' END
        FROM clinic_recall AS recall,
            (VALUES (0, 'written'), (1, 'postponed'), (2, 'closed')) AS step (number, kind)""",
    # Who saw whom: every appointment was looked at twice, and one patient by everybody, twenty times a day.
    """INSERT INTO clinic_patientaccess (clinic_id, patient_id, at, user_id, credential, page, session)
        SELECT clinic_id, patient_id, starts_at + n * interval '1 minute', %(u)s + id %% 20, '',
            'web:patient-detail', 'x'
        FROM clinic_appointment, generate_series(1, 2) AS n""",
    """INSERT INTO clinic_patientaccess (clinic_id, patient_id, at, user_id, credential, page, session)
        SELECT %(clinic)s, %(p)s, now() - n * interval '72 minutes', %(u)s + n %% 20, '', 'web:patient-detail', 'x'
        FROM generate_series(1, %(n)s / 50) AS n""",
]  # fmt: skip


class Measured(NamedTuple):
    """Seconds of the processor and of the clock, and how many queries."""

    python: float
    postgres: float
    clock: Times
    queries: int


def fill(url: str, clinic: Clinic) -> int:
    """Make the rows of a clinic of `seed_load`, and return how many entries the audit then has."""
    for number in range(USERS):
        StaffUser.objects.create_user(f"auditoria-{number}", None, name=f"Pessoa {number}", clinic=clinic)
    firsts = {
        "clinic": clinic.pk,
        "u": StaffUser.objects.get(username="auditoria-0").pk,
        "d": Doctor.objects.of(clinic).order_by("pk")[0].pk,
        "p": Patient.objects.of(clinic).order_by("pk")[0].pk,
        "c": clinic.procedure_set.order_by("pk")[0].pk,
        "n": clinic.appointment_set.count(),
    }
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as session:
        with unguarded(session):
            for statement in FILLED:
                session.execute(statement, firsts)
        session.execute("VACUUM (ANALYZE)")
        return sum(_count_of(session, table) for table in NOTED if table != "clinic_patientaccess")


def _count_of(session: psycopg.Connection, table: str) -> int:
    return session.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own names


@contextmanager
def unguarded(session: psycopg.Connection) -> Iterator[None]:
    """Fill tables faster: without triggers and the indexes that hold no constraint, both there again afterwards; and
    without foreign keys."""
    keys = session.execute(
        """SELECT conrelid::regclass::text, conname FROM pg_constraint
           JOIN unnest(%s::text[]) AS filled (name) ON conrelid = filled.name::regclass WHERE contype = 'f'""",
        [list(INSERTED)],
    ).fetchall()
    indexes = session.execute(
        """SELECT index.indexrelid::regclass::text, pg_get_indexdef(index.indexrelid)
           FROM pg_index AS index JOIN unnest(%s::text[]) AS filled (name) ON index.indrelid = filled.name::regclass
           WHERE NOT index.indisunique""",
        [list(INSERTED)],
    ).fetchall()
    statements = [f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name in keys]
    statements += [f"DROP INDEX {name}" for name, _definition in indexes]
    for statement in statements + [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in INSERTED]:
        session.execute(statement)
    yield
    for statement in [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in INSERTED]:
        session.execute(statement)
    session.execute("SET maintenance_work_mem = '512MB'")
    for _name, definition in indexes:
        session.execute(definition)
    session.execute("RESET maintenance_work_mem")


def asked(clinic: Clinic) -> dict[str, str]:
    """The addresses that are measured, by what they ask."""
    user = StaffUser.objects.get(username="auditoria-3").pk
    doctor, patient = Doctor.objects.of(clinic).order_by("pk")[4].pk, Patient.objects.of(clinic).order_by("pk")[0].pk
    queries = {
        "first page": "",
        "status": "situacao=cancelled",
        "status, 7 days": "situacao=cancelled&dias=7",
        "doctor": f"medico={doctor}",
        "doctor, 7 days": f"medico={doctor}&dias=7",
        "author": f"quem=u{user}",
        "way": "via=mivicall",
        "last day": "dias=1",
        "last 30 days": "dias=30",
        "author and doctor": f"quem=u{user}&medico={doctor}",
        "status and doctor": f"situacao=no_show&medico={doctor}",
        "status and author": f"situacao=no_show&quem=u{user}",
        **{
            f"kind `{kind}`": f"tipo={kind}"
            for kind in ("visita", "visita.payer", "ficha", "ficha.merged", "espera", "retorno", "recado", "clinica")
        },
        "kind `dados`": "tipo=dados",
        "kind `dados.doctor`": "tipo=dados.doctor",
        f"page {LATE}": f"antes={late_page(clinic)}",
    }
    pages = {name: f"/auditoria/?{query}" for name, query in queries.items()}
    return pages | {"who saw a patient": f"/pacientes/{patient}/quem-viu/"}


def late_page(clinic: Clinic) -> str:
    """The position of page LATE, by those that the pages before it give."""
    position = None
    for _number in range(LATE - 1):
        _entries, older = entries(Wanted(clinic), before=position)
        position = older or position
    return quote(written_position(position)) if position else ""


def measure(manager: StaffUser, clinic: Clinic, times: int) -> dict[str, Measured]:
    """By what is asked: medians, after two requests that are not counted."""
    import_module("clinic.wsgi")  # which keeps translations, and what is loaded out of the garbage collector's sight
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(manager)
    return {name: measured(lambda path=path: browser.get(path), times) for name, path in asked(clinic).items()}


def measured(request: Callable, times: int) -> Measured:
    request()
    with CaptureQueriesContext(connection) as captured:
        request()
    queries = len(captured)  # the next request empties Django's list of them
    python, postgres, clock = [], [], []
    for _time in range(times):
        connection.ensure_connection()
        backend = connection.connection.info.backend_pid
        began, beside, at = time.process_time(), processor_time(backend), time.perf_counter()
        answer = request()
        clock.append(time.perf_counter() - at)
        python.append(time.process_time() - began)
        postgres.append(processor_time(backend) - beside)
        assert answer.status_code == 200, answer.status_code
    return Measured(median(python), median(postgres), Times([clock]), queries)


def processor_time(backend: int) -> float:
    """The seconds that a process of this machine has run."""
    return int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def table(entries: int, found: dict[str, Measured]) -> str:
    lines = [
        f"| *Auditoria*, {entries} entries | PostgreSQL | Python | together, ≤ 100 ms "
        "| by the clock: p50, p95 | queries |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, each in found.items():
        ms = [seconds * 1000 for seconds in (each.postgres, each.python, each.postgres + each.python)]
        clock = f"{each.clock.p50 * 1000:.0f}, {each.clock.p95 * 1000:.0f} ms"
        lines.append(f"| {name} | {ms[0]:.0f} ms | {ms[1]:.0f} ms | {ms[2]:.0f} ms | {clock} | {each.queries} |")
    return "\n".join(lines)


def measured_audit(url: str, clinic: Clinic, manager: StaffUser, appointments: int, times: int) -> str:
    """Store as many appointments and ten entries for each, measure, and return the table."""
    for _count in bulk.fill(clinic, appointments):
        pass
    stored = fill(url, clinic)
    call_command("collectstatic", interactive=False, verbosity=0)
    return table(stored, measure(manager, clinic, times))
