"""The command killed in the middle of an import, and resumed: nothing twice, nothing lost."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from clinic.exchange.runs import BATCH
from clinic.models import (
    Appointment,
    AppointmentEvent,
    ClinicEvent,
    Doctor,
    ImportRun,
    Patient,
    PatientEvent,
    Procedure,
    WorkingHours,
)
from tests.exchange.sheets import csv_bytes
from tests.factories import cpf, make_clinic, make_doctor, make_patient, make_procedure
from tests.locks import WAITING, another_connection, wait_until_killed_sessions_have_ended
from tests.server.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
ROWS, VISITS, SET_UP = 3000, 3000, 700  # more than the 500 that are stored at once
HELD = 71_000  # an advisory lock
# An import that has stored a batch and a part of the next one waits there, for longer than its patience.
HOLD = """
CREATE FUNCTION hold_after_a_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stored bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I', TG_TABLE_NAME) INTO stored;
    IF stored > {batch} + 50 THEN
        PERFORM set_config('lock_timeout', '0', true), pg_advisory_xact_lock({held});
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER hold_after_a_batch AFTER INSERT ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION hold_after_a_batch()
"""
HOLD_NO_MORE = "DROP FUNCTION hold_after_a_batch CASCADE"


@pytest.fixture
def clinic():
    return make_clinic(slug="nova")


def environment():
    """Return that of a command in the database of this test."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return os.environ | {"DATABASE_URL": url}


def begun(path, name):
    command = [sys.executable, "manage.py", name, str(path), "--clinic", "nova", "--import"]
    return subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)


@contextmanager
def held_after_a_batch(model):
    """An import waits in the middle of its second batch until the end."""
    with another_connection(autocommit=True) as other, connection.cursor() as cursor:
        other.execute("SELECT pg_advisory_lock(%s)", [HELD])
        cursor.execute(HOLD.format(batch=BATCH, held=HELD, table=model._meta.db_table))
        try:
            yield
        finally:
            other.execute("SELECT pg_advisory_unlock(%s)", [HELD])
            wait_until_killed_sessions_have_ended()
            cursor.execute(HOLD_NO_MORE)


def waits():
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return cursor.fetchone()[0] > 0


def killed_and_resumed(path, rows, model, name, capsys):
    """Write the rows into the file, have the command of that name killed once some of its rows are there, and resumed;
    return the run."""
    path.write_bytes(csv_bytes(rows))
    total = len(rows) - 1
    with held_after_a_batch(model):
        process = begun(path, name)
        eventually(waits, 300)
        process.kill()
        assert process.wait() == -9
    run = ImportRun.objects.get()
    assert run.state == "importing" and model.objects.count() == BATCH < total
    call_command(name, clinic="nova", resume=run.pk)
    assert re.search(rf"Novo: {total}\n", printed := capsys.readouterr().out), printed
    assert model.objects.count() == total
    return run


def taken_back(run, name, total, capsys):
    call_command(name, clinic="nova", take_back=run.pk)
    assert f"Desfeito: {total}\n" in capsys.readouterr().out


def test_a_killed_import_goes_on_where_it_stood(clinic, tmp_path, capsys):
    rows = [[f"Pessoa {number}", f"81 9{80000000 + number}", cpf(number)] for number in range(1, ROWS + 1)]
    table = [["Nome", "Telefone", "CPF"], *rows]
    run = killed_and_resumed(tmp_path / "velho.csv", table, Patient, "import_patients", capsys)
    assert PatientEvent.objects.count() == ROWS
    assert Patient.objects.values("cpf").distinct().count() == ROWS
    taken_back(run, "import_patients", ROWS, capsys)
    assert not Patient.objects.exists() and not PatientEvent.objects.exists()


