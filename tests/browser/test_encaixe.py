"""A patient is squeezed in: counted from the taken time, by keys, without JavaScript, on a phone."""

import re
from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment, StaffUser
from tests.browser.desk import open_slot, wait_until_answered
from tests.browser.test_booking import wait_until_htmx_listens
from tests.factories import book_appointment

# A click on a label is two to the page.
COUNT_CLICKS = "window.clicks = 0; addEventListener('pointerdown', () => { window.clicks += 1; }, true);"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def taken(doctor, monday):
    return book_appointment(doctor, starts_at=doctor.clinic.instant(monday, time(9)))


@pytest.fixture
def rosa(receptionist):
    StaffUser.objects.filter(pk=receptionist.pk).update(may_squeeze_in=True)
    return receptionist


def squeezed(maria):
    return Appointment.objects.get(patient=maria)


def ask_for_encaixe(page, taken, monday):
    """Open the panel for an encaixe at the time of an appointment, and choose Maria."""
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{taken.pk}").click()
    page.get_by_role("link", name="Encaixar neste horário…").click()
    expect(page.locator("#q")).to_be_focused()
    wait_until_htmx_listens(page.locator("#q"))
    page.keyboard.type("maria")
    page.keyboard.press("Enter")


def test_a_patient_is_squeezed_in_by_four_clicks(window, rosa, taken, maria, monday):
    page = window(rosa)
    page.add_init_script(COUNT_CLICKS)
    ask_for_encaixe(page, taken, monday)
    expect(page.locator("#booking input[name=patient]")).to_have_value(str(maria.pk))
    page.get_by_text("paciente do dia").click()
    page.get_by_role("button", name="Encaixar às 09:00").click()

    expect(page.locator("#panel")).to_contain_text("Agendado às 09:00")
    expect(page.locator("#panel")).to_contain_text("Encaixe por Rosa Recepção: paciente do dia")
    assert page.evaluate("window.clicks") == 4
    cards = page.locator("#day .appt")
    expect(cards).to_have_count(2)
    expect(page.locator(f"#a{squeezed(maria).pk}")).to_have_accessible_name(re.compile("encaixe"))
    first, second = cards.evaluate_all("cards => cards.map((card) => card.getBoundingClientRect().toJSON())")
    assert first["right"] <= second["left"] + 1 or second["right"] <= first["left"] + 1


def test_who_is_chosen_for_an_encaixe_leads_to_its_reason(window, rosa, taken, maria, monday):
    page = window(rosa)
    ask_for_encaixe(page, taken, monday)
    expect(page.locator("#motive-dor")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Encaixe por Rosa Recepção: dor")


def test_a_typed_taken_time_is_squeezed_in_by_keys(window, rosa, taken, maria, monday):
    page = window(rosa)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.locator("#notes").fill("com dor desde ontem")
    page.locator("#starts").fill("09:00")
    page.keyboard.press("Enter")
    wait_until_answered(page)
    wait_until_htmx_listens(page.locator("#starts"))
    page.get_by_role("button", name="Encaixar às 09:00 mesmo assim…").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#motive-dor")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")

    expect(page.locator("#panel")).to_contain_text("Agendado às 09:00")
    assert (squeezed(maria).encaixe_reason, squeezed(maria).notes) == ("dor", "com dor desde ontem")


def test_the_question_closes_when_another_time_is_chosen(window, rosa, taken, maria, monday):
    page = window(rosa)
    open_slot(page, monday)
    page.locator("#starts").fill("09:00")
    page.locator("#notes").click()
    page.get_by_role("button", name="Encaixar às 09:00 mesmo assim…").click()
    page.locator("#other_motive").fill("veio de longe")
    page.locator("#notes").fill("um")
    page.locator("#ends").click()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#other_motive")).to_have_value("veio de longe")
    page.locator("#booking-times button").first.click()

    expect(page.locator("#booking-encaixe")).to_be_hidden()
    expect(page.locator("#save")).not_to_contain_text("Encaixar")


def test_without_the_permission_a_taken_time_is_only_refused(window, receptionist, taken, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("#starts").fill("09:00")
    page.locator("#notes").click()
    expect(page.locator("#error-starts")).to_contain_text("já está ocupado")

    expect(page.get_by_text("Encaixar")).to_have_count(0)


def test_an_encaixe_needs_no_javascript_and_fits_a_phone(window, rosa, taken, maria, monday):
    page = window(rosa, javascript=False, width=360, height=740)
    page.goto(f"/agendamentos/{taken.pk}/")
    page.get_by_role("link", name="Encaixar neste horário…").click()
    page.locator("#q").fill("maria")
    page.locator("#q").press("Enter")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    box = page.locator("#booking-encaixe").bounding_box()
    assert box["x"] + box["width"] <= 360
    page.locator("#save").click()
    expect(page.locator("#error-motive")).to_contain_text("Diga o motivo do encaixe.")
    page.locator("#other_motive").fill("veio de longe")
    page.locator("#save").click()

    page.goto(f"/agendamentos/{squeezed(maria).pk}/")
    expect(page.locator("#appointment")).to_contain_text("Encaixe por Rosa Recepção: veio de longe")


def test_an_appointment_is_moved_over_another_and_back(window, rosa, taken, maria, doctor, monday):
    own = book_appointment(doctor, patient=maria.pk, starts_at=doctor.clinic.instant(monday, time(11)))
    page = window(rosa)
    page.goto(f"/agendamentos/{own.pk}/remarcar/")
    page.locator("#starts").fill("09:00")
    page.locator("#save").click()
    page.get_by_role("button", name="Encaixar às 09:00 mesmo assim…").click()
    page.get_by_text("pedido do médico").click()
    page.get_by_role("button", name="Encaixar às 09:00").click()
    expect(page.locator("#panel")).to_contain_text("Encaixe por Rosa Recepção: pedido do médico")
    page.get_by_role("button", name="Desfazer remarcação").click()

    expect(page.locator("#appointment")).to_contain_text("11:00–11:30")
    own.refresh_from_db()
    assert own.encaixe_by is None
