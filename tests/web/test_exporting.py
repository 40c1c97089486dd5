"""Lists as files: with the filters of their page, harmless, for who may export, and on record."""

import errno
import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.urls import reverse
from django.utils import timezone

from clinic.booking import Author, WaitingWish, put_on_waiting_list
from clinic.models import Appointment, ClinicEvent, DataRequest, ImportRun, Patient, PatientAccess
from clinic.queries import exported
from clinic.registry import restrict
from clinic.server import uploads
from clinic.web.exporting import whole_clinic
from clinic.web.exporting.tables import TABLES
from tests.factories import (
    book_appointment,
    cpf,
    make_doctor,
    make_lisbon,
    make_manager,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
)
from tests.server.conftest import eventually

pytestmark = pytest.mark.django_db
FILLED = {
    "social_name": "Aninha",
    "phone": "+5581912345678",
    "phone_of": "mãe",
    "second_phone": "+351912345678",
    "guardian_name": "Rosa Lima",
    "guardian_relation": "mãe",
    "birth_date": date(1980, 3, 5),
    "cpf": cpf(1),
    "nif": "",
    "document_type": "passport",
    "document_number": "FX123456",
    "document_country": "Peru",
    "card_number": "0123X",
    "card_expires_on": date(2031, 3, 4),
    "accepts_whatsapp": False,
    "email": "a@example.org",
    "notes": 'linha um\nlinha "dois"; três',
    "alert": "=cuidado",
    "died": True,
    "died_on": date(2020, 3, 4),
}


def rows_of(client, name, **query):
    answer = client.get(reverse("web:export-csv", args=[name]), query)
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    return [line.split(";") for line in answer.content.decode("utf-8-sig").splitlines()]


@pytest.mark.parametrize("name", TABLES)
def test_every_list_is_a_file_of_both_kinds(client, manager, name):
    appointment = book_appointment(make_doctor(manager.clinic), patient=make_patient(manager.clinic, name="=cmd|x").pk)
    day = manager.clinic.local(appointment.starts_at).date()
    rows = rows_of(client, name, dia=f"{day}")
    answer = client.get(reverse("web:export-workbook", args=[name]), {"dia": f"{day}"})
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert [cell.value for cell in sheet[1]] == rows[0] and len(rows[0]) > 4
    if name in {"pacientes", "agenda", "confirmacoes"}:
        assert "'=cmd|x" in rows[1] and "'=cmd|x" in [cell.value for cell in sheet[2]]
        assert all(cell.data_type != "f" for cell in sheet[2])


def test_the_filters_of_the_page_are_those_of_the_file(client, manager):
    visits = [book_appointment(make_doctor(manager.clinic)) for _ in range(2)]
    day = f"{manager.clinic.local(visits[0].starts_at).date()}"
    assert len(rows_of(client, "agenda", dia=day)) == 3
    chosen = rows_of(client, "agenda", dia=day, medico=visits[1].doctor_id)
    assert [row[4] for row in chosen[1:]] == [visits[1].patient.display_name]
    assert len(rows_of(client, "agenda", dia="nada", medico="x")) >= 1


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_exported_patients_are_the_same_when_imported(client, manager, form, monkeypatch):
    monkeypatch.setattr(exported, "AT_ONCE", 1)
    clinic = manager.clinic
    payer = make_payer(clinic, name="Saúde Boa")
    make_patient(clinic, name="Ana Lima", payer=payer, **FILLED)
    make_patient(clinic, name="Só Nome", phone=None, cpf=None, birth_date=None)
    name = "web:export-csv" if form == "csv" else "web:export-workbook"
    content = client.get(reverse(name, args=["pacientes"])).content
    file = SimpleUploadedFile(f"pacientes.{form}", content)
    client.post(reverse("web:import-upload", args=[uploads.ticket(manager.pk)]), {"file": file})
    run = ImportRun.objects.get()
    assert "" not in run.columns
    fields = {f"column-{place}": field for place, field in enumerate(run.columns)}
    client.post(reverse("web:import-columns", args=[run.pk]), fields | {"known": "overwrite"})
    client.post(reverse("web:import-advance", args=[run.pk]))
    assert [(row.fate, row.changes, row.sentences) for row in run.rows.all()] == [("same", {}, [])] * 2


