"""What was sent of a known patient and differs from the stored data: shown at the desk, used or discarded there."""

import html
import re
from datetime import date, timedelta
from threading import Thread

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from clinic.models import Appointment, AppointmentEvent, Patient, PatientEvent
from clinic.queries import agenda
from clinic.registry import Policy, change_patient, redact_patient
from tests.booking.desk import BY, details, open_desk
from tests.factories import book_appointment, make_clinic, make_doctor, make_lisbon, make_patient, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NEW = "+5581933334444"
OLD = "+5581998765432"


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def carla(desk):
    return make_patient(desk.clinic, name="Carla Nunes", phone=OLD)


@pytest.fixture
def browser(client, desk):
    client.force_login(make_user(desk.clinic))
    return client


def sent(desk, patient, **changes):
    """An appointment that a program booked for the patient's CPF with other data."""
    typed = details(**{"name": patient.name, "phone": OLD, "cpf": patient.cpf} | changes)
    return desk.book(details=typed, policy=Policy.LENIENT, source="sync_external")


def kept(appointment):
    appointment.refresh_from_db()
    return appointment.unverified_name, appointment.unverified_phone, appointment.unverified_birth_date


def page(client, appointment):
    return client.get(reverse("web:appointment-detail", args=[appointment.pk]), headers=HTMX)


def text(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def press(client, act, appointment, field="phone", **changes):
    """Post what the page's form for this field has, as the button does."""
    shown = page(client, appointment).content.decode()
    forms = re.findall(r'<form class="unverified".*?</form>', shown, re.DOTALL)
    hidden = [dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) for form in forms]
    fields = next((one for one in hidden if one["field"] == field), {"field": field})
    return client.post(reverse(f"web:appointment-{act}", args=[appointment.pk]), fields | changes, headers=HTMX)


# What is kept


def test_another_phone_and_another_name_are_kept_where_a_cpf_matches(desk, carla):
    booked = sent(desk, carla, name="Pedro Costa", phone="(81) 93333-4444")

    assert booked.patient == carla
    assert kept(booked) == ("Pedro Costa", NEW, None)
    carla.refresh_from_db()
    assert (carla.name, carla.phone.as_e164) == ("Carla Nunes", OLD)


@pytest.mark.parametrize("name", ["CARLA  NUNES", "Cárla nunes", "Carlanunes", "Carlinha"])
def test_what_differs_by_spelling_alone_is_not_kept(desk, carla, name):
    Patient.objects.filter(pk=carla.pk).update(social_name="Carlinha", second_phone=NEW)

    assert kept(sent(desk, carla, name=name, phone=NEW)) == ("", "", None)


def test_the_ninth_digit_makes_no_other_phone(desk):
    patient = make_patient(desk.clinic, phone="+5581988887777")

    assert kept(sent(desk, patient, phone="+558188887777")) == ("", "", None)


def test_a_new_patient_and_filled_blanks_leave_nothing_to_confirm(desk):
    blank = make_patient(desk.clinic, name="Carla Nunes", phone=OLD, birth_date=None)

    assert kept(sent(desk, blank, birth_date=date(1990, 1, 1))) == ("", "", None)
    assert kept(desk.book(details=details(), starts_at=desk.at(10))) == ("", "", None)


def test_another_birth_date_of_a_health_number_is_kept(desk):
    patient = make_patient(desk.clinic, name="Carla Nunes", health_number="123456789", cpf=None)
    typed = details(name="Carla Nunes", health_number="123456789", birth_date=date(1990, 1, 2), phone=NEW)

    assert kept(desk.book(details=typed)) == ("", NEW, date(1990, 1, 2))
    assert Appointment.objects.get().patient == patient


# What is shown


def test_the_panel_names_each_value_and_the_day_that_there_are_some(browser, desk, carla):
    booked = sent(desk, carla, name="Pedro Costa", phone=NEW)

    shown = text(page(browser, booked))
    assert "telefone a confirmar: (81) 93333-4444" in shown and "nome a confirmar: Pedro Costa" in shown
    (card,) = cards(desk)
    assert "dados a confirmar" in card.label and "Pedro" not in card.label


