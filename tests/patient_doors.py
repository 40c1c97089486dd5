"""The forms through which a patient is added, and a program of each API, for tests of the cases by number."""

import html

import pytest
from django.urls import reverse

from clinic.access import access_tokens, api_keys
from clinic.models import ApiKey
from tests.api.conftest import Program
from tests.factories import make_doctor, make_manager, make_master, make_procedure, make_user

HTMX = {"HX-Request": "true"}
PHONES = {"BR": "(81) 98888-7777", "PT": "912 345 678"}


def doctor_of(clinic):
    return clinic.doctor_set.first() or make_doctor(clinic, procedures=[make_procedure(clinic, name="Consulta")])


def on_the_patients_page(client, clinic, typed):
    client.force_login(make_user(clinic))
    return client.post(reverse("web:patient-add"), {"phone": PHONES[clinic.country]} | typed)


def in_the_panel(client, clinic, typed):
    client.force_login(make_user(clinic))
    doctor = doctor_of(clinic)
    when = {"date": "23/11/2026", "starts": "09:00", "is_new": "1", "phone": PHONES[clinic.country]}
    lines = {"doctor": doctor.pk, "procedure": doctor.procedures.get().pk}
    return client.post(reverse("web:appointment-book"), when | lines | typed, headers=HTMX)


def in_the_admin(client, clinic, typed):
    client.force_login(make_manager(clinic))
    return client.post(reverse("admin:clinic_patient_add"), {"phone": PHONES[clinic.country]} | typed)


DOORS = pytest.mark.parametrize(
    "door", [on_the_patients_page, in_the_panel, in_the_admin], ids=lambda door: door.__name__
)


def page_of(answer):
    return html.unescape(answer.content.decode())


def imagemais(clinic):
    return Program(clinic, "/api", access_tokens.release(clinic, make_master(clinic), channel="command")[1])


def mivicall(clinic):
    _, secret = api_keys.create(
        clinic,
        name="central",
        scopes=ApiKey.Scope.values,
        source=ApiKey.Source.VOICE_AI,
        is_live=True,
        by=None,
        channel="command",
    )
    return Program(clinic, "/v1", secret)
