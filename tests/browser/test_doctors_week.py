"""The week of a doctor as text in the admin, in a browser."""

from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import WorkingHours
from clinic.schedule import write_hours
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_manager


@pytest.fixture
def page(window, clinic, doctor):
    page = window(make_manager(clinic))
    page.goto(f"/admin/clinic/doctor/{doctor.pk}/change/")
    page.get_by_role("link", name="Semana", exact=True).click()
    return page


def test_a_week_is_typed_read_back_and_saved(page):
    page.get_by_label("Semana:").fill("seg-sex 8-12 13-18; sáb 8h30 às 12")
    page.get_by_label("Vale a partir de:").fill("01/01/2099")
    page.get_by_role("button", name="Ver o efeito").click()
    expect(page.get_by_role("row", name="Sábado")).to_contain_text("08:30–12:00")
    assert violations(page) == []

    page.get_by_role("button", name="Salvar", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("Os horários foram gravados.")
    assert write_hours(WorkingHours.objects.all()).endswith("sáb 8:30-12 (de 01/01/2099)")


def test_mistakes_and_the_question_are_accessible(page, clinic, doctor, monday):
    book_appointment(doctor, starts_at=clinic.instant(monday, time(9)))
    page.get_by_label("Semana:").fill("seg 8-12; sáp 8-10")
    page.get_by_role("button", name="Ver o efeito").click()
    expect(page.locator("mark")).to_have_text("sáp")
    assert violations(page) == []

    page.get_by_label("Semana:").fill("")
    page.get_by_role("button", name="Ver o efeito").click()
    expect(page.locator(".question")).to_contain_text("1 pessoa já agendada ficaria sem atendimento")
    assert violations(page) == []
    page.get_by_role("button", name="Salvar e remarcar agora").click()
    expect(page.locator("h1")).to_have_text("Pendências")