def test_the_day_names_the_one_field_that_is_to_be_confirmed(desk, carla):
    sent(desk, carla, phone=NEW)

    assert "telefone a confirmar" in cards(desk)[0].label


def cards(desk):
    shown = agenda.day(desk.clinic, desk.now.date(), now=desk.now)
    return [cell for hour in shown.hours for row in hour.rows for cell in row.cells if cell.kind == "card"]


@pytest.mark.parametrize(
    "changes", [{"phone": NEW, "name": "PEDRO costa"}, {"second_phone": NEW, "social_name": "Pedro Costa"}]
)
def test_what_the_patient_has_by_now_is_no_longer_shown(browser, desk, carla, changes):
    booked = sent(desk, carla, name="Pedro Costa", phone=NEW)
    change_patient(carla.pk, changes, clinic=desk.clinic, by=BY)

    assert "a confirmar" not in text(page(browser, booked)) + cards(desk)[0].label


# What is decided


def test_a_used_phone_is_rung_and_the_former_one_is_the_second(browser, desk, carla):
    Patient.objects.filter(pk=carla.pk).update(phone_of="mãe")
    booked = sent(desk, carla, phone=NEW)

    answer = press(browser, "use", booked)

    assert answer.status_code == 200 and "telefone a confirmar" not in text(answer)
    assert "O telefone anterior passou a ser o segundo." in text(answer)
    carla.refresh_from_db()
    assert (carla.phone.as_e164, carla.phone_of, carla.second_phone, carla.second_phone_of) == (NEW, "", OLD, "mãe")
    assert kept(booked) == ("", "", None)
    event = PatientEvent.objects.filter(patient=carla).latest("pk")
    assert event.user == browser_user(browser) and event.changes["phone"] == [OLD, NEW]
    assert "Usado na ficha: +55 81 93333-4444" in text(answer)


def browser_user(client):
    return AppointmentEvent.objects.latest("pk").user


def test_a_second_phone_that_is_there_stays(browser, desk, carla):
    Patient.objects.filter(pk=carla.pk).update(second_phone="+5581977776666")

    press(browser, "use", sent(desk, carla, phone=NEW))

    carla.refresh_from_db()
    assert (carla.phone.as_e164, carla.second_phone) == (NEW, "+5581977776666")


def test_a_used_name_and_birth_date_are_the_patients(browser, desk, carla):
    booked = sent(desk, carla, name="Carla Nunes Prado")
    Appointment.objects.update(unverified_birth_date=date(1991, 2, 3))

    for field in ("name", "birth_date"):
        assert press(browser, "use", booked, field).status_code == 200

    carla.refresh_from_db()
    assert (carla.name, carla.birth_date) == ("Carla Nunes Prado", date(1991, 2, 3))


def test_what_the_form_would_refuse_is_refused_here(browser, desk, carla):
    booked = sent(desk, carla)
    Appointment.objects.update(unverified_birth_date=date.today() + timedelta(days=5))

    answer = press(browser, "use", booked, "birth_date")

    assert answer.status_code == 409 and "A data de nascimento" in text(answer)
    assert kept(booked)[2]


def test_a_discarded_value_can_be_brought_back(browser, desk, carla):
    booked = sent(desk, carla, phone=NEW)

    answer = press(browser, "discard", booked)

    assert "Descartado: +55 81 93333-4444" in text(answer) and "Desfazer descarte" in text(answer)
    carla.refresh_from_db()
    assert (carla.phone.as_e164, kept(booked)[1]) == (OLD, "")
    event = booked.events.latest("pk")
    undone = browser.post(reverse("web:appointment-undo", args=[booked.pk]), {"event": event.pk}, headers=HTMX)
    assert "telefone a confirmar: (81) 93333-4444" in text(undone)
    assert "Descartado: +55 81 93333-4444 (desfeito)" in text(undone)


