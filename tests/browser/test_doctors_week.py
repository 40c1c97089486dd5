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
    effect = page.get_by_role("table", name="Como foi entendido")
    expect(effect.get_by_role("row", name="Sábado")).to_contain_text("08:30–12:00")
    assert violations(page) == []

    page.get_by_role("button", name="Salvar", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("Os horários foram gravados.")
    assert write_hours(WorkingHours.objects.all()).endswith("sáb 8:30-12 (de 01/01/2099)")


def test_a_week_is_read_back_while_it_is_typed(page):
    read = page.get_by_role("list", name="A semana como foi entendida")
    page.get_by_label("Semana:").fill("")
    expect(read.locator("button.bar")).to_have_count(0)
    page.get_by_label("Semana:").press_sequentially("seg-sex 8-12 13:30-18; sex 22-2")
    expect(page.locator("#week-summary")).to_have_text("Entendido: 5 dias, 46 h 30 min por semana.")
    expect(read.get_by_role("listitem").nth(4)).to_contain_text("08:00–12:00 13:30–18:00 22:00–02:00")
    expect(read.get_by_role("listitem").nth(5).locator(".bar")).to_have_count(1)
    assert violations(page) == []

    page.get_by_label("Semana:").press_sequentially("; sáp 8-10")
    expect(page.locator("#week-summary")).to_contain_text("“sáp”: não entendi.")
    expect(page.locator("mark")).to_have_text("sáp")
    expect(read).to_have_count(0)
    assert violations(page) == []


def test_the_week_of_a_new_doctor_is_read_back(page):
    page.goto("/admin/clinic/doctor/add/")
    page.get_by_label("Semana:").fill("sáb 8-12")
    expect(page.locator("#week-summary")).to_have_text("Entendido: 1 dia, 4 h por semana.")
    page.goto("/comecar/medico/")
    page.get_by_label("Semana", exact=True).fill("dom 20-24")
    expect(page.locator("#week-summary")).to_have_text("Entendido: 1 dia, 4 h por semana.")
    assert violations(page) == []


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
