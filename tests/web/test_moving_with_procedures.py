"""*Remarcar* with other procedures, for a colleague who does not perform the present ones."""

import re

import pytest
from django.urls import reverse

from clinic.booking import LineRequest, change_procedures
from clinic.models import Appointment
from tests.factories import make_doctor
from tests.web.test_changing_procedures import (
    BY,
    HTMX,
    appointment,
    clinic,
    consultation,
    desk,
    doctor,
    ecg,
    errors,
    sent,
)
from tests.windows import Window

__all__ = ["appointment", "clinic", "consultation", "desk", "doctor", "ecg"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(clinic, ecg):
    return make_doctor(clinic, name="Dr. Rui", procedures=[ecg])


def address(appointment):
    return reverse("web:appointment-reschedule", args=[appointment.pk])


@pytest.fixture
def fields(desk, appointment):
    return sent(Window(desk, address(appointment), "booking"))


def drawn(page, fields):
    """The fields with the total that the page shows."""
    context = page.context
    return fields | {"shown_total": f"{context['last_shown_total']}", "shown_for": context["form"].pricing_key}


def test_the_procedures_open_as_they_are_stored(desk, appointment, colleague, consultation, fields):
    closed = desk.get(address(appointment), headers=HTMX)
    assert f'value="{colleague.pk}" disabled>' in closed.text
    assert "booking-lines" not in closed.text

    page = desk.post(address(appointment), fields | {"open_lines": "1"}, headers=HTMX)

    assert [row.procedure for row in page.context["rows"]] == [str(consultation.pk), ""]
    assert re.search(r'id="procedure-0"[^>]* autofocus', page.text)
    assert page.context["form"].errors == {}
    assert page.context["total"] == 250
    assert f'value="{colleague.pk}">' in page.text


def test_a_colleague_is_chosen_with_what_they_perform(desk, appointment, colleague, consultation, ecg, fields):
    chosen = fields | {"changes_lines": "1", "doctor": colleague.pk, "procedure": [consultation.pk]}
    page = desk.post(address(appointment), chosen, headers=HTMX)
    assert "O Dr. Rui não realiza Consulta." in page.text
    assert [procedure.name for procedure in page.context["procedures"]] == ["Consulta", "ECG"]

    chosen |= {"procedure": [ecg.pk], "starts": "11:00"}
    page = desk.post(address(appointment), chosen, headers=HTMX)
    assert errors(page) == {} and page.context["minutes"] == 20 and page.context["total"] == 95
    saved = desk.post(address(appointment), drawn(page, chosen) | {"move": "1"}, headers=HTMX)

    assert "+ ECG (R$\xa095,00), − Consulta (R$\xa0250,00)." in saved.text
    stored = Appointment.objects.get(pk=appointment.pk)
    assert (stored.doctor, f"{clinic_time(stored.ends_at, stored)}") == (colleague, "11:20")


def clinic_time(instant, appointment):
    return f"{appointment.clinic.local(instant):%H:%M}"


def test_procedures_that_are_closed_again_stay(desk, appointment, consultation, ecg, fields):
    opened = fields | {"changes_lines": "1", "procedure": [ecg.pk], "starts": "11:00"}
    page = desk.post(address(appointment), opened | {"close_lines": "1"}, headers=HTMX)
    assert "booking-lines" not in page.text and page.context["minutes"] == 30

    kept = {name: value for name, value in opened.items() if name != "changes_lines"}
    assert desk.post(address(appointment), kept | {"move": "1"}, headers=HTMX).status_code == 200
    assert appointment.lines.get().procedure == consultation


def test_another_total_than_the_shown_one_is_not_moved(desk, appointment, colleague, ecg, fields):
    chosen = fields | {"changes_lines": "1", "doctor": colleague.pk, "procedure": [ecg.pk], "starts": "11:00"}
    ecg.price = 120
    ecg.save()

    answer = desk.post(address(appointment), chosen | {"shown_total": "95.00", "move": "1"}, headers=HTMX)

    assert answer.status_code == 409
    assert "era R$\xa095,00, agora é R$\xa0120,00" in answer.text
    assert answer.context["form"].data["procedure"] == str(ecg.pk)


BAD = [
    {"procedure": []},
    {"procedure": ["x", "-1", "9" * 30]},
    {"procedure": ["999999999"]},
    {"discount": ["x"]},
    {"whole_discount": "999999999"},
    {"shown_total": "1.00"},
    {"remove": "99", "doctor": "999999999"},
    {"add": "1", "procedure": [""] * 30},
    {"doctor": "x"},
    {"starts": "25:00"},
]


@pytest.mark.parametrize("wrong", BAD, ids=str)
@pytest.mark.parametrize("act", [{}, {"move": "1"}], ids=["checked", "moved"])
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "whole page"])
def test_whatever_is_sent_is_answered_and_moves_nothing(
    desk, appointment, consultation, ecg, fields, wrong, act, headers
):
    asked = fields | {"changes_lines": "1", "procedure": [ecg.pk], "starts": "11:00"} | wrong | act

    answer = desk.post(address(appointment), asked, headers=headers)

    assert answer.status_code in {200, 400, 409, 422}
    assert appointment.events.count() == 1
    assert appointment.lines.get().procedure == consultation


def test_a_change_in_another_window_is_named_before_it_is_replaced(
    desk, appointment, colleague, consultation, ecg, fields
):
    opened = desk.post(address(appointment), fields | {"open_lines": "1"}, headers=HTMX)
    seen = opened.context["form"].lines_seen_value
    both = (LineRequest(consultation.pk), LineRequest(ecg.pk))
    change_procedures(appointment.pk, clinic=appointment.clinic, lines=both, by=BY)
    chosen = fields | {"changes_lines": "1", "doctor": colleague.pk, "procedure": [ecg.pk], "starts": "11:00"}
    moving = chosen | {"lines_seen": seen, "shown_total": "95.00", "move": "1"}

    answer = desk.post(address(appointment), moving, headers=HTMX)

    assert answer.status_code in {409, 422}
    assert (
        "foi alterado em outra janela: agora é em 23/11, das 09:00 às 09:30, com a Dra. Helena Prado (Consulta, ECG)"
        in (answer.text)
    )
    again = moving | {"lines_seen": answer.context["form"].lines_seen_value}
    assert desk.post(address(appointment), again, headers=HTMX).status_code == 200


def test_other_procedures_at_the_same_time_lead_to_altering(desk, appointment, ecg, fields):
    asked = fields | {"changes_lines": "1", "procedure": [ecg.pk], "shown_total": "95.00", "move": "1"}
    assert "use “Alterar procedimentos”" in desk.post(address(appointment), asked, headers=HTMX).text
    checked = desk.post(address(appointment), asked | {"move": "", "look": "1"}, headers=HTMX)
    assert checked.status_code in {200, 422}


def test_procedures_are_changed_without_javascript(desk, appointment, colleague, ecg, fields):
    window = Window(desk, address(appointment), "booking")
    window.save(open_lines="1")
    window.fields.pop("open_lines", None)
    page = desk.post(
        address(appointment), sent(window) | {"doctor": colleague.pk, "procedure": [ecg.pk], "starts": "11:00"}
    )
    assert page.context["form"].changes_procedures
    moved = drawn(page, sent(window) | {"doctor": colleague.pk, "procedure": [ecg.pk], "starts": "11:00", "move": "1"})
    assert desk.post(address(appointment), moved).status_code == 302
    assert [line.procedure_name for line in appointment.lines.all()] == ["ECG"]
