import html
import re
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
def monday(saturday, time_machine):
    """07:00 on the day of the appointment."""
    time_machine.move_to("2026-11-23T10:00:00Z", tick=False)


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
    assert "Não dá para passar de “Agendado” para" in answer.text


def test_undo_takes_back_what_was_seen_and_not_what_came_after(monday, desk, appointment):
    desk.post(address("status", appointment), {"status": "confirmed"})
    seen = appointment.events.order_by("pk").last()
    by = Author(channel=AppointmentEvent.Channel.COMMAND, credential="colega")
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


# A second press ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "without"])
def test_second_click_shows_the_appointment_and_says_already_done(desk, appointment, headers):
    for _ in range(2):
        answer = desk.post(address("status", appointment), {"status": "confirmed"}, headers=headers, follow=True)
    assert answer.status_code == 200
    assert "Já estava “Confirmado”: nada foi alterado." in answer.text
    assert "Não dá para passar de" not in answer.text
    assert appointment.events.count() == 2


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "without"])
def test_second_undo_takes_back_nothing_more_and_says_it_is_done(desk, appointment, headers):
    desk.post(address("status", appointment), {"status": "confirmed"})
    seen = appointment.events.order_by("pk").last().pk
    for _ in range(2):
        answer = desk.post(address("undo", appointment), {"event": seen}, headers=headers, follow=True)
    appointment.refresh_from_db()
    assert (answer.status_code, appointment.status) == (200, "scheduled")
    assert "Já foi desfeito." in answer.text
    assert appointment.events.count() == 3


@pytest.mark.parametrize("page", ["appointment", "queue", "confirmation", "pending"])
@pytest.mark.parametrize("typed", [{}, {"event": "x"}])
def test_an_undo_that_names_no_event_undoes_nothing(desk, appointment, page, typed):
    desk.post(address("status", appointment), {"status": "confirmed"})
    answer = desk.post(reverse(f"web:{page}-undo", args=[appointment.pk]), typed, headers=HTMX)
    appointment.refresh_from_db()
    assert (answer.status_code, appointment.status) == (409, "confirmed")


def test_undo_of_something_else_than_was_just_undone_is_still_refused(monday, desk, appointment):
    desk.post(address("status", appointment), {"status": "confirmed"})
    confirmed = appointment.events.order_by("pk").last().pk
    desk.post(address("status", appointment), {"status": "checked_in"})
    checked_in = appointment.events.order_by("pk").last().pk
    desk.post(address("undo", appointment), {"event": checked_in})
    for seen in (confirmed, "", "abc"):
        answer = desk.post(address("undo", appointment), {"event": seen}, headers=HTMX)
        assert answer.status_code == 409
        assert "Não há o que desfazer" in answer.text


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "without"])
def test_cancelling_twice_with_the_same_words_cancels_once(desk, appointment, headers):
    for reason in ("viajou  ontem", "viajou ontem "):
        form = {"cancelled_by": "patient", "reason": reason}
        answer = desk.post(address("cancel", appointment), form, headers=headers, follow=True)
    assert answer.status_code == 200
    assert "Já estava “Cancelado”: nada foi alterado." in answer.text
    assert appointment.events.count() == 2


def test_second_cancel_shows_first_reason_and_keeps_typed_text(desk, appointment):
    desk.post(address("cancel", appointment), {"cancelled_by": "patient", "reason": "viajou"})
    answer = desk.post(
        address("cancel", appointment), {"cancelled_by": "clinic", "reason": "médica doente"}, headers=HTMX
    )
    assert answer.status_code == 422
    assert "Já estava “Cancelado” (Paciente: viajou). O que você escreveu não foi gravado." in answer.text
    assert 'value="médica doente"' in answer.text
    appointment.refresh_from_db()
    assert (appointment.cancelled_by, appointment.cancel_reason) == ("patient", "viajou")


def test_the_form_of_cancelling_is_not_shown_for_what_is_cancelled(desk, appointment):
    desk.post(address("cancel", appointment), {"cancelled_by": "patient"})
    answer = desk.get(address("cancel", appointment), headers=HTMX)
    assert "Já estava “Cancelado”" in answer.text
    assert 'name="reason"' not in answer.text


