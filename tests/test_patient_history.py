"""Who changed which data of a patient, from what to what, through every entry point."""

from dataclasses import dataclass

import pytest
from django.db import Error, connection, transaction
from django.urls import reverse

from clinic.access import access_tokens
from clinic.models import Clinic, Patient, PatientEvent, StaffUser
from clinic.queries import patient_changes
from clinic.registry import PatientDetails, change_patient, register_patient
from tests.api.conftest import Program
from tests.booking.desk import BY
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_user,
    next_monday,
)
from tests.managed import url
from tests.web.patients import typed_of

pytestmark = pytest.mark.django_db
VALID = {"name": "Ana Luísa Prado", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "529.982.247-25"}
PHONES = {"browser": "(81) 98333-0001", "imagemais": "(81) 98333-0002", "admin": "(81) 98333-0003"}


@dataclass
class Desk:
    """`ask` is a program with a token that `user` has released."""

    clinic: Clinic
    user: StaffUser
    ask: Program


@pytest.fixture
def desk():
    clinic = make_clinic()
    master = make_master(clinic)
    _, token = access_tokens.release(clinic, master, channel="command")
    return Desk(clinic, master, Program(clinic, "/api", token))


def test_case_41_a_phone_changed_by_three_doors_is_three_rows(client, desk):
    patient = make_patient(desk.clinic, phone="+5581983330000")
    receptionist, manager = make_user(desk.clinic), make_manager(desk.clinic)

    client.force_login(receptionist)
    edit = reverse("web:patient-edit", args=[patient.pk])
    assert client.post(edit, typed_of(patient, phone=PHONES["browser"])).status_code == 302
    assert desk.ask("PATCH", f"/patients/{patient.pk}", {"phone": PHONES["imagemais"]}).status_code == 200
    client.force_login(manager)
    typed = typed_of(patient, phone=PHONES["admin"])
    assert client.post(url(Patient, "change", patient.pk), typed).status_code == 302

    rows = PatientEvent.objects.order_by("pk").values_list("channel", "user", "changes", "kind")
    numbers = ["+5581983330000", "+5581983330001", "+5581983330002", "+5581983330003"]
    pairs = [[before, after] for before, after in zip(numbers, numbers[1:], strict=False)]
    doors = [("browser", receptionist.pk), ("imagemais", desk.user.pk), ("admin", manager.pk)]
    assert list(rows) == [(*door, {"phone": pair}, "changed") for door, pair in zip(doors, pairs, strict=True)]

    card = client.get(reverse("web:patient-detail", args=[patient.pk])).text
    assert "Alterações da ficha" in card and "(81) 98333-0002" in card and "API ImageMais" in card


def test_changes_are_shown_as_people_write_them(desk, client):
    patient = make_patient(desk.clinic, cpf=None)
    details = {"second_phone": "(81) 98333-0007", "document_type": "passport", "document_number": "FX123456"}
    change_patient(patient.pk, details | {"no_document": "foreigner"}, clinic=desk.clinic, by=BY)
    (event,) = patient_changes.story(Patient.objects.select_related("clinic").get(pk=patient.pk))
    assert {change.after for change in event.changes} == {
        "(81) 98333-0007", "passaporte", "FX123456", "estrangeiro(a)",
    }  # fmt: skip


def test_a_new_patient_is_a_row_with_what_was_given(desk):
    created = desk.ask("POST", "/patients", VALID).json()
    event = PatientEvent.objects.get(patient=created["id"])
    assert event.kind == "registered" and event.credential.startswith("token ")
    assert event.changes == {
        "name": ["", "Ana Luísa Prado"],
        "phone": ["", "+5581999999999"],
        "birth_date": [None, "1990-01-01"],
        "cpf": ["", "52998224725"],
    }


def test_a_booking_that_adds_or_completes_a_patient_is_a_row():
    doctor = make_doctor(make_clinic())
    given = {"name": "Rita Lima", "phone": "(81) 98333-1010"}
    first = book_appointment(doctor, patient=None, details=PatientDetails(**given))
    later = next_monday(doctor.clinic, 11)
    book_appointment(doctor, patient=None, details=PatientDetails(**given, email="rita@example.com"), starts_at=later)
    rows = PatientEvent.objects.filter(patient=first.patient).order_by("pk").values_list("kind", "channel", "changes")
    assert [row[0] for row in rows] == ["registered", "changed"]
    assert rows[1][1:] == ("command", {"email": ["", "rita@example.com"]})


def test_a_save_without_a_change_is_no_row(desk, client):
    patient = make_patient(desk.clinic)
    client.force_login(make_user(desk.clinic))
    assert client.post(reverse("web:patient-edit", args=[patient.pk]), typed_of(patient)).status_code == 302
    assert not PatientEvent.objects.exists()


def test_changes_are_written_as_in_the_country():
    clinic = make_lisbon()
    details = PatientDetails(name="Inês Sá", phone="912 345 678")
    patient = register_patient(clinic, details, by=BY)
    [entry] = patient_changes.story(patient)
    assert [(change.before, change.after) for change in entry.changes][1] == ("vazio", "912 345 678")


@pytest.mark.parametrize(
    "statement", ["UPDATE clinic_patientevent SET changes = '{}'", "DELETE FROM clinic_patientevent"]
)
def test_postgresql_refuses_to_alter_the_history(desk, statement):
    desk.ask("POST", "/patients", VALID)
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
