"""Auditoria and a day as it was, by hand: from the menu to who cancelled, and from a past moment back to now."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import Author, change_status
from tests.factories import book_appointment, make_manager, make_user


@pytest.fixture
def cancelled(doctor, maria):
    clinic = doctor.clinic
    visit = book_appointment(doctor, patient=maria.pk)
    by = Author("browser", user=make_user(clinic, name="Rita Recepção"))
    return change_status(visit.pk, "cancelled", clinic=clinic, by=by, cancelled_by="patient", now=timezone.now())


@pytest.mark.parametrize("width", [1280, 360])
def test_who_cancelled_is_found_from_the_menu(window, cancelled, doctor, width):
    page = window(make_manager(doctor.clinic), width=width)
    page.goto("/")
    page.locator(".more-pages > summary").click()
    page.get_by_role("link", name="Auditoria").click()
    page.get_by_role("link", name="Cancelados em 7 dias").click()
    row = page.locator("#entries tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("De Agendado para Cancelado")
    expect(row).to_contain_text("Rita Recepção")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 360])
def test_a_past_day_says_what_changed_and_leads_back(window, cancelled, doctor, width):
    day = doctor.clinic.local(cancelled.starts_at).date()
    page = window(make_manager(doctor.clinic), width=width)
    page.goto(f"/agenda/{day}/como-estava/?em=2026-01-05T10:00&ate=agora")
    expect(page.get_by_role("note")).to_contain_text("Assim estava em 05/01/2026 10:00.")
    expect(page.locator(".appt")).to_have_count(0)
    expect(page.locator(".differences li")).to_contain_text("Novo")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Voltar a agora").click()
    expect(page.locator(f"#a{cancelled.pk}")).to_be_attached()
