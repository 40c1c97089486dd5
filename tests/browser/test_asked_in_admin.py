"""The question before a save of the admin that makes appointments pending."""

from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import Doctor
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_manager


@pytest.fixture
def asked(window, clinic, doctor, monday):
    """The doctor's form after the tick of "ativo" was taken off and the form sent."""
    book_appointment(doctor, starts_at=clinic.instant(monday, time(9)))
    page = window(make_manager(clinic))
    page.goto(f"/admin/clinic/doctor/{doctor.pk}/change/")
    page.locator("#id_active").uncheck()
    page.locator("[name=_save]").first.click()
    expect(page.locator(".question")).to_contain_text("1 pessoa já agendada ficaria sem atendimento")
    return page


def test_axe_finds_nothing_in_the_question(asked):
    assert violations(asked) == []


def test_nothing_is_said_to_be_wrong_beside_the_question(asked):
    expect(asked.locator(".errornote")).to_be_hidden()


def test_enter_in_a_field_asks_again(asked):
    asked.locator("#id_council_number").press("Enter")
    expect(asked.locator(".question")).to_be_visible()
    assert Doctor.objects.get().active


def test_one_click_saves_and_leads_to_the_pending(asked):
    asked.get_by_role("button", name="Salvar e remarcar agora").click()
    expect(asked.locator("h1")).to_have_text("Pendências")
    expect(asked.locator("main")).to_contain_text("A Dra. Helena Prado não atende mais aqui")
    assert not Doctor.objects.get().active


def test_going_back_keeps_the_form(asked):
    asked.get_by_role("button", name="Voltar", exact=True).click()
    expect(asked.locator(".question")).to_have_count(0)
    expect(asked.locator("#id_active")).not_to_be_checked()
    assert Doctor.objects.get().active
