"""The privacy key: names are blurred at the counter, in this tab, until it is pressed again."""

import re

import pytest
from playwright.sync_api import expect

from tests.factories import make_patient
from tests.web.patients import visit


@pytest.fixture
def booked(clinic):
    return visit(make_patient(clinic, name="Zulmira Quixabeira"), days=0)


def is_blurred(locator):
    return "blur" in locator.evaluate("element => getComputedStyle(element).filter")


def test_one_key_blurs_names_on_every_page(window, receptionist, booked):
    page = window(receptionist)
    day = booked.clinic.local(booked.starts_at).date()
    page.goto(f"/agenda/{day}/")
    name = page.locator(f"#a{booked.pk} b")
    expect(name).to_have_text("Zulmira Quixabeira")
    assert not is_blurred(name)
    page.keyboard.press("b")
    expect(page.locator("html[data-blur]")).to_have_count(1)
    assert is_blurred(name)
    for address in ("/fila/", f"/confirmacoes/{day}/", f"/pacientes/{booked.patient_id}/"):
        page.goto(address)
        shown = page.locator("main bdi", has_text="Zulmira").first
        expect(shown).to_be_visible()
        assert is_blurred(shown), address
    page.keyboard.press("b")
    expect(page.locator("html[data-blur]")).to_have_count(0)
    assert not is_blurred(page.locator("main bdi", has_text="Zulmira").first)


def test_the_button_does_the_same_and_another_tab_is_its_own(window, receptionist, booked):
    page = window(receptionist)
    page.goto(f"/pacientes/{booked.patient_id}/")
    page.locator(".more-pages summary").click()
    page.locator("#blur").click()
    expect(page.locator("#blur")).to_have_attribute("aria-pressed", "true")
    assert is_blurred(page.locator("h1 bdi"))
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("html[data-blur]")).to_have_count(0)


def test_the_key_stands_in_the_list(window, receptionist, booked):
    page = window(receptionist)
    page.goto(f"/pacientes/{booked.patient_id}/")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Desfocar os nomes no balcão")


def test_tooltips_and_the_window_name_nobody(window, receptionist, booked):
    page = window(receptionist)
    day = booked.clinic.local(booked.starts_at).date()
    page.goto(f"/agenda/{day}/")
    card = page.locator(f"#a{booked.pk}")
    card.hover()
    expect(card).to_have_attribute("title", re.compile("Zulmira Quixabeira"))
    page.keyboard.press("b")
    page.mouse.move(0, 0)
    card.hover()
    expect(page.locator("[title*=Zulmira]")).to_have_count(0)
    page.goto(f"/pacientes/{booked.patient_id}/")  # opened later, in the same tab
    expect(page).to_have_title(booked.clinic.name)
    expect(page.locator("h1")).to_contain_text("Zulmira")
    page.go_back()
    page.locator(f"#a{booked.pk}").hover()
    expect(page.locator("[title*=Zulmira]")).to_have_count(0)
    page.keyboard.press("b")
    page.mouse.move(0, 0)
    page.locator(f"#a{booked.pk}").hover()
    expect(page.locator(f"#a{booked.pk}")).to_have_attribute("title", re.compile("Zulmira"))
    page.goto(f"/pacientes/{booked.patient_id}/")
    expect(page).to_have_title(re.compile("Zulmira Quixabeira"))


def test_icons_keep_what_says_what_they_do(window, receptionist, booked):
    page = window(receptionist)
    page.goto(f"/agenda/{booked.clinic.local(booked.starts_at).date()}/")
    page.keyboard.press("b")
    page.locator(f"#a{booked.pk}").hover()
    expect(page.locator(f"#a{booked.pk}")).to_have_attribute("data-tooltip", re.compile("Zulmira"))
    for icon in (page.locator(".away").first, page.locator("#print")):
        icon.hover()
        expect(icon).to_have_attribute("title", re.compile(r"\w"))


def test_a_title_written_while_blurred_stays(window, receptionist, booked):
    page = window(receptionist)
    page.goto(f"/agenda/{booked.clinic.local(booked.starts_at).date()}/")
    page.keyboard.press("b")
    card = page.locator(f"#a{booked.pk}")
    card.hover()
    expect(card).to_have_attribute("data-tooltip", re.compile("Zulmira"))
    card.evaluate("element => { element.title = 'outro' }")
    page.keyboard.press("b")
    expect(card).to_have_attribute("title", "outro")
    expect(page.locator("[data-tooltip]")).to_have_count(0)
