"""A patient called like the new one is seen while the name is typed, and taken by a button."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import open_slot
from tests.browser.test_booking import wait_until_htmx_listens
from tests.browser.test_every_page import violations
from tests.factories import make_patient


@pytest.fixture
def luiz(clinic):
    return make_patient(clinic, name="Luiz Gomes", birth_date="1977-11-28")


def test_the_namesake_is_taken_in_place_of_a_new_patient(window, receptionist, doctor, luiz, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("luiz gomes")
    page.keyboard.press("Tab")
    expect(page.locator("#namesakes")).to_contain_text("Já existe Luiz Gomes, nasc. 28/11/1977")
    expect(page.locator("#phone")).to_be_focused()
    assert violations(page) == []
    page.get_by_role("button", name="É esta pessoa").click()
    expect(page.locator("#booking input[name=patient]")).to_have_value(str(luiz.pk))
    expect(page.locator("#save")).to_be_focused()


def test_the_focus_stays_on_a_namesakes_button(window, receptionist, doctor, luiz, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    page.locator("#name").fill("luiz gomes")
    page.locator("#phone").focus()
    button = page.get_by_role("button", name="É esta pessoa")
    expect(button).to_be_visible()
    wait_until_htmx_listens(page.locator("#phone"))
    page.keyboard.type("81 97777-0002")
    page.evaluate("document.getElementById('namesakes').dataset.old = ''")
    for _ in range(6):
        page.keyboard.press("Tab")
        if button.evaluate("(button) => button === document.activeElement"):
            break
    expect(page.locator("#namesakes[data-old]")).to_have_count(0)
    expect(button).to_be_focused()


def test_the_form_of_a_new_patient_opens_the_namesake(window, receptionist, luiz):
    page = window(receptionist)
    page.goto("/pacientes/novo/")
    page.locator("#name").fill("Luiz Gomes")
    page.locator("#phone").fill("(81) 97777-0002")
    page.locator("#email").focus()
    page.get_by_role("button", name="É esta pessoa: abrir").click()
    expect(page.locator("#main")).to_contain_text("Este é o cadastro que já existia")
    expect(page.locator("#stored-phone")).to_be_visible()
    assert page.url.endswith(f"/pacientes/{luiz.pk}/editar/")