@pytest.mark.parametrize("act", ["use", "discard"])
def test_a_second_press_changes_nothing(browser, desk, carla, act):
    booked = sent(desk, carla, phone=NEW)
    press(browser, act, booked)
    counts = AppointmentEvent.objects.count(), PatientEvent.objects.count()

    for other in ("use", "discard"):
        answer = press(browser, other, booked, value=NEW)
        assert answer.status_code == 200 and "Isto já foi decidido: nada foi alterado." in text(answer)
    assert (AppointmentEvent.objects.count(), PatientEvent.objects.count()) == counts


def test_a_patient_who_was_changed_since_is_not_overwritten(browser, desk, carla):
    booked = sent(desk, carla, phone=NEW)
    change_patient(carla.pk, {"phone": "+5581911112222"}, clinic=desk.clinic, by=BY)

    answer = press(browser, "use", booked, patient_seen="2020-01-01T00:00:00+00:00")

    assert answer.status_code == 409 and "Este cadastro foi alterado depois do que você viu." in text(answer)
    carla.refresh_from_db()
    assert carla.phone.as_e164 == "+5581911112222"
    assert press(browser, "use", booked).status_code == 200


def test_a_button_for_another_value_has_no_effect(browser, desk, carla):
    booked = sent(desk, carla, phone=NEW)

    assert press(browser, "use", booked, value="+5581900001111").status_code == 409
    assert kept(booked)[1] == NEW


@pytest.mark.parametrize("act", ["use", "discard"])
def test_another_clinic_and_an_unknown_field_are_a_404(browser, desk, carla, act):
    booked = sent(desk, carla, phone=NEW)

    assert press(browser, act, booked, "cpf").status_code == 404
    browser.force_login(make_user(make_clinic()))
    assert press(browser, act, booked, value=NEW).status_code == 404
    assert kept(booked)[1] == NEW


def test_it_works_without_javascript(browser, desk, carla):
    booked = sent(desk, carla, phone=NEW)
    address = reverse("web:appointment-use", args=[booked.pk])

    answer = browser.post(address, {"field": "phone", "value": NEW}, follow=True)

    assert "Gravado na ficha." in text(answer)
    assert browser.get(address).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_of_two_windows_at_once_one_decides(desk, carla):
    booked = sent(desk, carla, phone=NEW)
    user = make_user(desk.clinic)
    answers = []

    def decide(act):
        client = Client()
        client.force_login(user)
        answers.append(
            client.post(reverse(f"web:appointment-{act}", args=[booked.pk]), {"field": "phone", "value": NEW})
        )
        connection.close()

    threads = [Thread(target=decide, args=[act]) for act in ("use", "discard")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [302, 302]
    assert booked.events.filter(kind="unverified").count() == 1


# Redaction, and Portugal


def test_a_redaction_blanks_what_was_sent_and_decided(browser, desk, carla):
    booked = sent(desk, carla, name="Pedro Costa", phone=NEW)
    press(browser, "discard", booked)
    Appointment.objects.update(status="finished")

    redact_patient(carla.pk, clinic=desk.clinic, by=BY, reason="pedido")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM clinic_appointment t")
        rows = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(t::text, '') FROM clinic_appointmentevent t")
        rows += cursor.fetchone()[0]

    assert "93333" not in rows and "Pedro" not in rows
    assert "Descartado: —" in text(page(browser, booked))


def test_portugal_reads_words_of_its_own(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    booked = book_appointment(make_doctor(clinic))
    Appointment.objects.update(unverified_phone="+351912345678", unverified_name="Rui Sá")

    shown = text(page(client, booked))
    assert "telefone a confirmar: 912 345 678" in shown and "nome a confirmar: Rui Sá" in shown
    assert "Guardado na ficha." in text(press(client, "use", booked))