# Moving and notes ----------------------------------------------------------------------------------------------------


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
    assert "Remarcado de 23/11/2026 09:00" in moved.context["note"]
    appointment.refresh_from_db()
    assert (moved.status_code, appointment.status) == (200, "rescheduled")
    assert appointment.starts_at == taken.ends_at


def test_changed_notes_are_in_the_history(desk, appointment):
    form = {"notes": "<b>jejum</b>", "seen": "trazer exames"}
    answer = desk.post(address("notes", appointment), form, headers=HTMX)
    assert "&lt;b&gt;jejum&lt;/b&gt;" in answer.text
    assert "Observações: de “trazer exames” para" in answer.text


def seen(page):
    return html.unescape(re.search(r'name="seen" value="([^"]*)"', page.text)[1])


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "without"])
def test_two_windows_that_edit_the_notes_lose_nothing(desk, appointment, headers):
    here, there = (desk.get(address("notes", appointment), headers=headers) for _ in range(2))
    desk.post(address("notes", appointment), {"notes": "em jejum\n<8 h>", "seen": seen(there)})

    refused = desk.post(address("notes", appointment), {"notes": "liga antes", "seen": seen(here)}, headers=headers)
    appointment.refresh_from_db()
    assert (refused.status_code, appointment.notes) == (409, "em jejum\n<8 h>")
    assert "alteradas em outra janela ou por outra pessoa" in refused.text
    assert "em jejum<br>&lt;8 h&gt;" in refused.text
    assert ">liga antes</textarea>" in refused.text

    again = {"notes": "liga antes", "seen": seen(refused)}
    saved = desk.post(address("notes", appointment), again, headers=headers, follow=True)
    appointment.refresh_from_db()
    assert (saved.status_code, appointment.notes) == (200, "liga antes")
    assert "em jejum" in saved.text, "the history keeps what was replaced"


def test_a_status_changed_in_another_window_is_no_conflict_of_notes(desk, appointment):
    here = desk.get(address("notes", appointment))
    desk.post(address("status", appointment), {"status": "confirmed"})
    answer = desk.post(address("notes", appointment), {"notes": "liga antes", "seen": seen(here)}, headers=HTMX)
    assert answer.status_code == 200


def test_the_history_says_who_when_from_where_and_what(desk, appointment):
    desk.post(address("status", appointment), {"status": "confirmed"})
    page = desk.get(address("detail", appointment), headers=HTMX)
    entries = [(entry.who, entry.channel, entry.sentence) for entry in page.context["history"]]
    assert entries == [
        (str(page.context["user"]), "Tela", "De Agendado para Confirmado"),
        ("tests", "Comando", "Agendado para 23/11/2026 09:00 com a Dra. Helena Prado"),
    ]


@pytest.mark.parametrize("number", [1, 3])
def test_the_appointment_costs_the_same_queries_whatever_it_holds(desk, appointment, number):
    for _ in range(number):
        desk.post(address("status", appointment), {"status": "confirmed"})
        desk.post(address("status", appointment), {"status": "scheduled"})
    with CaptureQueriesContext(connection) as captured:
        desk.get(address("detail", appointment), headers=HTMX)
    assert len(captured) == 15


def test_the_way_on_comes_first_and_what_takes_back_says_so(monday, desk, appointment):
    author = Author(channel="command", credential="teste")
    change_status(appointment.pk, "checked_in", clinic=appointment.clinic, by=author)
    context = desk.get(address("detail", appointment), headers=HTMX).context
    assert [str(verb) for status, verb in context["steps"].forward] == ["Iniciar atendimento"]
    assert [str(verb) for status, verb in context["steps"].backward] == ["Voltar a agendado", "Voltar a confirmado"]
    change_status(appointment.pk, "in_service", clinic=appointment.clinic, by=author)
    context = desk.get(address("detail", appointment), headers=HTMX).context
    assert [str(verb) for status, verb in context["steps"].forward] == ["Finalizar"]
    assert [str(verb) for status, verb in context["steps"].backward] == ["Voltar ao check-in"]


