"""The keyboard reaches the free times beside the form that moves an appointment."""

from datetime import time

from playwright.sync_api import expect

from tests.factories import book_appointment, make_doctor, make_procedure

STOPS = ".row > .slot > a[tabindex='0'], .row > .appt > a[tabindex='0']"


def test_the_grid_has_a_living_stop_beside_a_move(window, clinic, receptionist, doctor, monday):
    able = make_doctor(clinic, name="Dra. Zélia Sá", procedures=[make_procedure(clinic, name="Raio X")])
    appointment = book_appointment(able, starts_at=clinic.instant(monday, time(9)))
    page = window(receptionist, width=1440)
    page.goto(f"/agendamentos/{appointment.pk}/remarcar/")
    expect(page.locator(".slot.col-1 > a[aria-disabled]").first).to_be_attached()
    expect(page.locator(STOPS)).to_have_count(1)
    page.locator("#scroll").focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.locator(":focus").evaluate("(stop) => stop.matches('.row > * > a')"):
            break
    first = page.locator(":focus").get_attribute("href")
    assert first
    page.keyboard.press("ArrowDown")
    assert page.locator(":focus").get_attribute("href") not in {None, first}
    page.keyboard.press("Escape")
    expect(page.locator(".slot > a:not([href])")).to_have_count(0)
    expect(page.locator(".slot > a:not([tabindex])")).to_have_count(0)
    expect(page.locator(STOPS)).to_have_count(1)
