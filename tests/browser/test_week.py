"""The week of one doctor in the browser: moving to another date, switching between day and week, keys and phone."""

import re
from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment
from tests.browser.test_day import COUNT_ACTS
from tests.browser.test_dragging import lead, middle
from tests.browser.test_moving_on_the_day import begin, card_of, press
from tests.factories import book_appointment, make_doctor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def appointment(clinic, doctor, maria, monday):
    return book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(9)))


@pytest.fixture
def week(window, receptionist, appointment, monday):
    page = window(receptionist, width=1440)
    page.add_init_script(COUNT_ACTS)
    page.goto(f"/agenda/semana/{appointment.doctor_id}/{monday}/")
    return page


def slot_on(page, day, at):
    return page.locator(f".slot a[href*='data={day}&'][href*='inicio={at}']")


def stands(appointment):
    local = appointment.clinic.local(Appointment.objects.get(pk=appointment.pk).starts_at)
    return local.date(), f"{local:%H:%M}"


def test_one_drag_moves_it_to_another_date(week, appointment, monday):
    wednesday = monday + timedelta(days=2)
    lead(week, appointment, slot_on(week, wednesday, "10:30"))
    expect(week.locator("#outline")).to_have_text(f"10:30 qua {wednesday:%d/%m}")
    expect(week.locator("#outline.not-free")).to_have_count(0)
    week.mouse.up()
    expect(week.locator("#messages")).to_contain_text("Remarcado de")
    expect(week.locator(".appt.col-3.status-rescheduled")).to_be_visible()
    assert stands(appointment) == (wednesday, "10:30")
    assert week.evaluate("[window.clicks <= 1, window.keys]") == [True, 0]


def test_four_keys_move_it_to_the_next_date(week, appointment, monday):
    begin(week, appointment)
    press(week, "ArrowRight")
    expect(week.locator("#changes")).to_have_text(f"terça, 9 horas, livre, ter {monday + timedelta(days=1):%d/%m}")
    press(week, "ArrowDown", "Enter")
    expect(week.locator("#messages")).to_contain_text("Remarcado de")
    expect(card_of(week, appointment)).to_be_focused()
    assert stands(appointment) == (monday + timedelta(days=1), "09:15")
    assert week.evaluate("window.keys") == 4


def test_a_drop_on_a_taken_date_goes_back_and_says_why(week, clinic, doctor, appointment, monday):
    tuesday = monday + timedelta(days=1)
    taken = book_appointment(doctor, starts_at=clinic.instant(tuesday, time(11)))
    week.reload()
    lead(week, appointment, card_of(week, taken))
    expect(week.locator("#outline.not-free")).to_be_visible()
    week.mouse.up()
    expect(week.locator("#refused")).to_contain_text("O horário das 11:00 da Dra. Helena Prado já está ocupado.")
    expect(week.locator("#outline, .appt.moved")).to_have_count(0)
    assert stands(appointment) == (monday, "09:00")


def test_keys_switch_between_day_and_week_with_the_open_form(week, doctor, monday):
    slot_on(week, monday + timedelta(days=3), "10:00").click()
    expect(week.locator("#q")).to_be_focused()
    week.keyboard.type("ma")
    slot = slot_on(week, monday + timedelta(days=2), "15:00")
    slot.focus()
    press(week, "d")
    expect(week.locator("#day-title")).to_contain_text("quarta")
    assert week.evaluate("location.pathname") == f"/agenda/{monday + timedelta(days=2)}/"
    expect(week.locator("#q")).to_have_value("ma")
    week.locator(".slot a").first.focus()
    press(week, "s")
    expect(week.locator("#day-title")).to_contain_text("Dra. Helena Prado")
    assert week.evaluate("location.pathname") == f"/agenda/semana/{doctor.pk}/{monday + timedelta(days=2)}/"
    expect(week.locator("#q")).to_have_value("ma")
    week.go_back()
    expect(week.locator("#day-title")).to_contain_text("quarta")
    expect(week.locator("#q")).to_have_value("ma")


def test_a_click_on_a_doctor_of_the_day_opens_the_week(week, clinic, doctor, monday):
    colleague = make_doctor(clinic, name="Dra. Zélia Sá", procedures=list(doctor.procedures.all()))
    week.goto(f"/agenda/{monday}/")
    week.get_by_role("link", name="Dra. Zélia Sá", exact=True).click()
    expect(week.locator("#day-title")).to_contain_text("Dra. Zélia Sá")
    assert week.evaluate("location.pathname") == f"/agenda/semana/{colleague.pk}/{monday}/"


def test_arrows_of_the_title_go_a_week_each_however_quickly(week, monday):
    press(week, "]", "]")
    expect(week.locator("#day")).to_have_attribute("data-date", str(monday + timedelta(days=14)))


def test_another_doctor_keeps_the_week(week, clinic, doctor, monday):
    colleague = make_doctor(clinic, name="Dra. Zélia Sá", procedures=list(doctor.procedures.all()))
    week.reload()
    week.locator("#week-doctor").select_option(label="Dra. Zélia Sá")
    expect(week.locator("#day-title")).to_contain_text("Dra. Zélia Sá")
    assert week.evaluate("location.pathname") == f"/agenda/semana/{colleague.pk}/{monday}/"


def test_a_booking_in_the_week_shows_at_once_and_can_be_undone(week, maria, monday):
    slot_on(week, monday + timedelta(days=4), "10:00").click()
    expect(week.locator("#q")).to_be_focused()
    expect(week.locator("#chosen")).to_have_class(re.compile(r"\bcol-5\b"))
    week.keyboard.type("maria")
    week.keyboard.press("Enter")
    expect(week.locator("#save")).to_be_focused()
    week.keyboard.press("Enter")
    expect(week.locator("#panel")).to_contain_text("Agendado às 10:00")
    expect(week.locator(".appt.col-5")).to_be_visible()
    week.keyboard.press("Escape")
    expect(week.locator("#day-title")).to_contain_text("Dra. Helena Prado")


def test_the_week_is_a_list_on_a_phone(window, receptionist, clinic, appointment, monday):
    make_doctor(clinic, name="Maria Antonieta de Albuquerque Cavalcanti de Vasconcelos")
    appointment.lines.update(procedure_name="Ecocardiograma com Doppler")
    page = window(receptionist, width=360)
    page.goto(f"/agenda/semana/{appointment.doctor_id}/{monday}/")
    expect(card_of(page, appointment)).to_contain_text(f"seg {monday:%d/%m}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert card_of(page, appointment).locator("i").evaluate("(name) => name.scrollWidth - name.clientWidth") <= 0
    assert middle(card_of(page, appointment))
