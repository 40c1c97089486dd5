"""A doctor's title stands before the name wherever it is shown, with its article in sentences, and sorts nothing."""

import re
from datetime import time

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.translation import override

from clinic.access import access_tokens, api_keys
from clinic.api.mivicall.errors import sentence
from clinic.booking import LineRequest
from clinic.models import ApiKey, Appointment, Doctor
from clinic.models.titles import Title
from clinic.queries import booking_options
from clinic.queries.history import last_sentence
from clinic.registry import Hours, register_doctor
from tests.booking.desk import BY, open_desk, refused
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_master,
    make_procedure,
)
from tests.managed import NO_INLINES, doctor_fields, url
from tests.migrated import migrate

pytestmark = pytest.mark.django_db

# Before 0048 with the title in the name: what the migration makes of it, and what the way back makes of that.
STORED = {
    "Dra. Ana Beatriz": ("a Dra.", "Ana Beatriz", "Dra. Ana Beatriz"),
    "Dra. Dra. Ana": ("a Dra.", "Ana", "Dra. Ana"),
    "DRA. RITA": ("a Dra.", "RITA", "Dra. RITA"),
    "Dr Victor": ("o Dr", "Victor", "Dr Victor"),
    "Profª Eva Reis": ("a Prof.ª", "Eva Reis", "Prof.ª Eva Reis"),
    "Prof. Dr. Rui Reis": ("o Prof. Dr.", "Rui Reis", "Prof. Dr. Rui Reis"),
    "Psic. Inês": ("", "Psic. Inês", "Psic. Inês"),
    "Enf. Marta": ("", "Enf. Marta", "Enf. Marta"),
    "Álvaro Sá": ("", "Álvaro Sá", "Álvaro Sá"),
    "Dra.": ("", "Dra.", "Dra."),
}


@pytest.mark.django_db(transaction=True)
def test_titles_are_taken_out_of_names_and_put_back(own_database, capsys):
    own_database.begin()
    clinic = make_clinic()
    ids = {name: make_doctor(clinic, title="", name=name).pk for name in STORED}
    own_database.carry("0047_holidays")
    capsys.readouterr()
    migrate("0048_doctor_title")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, title, name FROM clinic_doctor")
        assert set(cursor.fetchall()) == {(ids[name], *expected[:2]) for name, expected in STORED.items()}
    said = capsys.readouterr().out
    assert f"doctor {ids['Dra. Dra. Ana']}: “Dra. Dra. Ana” is now Dra. | Ana" in said
    assert f"doctor {ids['Psic. Inês']}: “Psic. Inês” keeps its title in the name" in said
    assert "Álvaro" not in said
    migrate("0047_holidays")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM clinic_doctor")
        assert dict(cursor.fetchall()) == {ids[name]: expected[2] for name, expected in STORED.items()}


@pytest.mark.django_db(transaction=True)
def test_the_migration_knows_the_titles_of_the_model(own_database):
    own_database.begin()
    clinic = make_clinic()
    guesses = {"", "Enf.", "Psic.", "Nutr.", "Fisio.", "Fono."}
    unambiguous = [title for title in Title.values if title[2:] not in guesses]
    doctors = {make_doctor(clinic, title=title, name="Ariel Prado").pk: title for title in unambiguous}
    own_database.carry("0048_doctor_title")
    migrate("0047_holidays")
    migrate("0048_doctor_title")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, title, name FROM clinic_doctor")
        assert set(cursor.fetchall()) == {(pk, title, "Ariel Prado") for pk, title in doctors.items()}


# Order ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def team():
    """Four doctors whose titles would sort them otherwise."""
    clinic = make_clinic()
    procedure = make_procedure(clinic)
    for name in ("Dr. Zeca Reis", "Dra. Ágata Sá", "Bruno Leal", "Enf.ª Agnes Luz"):
        make_doctor(clinic, name=name, procedures=[procedure], days=range(1, 8))
    return clinic


IN_ORDER = ["Dra. Ágata Sá", "Enf.ª Agnes Luz", "Bruno Leal", "Dr. Zeca Reis"]


def test_the_day_and_its_selects_follow_the_name(client, team):
    client.force_login(make_manager(team))
    page = client.get(reverse("web:agenda-day", args=["2026-11-30"])).text
    assert re.findall(r'<b title="(.*?)">', page) == IN_ORDER
    assert [str(doctor) for doctor in booking_options.doctors(team)] == IN_ORDER
    absence = client.get(reverse("web:absence-add")).text
    assert re.findall(r"<option[^>]*>\s*(\w+ \w+, \S+|Bruno Leal) — ", absence) == [
        "Ágata Sá, Dra.",
        "Agnes Luz, Enf.ª",
        "Bruno Leal",
        "Zeca Reis, Dr.",
    ]


