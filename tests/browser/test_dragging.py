"""An appointment dragged on the day by mouse and, after a long press, by a finger, which scrolls before that."""

from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment
from tests.browser.test_day import COUNT_ACTS
from tests.browser.test_moving_on_the_day import card_of, stands
from tests.factories import book_appointment, make_doctor, make_patient

pytestmark = pytest.mark.django_db(transaction=True)
LONG_PRESS_MS = 700


@pytest.fixture
def appointment(clinic, doctor, maria, monday):
    return book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(9)))


@pytest.fixture
def colleague(clinic, doctor):
    return make_doctor(clinic, name="Dra. Zélia Sá", procedures=list(doctor.procedures.all()))


@pytest.fixture
def day(window, receptionist, appointment, colleague, monday):
    page = window(receptionist, width=1440)
    page.add_init_script(COUNT_ACTS)
    page.goto(f"/agenda/{monday}/")
    return page


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + 4


def slot_of(page, doctor, at):
    return page.locator(f".slot a[href*='medico={doctor.pk}&'][href*='inicio={at}']")


def lead(page, appointment, to):
    """Take the card near its upper edge and lead it over the free time `to`, with the button down."""
    page.mouse.move(*middle(card_of(page, appointment)))
    page.mouse.down()
    page.mouse.move(*middle(to), steps=5)


def test_one_drag_moves_it_within_the_day(day, doctor, appointment):
    lead(day, appointment, slot_of(day, doctor, "10:30"))
    expect(day.locator("#outline")).to_have_text("10:30 Dra. Helena Prado")
    expect(day.locator("#outline.not-free")).to_have_count(0)
    day.mouse.up()
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    expect(day.locator(".appt.status-rescheduled")).to_be_visible()
    assert stands(appointment) == (doctor.pk, "10:30")
    assert day.locator("#panel > *").count() == 0
    assert day.evaluate("[window.clicks <= 1, window.keys]") == [True, 0]


def test_a_drag_moves_it_to_a_colleague(day, colleague, appointment):
    lead(day, appointment, slot_of(day, colleague, "10:00"))
    expect(day.locator("#outline")).to_have_text("10:00 Dra. Zélia Sá")
    day.mouse.up()
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert stands(appointment) == (colleague.pk, "10:00")


def test_a_drop_on_a_taken_time_goes_back_and_says_why(day, clinic, doctor, colleague, appointment):
    taken = book_appointment(colleague, patient=make_patient(clinic).pk, starts_at=appointment.starts_at)
    day.reload()
    lead(day, appointment, card_of(day, taken))
    expect(day.locator("#outline.not-free")).to_be_visible()
    day.mouse.up()
    expect(day.locator("#refused")).to_contain_text("O horário das 09:00 da Dra. Zélia Sá já está ocupado.")
    expect(day.locator("#outline, .appt.moved")).to_have_count(0)
    assert stands(appointment) == (doctor.pk, "09:00")
    day.locator("#refused .chips .button").nth(1).click()
    expect(day.locator("#messages")).to_contain_text("Remarcado de")


def test_what_cannot_be_dragged_says_why_and_keeps_saying_it(day, doctor, appointment):
    Appointment.objects.filter(pk=appointment.pk).update(status="checked_in")
    day.reload()
    lead(day, appointment, slot_of(day, doctor, "10:30"))
    expect(day.locator("#refused")).to_contain_text("“Check-in” não pode ser remarcado")
    day.mouse.up()
    day.wait_for_timeout(300)
    expect(day.locator("#refused")).to_be_visible()
    assert stands(appointment)[1] == "09:00"


def test_esc_in_a_drag_leaves_it_where_it_was(day, doctor, appointment):
    lead(day, appointment, slot_of(day, doctor, "10:30"))
    day.keyboard.press("Escape")
    expect(day.locator("#outline")).to_have_count(0)
    day.mouse.up()
    assert stands(appointment)[1] == "09:00"
    assert day.locator("#panel > *").count() == 0


def test_a_drop_outside_the_grid_is_none(day, doctor, appointment):
    lead(day, appointment, slot_of(day, doctor, "10:30"))
    day.mouse.move(700, 20)
    day.mouse.up()
    expect(day.locator("#outline")).to_have_count(0)
    assert stands(appointment)[1] == "09:00"


def test_a_click_that_trembles_still_opens_the_card(day, appointment):
    x, y = middle(card_of(day, appointment))
    day.mouse.move(x, y)
    day.mouse.down()
    day.mouse.move(x + 2, y + 1)
    day.mouse.up()
    expect(day.locator("#panel-title")).to_have_text("Agendamento")