def test_a_clinic_of_portugal_reads_its_own_headings(client):
    manager = make_manager(make_lisbon())
    client.force_login(manager)
    make_patient(manager.clinic)
    content = client.get(reverse("web:export-csv", args=["pacientes"])).content
    file = SimpleUploadedFile("utentes.csv", content)
    client.post(reverse("web:import-upload", args=[uploads.ticket(manager.pk)]), {"file": file})
    assert "" not in ImportRun.objects.get().columns


def test_an_export_is_an_access_to_everyone_in_it(client, manager):
    patients = [make_patient(manager.clinic) for _ in range(3)]
    merged = make_patient(manager.clinic, cpf=None)
    Patient.objects.filter(pk=merged.pk).update(merged_into=patients[0])
    rows_of(client, "pacientes")
    seen = PatientAccess.objects.filter(page="web:export-csv", user=manager)
    assert sorted(seen.values_list("patient", flat=True)) == [patient.pk for patient in patients]


def test_receptionists_export_nothing(client):
    user = make_user()
    client.force_login(user)
    for name in ("web:export-csv", "web:export-workbook"):
        assert client.get(reverse(name, args=["pacientes"])).status_code == 403
    assert "exportar" not in client.get(reverse("web:patient-list")).content.decode()


@pytest.mark.parametrize("name", TABLES)
def test_the_switch_opens_every_list_but_that_of_all_patients(client, name):
    client.force_login(make_user(may_export=True))
    status = 403 if name == "pacientes" else 200
    assert client.get(reverse("web:export-csv", args=[name])).status_code == status
    assert client.get(reverse("web:export-workbook", args=[name])).status_code == status


def test_links_are_offered_to_who_may_follow_them(client):
    user = make_user(may_export=True)
    client.force_login(user)
    assert "/exportar/fila.csv" in client.get(reverse("web:queue")).text
    assert "exportar" not in client.get(reverse("web:patient-list")).text
    user.may_export = False
    user.save()
    assert "exportar" not in client.get(reverse("web:queue")).text


def test_an_unknown_list_is_not_found(client, manager):
    assert client.get(reverse("web:export-csv", args=["nada"])).status_code == 404


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("patient-list", "pacientes"),
        ("queue", "fila"),
        ("waiting-list", "fila-de-espera"),
        ("recall-list", "retornos"),
        ("memo-list", "recados"),
    ],
)
def test_a_page_offers_its_list_as_files(client, manager, page, name):
    text = client.get(reverse(f"web:{page}"), {"medico": 1}).content.decode()
    assert f"/exportar/{name}.csv" in text and f"/exportar/{name}.xlsx" in text


def test_pages_of_a_date_offer_that_date(client, manager):
    day = timezone.localdate() + timedelta(days=1)
    assert f"/exportar/confirmacoes.csv?dia={day}" in client.get(f"/confirmacoes/{day}/").content.decode()
    assert f"/exportar/agenda.xlsx?dia={day}" in client.get(f"/agenda/{day}/lista/").content.decode()


def test_the_waiting_list_of_a_doctor_is_that_of_the_file(client, manager):
    procedure = make_procedure(manager.clinic)
    one, other = (make_doctor(manager.clinic, procedures=[procedure]) for _ in range(2))
    for doctor, name in ((one, "Ana Lima"), (other, "Rui Alves")):
        patient = make_patient(manager.clinic, name=name)
        wish = WaitingWish(procedures=[procedure.pk], doctors=[doctor.pk])
        put_on_waiting_list(patient.pk, wish, clinic=manager.clinic, by=Author(channel="browser", user=manager))
    found = [row[0] for row in rows_of(client, "fila-de-espera", medico=one.pk)[1:]]
    assert found == ["Ana Lima"]
    assert len(rows_of(client, "fila-de-espera")) == 3
    page = client.get(reverse("web:waiting-list"), {"medico": one.pk}).content.decode()
    assert f"/exportar/fila-de-espera.csv?medico={one.pk}" in page


def test_an_unreadable_day_of_calls_is_the_next_one(client, manager):
    book_appointment(make_doctor(manager.clinic), patient=make_patient(manager.clinic, name="Ana Lima").pk)
    assert rows_of(client, "confirmacoes", dia="x") == rows_of(client, "confirmacoes")
    assert len(rows_of(client, "confirmacoes", dia="x")) == 2


def until_downloaded(client, address):
    """Returns when PostgreSQL has ended the session that held the lock of the archive before, and this one is read.

    One that is not read to its end holds its own session until Python collects it."""

    def is_downloaded():
        answer = client.post(address)
        return answer.streaming and b"".join(answer).startswith(b"PK")

    eventually(is_downloaded)


