"""On a slow network a click shows within 150 ms that its answer is due; the sign goes with the answer."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import open_slot
from tests.factories import book_appointment

MOMENT = 150  # milliseconds
SIGN = """
() => ({
  bar: getComputedStyle(document.body, "::after").opacity,
  busy: [...document.querySelectorAll("[aria-busy]")].map((part) => part.id),
  pressed: [...document.querySelectorAll("[data-waiting]")].map((link) => link.tagName),
})
"""
NONE = {"bar": "0", "busy": [], "pressed": []}
DUE = {"bar": "1", "busy": ["panel"]}


class Network:
    """Holds what the page asks for at an address until `answer` lets it through."""

    def __init__(self, page, address):
        self.held = []
        page.route(address, lambda route: self.held.append(route))

    def answer(self):
        for route in self.held:
            route.continue_()
        self.held.clear()


def sign_after_click(page, selector):
    # By a script: a click of Playwright's may wait for what it began.
    page.evaluate("(selector) => document.querySelector(selector).click()", selector)
    page.wait_for_timeout(MOMENT)
    return page.evaluate(SIGN)


@pytest.mark.parametrize("selector", [".slot > a", ".appt > a", "#day-book"])
def test_a_click_in_the_day_shows_that_it_waits(window, receptionist, doctor, maria, monday, selector):
    visit = book_appointment(doctor, patient=maria.pk)
    page = window(receptionist)
    page.goto(f"/agenda/{doctor.clinic.local(visit.starts_at):%Y-%m-%d}/")
    network = Network(page, "**/agendamentos/**")
    assert sign_after_click(page, selector) == DUE | {"pressed": ["A"]}
    network.answer()
    expect(page.locator("#panel-title")).to_be_visible()
    expect(page.locator("body.waiting, [data-waiting], [aria-busy]")).to_have_count(0)


def test_an_act_in_the_panel_shows_that_it_waits(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    network = Network(page, "**/agendamentos/conferir/")
    sign = sign_after_click(page, "button[name=add]")
    assert sign["bar"] == "1" and sign["pressed"] == ["BUTTON"] and sign["busy"]
    network.answer()
    expect(page.locator("#procedure-1")).to_be_visible()
    expect(page.locator("body.waiting, [data-waiting], [aria-busy]")).to_have_count(0)


def test_a_page_that_refreshes_itself_shows_nothing(window, receptionist, doctor, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    network = Network(page, "**/agenda/**")
    page.evaluate("() => htmx.trigger(document.body, 'refresh-day')")
    page.wait_for_timeout(MOMENT)
    assert network.held and page.evaluate(SIGN) == NONE
    network.answer()
