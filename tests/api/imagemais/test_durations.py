"""Appointments shorter than their procedures: taken, shown at the desk, and refused where the clinic wants so."""

from datetime import time

import pytest
from django.urls import reverse

from clinic.booking import Author, LineRequest, change_procedures, reschedule
from clinic.models import Appointment
from clinic.queries import agenda
from tests.api.imagemais.conftest import MONDAY
from tests.factories import make_lisbon, make_procedure, make_user

pytestmark = pytest.mark.django_db
WORDS = "A duração dos procedimentos é de 45 minutos"
BY = Author(channel="command", credential="tests")


@pytest.fixture
def checkup(desk):
    procedure = make_procedure(desk.clinic, name="CHECK-UP", duration_minutes=45)
    procedure.doctors.add(desk.doctor)
    return procedure


@pytest.fixture
def demanding(desk):
    desk.clinic.requires_duration = True
    desk.clinic.save()


def short(desk, checkup, **changes):
    return desk.booking(procedures=[{"id": checkup.pk}], startTime="09:00", endTime="09:30", **changes)


def label(desk):
    shown = agenda.day(desk.clinic, MONDAY, now=desk.clinic.day(MONDAY)[0])
    (card,) = (cell for hour in shown.hours for row in hour.rows for cell in row.cells if cell.kind == "card")
    return card.label


def panel(desk, client):
    client.force_login(make_user(desk.clinic))
    return client.get(reverse("web:appointment-detail", args=[Appointment.objects.get().pk])).text


def test_a_shorter_one_is_taken_and_the_desk_sees_what_is_missing(desk, checkup, client):
    assert desk.ask("POST", "/appointments", short(desk, checkup)).status_code == 201

    assert "15 min a menos" in label(desk)
    assert "15 min a menos do que os procedimentos duram" in panel(desk, client)


@pytest.mark.parametrize("end", ["09:45", "10:30"])
def test_one_that_is_long_enough_is_shown_without_remark(desk, checkup, client, end):
    assert desk.ask("POST", "/appointments", short(desk, checkup) | {"endTime": end}).status_code == 201

    assert "a menos" not in label(desk) and "a menos" not in panel(desk, client)


def test_the_remark_is_gone_when_the_desk_gives_it_the_time(desk, checkup, client):
    desk.ask("POST", "/appointments", short(desk, checkup))
    ends_at = desk.clinic.instant(MONDAY, time(9, 45))

    lines = (LineRequest(checkup.pk),)
    change_procedures(Appointment.objects.get().pk, clinic=desk.clinic, lines=lines, ends_at=ends_at, by=BY)

    assert "a menos" not in label(desk) + panel(desk, client)


def test_what_a_person_plans_shorter_has_no_remark(desk, checkup, client):
    desk.ask("POST", "/appointments", short(desk, checkup))
    Appointment.objects.update(source="manual")

    assert "a menos" not in label(desk) + panel(desk, client)


def test_a_clinic_that_requires_the_duration_refuses_less(desk, checkup, demanding):
    answer = desk.ask("POST", "/appointments", short(desk, checkup))

    assert (answer.status_code, answer.json()["message"]) == (400, [WORDS])
    assert not Appointment.objects.exists()
    assert desk.ask("POST", "/appointments", short(desk, checkup) | {"endTime": "09:45"}).status_code == 201


def test_the_durations_of_several_procedures_are_added_up(desk, checkup, demanding):
    lines = [{"id": checkup.pk}, {"id": desk.procedures[0].pk}]
    answer = desk.ask("POST", "/appointments", short(desk, checkup) | {"procedures": lines, "endTime": "09:45"})

    minutes = 45 + desk.procedures[0].duration_minutes
    assert answer.json()["message"] == [WORDS.replace("45", str(minutes))]


def test_it_is_one_of_all_messages(desk, checkup, demanding):
    answer = desk.ask("POST", "/appointments", short(desk, checkup, date="2026-11-20"))

    assert answer.json()["message"] == ["A data deve ser hoje ou uma data futura", WORDS]
    unreadable = desk.ask("POST", "/appointments", short(desk, checkup) | {"endTime": "9h"})
    assert WORDS not in unreadable.json()["message"]
    backwards = desk.ask("POST", "/appointments", short(desk, checkup) | {"endTime": "08:00"})
    assert backwards.json()["message"] == ["endTime deve ser posterior a startTime"]


def test_a_move_is_held_to_it_too_and_the_desk_is_not(desk, checkup):
    booked = desk.ask("POST", "/appointments", short(desk, checkup)).json()[0]["id"]
    desk.clinic.requires_duration = True
    desk.clinic.save()
    place = {"doctorId": desk.doctor.pk, "date": f"{MONDAY}", "startTime": "10:00", "endTime": "10:30"}

    answer = desk.ask("PATCH", f"/appointments/{booked}/reschedule", place)
    assert (answer.status_code, answer.json()["message"]) == (400, [WORDS])
    unreadable = desk.ask("PATCH", f"/appointments/{booked}/reschedule", place | {"withoutExpiredDiscount": "x"})
    assert WORDS in unreadable.json()["message"]

    starts_at = desk.clinic.instant(MONDAY, time(11))
    reschedule(booked, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=starts_at, by=BY)
    assert desk.ask("PATCH", f"/appointments/{booked}/reschedule", place | {"endTime": "10:45"}).status_code == 200


def test_portugal_reads_it_in_its_own_words(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic, role="manager"))

    page = client.get(reverse("admin:clinic_clinic_change", args=[clinic.pk])).text
    assert "Exige a duração dos procedimentos" in page and "uma marcação que chega pela API ImageMais" in page


@pytest.mark.parametrize("box", [{"requires_duration": "on"}, {}])
def test_a_manager_turns_it_on_and_off(desk, client, box):
    desk.clinic.requires_duration = not box
    desk.clinic.save()
    client.force_login(make_user(desk.clinic, role="manager"))
    typed = {"name": desk.clinic.name, "language": "pt-br", "area_code": "", "region": ""}

    answer = client.post(reverse("admin:clinic_clinic_change", args=[desk.clinic.pk]), typed | box)

    assert answer.status_code == 302
    desk.clinic.refresh_from_db()
    assert desk.clinic.requires_duration is bool(box)