def test_killed_among_procedures_nothing_comes_twice(clinic, tmp_path, capsys):
    rows = [[f"Exame {number}", "30", f"{number},50", f"T{number}"] for number in range(1, SET_UP + 1)]
    table = [["Procedimento", "Duração", "Valor", "Código TUSS"], *rows]
    run = killed_and_resumed(tmp_path / "precos.csv", table, Procedure, "import_procedures", capsys)
    assert ClinicEvent.objects.filter(kind=ClinicEvent.Kind.DIRECTORY).count() == SET_UP
    assert Procedure.objects.values("code").distinct().count() == SET_UP
    taken_back(run, "import_procedures", SET_UP, capsys)
    assert not Procedure.objects.exists()


def test_killed_among_doctors_their_hours_come_once(clinic, tmp_path, capsys):
    make_procedure(clinic, name="Consulta")
    rows = [[f"Dra. Ana {number}", f"PE {number}", "Consulta", "seg-ter 8-12"] for number in range(1, SET_UP + 1)]
    table = [["Profissional", "CRM", "Procedimentos", "Horários"], *rows]
    run = killed_and_resumed(tmp_path / "equipe.csv", table, Doctor, "import_doctors", capsys)
    performed, hours = Doctor.procedures.through.objects, WorkingHours.objects
    assert (performed.count(), hours.count()) == (SET_UP, 2 * SET_UP)
    taken_back(run, "import_doctors", SET_UP, capsys)
    assert not Doctor.objects.exists() and not hours.exists() and not performed.exists()


def test_killed_among_past_visits_nothing_comes_twice(clinic, tmp_path, capsys):
    doctor = make_doctor(clinic, name="Dra. Helena Prado")
    procedure = doctor.procedures.get().name
    numbers = [make_patient(clinic).cpf for _ in range(20)]
    rows = [
        [f"{1 + place // 40 % 28:02}/{1 + place // 1120:02}/2024", f"{place % 40 // 4 + 8}:{place % 4 * 15:02}", number]
        for place in range(VISITS)
        for number in [numbers[place % 20]]
    ]
    headings = ["Data", "Hora", "CPF", "Médico", "Procedimento", "Duração"]
    table = [headings, *([*row, "Helena Prado", procedure, "15"] for row in rows)]
    run = killed_and_resumed(tmp_path / "agenda.csv", table, Appointment, "import_appointments", capsys)
    assert AppointmentEvent.objects.count() == VISITS
    with pytest.raises(CommandError, match="no such run"):
        call_command("import_patients", clinic="nova", take_back=run.pk)
    taken_back(run, "import_appointments", VISITS, capsys)
    assert not Appointment.objects.kept().exists() and AppointmentEvent.objects.count() == VISITS


def test_without_import_the_command_only_checks(clinic, tmp_path, capsys):
    path = tmp_path / "velho.csv"
    path.write_bytes(csv_bytes([["Quem", "Nasceu"], ["Ana", "03/25/1980"], ["Rui", "13/01/1980"]]))
    columns = ["Quem=name", "Nasceu=birth_date"]
    call_command("import_patients", path, clinic="nova", column=columns, month_first=["Nasceu"])
    assert "Novo: 1\n" in (printed := capsys.readouterr().out) and "Recusado: 1\n" in printed
    assert not Patient.objects.exists()


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "Name a file"),
        ({"file": "/nowhere.csv"}, "cannot be read"),
        ({"resume": 1}, "no such run"),
        ({"take_back": 1}, "no such run"),
        ({"column": ["Nada=name"]}, "no column 'Nada'"),
        ({"column": ["Nome="]}, "nome dos pacientes"),
    ],
)
def test_what_the_command_cannot_do_it_says(clinic, tmp_path, options, part):
    path = tmp_path / "velho.csv"
    path.write_bytes(csv_bytes([["Nome"], ["Ana"]]))
    file = [Path(options.pop("file"))] if "file" in options else [path] * bool(options.keys() & {"column"})
    with pytest.raises(CommandError, match=part):
        call_command("import_patients", *file, clinic="nova", **options)
