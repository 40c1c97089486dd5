"""All cookies are gone, as a cleaner leaves a browser: what was typed stays, and is saved after signing in."""

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment, Doctor
from tests.browser.desk import open_slot
from tests.factories import make_manager

OVER = "Sua sessão terminou. Entre de novo em outra aba e volte aqui"


def sign_in_again(page, client, user):
    client.force_login(user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([cookie | {"url": page.evaluate("location.origin")}])
    other = page.context.new_page()
    other.goto("/pacientes/")
    other.close()


@pytest.fixture
def filled(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.locator("#notes").fill("trazer exames")
    return page


@pytest.mark.parametrize("gone", [{}, {"name": "sessionid"}])
def test_the_booking_form_stays_and_is_sent_after_signing_in(filled, client, receptionist, gone):
    before = filled.url
    filled.context.clear_cookies(**gone)
    filled.locator("#save").click()
    expect(filled.locator("#trouble > .message")).to_contain_text(OVER)
    expect(filled.locator("#notes")).to_have_value("trazer exames")
    assert filled.url == before
    sign_in_again(filled, client, receptionist)
    filled.locator("#save").click()
    expect(filled.locator("#panel")).to_contain_text("Agendado às 10:00")
    expect(filled.locator("#trouble > .message")).to_have_count(0)
    assert Appointment.objects.get().notes == "trazer exames"


def test_a_field_that_was_left_says_it_too(filled):
    filled.context.clear_cookies()
    filled.locator("#starts").fill("11:00")
    filled.locator("#notes").focus()
    expect(filled.locator("#trouble > .message")).to_contain_text(OVER)


def test_a_form_of_the_admin_stays_too(window, clinic, doctor, client):
    manager = make_manager(clinic)
    page = window(manager)
    page.goto(f"/admin/clinic/doctor/{doctor.pk}/change/")
    page.locator("#id_specialty").fill("Clínica médica")
    page.context.clear_cookies()
    page.locator("[name=_save]").last.click()
    expect(page.locator("#trouble > .message")).to_contain_text(OVER)
    expect(page.locator("#id_specialty")).to_have_value("Clínica médica")
    sign_in_again(page, client, manager)
    page.locator("[name=_save]").last.click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert Doctor.objects.get().specialty == "Clínica médica"
