"""A patient whose phone a program does not know: registered by the name alone, and shown as that everywhere."""

import html
import re
from datetime import time

import pytest
from django.core.management import call_command
from django.urls import reverse

from clinic.booking import Author, LineRequest, Proposal, book
from clinic.models import Absence, Appointment, Patient, PatientEvent
from clinic.queries import agenda
from clinic.refusals import Reason
from clinic.registry import PatientDetails, change_patient, details_of, register_patient
from tests.api.imagemais.conftest import MONDAY
from tests.booking.desk import refused
from tests.factories import cpf, make_manager, make_patient, make_user
from tests.web.patients import typed_of

HTMX = {"HX-Request": "true"}
BY = Author(channel="command", credential="tests")


@pytest.fixture
def ana(desk):
    answer = desk.ask("POST", "/patients", {"name": "Ana Souza"})
    assert answer.status_code == 201, answer.json()
    return Patient.objects.get(pk=answer.json()["id"])


@pytest.fixture
def booked(desk, ana):
    proposal = Proposal(
        clinic=desk.clinic,
        doctor=desk.doctor.pk,
        lines=(LineRequest(desk.procedures[0].pk),),
        starts_at=desk.clinic.instant(MONDAY, time(9)),
        patient=ana.pk,
    )
    return book(proposal, by=BY)