def test_the_admin_lists_and_finds_doctors_by_name_and_title(client, team):
    client.force_login(make_manager(team))
    listed = [str(row) for row in client.get(url(Doctor)).context["cl"].result_list]
    assert listed == IN_ORDER
    for text, found in [
        ("dra agata", IN_ORDER[:1]),
        ("Dra. Ágata", IN_ORDER[:1]),
        ("agnes", IN_ORDER[1:2]),
        ("Dr. Zeca", IN_ORDER[3:]),
        ("Dra. Zeca", []),
    ]:
        rows = client.get(url(Doctor), {"q": text}).context["cl"].result_list
        assert [str(row) for row in rows] == found, text


def test_appointments_are_found_by_the_doctors_title_too(client, team):
    client.force_login(make_manager(team))
    visit = book_appointment(Doctor.objects.get(name="Ágata Sá"))
    book_appointment(Doctor.objects.get(name="Zeca Reis"))
    for text in ("Dra. Ágata", "agata", "dra"):
        assert list(client.get(url(Appointment), {"q": text}).context["cl"].result_list) == [visit], text


def test_both_apis_list_doctors_by_name_with_the_title(client, team):
    master = make_master(team)
    _, token = access_tokens.release(team, master, channel="command")
    listed = client.get("/api/doctors", headers={"Authorization": f"Bearer {token}"}).json()
    assert [doctor["name"] for doctor in listed] == IN_ORDER
    every = {"scopes": ApiKey.Scope.values, "source": ApiKey.Source.VOICE_AI, "is_live": True}
    _, key = api_keys.create(team, name="central", **every, by=master, channel="command")
    listed = client.get("/v1/professionals", headers={"Authorization": f"Bearer {key}"}).json()["items"]
    assert [professional["name"] for professional in listed] == IN_ORDER


@pytest.mark.parametrize(
    "name", ["Dr Victor", "Dra. Ana Reis", "Psic. Inês", "DRA. RITA", "Inês Sá", "Prof. Dr. Rui Sá"]
)
def test_a_program_reads_the_name_that_it_sent(name):
    clinic = make_clinic()
    hours = [Hours(1, time(8), time(12))]
    doctor = register_doctor(
        clinic, name=name, by=BY, procedures=[make_procedure(clinic).pk], hours=hours, interval_minutes=15
    )
    assert Doctor.objects.get(pk=doctor.pk).full_name == name


def test_a_title_given_by_a_program_becomes_the_title():
    doctor = register_doctor(make_clinic(), name="Dra. Dra. Ana", by=BY)
    assert (doctor.title, doctor.name, doctor.full_name) == (Title.DRA, "Ana", "Dra. Ana")


# Admin ----------------------------------------------------------------------------------------------------------------


def test_a_manager_chooses_the_title_beside_the_name(client):
    manager = make_manager()
    client.force_login(manager)
    page = client.get(url(Doctor, "add")).text
    assert '<option value="a Psic.">Psic. (f)</option>' in page and '<option value="" selected>nenhum</option>' in page
    client.post(url(Doctor, "add"), NO_INLINES | doctor_fields(title="a Psic.", name="Inês Sá", active="on"))
    doctor = Doctor.objects.get()
    assert (doctor.full_name, doctor.in_sentence["the_doctor"]) == ("Psic. Inês Sá", "a Psic. Inês Sá")


# Sentences ------------------------------------------------------------------------------------------------------------

TAKEN = [
    (
        {"name": "Dra. Inês Falcão"},
        "O horário das 09:00 da Dra. Inês Falcão já está ocupado.",
        "Às 09:00, a Dra. Inês Falcão já tem outra marcação.",
    ),
    (
        {"name": "Dr. Duarte Sá"},
        "O horário das 09:00 do Dr. Duarte Sá já está ocupado.",
        "Às 09:00, o Dr. Duarte Sá já tem outra marcação.",
    ),
    (
        {"title": "a Psic.", "name": "Inês Falcão"},
        "O horário das 09:00 da Psic. Inês Falcão já está ocupado.",
        "Às 09:00, a Psic. Inês Falcão já tem outra marcação.",
    ),
    (
        {"name": "Inês Falcão"},
        "O horário das 09:00 de Inês Falcão já está ocupado.",
        "Às 09:00, Inês Falcão já tem outra marcação.",
    ),
]