def buttons(page):
    """(onward, beside, under Mais, undo) as the panel shows them."""
    steps = page.context["steps"]
    onward = str(steps.onward[1]) if steps.onward else None
    beside, seldom = ([str(verb) for status, verb in part] for part in (steps.beside, steps.seldom))
    assert len(beside) + len(seldom) + bool(onward) == len(steps.forward) + len(steps.backward)
    return onward, beside, seldom, page.context["undo_verb"]


def test_one_button_goes_on_and_one_undoes_the_last_act(monday, desk, appointment, time_machine):
    user = make_user(appointment.clinic)

    def after(status, **fields):
        by = Author(channel="command", credential="teste")
        change_status(appointment.pk, status, clinic=appointment.clinic, by=by, **fields)
        return shown()

    def shown():
        desk.cookies.clear()  # a session does not last for hours
        desk.force_login(user)
        return buttons(desk.get(address("detail", appointment), headers=HTMX))

    assert shown() == ("Check-in", ["Confirmar"], [], "")
    assert after("confirmed") == ("Check-in", [], ["Voltar a agendado"], "Desfazer confirmação")
    back = ["Voltar a agendado", "Voltar a confirmado"]
    assert after("checked_in") == ("Iniciar atendimento", [], back, "Desfazer check-in")
    assert after("confirmed") == ("Check-in", [], ["Voltar a agendado"], "Desfazer volta a confirmado")
    after("checked_in")
    assert after("in_service") == ("Finalizar", [], ["Voltar ao check-in"], "Desfazer início do atendimento")
    assert after("finished") == (None, [], ["Voltar ao atendimento"], "Desfazer finalização")
    assert after("in_service")[3] == "Desfazer volta ao atendimento"
    assert after("checked_in")[3] == "Desfazer volta ao check-in"
    assert after("scheduled")[3] == "Desfazer volta a agendado"
    time_machine.move_to("2026-11-23T12:10:00Z", tick=False)
    assert shown()[:2] == ("Check-in", ["Confirmar", "Faltou"])
    after("checked_in")
    assert after("no_show") == ("Check-in", [], ["Voltar a agendado"], "Desfazer falta")
    after("scheduled")
    time_machine.move_to("2026-11-24T12:10:00Z", tick=False)
    assert shown()[:2] == ("Faltou", ["Confirmar"])
    assert after("cancelled", cancelled_by="patient")[3] == "Desfazer cancelamento"


def test_undo_of_a_move_says_so(desk, appointment):
    form = {"doctor": appointment.doctor_id, "date": "23/11/2026", "starts": "10:30", "move": "1"}
    desk.post(address("reschedule", appointment), form, headers=HTMX)
    page = desk.get(address("detail", appointment), headers=HTMX)
    assert buttons(page) == ("Confirmar", [], [], "Desfazer remarcação")


@pytest.mark.parametrize(("at", "offered"), [("2026-11-23T12:15:00Z", True), ("2026-11-23T12:31:00Z", False)])
def test_another_of_the_family_is_offered_until_the_visit_is_over(desk, appointment, time_machine, at, offered):
    time_machine.move_to(at, tick=False)
    page = desk.get(address("detail", appointment), headers=HTMX)
    assert ("Agendar outro da família" in page.text) is offered


def test_a_cancelled_visit_offers_no_other_of_the_family(desk, appointment):
    page = desk.post(address("cancel", appointment), {"cancelled_by": "patient"}, headers=HTMX)
    assert "Agendar outro da família" not in page.text


def test_a_refused_time_is_not_what_the_button_moves_to(desk, appointment):
    answer = desk.post(
        address("reschedule", appointment),
        {"doctor": appointment.doctor_id, "date": "23/11/2026", "starts": "06:00", "move": "1"},
        headers=HTMX,
    )
    assert answer.context["chosen_start"] is None
    assert "Remarcar para" not in answer.text
