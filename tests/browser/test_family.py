"""A family booked in one act: by the mouse, from the card of the one who is booked already."""

from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment
from tests.browser.desk import sent_by
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_patient

PHONE = "+5581998765432"


@pytest.fixture
def booked(clinic, doctor, monday):
    mother = make_patient(clinic, name="Ana Souza", phone=PHONE)
    make_patient(clinic, name="Bia Souza", phone=PHONE)
    return book_appointment(doctor, patient=mother.pk, starts_at=clinic.instant(monday, time(9)))


def test_two_children_are_booked_beside_their_mother(window, receptionist, booked):
    page = window(receptionist)
    page.goto(f"/agendamentos/{booked.pk}/")
    page.get_by_role("link", name="Vários da família…").click()
    page.locator("fieldset").nth(0).get_by_role("button", name="Bia Souza").click()
    expect(page.locator("[name=patient-0]")).to_have_count(1)
    page.locator("#q-1").fill("Caio Souza")
    page.locator("#q-1").press("Tab")
    page.locator("fieldset").nth(1).get_by_role("button", name="Novo paciente").click()
    expect(page.locator("#name-1")).to_have_value("Caio Souza")
    page.locator("#birth_date-1").fill("01/02/2020")
    page.get_by_role("button", name="Propor horários juntos").click()
    expect(page.locator("#starts-0")).not_to_have_value("")
    page.get_by_role("button", name="Agendar todos").click()
    expect(page.locator("#messages")).to_contain_text("2 agendamentos feitos.")
    assert sorted(Appointment.objects.values_list("patient__name", flat=True)) == [
        "Ana Souza",
        "Bia Souza",
        "Caio Souza",
    ]


def test_enter_leads_to_the_first_of_several_of_a_name(window, receptionist, clinic, booked):
    for name in ("Caio Lima", "Caio Reis"):
        make_patient(clinic, name=name)
    page = window(receptionist)
    page.goto(f"/agendamentos/familia/?agendamento={booked.pk}")
    page.locator("#q-0").press_sequentially("caio")
    page.keyboard.press("Enter")
    expect(page.locator("fieldset").nth(0).get_by_role("button", name="Caio Lima")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("fieldset").nth(0)).to_contain_text("Caio Lima")
    expect(page.locator("#q-1")).to_be_focused()


def test_a_double_click_books_a_family_by_one_request(window, receptionist, clinic, booked):
    make_patient(clinic, name="Caio Souza", phone=PHONE)
    page = window(receptionist)
    page.goto(f"/agendamentos/familia/?agendamento={booked.pk}")
    for row, name in enumerate(("Bia Souza", "Caio Souza")):
        page.locator("fieldset").nth(row).get_by_role("button", name=name).click()
        expect(page.locator(f"[name=patient-{row}]")).to_have_count(1)
    page.get_by_role("button", name="Propor horários juntos").click()
    expect(page.locator("#starts-0")).not_to_have_value("")
    sent = sent_by(page)
    page.get_by_role("button", name="Agendar todos").dblclick()
    expect(page.locator("#messages")).to_contain_text("2 agendamentos feitos.")
    assert sent.count("/agendamentos/familia/") == 1


@pytest.mark.parametrize("button", ["Agendar todos", "Propor horários juntos"])
def test_what_is_refused_is_in_sight_and_in_focus(window, receptionist, doctor, booked, button):
    page = window(receptionist, height=500)
    page.goto(f"/agendamentos/familia/?agendamento={booked.pk}")
    doctor.hours.all().delete()
    page.get_by_role("button", name=button).click()
    refused = page.locator("#family-refusals .message.error")
    expect(refused).to_be_focused()
    expect(refused).to_be_in_viewport()
    expect(refused).not_to_have_attribute("role", "alert")  # the focus has it read aloud already


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(window, receptionist, booked, scheme):
    page = window(receptionist, scheme=scheme)
    page.goto(f"/agendamentos/familia/?agendamento={booked.pk}")
    assert violations(page) == []
