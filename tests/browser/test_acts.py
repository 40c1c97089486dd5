"""Acts on the day without opening the appointment, counted: a button on the card, keys on the card in focus, arrows."""

from datetime import time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import change_status
from clinic.models import Appointment
from tests.booking.desk import BY
from tests.browser.test_day import COUNT_ACTS
from tests.days import put
from tests.factories import book_appointment, make_doctor, make_patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(window, clinic, receptionist, doctor, maria, monday):
    appointment = book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(9)))
    page = window(receptionist, width=1440)
    page.add_init_script(COUNT_ACTS)
    return page, appointment


def status_of(appointment):
    return Appointment.objects.get(pk=appointment.pk).status


def card_of(page, appointment):
    return page.locator(f"#a{appointment.pk}")


def test_a_confirmation_costs_one_click(desk, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).hover()
    button = page.get_by_role("button", name="Confirmar: Maria da Silva Souza")
    assert min(button.bounding_box()["width"], button.bounding_box()["height"]) >= 24
    button.click()
    expect(page.locator("#messages")).to_contain_text("Maria da Silva Souza: Confirmado")
    expect(page.locator(".appt.status-confirmed")).to_be_visible()
    expect(card_of(page, appointment)).to_be_focused()
    assert page.locator("#panel > *").count() == 0
    assert status_of(appointment) == "confirmed"
    assert page.evaluate("window.clicks") == 1


def test_a_check_in_costs_one_click_on_the_day_itself(desk, clinic, doctor):
    page, _appointment = desk
    today = clinic.local(timezone.now()).date()
    arrived = put(doctor, "12:00", day=today, status="confirmed", patient=make_patient(clinic, name="Rui Chegou"))
    page.goto(f"/agenda/{today}/")
    card_of(page, arrived).hover()
    page.get_by_role("button", name="Check-in: Rui Chegou").click()
    expect(page.locator("#messages")).to_contain_text("Rui Chegou: Check-in")
    expect(page.locator(".appt.status-checked_in")).to_be_visible()
    assert page.locator("#panel > *").count() == 0
    assert status_of(arrived) == "checked_in"
    assert page.evaluate("window.clicks") == 1


def test_a_confirmation_is_undone_from_its_message(desk, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).focus()
    page.keyboard.press("c")
    expect(page.locator("#messages")).to_contain_text("Maria da Silva Souza: Confirmado")
    page.keyboard.press("u")
    expect(page.locator("#messages")).to_contain_text("Maria da Silva Souza: Agendado")
    expect(page.locator(".appt.status-scheduled")).to_be_visible()
    assert status_of(appointment) == "scheduled"


def test_the_day_follows_an_undo_at_once_and_keeps_the_focus(desk, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).focus()
    page.keyboard.press("c")
    expect(page.locator(".appt.status-confirmed")).to_be_visible()
    page.locator("#undo-last").click()
    expect(page.locator(".appt.status-scheduled")).to_be_visible()
    expect(card_of(page, appointment)).to_be_focused()


def test_u_undoes_what_was_done_in_the_panel_last(desk, clinic, doctor, monday):
    page, appointment = desk
    other = book_appointment(doctor, patient=make_patient(clinic).pk, starts_at=clinic.instant(monday, time(11)))
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).focus()
    page.keyboard.press("c")
    expect(page.locator(".appt.status-confirmed")).to_be_visible()  # the day is drawn anew: no click falls in between
    card_of(page, other).click()
    page.get_by_role("button", name="Cancelar pelo(a) paciente").click()
    expect(page.locator("#panel .status")).to_have_text("Cancelado")
    expect(page.locator("#undo-last")).to_have_count(0)
    page.keyboard.press("u")
    expect(page.locator("#panel .status")).to_have_text("Agendado")
    assert status_of(appointment) == "confirmed" and status_of(other) == "scheduled"


def test_a_closed_message_gives_the_focus_to_the_day(desk, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).focus()
    page.keyboard.press("c")
    page.get_by_role("button", name="Fechar aviso").click()
    expect(page.locator("#scroll")).to_be_focused()


def test_arrows_keep_the_hour_over_a_column_without_it(desk, clinic, doctor, monday):
    page, _appointment = desk
    procedures = list(doctor.procedures.all())
    make_doctor(clinic, name="Dra. Zilda Alta", procedures=procedures, hours=[(time(15), time(17))])
    make_doctor(clinic, name="Dra. Zilda Baixa", procedures=procedures)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"a[href*='medico={doctor.pk}&'][href*='inicio=10:00']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "15:00 livre, Dra. Zilda Alta")
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "10:00 livre, Dra. Zilda Baixa")


def test_the_filter_of_a_phone_lies_within_its_screen(window, receptionist, doctor, monday):
    page = window(receptionist, width=360, height=740)
    page.goto(f"/agenda/{monday}/")
    page.locator("#filter > summary").click()
    box = page.locator("#filter > form").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    expect(page.locator("#day-book")).to_be_hidden()


