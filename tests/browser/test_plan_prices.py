"""The price of the plan, of the day and of a return, while the patient is on the phone."""

from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment, ProcedurePrice
from tests.browser.desk import open_slot
from tests.browser.test_booking import wait_until_htmx_listens
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_payer

pytestmark = pytest.mark.django_db(transaction=True)


def open_for_maria(page, monday):
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()


def test_one_key_tells_the_price_of_the_plan(window, receptionist, doctor, maria, monday):
    unimed, procedure = make_payer(doctor.clinic, name="Unimed"), doctor.procedures.get()
    fields = {"clinic": doctor.clinic, "procedure": procedure, "payer": unimed, "valid_from": monday}
    ProcedurePrice.objects.create(price="80.00", **fields)
    page = window(receptionist)
    open_for_maria(page, monday)
    expect(page.locator("#booking-total")).to_contain_text(f"{procedure.price:.2f}".replace(".", ","))
    wait_until_htmx_listens(page.locator(f"#payer-{unimed.pk}"))
    page.locator("#payer-0").focus()
    page.keyboard.press("u")
    expect(page.locator("#booking-total")).to_contain_text("80,00")
    expect(page.locator("#price-0")).to_contain_text("80,00")
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.get().lines.get().price == 80


def test_a_free_return_is_proposed_and_declined(window, receptionist, doctor, maria, monday):
    doctor.procedures.update(return_days=30)
    visit = book_appointment(doctor, patient=maria.pk, starts_at=doctor.clinic.instant(monday, time(15)))
    starts_at = visit.starts_at - timedelta(days=14)
    ends_at = starts_at + timedelta(minutes=30)
    Appointment.objects.filter(pk=visit.pk).update(status="finished", starts_at=starts_at, ends_at=ends_at)
    page = window(receptionist)
    open_for_maria(page, monday)
    box = page.locator("#as_return")
    expect(box).to_be_checked()
    expect(page.locator("#booking-total")).to_contain_text("R$\N{NO-BREAK SPACE}0,00")
    assert violations(page) == []
    wait_until_htmx_listens(box)
    box.uncheck()
    expect(page.locator("#booking-total")).not_to_contain_text("R$\N{NO-BREAK SPACE}0,00")
    box.check()
    expect(page.locator("#booking-total")).to_contain_text("R$\N{NO-BREAK SPACE}0,00")
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.get(status="scheduled").lines.get().price == 0
