"""A whole clinic as one file, and from it into an empty installation."""

import io
import json
import subprocess
import sys
import zipfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection
from django.db.models import Q
from django.urls import reverse

from clinic import exchange
from clinic.access import api_keys, staff_links
from clinic.exchange import archive
from clinic.exchange.archive import LEFT_OUT, LEFT_OUT_COLUMNS, TABLES, writing
from clinic.models import (
    Absence,
    Appointment,
    AppointmentEvent,
    Clinic,
    ClinicEvent,
    ClinicHoliday,
    Doctor,
    Patient,
    PatientAccess,
    Payer,
    ProcedurePrice,
    Recall,
    RowChange,
    StaffLink,
    StaffUser,
    WaitingEntry,
)
from clinic.models.staff_link import team_of
from clinic.queries.history import sentence_of_clinic
from clinic.registry import Author
from tests.exchange.sheets import csv_bytes
from tests.exchange.test_killed import ROOT, environment
from tests.factories import (
    book_appointment,
    cpf,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_payer,
    make_series,
    make_superuser,
    make_user,
)
from tests.locks import another_connection
from tests.server.conftest import eventually
from tests.test_row_changes import SECRET_NAMES
from tests.web.test_exporting import until_downloaded

MADE_AT = datetime(2026, 11, 30, 8, tzinfo=UTC)
# Tables of which a clinic may have no row for long.
SELDOM = {
    *("datarequest", "delay", "formername", "incident", "patientmerge", "payerdoctor", "pricerise", "prioritymark"),
    *("privacysettings", "receipt", "recallevent", "retentionrun", "roomcall", "unverified", "waitingevent", "consent"),
    *("confirmationcall", "clinicevent", "discount", "applieddiscount", "patientevent"),
}
of_a_run = pytest.mark.django_db(transaction=True)


def written(clinic):
    file = io.BytesIO()
    with closing(archive.ArchiveLock(clinic)) as lock:
        archive.write_archive(lock, file, MADE_AT)
    return file.getvalue()


def empty_installation():
    """As `migrate` leaves it."""
    tables = [model._meta.db_table for model in apps.get_app_config("clinic").get_models(include_auto_created=True)]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join({*tables})}, django_admin_log RESTART IDENTITY CASCADE")


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in parts.items():
            opened.writestr(name, content)
    return file.getvalue()


def rows_of(content, name):
    return [json.loads(line) for line in parts_of(content)[f"tables/{name}.jsonl"].splitlines()]


def read(content):
    return archive.read_archive(io.BytesIO(content))


def stored_rows():
    return {table.name: table.model._base_manager.count() for table in TABLES}


def in_thread(work):
    def closing():
        work()
        connection.close()

    thread = Thread(target=closing)
    thread.start()
    thread.join()


def with_rows(content, name, change):
    """The archive with the rows of a table changed, and counted again."""
    parts = parts_of(content)
    rows = [json.loads(line) for line in parts[f"tables/{name}.jsonl"].splitlines()]
    changed = change(rows)
    parts[f"tables/{name}.jsonl"] = "".join(json.dumps(row) + "\n" for row in changed).encode()
    manifest = json.loads(parts["archive.json"])
    manifest["tables"][name] = len(changed)
    return zipped(parts | {"archive.json": json.dumps(manifest).encode()})


def test_every_table_is_in_the_archive_or_has_a_reason():
    """A new table comes along by itself. If it lets people in, or passes, name it in LEFT_OUT."""
    tables = {model._meta.db_table for model in apps.get_app_config("clinic").get_models(include_auto_created=True)}
    left_out = [name for names in LEFT_OUT.values() for name in names]
    assert sorted([*left_out, *(table.stored_name for table in TABLES)]) == sorted(tables)
    for table in TABLES:
        columns = {field.column for field in table.model._meta.concrete_fields}
        assert LEFT_OUT_COLUMNS.get(table.stored_name, set()) <= columns


def test_no_column_holds_a_secret():
    secret = {
        f"{table.name}.{column}" for table in TABLES for column in table.columns
        if any(part in column for part in SECRET_NAMES)
    }  # fmt: skip
    assert secret == {"appointment.authorization_password"}  # a plan's word for one visit


