"""A patient's alert is seen wherever the patient is chosen or shown."""

import pytest
from django.urls import reverse

from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_user

pytestmark = pytest.mark.django_db

ALERT = "alérgica a lidocaína <b>!"
SHOWN = "alérgica a lidocaína &lt;b&gt;!"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def patient(clinic):
    return make_patient(clinic, name="Ana Souza", alert=ALERT)


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic))
    return client


def test_the_form_stores_an_alert_of_one_line(desk, patient):
    address = reverse("web:patient-edit", args=[patient.pk])
    form = desk.get(address).context["form"]
    typed = form.initial | {"alert": "  vem de\tcadeira  de rodas ", "version": form.version}
    assert desk.post(address, typed)["Location"]
    patient.refresh_from_db()
    assert patient.alert == "vem de cadeira de rodas"


@pytest.mark.parametrize(
    "address",
    [
        lambda patient, appointment: reverse("web:patient-detail", args=[patient.pk]),
        lambda patient, appointment: reverse("web:appointment-detail", args=[appointment.pk]),
        lambda patient, appointment: reverse("web:appointment-book") + f"?paciente={patient.pk}",
        lambda patient, appointment: reverse(
            "web:agenda-day", args=[appointment.clinic.local(appointment.starts_at).date()]
        ),
    ],
    ids=["patient", "appointment", "booking", "day"],
)
def test_the_alert_is_on_the_page(desk, clinic, patient, address):
    appointment = book_appointment(make_doctor(clinic), patient=patient.pk)
    page = desk.get(address(patient, appointment)).text
    assert SHOWN in page and ALERT not in page


def test_the_alert_is_beside_the_name_that_is_searched(desk, patient):
    assert SHOWN in desk.post(reverse("web:patient-search"), {"q": "ana"}, headers=HTMX).text
