from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.booking import Author, change_status
from clinic.models import AppointmentEvent
from tests.factories import book_appointment, make_clinic, make_doctor, make_procedure, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

HTMX = {"HX-Request": "true"}
MONDAY = date(2026, 11, 23)


@pytest.fixture
def saturday(time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


@pytest.fixture
def appointment():
    clinic = make_clinic()
    doctor = make_doctor(clinic, name="Dra. Helena Prado", procedures=[make_procedure(clinic, name="Consulta")])
    return book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(9)), notes="trazer exames")


@pytest.fixture
def desk(client, appointment):
    client.force_login(make_user(appointment.clinic))
    return client


def address(name, appointment):
    return reverse(f"web:appointment-{name}", args=[appointment.pk])


def test_a_button_changes_the_status_and_has_the_day_drawn_anew(desk, appointment):
    answer = desk.post(address("status", appointment), {"status": "confirmed"}, headers=HTMX)
    appointment.refresh_from_db()
    assert (answer.status_code, appointment.status) == (200, "confirmed")
    assert answer["HX-Trigger"] == "refresh-day"


def test_without_htmx_a_button_leads_back_to_the_appointment(desk, appointment):
    answer = desk.post(address("status", appointment), {"status": "confirmed"})
    assert answer["Location"] == address("detail", appointment)


@pytest.mark.parametrize("status", ["finished", "rescheduled", "nonsense", ""])
def test_a_status_that_may_not_follow_is_refused_with_its_sentence(desk, appointment, status):
    answer = desk.post(address("status", appointment), {"status": status}, headers=HTMX)
    assert answer.status_code == 409
    assert "De “Agendado” não se passa para" in answer.text


def test_undo_takes_back_what_was_seen_and_not_what_came_after(desk, appointment):
    desk.post(address("status", appointment), {"status": "confirmed"})
    seen = appointment.events.order_by("pk").last()
    by = Author(door=AppointmentEvent.Door.COMMAND, credential="colega")
    change_status(appointment.pk, "checked_in", clinic=appointment.clinic, by=by)

    answer = desk.post(address("undo", appointment), {"event": seen.pk}, headers=HTMX)
    assert answer.status_code == 409
    assert "foi alterado depois do que você viu" in answer.text

    last = appointment.events.order_by("pk").last()
    desk.post(address("undo", appointment), {"event": last.pk}, headers=HTMX)
    appointment.refresh_from_db()
    assert appointment.status == "confirmed"


def test_cancelling_asks_who_did_and_keeps_the_reason(desk, appointment):
    nobody = desk.post(address("cancel", appointment), {"reason": "viajou"}, headers=HTMX)
    assert nobody.status_code == 422
    assert "Diga quem cancelou" in nobody.text
    assert 'value="viajou"' in nobody.text

    desk.post(address("cancel", appointment), {"cancelled_by": "patient", "reason": "viajou"}, headers=HTMX)
    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancelled_by, appointment.cancel_reason) == (
        "cancelled",
        "patient",
        "viajou",
    )


def test_moving_offers_free_times_and_refuses_a_taken_one(desk, appointment):
    taken = book_appointment(appointment.doctor, starts_at=appointment.starts_at + timedelta(hours=1))
    form = {"doctor": appointment.doctor_id, "date": "23/11/2026", "starts": "10:00"}

    looked = desk.post(address("reschedule", appointment), form, headers=HTMX)
    assert looked.status_code == 200
    assert "já está ocupado" in looked.text

    refused = desk.post(address("reschedule", appointment), form | {"move": "1"}, headers=HTMX)
    assert refused.status_code == 409
    assert refused.text.count('name="choose"') == 3

    moved = desk.post(address("reschedule", appointment), form | {"starts": "10:30", "move": "1"}, headers=HTMX)
    appointment.refresh_from_db()
    assert (moved.status_code, appointment.status) == (200, "rescheduled")
    assert appointment.starts_at == taken.ends_at


def test_notes_are_written_and_told_in_the_history(desk, appointment):
    answer = desk.post(address("annotate", appointment), {"notes": "<b>jejum</b>"}, headers=HTMX)
    assert "&lt;b&gt;jejum&lt;/b&gt;" in answer.text
    assert "Observações: de “trazer exames” para" in answer.text


def test_the_history_says_who_when_from_where_and_what(desk, appointment):
    desk.post(address("status", appointment), {"status": "confirmed"})
    page = desk.get(address("detail", appointment), headers=HTMX)
    told = [(entry.who, entry.door, entry.sentence) for entry in page.context["story"]]
    assert told == [
        (str(page.context["user"]), "Tela", "De Agendado para Confirmado"),
        ("tests", "Comando", "Agendado para 23/11/2026 09:00 com Dra. Helena Prado"),
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_the_appointment_costs_the_same_queries_whatever_it_holds(desk, appointment, number):
    for _ in range(number):
        desk.post(address("status", appointment), {"status": "confirmed"})
        desk.post(address("status", appointment), {"status": "scheduled"})
    with CaptureQueriesContext(connection) as captured:
        desk.get(address("detail", appointment), headers=HTMX)
    assert len(captured) == 7


def test_the_way_on_comes_first_and_what_takes_back_says_so(desk, appointment):
    author = Author(door="command", credential="teste")
    change_status(appointment.pk, "checked_in", clinic=appointment.clinic, by=author)
    context = desk.get(address("detail", appointment), headers=HTMX).context
    assert [str(verb) for status, verb in context["onward"]] == ["Iniciar atendimento"]
    assert [str(verb) for status, verb in context["back"]] == ["Voltar a agendado", "Voltar a confirmado"]
    change_status(appointment.pk, "in_service", clinic=appointment.clinic, by=author)
    context = desk.get(address("detail", appointment), headers=HTMX).context
    assert [str(verb) for status, verb in context["onward"]] == ["Finalizar"]
    assert [str(verb) for status, verb in context["back"]] == ["Voltar ao check-in"]


def test_a_refused_time_is_not_what_the_button_moves_to(desk, appointment):
    answer = desk.post(
        address("reschedule", appointment),
        {"doctor": appointment.doctor_id, "date": "23/11/2026", "starts": "06:00", "move": "1"},
        headers=HTMX,
    )
    assert answer.context["chosen"] is None
    assert "Remarcar para" not in answer.text