def test_what_a_row_names_is_in_the_archive_too():
    here = {table.model for table in TABLES}
    lost = [
        f"{table.name}.{field.column}" for table in TABLES for field in table.fields
        if field.is_relation and field.related_model._meta.concrete_model not in here
    ]  # fmt: skip
    assert lost == []


def fill_what_the_demo_leaves_empty(clinic):
    """Rows of the tables that people write into less often."""
    by = Author("browser", user=StaffUser.objects.of(clinic).filter(role="master").get())
    doctor, patient = Doctor.objects.of(clinic).first(), make_patient(clinic, name='Zé "da" \\ Silva\t–\u2028 ñ')
    procedure = doctor.procedures.first()
    entry = WaitingEntry.objects.create(clinic=clinic, patient=patient)
    entry.doctors.add(doctor)
    entry.procedures.add(procedure)
    visit = Appointment.objects.of(clinic).filter(status="scheduled").first()
    make_series(visit)
    Recall.objects.create(
        clinic=clinic, patient=visit.patient, appointment=visit, procedure=procedure, due_on="2027-01-02"
    )
    payer = Payer.objects.of(clinic).first() or make_payer(clinic)
    ProcedurePrice.objects.create(
        clinic=clinic, procedure=procedure, payer=payer, price="80.10", valid_from="2026-12-01"
    )
    holiday = ClinicHoliday.objects.create(clinic=clinic, falls_on="24/12", name="Véspera", kind="opens")
    holiday.doctors.add(doctor)
    Absence.objects.create(
        clinic=clinic, doctor=doctor, starts_at=MADE_AT, ends_at=MADE_AT + timedelta(days=900), reason="férias"
    )
    doctor.procedures.remove(procedure)
    file = io.BytesIO(csv_bytes([["Nome", "CPF"], ["Novo Costa", cpf(77)]]))
    run = exchange.stage(file, "velho.csv", clinic=clinic, by=by)
    exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=False, clinic=clinic)
    exchange.advance(run.pk, clinic=clinic, by=by, seconds=5)


@of_a_run
@pytest.mark.parametrize("slug", ["recife", "lisboa"])
def test_a_clinic_goes_round_without_a_byte_changed(slug, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "AT_ONCE", 7)
    settings.DATA_DIR = tmp_path / "data"
    call_command("seed_demo", past_weeks=1, coming_weeks=1, verbosity=0)
    clinic = Clinic.objects.get(slug=slug)
    fill_what_the_demo_leaves_empty(clinic)
    first = written(clinic)
    before = {table.name: len(rows_of(first, table.name)) for table in TABLES}
    assert {name for name, count in before.items() if not count} <= SELDOM, before
    empty_installation()
    brought = read(first)
    for user in StaffUser.objects.filter(pk__in=brought.team):
        staff_links.invite_again(user, clinic=brought.clinic, by=None)
    assert brought.clinic.slug == slug and brought.made_at == MADE_AT and brought.team
    assert stored_rows() == before | {"rowchange": RowChange.objects.count()}
    assert written(brought.clinic) == first


@of_a_run
def test_ids_go_on_and_triggers_work_again():
    doctor = make_doctor(make_clinic())
    appointment = book_appointment(doctor)
    changed_at = Appointment.objects.get().changed_at
    content = written(doctor.clinic)
    empty_installation()
    clinic = read(content).clinic
    again = Appointment.objects.get()
    assert (again.pk, again.uuid, again.changed_at) == (appointment.pk, appointment.uuid, changed_at)
    changes = RowChange.objects.count()
    assert make_patient(clinic).pk > again.patient_id
    assert make_doctor(clinic).pk > doctor.pk
    assert RowChange.objects.count() > changes
    with pytest.raises(Exception, match="append-only"):
        AppointmentEvent.objects.all().delete()


@of_a_run
def test_only_one_clinic_of_several_goes_along():
    doctor, other = make_doctor(make_clinic()), make_doctor(make_lisbon())
    book_appointment(doctor)
    book_appointment(other)
    content = written(doctor.clinic)
    for table in TABLES:
        for row in rows_of(content, table.name):
            assert row.get("clinic_id", doctor.clinic_id) == doctor.clinic_id, table.name
    assert [row["id"] for row in rows_of(content, "doctor_procedures")] == list(
        doctor.procedures.through.objects.filter(doctor=doctor).values_list("pk", flat=True)
    )
    empty_installation()
    read(content)
    assert list(Clinic.objects.all()) == [doctor.clinic]


