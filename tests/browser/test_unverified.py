"""What was sent of a known patient and differs from the stored data, decided in a browser."""

from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment
from clinic.registry import PatientDetails, Policy
from tests.browser.test_booking import wait_until_htmx_listens
from tests.factories import book_appointment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(doctor, maria, monday):
    """What a program booked for Maria's CPF under another name and phone."""
    details = PatientDetails(name="Pedro Costa", phone="(81) 93333-4444", cpf=maria.cpf)
    starts_at = doctor.clinic.instant(monday, time(10))
    return book_appointment(
        doctor, details=details, starts_at=starts_at, policy=Policy.LENIENT, source=Appointment.Source.SYNC_EXTERNAL
    )


def decide(page, button):
    wait_until_htmx_listens(page.locator(".unverified").first)
    page.get_by_role("button", name=button).first.click()


def test_the_two_buttons_decide_and_the_focus_stays_in_the_panel(window, receptionist, sent, maria, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    expect(page.locator("#day .appt")).to_contain_text("dados a confirmar")
    page.locator("#day .appt a").click()
    values = page.locator("#panel .unverified")
    expect(values).to_contain_text(["nome a confirmar: Pedro Costa", "telefone a confirmar: (81) 93333-4444"])

    decide(page, "Descartar")
    expect(values).to_have_count(1)
    expect(values.get_by_role("button", name="Usar este")).to_be_focused()
    expect(page.locator("#panel")).to_contain_text("Descartado: a ficha fica como está.")

    decide(page, "Usar este")
    expect(values).to_have_count(0)
    expect(page.locator("#panel-title")).to_be_focused()
    expect(page.locator("#panel")).to_contain_text("O telefone anterior passou a ser o segundo.")
    expect(page.locator("#day .appt")).not_to_contain_text("a confirmar")
    maria.refresh_from_db()
    assert (maria.name, maria.phone.as_e164) == ("Maria da Silva Souza", "+5581933334444")


def test_the_two_buttons_work_without_javascript(window, receptionist, sent, maria):
    page = window(receptionist, javascript=False)
    page.goto(f"/agendamentos/{sent.pk}/")
    page.locator(".unverified", has_text="telefone").get_by_role("button", name="Usar este").click()
    expect(page.locator("#panel")).to_contain_text("nome a confirmar: Pedro Costa")
    expect(page.locator("#panel")).not_to_contain_text("telefone a confirmar")

    page.get_by_role("button", name="Descartar").click()
    page.get_by_role("button", name="Desfazer descarte").click()
    expect(page.locator("#panel")).to_contain_text("nome a confirmar: Pedro Costa")
    maria.refresh_from_db()
    assert maria.phone.as_e164 == "+5581933334444"
