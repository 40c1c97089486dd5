"""How long a clinic's move takes: patients and appointments from CSV, beside the same rows by a bare COPY.

The bare side writes the rows that the import has made, once they are taken back, into the same tables by COPY and
nothing else: indexes, triggers and constraints as ever, no file, no check, no rules.
"""

import csv
import io
import resource
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from django.db import connection, transaction
from django.utils import timezone

from clinic import exchange
from clinic.models import (
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Consent,
    Doctor,
    ImportRun,
    Patient,
    PatientEvent,
    Procedure,
    StaffUser,
)
from clinic.registry import Author
from tests.factories import cpf

PATIENTS, APPOINTMENTS = "patients", "appointments"
TABLES = {
    PATIENTS: [Patient, PatientEvent, Consent],
    APPOINTMENTS: [Appointment, AppointmentProcedure, AppointmentEvent],
}
SLOTS = [f"{hour:02}:{minute:02}" for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 30)]
COMING = 50  # of so many appointments one is still to come, and booked by the rules
STATUSES = ["Realizado"] * 8 + ["Faltou", "Cancelado"]
STEPS = ["read", "checked", "imported", "taken back"]
COLUMNS_SQL = """
    SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'
"""


def measured_imports(clinic: Clinic, manager: StaffUser, sizes: tuple[int, int]) -> str:
    """Bring so many patients and appointments, take them back, and return the table. The clinic has none at first."""
    by = Author("browser", user=manager)
    patients, appointments = sizes
    files = {PATIENTS: patients_file(patients), APPOINTMENTS: appointments_file(clinic, appointments, patients)}
    runs: dict[str, ImportRun] = {}
    times: dict[str, list[float]] = {}
    for kind, content in files.items():
        began = time.perf_counter()
        run = exchange.stage(io.BytesIO(content), f"{kind}.csv", clinic=clinic, by=by, kind=kind)
        times[kind] = [time.perf_counter() - began]
        exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=False, clinic=clinic)
        times[kind].append(_to_the_end(run, clinic, by))
        times[kind].append(_to_the_end(exchange.begin(run.pk, clinic=clinic, by=by), clinic, by))
        runs[kind] = run
    counts = {kind: run.rows.filter(fate="new").count() for kind, run in runs.items()}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    copies = {model: _copied(model, clinic) for models in TABLES.values() for model in models}
    for kind in (APPOINTMENTS, PATIENTS):
        times[kind].append(_to_the_end(exchange.take_back(runs[kind].pk, clinic=clinic, by=by), clinic, by))
    _empty()
    bare = {kind: _timed(lambda models=models: _copy_in(models, copies)) for kind, models in TABLES.items()}
    return "\n".join(
        [
            f"| rows | {' | '.join(STEPS)} | bare COPY | checked and imported, beside it |",
            "|---|" + "--:|" * (len(STEPS) + 2),
            *(
                f"| {counts[kind]} of {size} {kind} | {' | '.join(f'{each:.1f} s' for each in times[kind])} |"
                f" {bare[kind]:.1f} s | {sum(times[kind][1:3]) / bare[kind]:.1f} |"
                for kind, size in zip(TABLES, sizes, strict=True)
            ),
            "",
            f"In all {sum(sum(each[:3]) for each in times.values()):.0f} s; at most {memory} MB of memory.",
        ]
    )


def patients_file(count: int) -> bytes:
    """Return a CSV of that many people with CPF, phone, birth date and e-mail, one of twelve without a CPF."""
    return _csv(
        ["Nome", "CPF", "Nascimento", "Celular", "E-mail"],
        (
            [
                name_of(number),
                "" if number % 12 == 0 else cpf(number),
                f"{_born(number):%d/%m/%Y}",
                f"81 9{80000000 + number}",
                f"p{number}@example.com",
            ]
            for number in range(1, count + 1)
        ),
    )


def appointments_file(clinic: Clinic, count: int, patients: int) -> bytes:
    """Return a CSV of that many appointments of these patients: those to come first, then back from yesterday."""
    doctors = [str(doctor) for doctor in Doctor.objects.of(clinic)]
    a_day = len(doctors) * len(SLOTS)
    ahead = count // COMING
    today = clinic.local(timezone.now()).date()
    procedure = Procedure.objects.of(clinic).order_by("pk")[0].name
    return _csv(
        ["Data", "Hora", "Profissional", "Procedimento", "Paciente", "CPF", "Celular", "Status", "Observações"],
        (
            [
                f"{day:%d/%m/%Y}",
                SLOTS[place % a_day // len(doctors)],
                doctors[place % len(doctors)],
                procedure,
                name_of(patient),
                "" if patient % 12 == 0 else cpf(patient),
                f"81 9{80000000 + patient}",
                STATUSES[number % len(STATUSES)] if day < today else "",
                "trouxe exames" if number % 5 == 0 else "",
            ]
            for number in range(count)
            for patient in [number % patients + 1]
            for place in [number if number < ahead else number - ahead]
            for day in [today + (1 if number < ahead else -1) * timedelta(days=1 + place // a_day)]
        ),
    )


def name_of(number: int) -> str:
    letters = "".join(chr(ord("a") + int(digit)) for digit in str(number))
    return f"Pessoa {letters} da Silva"


def _born(number: int) -> date:
    return date(1930, 1, 1) + timedelta(days=number * 37 % 30_000)


def _csv(headings: list[str], rows: Iterator[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([headings, *rows])
    return text.getvalue().encode()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _to_the_end(run: ImportRun, clinic: Clinic, by: Author) -> float:
    """Return the seconds that the work of the run's state takes."""
    began = time.perf_counter()
    while exchange.advance(run.pk, clinic=clinic, by=by, seconds=1.0).is_under_way:
        pass
    return time.perf_counter() - began


def _empty() -> None:
    """What was taken back stays as deleted, where COPY would write. The database of a measurement is thrown away."""
    tables = ", ".join(model._meta.db_table for models in TABLES.values() for model in models)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def _copied(model: type, clinic: Clinic) -> bytes:
    table = model._meta.db_table
    statement = f"COPY (SELECT {_columns(table)} FROM {table} WHERE clinic_id = {clinic.pk}) TO STDOUT"  # noqa: S608 - own names
    with connection.cursor() as cursor, cursor.copy(statement) as out:
        return b"".join(out)


def _copy_in(models: list[type], copies: dict[type, bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for model in models:
            table = model._meta.db_table
            with cursor.copy(f"COPY {table} ({_columns(table)}) FROM STDIN") as stream:
                stream.write(copies[model])


def _columns(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS_SQL, [table])
        columns: str = cursor.fetchone()[0]
    return columns