@of_a_run
def test_staff_come_along_as_names_and_nobody_can_sign_in(capsys, tmp_path):
    clinic = make_clinic(slug="boa")
    master, superuser = make_master(clinic, name="Bia Reis", password="segredo-de-bia"), make_superuser(name="Sol")
    of_key = {"name": "central", "scopes": ["directory:read"], "source": "voice_ai", "is_live": True}
    api_keys.create(clinic, **of_key, by=master, channel="browser")
    stranger = make_user(make_lisbon(), name="De fora")
    ClinicEvent.objects.create(clinic=clinic, kind="absence", channel="browser", user=superuser)
    path = tmp_path / "boa.zip"
    call_command("export_clinic", "boa", str(path), by=master.username)
    assert "rows" in capsys.readouterr().out and path.stat().st_mode & 0o777 == 0o600
    content = path.read_bytes()
    everything = b"".join(parts_of(content).values()).decode()
    assert "segredo" not in everything and "argon2" not in everything and stranger.name not in everything
    assert [(row["name"], row["role"]) for row in rows_of(content, "staffuser")] == [
        ("Bia Reis", "master"), ("Sol", "receptionist"),
    ]  # fmt: skip
    empty_installation()
    call_command("import_clinic", str(path), url="https://x.test/")
    printed = capsys.readouterr().out
    assert "Bia Reis (master): https://x.test/acesso/" in printed and "Sol" not in printed
    assert not StaffUser.objects.filter(Q(is_active=True) | Q(is_superuser=True)).exists()
    secret = printed.split("/acesso/")[1].split("/")[0]
    assert staff_links.open_link(secret).user.name == "Bia Reis"
    assert StaffLink.objects.count() == 1
    [event] = ClinicEvent.objects.filter(kind="archive")
    assert sentence_of_clinic(event).startswith("A clínica veio de um arquivo de ")


@of_a_run
def test_the_team_is_invited_and_who_left_is_not(capsys, tmp_path):
    clinic = make_clinic(slug="boa")
    master = make_master(clinic, name="Bia Reis", username="bia.entra")
    left = make_manager(clinic, name="Foi Embora", username="foi.embora", is_active=False)
    link, _secret = staff_links.invite(clinic, by=master, name="Não Veio", role="manager")
    staff_links.revoke(link.pk, clinic=clinic, by=master)
    staff_links.invite(clinic, by=master, name="Vem Logo", role="receptionist")
    path = tmp_path / "boa.zip"
    call_command("export_clinic", "boa", str(path), by=master.username, verbosity=0)
    everything = b"".join(parts_of(path.read_bytes()).values()).decode()
    names = StaffUser.objects.values_list("username", flat=True)
    assert len(names) == 4 and not [name for name in names if name in everything]
    empty_installation()
    call_command("import_clinic", str(path), url="https://x.test/", verbosity=0)
    printed = capsys.readouterr().out
    assert "Bia Reis (master)" in printed and "1 more are invited" in printed
    assert printed.count("/acesso/") == 1
    invited = team_of(Clinic.objects.get()).order_by("pk").values_list("name", flat=True)
    assert list(invited) == ["Bia Reis", "Vem Logo"]
    assert StaffUser.objects.get(pk=left.pk).role == "manager"


