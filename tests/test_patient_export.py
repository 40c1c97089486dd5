"""One person's data as a page, a PDF and a file."""

import io
import json

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from clinic import exchange
from clinic.booking import merge_patients, undo_merge
from clinic.models import ApiKey, Patient, PatientAccess, PatientMerge, Receipt
from clinic.models.appointment import Appointment
from clinic.queries.patient_export import CHILDREN, NOT_EXPORTED, SECTIONS, as_json
from clinic.registry import Author, change_patient
from tests.exchange.sheets import csv_bytes
from tests.factories import make_clinic, make_lisbon, make_manager, make_master, make_patient, make_series, make_user
from tests.pdfs import text_of
from tests.web.patients import FINISHED, visit

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[make_clinic, make_lisbon], ids=["recife", "lisboa"])
def patient(request):
    patient = make_patient(request.param(), name="Zulmira Quixabeira", notes="prefere manhã")
    by = Author(channel="browser", user=make_manager(patient.clinic))
    change_patient(patient.pk, {"name": "Zulmira Sá Leitão", "accepts_whatsapp": True}, clinic=patient.clinic, by=by)
    booked = visit(patient, days=-2, status=FINISHED)
    Receipt.objects.create(clinic=patient.clinic, appointment=booked, method="pix", value=90)
    make_series(booked)
    return patient


def _of_a_patient():
    """Every model with a foreign key, at any distance, that leads to a patient."""
    models, found = list(apps.get_app_config("clinic").get_models()), {Patient}
    while new := {
        model
        for model in models
        if model not in found and any(field.related_model in found for field in model._meta.concrete_fields)
    }:
        found |= new
    return found


def test_every_model_of_a_patient_is_exported():
    """What a migration adds stands in the file, or on the list with a reason."""
    exported = {section.model for section in SECTIONS.values()}
    exported |= {child for children in CHILDREN.values() for child in children.values()}
    assert {model.__name__ for model in _of_a_patient() - exported} <= set(NOT_EXPORTED)
    assert all(NOT_EXPORTED.values())


def exported(client, patient):
    answer = client.get(reverse("web:privacy-export-file", args=[patient.pk]))
    assert answer.status_code == 200 and answer.streaming
    return json.loads(answer.getvalue())


def test_case_40_the_file_holds_everything(client, patient):
    client.force_login(make_manager(patient.clinic))
    client.get(reverse("web:patient-detail", args=[patient.pk]))
    found = exported(client, patient)
    assert (found["format"], found["version"]) == ("clinic-patient-export", 1)
    assert set(found["about"]) == {*SECTIONS, "programs"}
    assert found["records"][0]["name"] == "Zulmira Sá Leitão" and found["records"][0]["notes"] == "prefere manhã"
    assert found["former_names"][0]["name"] == "Zulmira Quixabeira"
    (booked,) = found["appointments"]
    assert booked["lines"][0]["procedure"] == "Ultrassom" and booked["receipts"][0]["value"] == "90.00"
    assert [event["kind"] for event in booked["events"]] == ["booked", *["status_changed"] * 3]
    assert len(found["series"]) == 1
    pages = [access["page"] for access in found["accesses"]]
    assert "web:patient-detail" in pages


def test_every_column_is_in_the_file(client, patient):
    client.force_login(make_manager(patient.clinic))
    found = exported(client, patient)
    columns = {field.name for field in Appointment._meta.concrete_fields} - {"clinic"}
    assert columns <= set(found["appointments"][0])


def test_an_export_is_an_access_itself(client, patient):
    user = make_manager(patient.clinic)
    client.force_login(user)
    exported(client, patient)
    row = PatientAccess.objects.get()
    assert (row.patient_id, row.user_id, row.page) == (patient.pk, user.pk, "web:privacy-export-file")


def test_the_page_and_the_pdf_say_the_same_in_words(client, patient):
    client.force_login(make_manager(patient.clinic))
    for view in ("privacy-export", "privacy-export-pdf"):
        text = text_of(client.get(reverse(f"web:{view}", args=[patient.pk])))
        for words in ("Zulmira Sá Leitão", "Zulmira Quixabeira", "prefere manhã", "Ultrassom", "Pix"):
            assert words in text


def test_merged_records_are_in_it(client, patient):
    other = make_patient(patient.clinic, name="Zulmira S. Leitão", notes="outra ficha")
    by = Author(channel="browser", user=make_manager(patient.clinic))
    merge_patients(patient.pk, other.pk, clinic=patient.clinic, by=by, sides={})
    client.force_login(make_manager(patient.clinic))
    found = exported(client, patient)
    assert {record["id"] for record in found["records"]} == {patient.pk, other.pk}
    assert len(found["merges"]) == 1


