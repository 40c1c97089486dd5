"""What a browser's form sends is stored as it was typed, or refused at its field and shown again."""

from urllib.parse import quote

import pytest
from django.urls import reverse

from clinic.models import Appointment, Patient
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_user

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
ODD = {
    "a bell": "a%07b",
    "an escape": "a%1B%5B31m",
    "delete": "a%7F",
    "a high control": "a%C2%9D",
    "bytes of latin-1": "Jo%E3o",
    "half a pair": "a%ED%A0%80",
    "a lost letter": "a%EF%BF%BD",
}


@pytest.fixture
def desk(client):
    clinic = make_clinic()
    client.force_login(make_user(clinic))
    client.appointment = book_appointment(make_doctor(clinic), patient=make_patient(clinic, name="Ana").pk)
    return client


def posted(desk, name, body):
    return desk.post(reverse(f"web:{name}", args=[desk.appointment.pk]), body, content_type=FORM)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("field", ["name", "social_name", "notes"])
def test_patient_with_an_unstorable_character_is_not_saved(desk, field, odd):
    fields = {"name": "Bia", "phone": quote("(81) 98765-4321")} | {field: odd}
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    page = desk.post(reverse("web:patient-add"), body, content_type=FORM).text
    assert "caracteres que não podem ser gravados (U+" in page
    assert list(Patient.objects.values_list("name", flat=True)) == ["Ana"]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_notes_and_a_reason_with_such_a_character_are_not_saved(desk, odd):
    noted = posted(desk, "appointment-notes", f"notes={odd}&seen=")
    cancelled = posted(desk, "appointment-cancel", f"cancelled_by=patient&reason={odd}")
    assert "As observações têm caracteres que não podem ser gravados (U+" in noted.text
    assert "O motivo tem caracteres que não podem ser gravados (U+" in cancelled.text
    assert Appointment.objects.values_list("notes", "status").get() == ("", "scheduled")


def test_notes_are_stored_without_marks_of_direction(desk):
    posted(desk, "appointment-notes", f"notes={quote('10 mg\u202e \u2067\ufeff2x')}&seen=")
    assert Appointment.objects.get().notes == "10 mg 2x"


@pytest.mark.parametrize("typed", ["um\r\ndois", "a\tb", "👩🏽\u200d⚕️", "Joa\u0303o"], ids=ascii)
def test_other_notes_are_stored_as_they_were_typed(desk, typed):
    posted(desk, "appointment-notes", f"notes={quote(typed)}&seen=")
    assert Appointment.objects.get().notes == typed.replace("\r\n", "\n")
