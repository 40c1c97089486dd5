"""A manager approves an encaixe at the desk by their PIN: counted, by keys, in light and dark and on a phone."""

from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.access import pins
from clinic.models import Appointment, Doctor, StaffUser
from tests.browser.desk import open_slot, wait_until_answered
from tests.browser.test_booking import wait_until_htmx_listens
from tests.browser.test_encaixe import COUNT_CLICKS, ask_for_encaixe
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_manager

PIN = "2580"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def taken(doctor, monday):
    return book_appointment(doctor, starts_at=doctor.clinic.instant(monday, time(9)))


@pytest.fixture
def severino(clinic):
    manager = make_manager(clinic, name="Severino Gestor")
    pins.set_pin(manager, PIN)
    return manager


@pytest.fixture
def full_day(doctor, taken):
    Doctor.objects.filter(pk=doctor.pk).update(encaixes_per_day=0)


@pytest.fixture
def rosa(receptionist):
    StaffUser.objects.filter(pk=receptionist.pk).update(may_squeeze_in=True)
    return receptionist


def ask_beyond_the_number(page, taken, monday):
    ask_for_encaixe(page, taken, monday)
    expect(page.locator("#booking input[name=patient]")).not_to_have_value("")
    page.get_by_text("paciente do dia").click()
    page.locator("#notes").fill("com dor desde ontem")
    page.get_by_role("button", name="Encaixar às 09:00").click()
    expect(page.locator("#approval_pin")).to_be_focused()


COVERED = """(field) => {
  const { left, top, width, height } = field.getBoundingClientRect();
  return document.elementFromPoint(left + width / 2, top + height - 2) !== field;
}"""


@pytest.mark.parametrize("width", [1366, 360])
def test_the_pin_is_not_behind_the_foot_of_the_panel(window, rosa, severino, full_day, taken, maria, monday, width):
    page = window(rosa, width=width, height=700)
    ask_beyond_the_number(page, taken, monday)
    assert not page.locator("#approval_pin").evaluate(COVERED)


def test_an_encaixe_is_approved_by_one_click_and_a_pin(window, rosa, severino, full_day, taken, maria, monday):
    page = window(rosa)
    page.add_init_script(COUNT_CLICKS)
    ask_beyond_the_number(page, taken, monday)
    before = page.evaluate("window.clicks")
    page.keyboard.type("9999")
    page.get_by_role("button", name="Aprovar e encaixar às 09:00").click()
    expect(page.locator("#error-approval_pin")).to_contain_text("Este não é o PIN")
    expect(page.locator("#approval_pin")).to_be_focused()
    expect(page.locator("#approval_pin")).to_have_value("")
    expect(page.locator("#notes")).to_have_value("com dor desde ontem")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")

    expect(page.locator("#panel")).to_contain_text("Aprovado por Severino Gestor")
    assert page.evaluate("window.clicks") == before + 1
    booked = Appointment.objects.get(patient=maria)
    assert (booked.encaixe_approved_by, booked.notes) == (severino, "com dor desde ontem")


def test_what_was_typed_stays_while_other_fields_are_left(window, receptionist, severino, taken, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.locator("#starts").fill("09:00")
    page.keyboard.press("Enter")
    wait_until_answered(page)
    wait_until_htmx_listens(page.locator("#starts"))
    page.get_by_role("button", name="Encaixar às 09:00 mesmo assim…").click()
    expect(page.locator("#motive-dor")).to_be_focused()
    page.get_by_text("pedido do médico").click()
    page.locator("#approval_pin").fill(PIN)
    page.locator("#notes").fill("um")
    page.locator("#ends").click()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#approval_pin")).to_have_value(PIN)
    page.get_by_role("button", name="Aprovar e encaixar às 09:00").click()

    expect(page.locator("#panel")).to_contain_text("Aprovado por Severino Gestor")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing_where_it_is_asked_for(window, rosa, severino, full_day, taken, maria, monday, scheme, width):
    page = window(rosa, scheme=scheme, width=width)
    ask_beyond_the_number(page, taken, monday)
    fieldset = page.locator(".approval").bounding_box()

    assert fieldset["x"] >= 0 and fieldset["x"] + fieldset["width"] <= width
    assert not violations(page)


def test_without_javascript_a_move_is_approved(window, rosa, severino, full_day, maria, doctor, monday):
    own = book_appointment(doctor, patient=maria.pk, starts_at=doctor.clinic.instant(monday, time(11)))
    page = window(rosa, javascript=False)
    page.goto(f"/agendamentos/{own.pk}/remarcar/")
    page.locator("#starts").fill("09:00")
    page.locator("#save").click()
    page.get_by_role("button", name="Encaixar às 09:00 mesmo assim…").click()
    page.get_by_text("pedido do médico").click()
    page.locator("#save").click()
    page.locator("#approval_pin").fill(PIN)
    page.locator("#save").click()

    expect(page.locator("#appointment")).to_contain_text("Aprovado por Severino Gestor")
    own.refresh_from_db()
    assert own.encaixe_approved_by == severino