def by_lower_edge(page, appointment, to):
    """Take the lower edge of the card and lead it to the upper edge of `to`, with the button down."""
    box = card_of(page, appointment).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, to.bounding_box()["y"] + 1, steps=5)


def test_the_lower_edge_sets_the_end(day, doctor, appointment):
    by_lower_edge(day, appointment, slot_of(day, doctor, "10:00"))
    expect(day.locator("#outline")).to_have_text("09:00–10:00 Dra. Helena Prado")
    day.mouse.up()
    expect(day.locator("#messages")).to_contain_text("Alterado: fim de 09:30 para 10:00")
    assert stands(appointment) == (doctor.pk, "09:00")
    assert day.evaluate("window.clicks <= 1")


def test_the_lower_edge_of_a_patient_in_service_sets_the_end(day, doctor, appointment):
    Appointment.objects.filter(pk=appointment.pk).update(status="in_service")
    day.reload()
    by_lower_edge(day, appointment, slot_of(day, doctor, "10:00"))
    day.mouse.up()
    expect(day.locator("#messages")).to_contain_text("Alterado: fim de 09:30 para 10:00")


def test_a_refused_end_goes_back_and_offers_the_latest(day, clinic, doctor, appointment):
    taken = book_appointment(
        doctor, patient=make_patient(clinic).pk, starts_at=appointment.starts_at + timedelta(hours=1)
    )
    day.reload()
    by_lower_edge(day, appointment, card_of(day, taken))
    day.mouse.move(*middle(slot_of(day, doctor, "10:30")))
    expect(day.locator("#outline.not-free")).to_be_visible()
    day.mouse.up()
    expect(day.locator("#outline")).to_have_count(0)
    day.get_by_role("button", name="terminar às 10:00, o máximo possível").click()
    expect(day.locator("#messages")).to_contain_text("Alterado: fim de 09:30 para 10:00")


def test_a_drop_where_it_was_opens_nothing(day, doctor, appointment):
    lead(day, appointment, slot_of(day, doctor, "10:30"))
    day.mouse.move(*middle(card_of(day, appointment)))
    day.mouse.up()
    expect(day.locator("#outline")).to_have_count(0)
    day.wait_for_timeout(300)
    assert day.locator("#panel > *").count() == 0
    assert stands(appointment) == (doctor.pk, "09:00")


class Finger:
    """One finger on the screen of a page, whose rows are higher from then on."""

    def __init__(self, page):
        self.page, self.session = page, page.context.new_cdp_session(page)
        self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def __call__(self, kind, *points):
        touches = [{"x": x, "y": y} for x, y in points]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def drag(self, start, end, *, press_ms):
        self("touchStart", start)
        self.page.wait_for_timeout(press_ms)
        for step in range(1, 9):
            self("touchMove", tuple(a + (b - a) * step / 8 for a, b in zip(start, end, strict=True)))
            self.page.wait_for_timeout(20)
        self("touchEnd")


def test_a_long_press_leads_the_card_by_a_finger(day, doctor, appointment):
    finger = Finger(day)
    start, end = middle(card_of(day, appointment)), middle(slot_of(day, doctor, "10:30"))
    finger.drag(start, end, press_ms=LONG_PRESS_MS)
    expect(day.locator("#messages")).to_contain_text("Remarcado de")
    assert stands(appointment) == (doctor.pk, "10:30")


def test_a_finger_that_moves_at_once_scrolls(day, appointment):
    day.set_viewport_size({"width": 1440, "height": 500})
    finger = Finger(day)
    x, y = middle(card_of(day, appointment))
    finger.drag((x, y), (x, y - 200), press_ms=0)
    day.wait_for_function("document.getElementById('scroll').scrollTop > 50")
    expect(day.locator("#outline")).to_have_count(0)
    assert stands(appointment)[1] == "09:00"


def test_a_long_press_in_the_list_of_a_phone_opens_the_form(window, receptionist, appointment, monday):
    page = window(receptionist, width=360, height=780)
    page.goto(f"/agenda/{monday}/")
    finger = Finger(page)
    card_of(page, appointment).scroll_into_view_if_needed()
    finger("touchStart", middle(card_of(page, appointment)))
    expect(page.locator("#panel-title")).to_have_text("Remarcar")
    finger("touchEnd")
    expect(page.locator("#panel-title")).to_have_text("Remarcar")
