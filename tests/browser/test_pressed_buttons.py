"""A button that is pressed while an answer is on its way does what it says, and never sends the form without it."""

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment
from tests.browser.desk import open_slot
from tests.browser.test_booking import wait_until_htmx_listens
from tests.factories import make_procedure

pytestmark = pytest.mark.django_db(transaction=True)


# The answer to what was asked is held back until the test lets it through.
SLOW = """() => {
  const send = XMLHttpRequest.prototype.send;
  window.held = [];
  XMLHttpRequest.prototype.send = function (...body) { window.held.push(() => send.apply(this, body)); };
  window.letThrough = () => {
    XMLHttpRequest.prototype.send = send;
    window.held.forEach((go) => go());
    window.held = [];
  };
}"""


@pytest.fixture
def slow(window, receptionist, doctor, maria, monday):
    """The booking panel with Maria chosen, at ten o'clock; what it asks from now on waits."""
    make_procedure(doctor.clinic, name="ECG", duration_minutes=15).doctors.add(doctor)
    page = window(receptionist)
    open_slot(page, monday)
    wait_until_htmx_listens(page.locator("#q"))
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.evaluate(SLOW)
    return page


def test_a_free_time_is_chosen_and_nothing_booked(slow):
    slow.locator("#procedure-0").select_option("ECG")
    expect(slow.locator("#procedure-0.htmx-request, #booking.htmx-request")).to_have_count(1)
    chip = slow.locator("#booking-times button", has_text="10:30")
    chip.click()
    slow.evaluate("letThrough()")

    expect(slow.locator("#starts")).to_have_value("10:30")
    expect(slow.locator("#save")).to_contain_text("Agendar às 10:30")
    assert not Appointment.objects.exists()


def test_a_line_is_added_and_nothing_booked(slow):
    slow.locator("#procedure-0").select_option("ECG")
    expect(slow.locator("#procedure-0.htmx-request, #booking.htmx-request")).to_have_count(1)
    slow.locator("#booking-lines [name=add]").click()
    slow.evaluate("letThrough()")

    expect(slow.locator("#procedure-1")).to_be_focused()
    assert not Appointment.objects.exists()


def test_a_time_that_is_gone_by_then_is_not_chosen(slow):
    slow.locator("#procedure-0").select_option("ECG")
    expect(slow.locator("#procedure-0.htmx-request, #booking.htmx-request")).to_have_count(1)
    slow.locator("#booking-times button", has_text="10:30").click()
    slow.locator("#booking-times button", has_text="10:30").evaluate("(button) => { button.value = 'gone'; }")
    slow.evaluate("letThrough()")

    expect(slow.locator(".price")).to_have_count(1)
    expect(slow.locator("#booking.htmx-request")).to_have_count(0)
    assert not Appointment.objects.exists()


def press_a_time_too_early(page):
    wait_until_htmx_listens(page.locator("#procedure-0"))
    page.locator("#procedure-0").select_option("ECG")
    expect(page.locator("#procedure-0.htmx-request, #booking.htmx-request")).to_have_count(1)
    page.locator("#booking-times button", has_text="10:30").click()


def test_a_press_is_over_with_its_form(slow):
    press_a_time_too_early(slow)
    slow.evaluate("""() => {
      window.held = [];
      window.letThrough();
      document.querySelector("#panel [data-close]").click();
      document.querySelector("a[href*='inicio=11:00']").click();
    }""")
    expect(slow.locator("#starts")).to_have_value("11:00")
    slow.wait_for_timeout(300)

    expect(slow.locator("#starts")).to_have_value("11:00")


def test_a_press_is_over_when_its_request_fails(slow, complaints):
    press_a_time_too_early(slow)
    slow.route("**/agendamentos/conferir/", lambda route: route.abort())
    slow.evaluate("letThrough()")
    expect(slow.locator("#booking.htmx-request, #booking .htmx-request")).to_have_count(0)
    slow.unroute("**/agendamentos/conferir/")
    with slow.expect_response("**/agendamentos/conferir/"):
        slow.locator("#procedure-0").select_option("Consulta")
    slow.wait_for_timeout(300)

    expect(slow.locator("#starts")).to_have_value("10:00")
    complaints.clear()