@contextmanager
def no_links():
    """As a database that fails at the last step."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clinic_stafflink ADD CONSTRAINT no_links CHECK (false)")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE clinic_stafflink DROP CONSTRAINT no_links")


@of_a_run
def test_an_import_whose_links_fail_leaves_nothing(tmp_path):
    clinic = make_clinic(slug="boa")
    path, master = tmp_path / "boa.zip", make_master(clinic)
    call_command("export_clinic", "boa", str(path), by=master.username, verbosity=0)
    empty_installation()
    with no_links(), pytest.raises(IntegrityError, match="no_links"):
        call_command("import_clinic", str(path), verbosity=0)
    assert not any(stored_rows().values())


@of_a_run
def test_an_export_that_fails_is_not_recorded(tmp_path):
    clinic = make_clinic(slug="boa")
    make_patient(clinic)
    master = make_master(clinic)
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_clinic", "boa", str(tmp_path / "no" / "boa.zip"), by=master.username)
    assert not ClinicEvent.objects.exists() and not PatientAccess.objects.exists()


@of_a_run
def test_an_export_is_in_the_audit_and_an_access_to_all(tmp_path):
    clinic = make_clinic(slug="boa")
    patients, master = [make_patient(clinic) for _ in range(3)], make_master(clinic)
    call_command("export_clinic", "boa", str(tmp_path / "boa.zip"), by=master.username, verbosity=0)
    seen = PatientAccess.objects.filter(user=master, page="command:export_clinic").values_list("patient", flat=True)
    assert sorted(seen) == [patient.pk for patient in patients]
    event = ClinicEvent.objects.get()
    assert (event.user, sentence_of_clinic(event)) == (master, "A clínica inteira foi exportada.")
    assert rows_of((tmp_path / "boa.zip").read_bytes(), "clinicevent") == []


@of_a_run
def test_rows_are_of_one_snapshot():
    clinic = make_clinic()
    make_patient(clinic)

    added = []

    class Slow(io.BytesIO):
        def write(self, content):
            if not added:
                added.append(None)
                in_thread(lambda: make_patient(clinic, name="Depois"))
            return super().write(content)

    file = Slow()
    with closing(archive.ArchiveLock(clinic)) as lock:
        archive.write_archive(lock, file, MADE_AT)
    assert len(rows_of(file.getvalue(), "patient")) == 1
    assert Patient.objects.filter(name="Depois").count() == 1


def of_another_version(content):
    parts = parts_of(content)
    manifest = json.loads(parts["archive.json"]) | {"schema": "0001_initial"}
    return zipped(parts | {"archive.json": json.dumps(manifest).encode()})


def with_another_byte(content):
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        part = opened.getinfo("tables/patient.jsonl")
    place = part.header_offset + 80 + part.compress_size // 2
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


def without(name):
    return lambda content: zipped({key: part for key, part in parts_of(content).items() if key != name})


def with_part(name, part):
    return lambda content: zipped(parts_of(content) | {name: part})


def changed(table, **values):
    return lambda content: with_rows(content, table, lambda rows: [row | values for row in rows])


BAD = {
    "empty": (lambda content: b"", "damaged"),
    "no zip": (lambda content: b"Nome;Telefone\n", "damaged"),
    "cut off": (lambda content: content[: len(content) // 2], "damaged"),
    "a byte changed": (with_another_byte, "damaged"),
    "a spreadsheet": (lambda content: zipped({"content.xml": b"<x/>"}), "no archive of a clinic"),
    "no manifest": (without("archive.json"), "no archive.json"),
    "a manifest that is none": (with_part("archive.json", b"[]"), "cannot be read"),
    "another version": (of_another_version, "0001_initial"),
    "a table is missing": (without("tables/patient.jsonl"), "tables/patient.jsonl"),
    "a part too many": (with_part("tables/../x", b""), "tables/../x"),
    "a bomb": (with_part("tables/patient.jsonl", b"0" * 5_000_000), "far larger"),
    "a row cut off": (with_part("tables/patient.jsonl", b'{"id": 1, '), "is no JSON"),
    "rows that are missing": (with_part("tables/patient.jsonl", b""), "has 0 rows"),
    "another column": (changed("patient", is_admin=True), "other columns"),
    "a patient who is not there": (changed("appointment", patient_id=999_999), "is not there: appointment, "),
    "another clinic": (changed("patient", clinic_id=999_999), "is not there: patient, "),
    "a status that does not exist": (changed("appointment", status="gone"), "tables/appointment.jsonl: appointment, "),
    "a date that is none": (changed("patient", birth_date="2026-02-31"), "tables/patient.jsonl: "),
    "a text with a NUL": (changed("patient", name="a\0b"), "tables/patient.jsonl: "),
    "a row twice": (lambda content: with_rows(content, "patient", lambda rows: rows * 2), "patient, "),
    "two clinics": (
        lambda content: with_rows(
            content, "clinic", lambda rows: [*rows, rows[0] | {"id": 999, "slug": "x", "uuid": None}]
        ),
        "tables/clinic.jsonl",
    ),
    "a name without an end": (changed("patient", name="x" * 2000), "tables/patient.jsonl: "),
}  # fmt: skip


@of_a_run
def test_what_is_no_archive_is_refused_and_nothing_written(tmp_path):
    doctor = make_doctor(make_clinic())
    book_appointment(doctor)
    good, path = written(doctor.clinic), tmp_path / "x.zip"
    empty_installation()
    for about, (tamper, sentence) in BAD.items():
        path.write_bytes(tamper(good))
        with pytest.raises(CommandError, match="Nothing was written.*") as refused:
            call_command("import_clinic", str(path))
        assert sentence in str(refused.value), (about, str(refused.value))
        assert not any(stored_rows().values()), about
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_clinic", str(tmp_path / "none.zip"))
    read(good)
    with pytest.raises(archive.ArchiveRefused, match="not empty"):
        read(good)
    assert Appointment.objects.count() == 1


@of_a_run
def test_an_installation_with_a_user_is_not_empty():
    clinic = make_clinic()
    content = written(clinic)
    empty_installation()
    make_superuser()
    with pytest.raises(archive.ArchiveRefused, match="not empty"):
        read(content)
    assert not Clinic.objects.exists()


@of_a_run
def test_two_archives_of_a_clinic_are_not_written_at_once():
    clinic = make_clinic()
    refusals = []

    class Second(io.BytesIO):
        def write(self, content):
            if not refusals:
                refusals.append(None)
                in_thread(lambda: refusals.append(_refused(clinic)))
            return super().write(content)

    with closing(archive.ArchiveLock(clinic)) as lock:
        archive.write_archive(lock, Second(), MADE_AT)
    assert refusals == [None, True]
    assert written(clinic)


HOLDING = """
import sys
from clinic.exchange.archive import ArchiveLock
from clinic.models import Clinic
lock = ArchiveLock(Clinic.objects.get(slug="boa"))
print("held", flush=True)
sys.stdin.read()
"""


@of_a_run
def test_of_two_processes_one_has_the_archive_of_a_clinic(client):
    manager = make_manager(make_clinic(slug="boa"))
    client.force_login(manager)
    address = reverse("web:export-clinic")
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", HOLDING]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        answer = client.post(address)
        assert answer.status_code == 409 and "por outra pessoa" in answer.text
        assert written(make_clinic(slug="outra"))
        process.kill()
    until_downloaded(client, address)


@of_a_run
@pytest.mark.parametrize("name", ["idle_in_transaction_session_timeout", "transaction_timeout"])
def test_the_lock_of_an_archive_outlives_the_servers_limits(monkeypatch, name):
    """PostgreSQL ends transactions by these, and a download leaves that of its lock idle for long."""
    if name not in _settings():
        pytest.skip(f"This PostgreSQL has no {name}.")
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "options", f"-c {name}=500ms")
    clinic = make_clinic()
    with closing(archive.ArchiveLock(clinic)), closing(another_connection()) as idle:
        idle.execute("SELECT 1")
        eventually(lambda: not _is_connected(idle.info.backend_pid))
        assert _refused(clinic)


def _settings():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings")
        return {name for (name,) in cursor.fetchall()}


@of_a_run
def test_a_lock_that_fails_leaves_no_session(monkeypatch):
    monkeypatch.setattr(archive.lock, "LOCK_SQL", "SELECT 1 / 0 * %s")
    before = _sessions()
    with pytest.raises(DatabaseError) as failure:
        archive.ArchiveLock(make_clinic())
    eventually(lambda: _sessions() == before)
    assert failure.traceback, "it still refers to the lock"


def _sessions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


def _is_connected(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone() is not None


def _refused(clinic):
    with pytest.raises(archive.BeingWritten):
        written(clinic)
    return True


@pytest.mark.django_db
def test_the_text_says_what_each_column_is():
    text = parts_of(written(make_lisbon(name="Clínica do Tejo")))["LEIA-ME.txt"].decode()
    assert "Clínica do Tejo" in text and "Europe/Lisbon" in text and "EUR" in text
    assert "  starts_at: instante em UTC; início" in text and "  patient_id: id em patient" in text
    assert "password" not in text.replace("authorization_password", "")
