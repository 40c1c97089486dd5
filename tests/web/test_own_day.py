"""A doctor's own sign-in: the own visits of today, to begin and to finish, and nothing else."""

import re
from datetime import date, time
from html import unescape

import pytest
from django.urls import reverse

from clinic.booking import Author, change_status, edit_notes, state
from clinic.models import Appointment, Patient, PatientAccess, StaffUser
from tests.factories import (
    PASSWORD,
    book_appointment,
    make_clinic,
    make_doctor,
    make_doctor_user,
    make_manager,
    make_patient,
    make_user,
)
from tests.managed import url

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
BY = Author(channel="command", credential="tests")
PARTIAL = {"HX-Request": "true"}
OWN = "/meu-dia/"


@pytest.fixture(autouse=True)
def clock(time_machine):
    """`clock(9, 30)` moves the time to 09:30 in Recife on Monday."""

    def move(hour, minute=0):
        time_machine.move_to(f"2026-11-23T{hour + 3:02}:{minute:02}:00Z", tick=False)

    move(8)
    return move


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado")


@pytest.fixture
def own(client, doctor):
    """The browser of Dra. Helena."""
    client.force_login(make_doctor_user(doctor=doctor))
    return client


def visit(doctor, hour, name, *statuses):
    patient = make_patient(doctor.clinic, name=name)
    starts_at = doctor.clinic.instant(MONDAY, time(hour))
    appointment = book_appointment(doctor, patient=patient.pk, starts_at=starts_at)
    for status in statuses:
        change_status(appointment.pk, status, clinic=doctor.clinic, by=BY)
    return appointment


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def send(own, appointment, status, **data):
    appointment.refresh_from_db()
    data = {"status": status, "seen": state(appointment)} | data
    return own.post(reverse("web:own-day-status", args=[appointment.pk]), data, headers=PARTIAL)


def call(own, appointment):
    appointment.refresh_from_db()
    address = reverse("web:own-day-call", args=[appointment.pk])
    return own.post(address, {"seen": state(appointment)}, headers=PARTIAL)


# What is shown --------------------------------------------------------------------------------------------------------


def test_a_doctor_sees_the_own_visits_of_today_and_no_others(own, doctor, clinic):
    ana = visit(doctor, 10, "Ana Lima", "checked_in")
    edit_notes(ana.pk, clinic=clinic, by=BY, notes="traz o exame de sangue")
    Patient.objects.filter(pk=ana.patient_id).update(alert="surda", notes="alérgica a dipirona")
    visit(doctor, 11, "Bento Reis")
    visit(make_doctor(clinic), 10, "Caio Melo")
    page = own.get(OWN).text
    for shown in ("Ana Lima", "surda", "traz o exame de sangue", "alérgica a dipirona", "Bento Reis"):
        assert shown in page
    assert "Caio Melo" not in page and ana.patient.cpf not in page and "tel:" not in page


def test_the_next_step_is_the_only_button(own, doctor):
    visits = {
        "Ana": visit(doctor, 9, "Ana", "checked_in", "in_service"),
        "Bia": visit(doctor, 10, "Bia", "checked_in"),
        "Caio": visit(doctor, 11, "Caio"),
    }
    page = own.get(OWN).text
    buttons = {
        name: re.findall(r'name="status" value="(\w+)"', page.partition(f'id="q{one.pk}"')[2].partition("</li>")[0])
        for name, one in visits.items()
    }
    assert buttons == {"Ana": ["finished"], "Bia": ["in_service"], "Caio": []}
    assert "desfazer" not in page


def test_the_navigation_has_the_own_day_only(own):
    page = own.get(OWN).text
    links = set(re.findall(r'<a [^>]*href="(/[^"#]*)"', page.partition("<header")[2].partition("</header>")[0]))
    assert links == {"/", OWN, "/senha/", "/sessoes-abertas/"}
    assert 'id="find"' not in page and "pendencias" not in page


def test_its_list_of_keys_names_no_other_page(own):
    keys = words(own.get("/atalhos/", {"de": "web:own-day"}, headers=PARTIAL).text)
    assert "Chamar, iniciar, finalizar" in keys and "Buscar paciente" not in keys


def test_an_unchanged_day_is_a_304(own, doctor):
    waiting = visit(doctor, 10, "Ana", "checked_in")
    etag = own.get(OWN, headers=PARTIAL)["ETag"]
    again = PARTIAL | {"If-None-Match": etag}
    assert own.get(OWN, headers=again).status_code == 304
    change_status(waiting.pk, "in_service", clinic=waiting.clinic, by=BY)
    assert own.get(OWN, headers=again).status_code == 200


def test_who_saw_which_patient_is_logged(own, doctor, clinic):
    ana = visit(doctor, 10, "Ana")
    visit(make_doctor(clinic), 10, "Caio")
    own.get(OWN)
    row = PatientAccess.objects.get()
    assert (row.patient_id, row.page, row.user.doctor) == (ana.patient_id, "web:own-day", doctor)


# What may be done -----------------------------------------------------------------------------------------------------


def test_a_doctor_begins_and_finishes_an_own_visit(own, doctor, clock):
    ana = visit(doctor, 10, "Ana", "checked_in")
    assert "Finalizar" in words(send(own, ana, "in_service").text)
    clock(9)
    assert "Finalizado, 09:00" in words(send(own, ana, "finished").text)
    last = ana.events.latest("pk")
    assert (last.user.doctor, last.channel, last.after["status"]) == (doctor, "browser", "finished")