def test_of_a_merge_that_was_undone_nothing_is_in_it(client, patient):
    other = make_patient(patient.clinic, name="Zulmira S. Leitão", email="outra@example.org", notes="de outra pessoa")
    by = Author(channel="browser", user=make_manager(patient.clinic))
    merge_patients(patient.pk, other.pk, clinic=patient.clinic, by=by, sides={})
    undo_merge(PatientMerge.objects.get().pk, clinic=patient.clinic, by=by)
    client.force_login(make_manager(patient.clinic))
    for person, foreign in ((patient, "de outra pessoa"), (other, "prefere manhã")):
        file = client.get(reverse("web:privacy-export-file", args=[person.pk])).getvalue().decode()
        assert foreign not in file and json.loads(file)["merges"] == []
        kinds = {event["kind"] for event in json.loads(file)["changes"]}
        assert {"merged", "separated"} <= kinds
        assert foreign not in client.get(reverse("web:privacy-export", args=[person.pk])).text


def test_the_words_of_the_file_are_the_clinics(client, patient):
    client.force_login(make_manager(patient.clinic))
    with override(patient.clinic.language):
        expected = {key: str(section.about) for key, section in SECTIONS.items()}
    assert exported(client, patient)["about"].items() >= expected.items()
    if patient.clinic.country == "PT":
        with override("pt-br"):
            assert expected != {key: str(section.about) for key, section in SECTIONS.items()}


@pytest.mark.django_db(transaction=True)
def test_the_file_is_of_one_snapshot():
    patient = make_patient(make_clinic())
    parts = as_json(patient, timezone.now())
    next(parts)
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("repeatable read",)
    parts.close()
    assert not connection.in_atomic_block


def test_a_program_that_read_is_named(client, patient, settings):
    PatientAccess.objects.create(clinic=patient.clinic, patient=patient, credential="robô", page="GET /v1/patients")
    client.force_login(make_manager(patient.clinic))
    (program,) = exported(client, patient)["programs"]
    assert (program["name"], program["times"]) == ("robô", 1)
    assert not ApiKey.objects.exists()


def test_the_number_of_queries_does_not_grow(client, patient, django_assert_max_num_queries):
    client.force_login(make_manager(patient.clinic))
    for days in (-9, -8, -7, -6):
        visit(patient, days=days, status=FINISHED)
    with django_assert_max_num_queries(50):
        exported(client, patient)
    with django_assert_max_num_queries(70):
        client.get(reverse("web:privacy-export", args=[patient.pk]))


def test_the_desk_exports_nothing(client, patient):
    client.force_login(make_user(patient.clinic))
    for view in ("privacy-export", "privacy-export-file", "privacy-export-pdf"):
        assert client.get(reverse(f"web:{view}", args=[patient.pk])).status_code == 403
    assert "Exportar dados" not in client.get(reverse("web:patient-detail", args=[patient.pk])).text


def test_a_master_exports_by_a_command(patient, capsys):
    master, stranger = make_master(patient.clinic), make_master(make_clinic())
    sent = ["export_patient", "--clinic", patient.clinic.slug, "--patient", str(patient.pk), "--by"]
    with pytest.raises(CommandError):
        call_command(*sent, stranger.username)
    call_command(*sent, master.username)
    assert json.loads(capsys.readouterr().out)["records"][0]["id"] == patient.pk
    assert PatientAccess.objects.get().page == "command:export_patient"


def test_rows_of_spreadsheets_are_exported(client, patient):
    clinic, by = patient.clinic, Author(channel="browser", user=make_manager(patient.clinic))
    patient.refresh_from_db()
    rows = [["Nome", "Telefone", "E-mail"], [patient.name, str(patient.phone), "z@example.org"]]
    run = exchange.stage(io.BytesIO(csv_bytes(rows)), "velho.csv", clinic=clinic, by=by)
    exchange.choose_columns(run.pk, run.columns, month_first=[], overwrites=False, clinic=clinic)
    exchange.advance(run.pk, clinic=clinic, by=by, seconds=9)
    client.force_login(by.user)
    (row,) = exported(client, patient)["spreadsheets"]
    assert (row["cells"][2], row["number"]) == ("z@example.org", 2) and "keys" not in row
