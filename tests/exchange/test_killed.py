"""The command killed in the middle of an import, and resumed: nothing twice, nothing lost."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from clinic.models import Appointment, AppointmentEvent, ImportRun, Patient, PatientEvent
from tests.exchange.sheets import csv_bytes
from tests.factories import cpf, make_clinic, make_doctor, make_patient
from tests.server.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
ROWS, VISITS = 3000, 3000


@pytest.fixture
def clinic():
    return make_clinic(slug="nova")


def begun(path, name="import_patients"):
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    command = [sys.executable, "manage.py", name, str(path), "--clinic", "nova", "--import"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.DEVNULL)


def test_a_killed_import_goes_on_where_it_stood(clinic, tmp_path, capsys):
    path = tmp_path / "velho.csv"
    rows = [[f"Pessoa {number}", f"81 9{80000000 + number}", cpf(number)] for number in range(1, ROWS + 1)]
    path.write_bytes(csv_bytes([["Nome", "Telefone", "CPF"], *rows]))
    process = begun(path)
    eventually(Patient.objects.exists, 300)
    process.kill()
    assert process.wait() == -9
    run = ImportRun.objects.get()
    assert run.state == "importing" and 0 < Patient.objects.count() < ROWS
    call_command("import_patients", clinic="nova", resume=run.pk)
    printed = capsys.readouterr().out
    assert re.search(rf"Novo: {ROWS}\n", printed), printed
    assert Patient.objects.count() == PatientEvent.objects.count() == ROWS
    assert Patient.objects.values("cpf").distinct().count() == ROWS
    call_command("import_patients", clinic="nova", take_back=run.pk)
    assert f"Desfeito: {ROWS}" in capsys.readouterr().out
    assert not Patient.objects.exists() and not PatientEvent.objects.exists()


def test_killed_among_past_visits_nothing_comes_twice(clinic, tmp_path, capsys):
    doctor = make_doctor(clinic, name="Dra. Helena Prado")
    procedure = doctor.procedures.get().name
    numbers = [make_patient(clinic).cpf for _ in range(20)]
    rows = [
        [f"{1 + place // 40 % 28:02}/{1 + place // 1120:02}/2024", f"{place % 40 // 4 + 8}:{place % 4 * 15:02}", number]
        for place in range(VISITS)
        for number in [numbers[place % 20]]
    ]
    path = tmp_path / "agenda.csv"
    headings = ["Data", "Hora", "CPF", "Médico", "Procedimento", "Duração"]
    path.write_bytes(csv_bytes([headings, *([*row, "Helena Prado", procedure, "15"] for row in rows)]))
    process = begun(path, "import_appointments")
    eventually(Appointment.objects.exists, 300)
    process.kill()
    assert process.wait() == -9
    run = ImportRun.objects.get()
    assert run.state == "importing" and 0 < Appointment.objects.count() < VISITS
    call_command("import_appointments", clinic="nova", resume=run.pk)
    assert re.search(rf"Novo: {VISITS}\n", printed := capsys.readouterr().out), printed
    assert Appointment.objects.count() == AppointmentEvent.objects.count() == VISITS
    with pytest.raises(CommandError, match="no such run"):
        call_command("import_patients", clinic="nova", take_back=run.pk)
    call_command("import_appointments", clinic="nova", take_back=run.pk)
    assert f"Desfeito: {VISITS}" in capsys.readouterr().out
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