def test_a_manager_takes_the_whole_clinic_along(client, manager):
    patients = [make_patient(manager.clinic) for _ in range(2)]
    stranger = make_patient(make_lisbon())
    address = reverse("web:export-clinic")
    assert "2 pacientes" in client.get(address).content.decode()
    assert not ClinicEvent.objects.exists() and not PatientAccess.objects.exists()
    answer = client.post(address)
    content = b"".join(answer.streaming_content)
    assert "no-store" in answer["Cache-Control"] and int(answer["Content-Length"]) == len(content)
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{manager.clinic.slug}-20')
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = archive.read("tables/patient.jsonl").decode()
    assert all(patient.name in rows for patient in patients) and stranger.name not in rows
    event = ClinicEvent.objects.get()
    assert (event.kind, event.user, event.channel) == ("archive", manager, "browser")
    seen = PatientAccess.objects.filter(user=manager, page="web:export-clinic").values_list("patient", flat=True)
    assert sorted(seen) == [patient.pk for patient in patients]


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_export_lists_may_not_take_the_clinic(client, method):
    client.force_login(make_user(make_lisbon(), may_export=True))
    assert getattr(client, method)(reverse("web:export-clinic")).status_code == 403
    assert not ClinicEvent.objects.exists()


def test_a_clinic_is_taken_along_once_at_a_time(client, manager):
    address = reverse("web:export-clinic")
    first, second = client.post(address), client.post(address)
    assert second.status_code == 409 and "baixado em outra janela" in second.text
    assert b"".join(first.streaming_content).startswith(b"PK")
    until_downloaded(client, address)
    assert ClinicEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)  # an answer that is closed ends the request
@pytest.mark.parametrize("table", ["django_migrations", "clinic_clinicevent", "clinic_patientaccess"])
def test_an_archive_that_failed_can_be_asked_for_again(client, manager, table):
    """Even while something refers to the failure, and so to the lock and the file, as the first answer here."""

    def fail(execute, statement, *parameters):
        if table in statement:
            raise DatabaseError(table)
        return execute(statement, *parameters)

    make_patient(manager.clinic)
    address = reverse("web:export-clinic")
    client.raise_request_exception = False
    with connection.execute_wrapper(fail):
        first = client.post(address)
    assert first.status_code >= 500 and first.exc_info
    until_downloaded(client, address)


@pytest.mark.django_db(transaction=True)  # an answer that is closed ends the request
def test_an_archive_that_was_never_sent_is_made_again(client, manager):
    address = reverse("web:export-clinic")
    first = client.post(address)
    first.close()
    until_downloaded(client, address)


def full_disk():
    return Path("/dev/full").open("w+b")


def no_disk():
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("opened", [full_disk, no_disk])
def test_a_disk_without_room_is_a_sentence_on_the_page(client, manager, monkeypatch, opened):
    monkeypatch.setattr(whole_clinic, "unnamed_file", opened)
    answer = client.post(reverse("web:export-clinic"))
    assert answer.status_code == 409 and "disco do servidor" in answer.content.decode()
    assert not ClinicEvent.objects.exists()


def test_a_large_clinic_is_counted_in_thousands(client, manager):
    Patient.objects.bulk_create(Patient(clinic=manager.clinic, name=f"Ana {number}") for number in range(1001))
    assert "<b>1.001 pacientes</b>" in client.get(reverse("web:export-clinic")).text


def test_what_was_taken_back_is_not_counted(client, manager):
    """The rows of a trial import that stay, blank, for programs that keep a copy."""
    clinic = manager.clinic
    book_appointment(make_doctor(clinic), patient=make_patient(clinic).pk)
    blank, blocked, erased, merged = (make_patient(clinic, cpf=None, phone=None, birth_date=None) for _ in range(4))
    restrict(blocked.pk, reason="pediu", clinic=clinic, by=Author(channel="browser", user=manager))
    Patient.objects.filter(pk=merged.pk).update(merged_into=Patient.objects.first())
    gone = book_appointment(make_doctor(clinic), patient=blank.pk)
    Appointment.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    Patient.objects.filter(pk__in=[blank.pk, erased.pk]).update(blocked_at=timezone.now())
    DataRequest.objects.create(clinic=clinic, patient=erased, kind="deletion", reason="pediu", outcome="erased")
    page = client.get(reverse("web:export-clinic")).text
    assert "<b>2 pacientes</b>" in page and "<b>1 agendamento</b>" in page