def test_a_refused_key_opens_the_panel_and_says_why(desk, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).focus()
    page.keyboard.press("f")
    expect(page.locator("#panel")).to_contain_text("depois do início, às 09:00")
    assert status_of(appointment) == "scheduled"


def test_a_key_on_a_card_drawn_before_a_change_does_nothing(desk, clinic, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    change_status(appointment.pk, "cancelled", clinic=clinic, by=BY, cancelled_by="patient")
    card_of(page, appointment).focus()
    page.keyboard.press("c")
    expect(page.locator("#panel")).to_contain_text("foi alterado depois do que você viu")
    assert status_of(appointment) == "cancelled"


def test_keys_open_the_change_and_the_cancellation(desk, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).focus()
    page.keyboard.press("e")
    expect(page.locator("#panel-title")).to_have_text("Alterar")
    page.keyboard.press("Escape")
    card_of(page, appointment).focus()
    page.keyboard.press("x")
    expect(page.locator("#panel-title")).to_have_text("Cancelar agendamento")


def test_a_cancellation_costs_two_clicks(desk, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).click()
    page.get_by_role("button", name="Cancelar pelo(a) paciente").click()
    expect(page.locator("#panel")).to_contain_text("Cancelado")
    assert status_of(appointment) == "cancelled"
    assert page.evaluate("window.clicks") == 2


def test_a_move_to_a_colleague_costs_four_clicks(desk, clinic, doctor, monday):
    page, appointment = desk
    other = make_doctor(clinic, name="Dr. Bruno Reis", procedures=list(doctor.procedures.all()))
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).click()
    page.get_by_role("link", name="Remarcar").click()
    expect(page.locator("#panel:not(.htmx-settling) #panel-title")).to_have_text("Remarcar")
    page.locator(f".slot a[href*='medico={other.pk}&'][href*='inicio=10:00']").click()
    expect(page.locator("#save")).to_contain_text("10:00")
    page.locator("#save").click()
    expect(page.locator("#panel .status")).to_have_text("Remarcado")
    assert Appointment.objects.get(pk=appointment.pk).doctor == other
    assert page.evaluate("window.clicks") <= 4


def test_an_open_appointment_follows_what_a_colleague_does(desk, clinic, monday):
    page, appointment = desk
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).click()
    expect(page.locator("#panel .status")).to_have_text("Agendado")
    change_status(appointment.pk, "confirmed", clinic=clinic, by=BY)
    page.evaluate("window.htmx.trigger(document.body, 'refresh-day')")
    expect(page.locator("#panel .status")).to_have_text("Confirmado")


def test_arrows_walk_over_cards_and_free_times(desk, clinic, doctor, monday):
    page, appointment = desk
    make_doctor(clinic, name="Dr. Bruno Reis", procedures=list(doctor.procedures.all()))
    page.goto(f"/agenda/{monday}/")
    card_of(page, appointment).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text("09:30")
    page.keyboard.press("ArrowUp")
    expect(card_of(page, appointment)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "09:00 livre, Dr. Bruno Reis")
    page.keyboard.press("Home")
    expect(page.locator(":focus")).to_have_text("08:00")
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_attribute("aria-label", f"08:00 livre, {doctor.full_name}")
    assert page.locator(".grid a[tabindex='0']").count() == 1


def test_the_whole_grid_is_one_stop_of_the_tab_key(desk, monday):
    page, _appointment = desk
    page.goto(f"/agenda/{monday + timedelta(days=1)}/")  # never tomorrow, whose heads lead to an absence
    page.locator("#scroll").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".grid :focus")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.locator(".grid :focus")).to_have_count(0)


def test_n_books_at_the_free_time_in_focus(desk, monday):
    page, _appointment = desk
    page.goto(f"/agenda/{monday}/")
    page.locator("a[href*='inicio=10:00']").focus()
    page.keyboard.press("n")
    expect(page.locator("#starts")).to_have_value("10:00")


def test_quick_presses_of_next_day_all_count(desk, monday):
    page, _appointment = desk
    page.goto(f"/agenda/{monday}/")
    for _ in range(5):
        page.keyboard.press("]")
    wanted = monday + timedelta(days=5)
    expect(page.locator("#day")).to_have_attribute("data-date", wanted.isoformat())
    page.wait_for_url(f"**/agenda/{wanted}/")


def test_a_card_that_leaves_gives_the_focus_to_the_next(desk, clinic, doctor, monday):
    page, appointment = desk
    later = book_appointment(doctor, patient=make_patient(clinic).pk, starts_at=clinic.instant(monday, time(11)))
    page.goto(f"/agenda/{monday}/?situacao=scheduled")
    card_of(page, appointment).focus()
    page.keyboard.press("c")
    expect(card_of(page, later)).to_be_focused()