def text(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


@pytest.mark.parametrize(
    "more", [{}, {"phone": None}, {"contact": {}}, {"contact": {"phone": None}}, {"contact": None}]
)
def test_a_name_is_enough_to_be_registered(desk, more):
    answer = desk.ask("POST", "/patients", {"name": "Ana Souza"} | more)

    assert answer.status_code == 201
    stored = Patient.objects.get()
    expected = {"dateBirth": None, "id": stored.pk, "name": "Ana Souza", "cpf": None, "contact": {"phone": None}}
    assert answer.json() == expected
    assert (stored.phone, stored.phone_hash, stored.is_incomplete) == (None, "", True)
    assert "phone" not in PatientEvent.objects.get().changes


@pytest.mark.parametrize("phone", ["", " ", 5, "1"])
def test_a_phone_that_is_sent_must_be_one(desk, phone):
    assert desk.ask("POST", "/patients", {"name": "Ana Souza", "phone": phone}).status_code == 400


def test_nobody_is_recognised_by_a_name_alone(desk, ana):
    make_patient(desk.clinic, name="Ana Souza", cpf=None, birth_date=None)
    again = desk.ask("POST", "/patients", {"name": "Ana Souza"})
    booked = desk.book(patient=desk.patient(name="Ana Souza", cpf="123.456.789-00"))

    assert again.status_code == 201 and again.json()["id"] != ana.pk
    assert Appointment.objects.get(pk=booked).patient not in {ana}
    assert Patient.objects.filter(name="Ana Souza").count() == 4


def test_an_answer_without_a_phone_can_be_sent_back(desk, ana):
    read = desk.ask.get("/patients", name="Ana").json()[0]

    assert desk.ask("PATCH", f"/patients/{ana.pk}", read).json() == read
    changed = desk.ask("PATCH", f"/patients/{ana.pk}", {"contact": {"phone": "(81) 98888-1234"}})
    assert changed.json()["contact"] == {"phone": "(81) 98888-1234"}
    assert desk.ask("PATCH", f"/patients/{ana.pk}", {"phone": None}).status_code == 400


def test_the_patient_of_an_appointment_can_be_sent_back(desk, booked):
    address = f"/appointments/{booked.pk}"
    read = desk.ask.get(address).json()[0]["patient"]
    assert (read["contact"], read["dateBirth"]) == ({"phone": None}, None)

    answer = desk.ask("PATCH", address, {"patient": read})
    assert (answer.status_code, answer.json()[0]["patient"]) == (200, read), answer.json()
    known = {"name": "Ana Souza", "phone": "(81) 98888-1234", "dateBirth": "1990-02-03"}
    assert desk.ask("PATCH", address, {"patient": known}).status_code == 200
    assert desk.ask("PATCH", address, {"patient": read}).status_code == 400


def test_a_booking_by_the_cpf_fills_the_phone_and_its_hash(desk, ana):
    number = cpf(222_333_444)
    desk.ask("PATCH", f"/patients/{ana.pk}", {"cpf": number})
    desk.book(patient=desk.patient(name="Ana Souza", cpf=number))

    known = make_patient(desk.clinic, phone="+5581999999999")
    ana.refresh_from_db()
    assert (ana.phone.as_e164, ana.phone_hash) == ("+5581999999999", known.phone_hash)
    assert Appointment.objects.get().unverified_phone == ""


def test_a_search_by_phone_does_not_find_it(desk, ana):
    assert desk.ask.get("/patients", phone="9999").json() == []


def test_the_mivicall_api_answers_an_empty_hash(desk, booked, mivicall):
    program = mivicall(desk.clinic)
    (row,) = program.get("/appointments").json()["items"]
    assert row["patientPhoneHash"] == ""
    assert program.get("/patients", search="Ana").json()["items"][0]["patientPhoneHash"] == ""
    assert program.get(f"/patients/{'0' * 64}").status_code == 404


def test_the_desk_says_that_there_is_no_phone(desk, client, ana, booked):
    client.force_login(make_user(desk.clinic))
    pages = [
        client.get(reverse("web:patient-detail", args=[ana.pk])),
        client.get(reverse("web:appointment-detail", args=[booked.pk]), headers=HTMX),
        client.post(reverse("web:patient-search"), {"q": "ana souza"}, headers=HTMX),
        client.get(reverse("web:appointment-book", query={"paciente": ana.pk}), headers=HTMX),
        client.post(reverse("web:patient-check"), {"name": "Ana Souza", "phone": ""}, headers=HTMX),
    ]

    for page in pages:
        assert page.status_code == 200 and "sem telefone" in text(page), text(page)[:300]
        assert 'href="tel:' not in page.content.decode()
    assert "Falta: telefone, data de nascimento, CPF" in text(pages[0])
    assert client.get(reverse("web:appointment-book", query={"familia": booked.pk}), headers=HTMX).status_code == 200


def test_the_day_and_the_pending_ones_are_shown(desk, client, booked):
    client.force_login(make_user(desk.clinic))
    at = desk.clinic.day(MONDAY)
    Absence.objects.create(clinic=desk.clinic, doctor=desk.doctor, starts_at=at[0], ends_at=at[1], reason="férias")

    shown = agenda.day(desk.clinic, MONDAY, now=desk.clinic.day(MONDAY)[0])
    (card,) = (cell for hour in shown.hours for row in hour.rows for cell in row.cells if cell.kind == "card")
    page = client.get(reverse("web:pending-list"))
    assert "cadastro incompleto" in card.label
    assert "sem telefone" in text(page) and "wa.me" not in page.content.decode()


def test_the_form_saves_it_without_a_phone_and_with_one(desk, client, ana):
    client.force_login(make_user(desk.clinic))
    address = reverse("web:patient-edit", args=[ana.pk])

    assert client.post(address, typed_of(ana, name="Ana Prado")).status_code == 302
    assert client.post(address, typed_of(ana, phone="81 98888-1234")).status_code == 302
    assert "Informe um telefone" in client.post(address, typed_of(ana, phone="")).text
    ana.refresh_from_db()
    assert (ana.name, ana.phone.as_e164) == ("Ana Prado", "+5581988881234")


def test_the_desk_still_asks_for_a_phone(desk, ana):
    new = refused(register_patient, desk.clinic, PatientDetails(name="Rui Sá"), by=BY)
    assert new.reasons == {Reason.PHONE_MISSING}
    assert change_patient(ana.pk, {"email": "ana@exemplo.com"}, clinic=desk.clinic, by=BY).email
    assert details_of(ana).phone == ""


def test_the_admin_lists_and_changes_it(desk, client, ana):
    client.force_login(make_manager(desk.clinic))
    address = reverse("admin:clinic_patient_change", args=[ana.pk])

    assert client.get(reverse("admin:clinic_patient_changelist")).status_code == 200
    page = client.get(address)
    assert page.status_code == 200 and "None" not in page.text.partition('name="phone"')[2][:100]


def test_hashes_are_rewritten_around_it(desk, ana):
    Patient.objects.update(phone_hash="x")
    call_command("rehash_phones", verbosity=0)
    ana.refresh_from_db()
    assert ana.phone_hash == ""