@pytest.mark.parametrize(("doctor", "brazil", "portugal"), TAKEN)
def test_a_taken_time_names_the_doctor_with_the_article(doctor, brazil, portugal):
    desk = open_desk()
    doctor = desk.another_doctor(**doctor)
    desk.book(doctor=doctor.pk)
    refusal = refused(desk.book, doctor=doctor.pk, patient=desk.another_patient().pk)
    for language, expected in (("pt-br", brazil), ("pt-pt", portugal)):
        with override(language):
            assert refusal.message == expected
            assert [sentence(each) for each in refusal.refusals] == [expected]


def test_a_patients_other_visit_names_its_doctor_with_the_article():
    desk = open_desk()
    desk.book(doctor=desk.another_doctor(title="a Psic.", name="Inês Falcão").pk)
    refusal = refused(desk.book)
    assert refusal.message == "Ana Souza já tem agendamento às 09:00 com a Psic. Inês Falcão."
    with override("pt-pt"):
        assert refusal.message == "Ana Souza já tem marcação às 09:00 com a Psic. Inês Falcão."


@pytest.mark.parametrize(
    ("doctor", "hours", "procedure"),
    [
        (
            {"name": "Dr. Rui Sá"},
            "O Dr. Rui Sá não dá consultas a essa hora: nesse dia dá consultas das 08:00 às 12:00.",
            "O Dr. Rui Sá não faz Eco. Mude o procedimento ou o médico.",
        ),
        (
            {"name": "Rui Sá"},
            "Rui Sá não dá consultas a essa hora: nesse dia dá consultas das 08:00 às 12:00.",
            "Rui Sá não faz Eco. Mude o procedimento ou o médico.",
        ),
    ],
)
def test_a_sentence_begins_with_the_article_in_capitals(doctor, hours, procedure):
    desk = open_desk()
    doctor = desk.another_doctor(hours=((time(8), time(12)),), **doctor)
    other = LineRequest(make_procedure(desk.clinic, name="Eco").pk)
    with override("pt-pt"):
        outside = refused(desk.book, doctor=doctor.pk, starts_at=desk.at(20))
        unable = refused(desk.book, doctor=doctor.pk, lines=(other,))
        assert (outside.message, unable.message) == (hours, procedure)


@pytest.mark.parametrize(
    ("doctor", "brazil", "portugal"),
    [
        ({"name": "Dr. Rui Sá"}, "com o Dr. Rui Sá", "com o Dr. Rui Sá"),
        ({"title": "a Psic.", "name": "Inês Sá"}, "com a Psic. Inês Sá", "com a Psic. Inês Sá"),
        ({"name": "Inês Sá"}, "com Inês Sá", "com Inês Sá"),
    ],
)
def test_what_was_booked_is_with_the_doctor(client, doctor, brazil, portugal):
    for make, verb, expected in ((make_clinic, "Agendado", brazil), (make_lisbon, "Marcado", portugal)):
        clinic = make()
        visit = book_appointment(make_doctor(clinic, **doctor))
        client.force_login(make_manager(clinic))
        page = client.get(reverse("web:appointment-detail", args=[visit.pk])).text
        assert f"{verb} para" in page
        with override(clinic.language):
            said = last_sentence(visit)
        assert said.endswith(f"{expected}.")


def test_a_history_of_another_doctor_keeps_its_article(client):
    desk = open_desk()
    visit = desk.book()
    desk.doctor.title, desk.doctor.name = Title.PROFA, "Helena Reis"
    desk.doctor.save()
    assert last_sentence(visit) == "Agendado para 23/11/2026 09:00 com a Dra. Helena Prado."


@pytest.mark.parametrize(
    ("text", "found"), [("dra", {"Ana"}), ("Dra. ana", {"Ana"}), ("o", {"Otto"}), ("dr.", {"Otto"})]
)
def test_the_admin_finds_doctors_by_title_without_its_article(client, text, found):
    clinic = make_clinic()
    make_doctor(clinic, title=Title.DRA, name="Ana")
    make_doctor(clinic, title=Title.DR, name="Otto")
    client.force_login(make_manager(clinic))
    answer = client.get(reverse("admin:clinic_doctor_changelist"), {"q": text})
    assert {doctor.name for doctor in answer.context["cl"].queryset} == found
