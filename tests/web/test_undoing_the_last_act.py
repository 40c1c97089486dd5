"""u with nothing open undoes one's own last act, wherever it was made."""

from datetime import timedelta

import pytest
from django.urls import reverse

from clinic.booking import change_status
from clinic.models import Appointment
from tests.booking.desk import BY
from tests.factories import book_appointment, make_doctor, make_patient

PARTIAL = {"HX-Request": "true"}
NOTHING = "Nos últimos dez minutos não há ação sua que se possa desfazer."


@pytest.fixture
def appointment(clinic, desk):
    appointment = book_appointment(make_doctor(clinic), patient=make_patient(clinic, name="Maria Desfeita").pk)
    desk.post(reverse("web:appointment-status", args=[appointment.pk]), {"status": "confirmed"})
    return appointment


def undo(desk):
    return desk.post(reverse("web:appointment-undo-last"), {"in_day": "1"}, headers=PARTIAL)


def status(appointment):
    return Appointment.objects.get(pk=appointment.pk).status


def test_the_last_own_act_is_undone_and_named(desk, appointment):
    answer = undo(desk)
    assert status(appointment) == "scheduled"
    assert "Maria Desfeita: De Confirmado para Agendado (desfeito)." in answer.text
    assert (answer["HX-Reswap"], answer["HX-Trigger"]) == ("none", "refresh-day")


def test_an_undo_is_not_undone_in_turn(desk, appointment):
    undo(desk)
    answer = undo(desk)
    assert NOTHING in answer.text and answer["HX-Reswap"] == "none"
    assert status(appointment) == "scheduled"


def test_what_another_person_has_done_since_stays(desk, clinic, appointment):
    change_status(appointment.pk, "cancelled", clinic=clinic, by=BY, cancelled_by="patient")
    text = undo(desk).text
    assert "Maria Desfeita: depois da sua última ação houve outra." in text and NOTHING not in text
    assert status(appointment) == "cancelled"


def test_others_acts_are_not_ones_own(desk, clinic, appointment):
    other = book_appointment(make_doctor(clinic))
    change_status(other.pk, "confirmed", clinic=clinic, by=BY)
    undo(desk)
    assert (status(appointment), status(other)) == ("scheduled", "confirmed")


@pytest.mark.parametrize(("minutes", "left"), [(9, "scheduled"), (11, "confirmed")])
def test_an_own_act_can_be_undone_for_ten_minutes(desk, appointment, time_machine, minutes, left):
    at = appointment.events.latest("pk").at
    time_machine.move_to(at + timedelta(minutes=minutes), tick=False)
    undo(desk)
    assert status(appointment) == left


def test_an_act_that_nothing_reverses_is_left_alone(desk, appointment):
    notes = {"notes": "traz exames", "seen": ""}
    desk.post(reverse("web:appointment-notes", args=[appointment.pk]), notes)
    text = undo(desk).text
    assert "Maria Desfeita: sua última ação não se desfaz assim." in text and NOTHING not in text
    assert status(appointment) == "confirmed"


def test_without_the_script_it_leads_back_to_the_day(desk, appointment):
    address = reverse("web:appointment-undo-last")
    assert desk.post(address)["Location"] == reverse("web:appointment-detail", args=[appointment.pk])
    assert desk.post(address)["Location"] == reverse("web:agenda-today")