def test_one_visit_at_a_time_and_the_reason_is_at_the_row(own, doctor):
    visit(doctor, 9, "Ana", "checked_in", "in_service")
    bia = visit(doctor, 10, "Bia", "checked_in")
    answer = send(own, bia, "in_service")
    row = answer.text.partition(f'id="q{bia.pk}"')[2].partition("</li>")[0]
    assert answer.status_code == 409 and 'role="alert"' in row


def test_a_row_that_has_changed_is_left_as_it_is(own, doctor):
    ana = visit(doctor, 10, "Ana", "checked_in")
    for seen in ("scheduled", ""):
        assert send(own, ana, "in_service", seen=seen).status_code == 409
    ana.refresh_from_db()
    assert ana.status == "checked_in"


@pytest.mark.parametrize("status", ["cancelled", "no_show", "scheduled", "confirmed", "checked_in", "nonsense", ""])
def test_every_other_status_is_refused(own, doctor, status):
    ana = visit(doctor, 10, "Ana", "checked_in")
    assert send(own, ana, status).status_code == 403
    ana.refresh_from_db()
    assert ana.status == "checked_in"


def test_a_colleagues_visit_is_not_found(own, clinic):
    colleagues = visit(make_doctor(clinic), 10, "Caio", "checked_in")
    assert send(own, colleagues, "in_service").status_code == 404
    assert Appointment.objects.get().status == "checked_in"


def test_the_desk_does_not_act_here(client, doctor):
    ana = visit(doctor, 10, "Ana", "checked_in")
    for make in (make_user, make_manager):
        client.force_login(make(doctor.clinic))
        assert client.get(OWN)["Location"] == "/agenda/"
        assert send(client, ana, "in_service").status_code == 404


# What is closed -------------------------------------------------------------------------------------------------------


def test_the_administration_is_closed(own):
    for address in ("/admin/", url(Patient), url(StaffUser)):
        answer = own.get(address, follow=True)
        assert answer.status_code == 403 or answer.redirect_chain[-1][0] == OWN, address


def test_after_signing_in_the_own_day_is_there(client, doctor):
    user = make_doctor_user(doctor=doctor, password=PASSWORD)
    answer = client.post(reverse("web:signin"), {"username": user.username, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == OWN and "Meu dia" in answer.text


# Linking user and doctor ----------------------------------------------------------------------------------------------


def staff_fields(**fields):
    return {"name": "Helena", "username": "helena", "role": "doctor", "is_active": "on"} | fields


def test_a_manager_links_a_user_to_a_doctor(client, manager):
    doctor = make_doctor(manager.clinic)
    client.post(url(StaffUser, "add"), staff_fields(doctor=doctor.pk))
    assert StaffUser.objects.get(username="helena").doctor == doctor


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Escolha de qual médico(a) são as visitas que aparecem."),
        ({"role": "receptionist", "doctor": "own"}, "Só quem tem a função de médico(a)"),
        ({"doctor": "stranger"}, "id_doctor_error"),
        ({"doctor": "taken"}, "já tem um usuário"),
    ],
)
def test_a_wrong_link_is_refused(client, manager, fields, sentence):
    doctors = {"own": make_doctor(manager.clinic), "stranger": make_doctor(make_clinic())}
    doctors["taken"] = make_doctor_user(manager.clinic).doctor
    fields = fields | ({"doctor": doctors[fields["doctor"]].pk} if "doctor" in fields else {})
    answer = client.post(url(StaffUser, "add"), staff_fields(**fields))
    assert sentence in unescape(answer.text) and not StaffUser.objects.filter(username="helena").exists()


def test_a_doctors_user_is_nobody_to_leave_a_memo_for(client, clinic):
    client.force_login(make_user(clinic, name="Rita"))
    make_doctor_user(clinic, name="Helena Prado")
    page = client.get(reverse("web:memo-add")).text
    assert "Rita</option>" in page and "Helena Prado" not in page


def test_a_doctor_calls_the_next_patient_to_the_room(own, doctor):
    waiting = visit(doctor, 9, "Ana", "checked_in")
    assert "chamado às 08:00" in words(call(own, waiting).text)
    assert waiting.room_calls.get().user.doctor_id == doctor.pk


def test_a_doctor_calls_no_patient_of_a_colleague(own, doctor):
    other = visit(make_doctor(doctor.clinic), 9, "Bia", "checked_in")
    assert call(own, other).status_code == 404
    assert not other.room_calls.exists()


def test_a_finished_visit_is_not_begun_again(own, doctor):
    finished = visit(doctor, 9, "Ana", "checked_in", "in_service", "finished")
    assert send(own, finished, "in_service").status_code == 403
    assert Appointment.objects.get(pk=finished.pk).status == "finished"


def test_a_doctor_who_works_here_no_more_sees_nothing(own, doctor):
    visit(doctor, 9, "Ana", "checked_in")
    type(doctor).objects.filter(pk=doctor.pk).update(active=False)
    answer = own.get(OWN)
    assert (answer.status_code, "Ana" in answer.text) == (403, False)


def test_pages_that_a_doctor_does_not_open_lead_to_the_own_day(own):
    for address, status in (("/pacientes/", 403), ("/agendamentos/999999999/", 403), ("/nada/", 404), ("/senha/", 200)):
        answer = own.get(address)
        assert answer.status_code == status and "Ir para o meu dia" in answer.text and "agenda<" not in answer.text
        assert "Procure o paciente na busca" not in answer.text, address
