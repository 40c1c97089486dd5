"""A page that refreshes itself between the two halves of a click, as a colleague changes it: the click acts.

The answer to an act of one's own waits for no click: the rows that it moves are drawn at once."""

from datetime import time

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import Author, begin_call, change_status
from clinic.models import Absence, Appointment
from tests.browser.held_answers import HeldAnswers
from tests.days import put
from tests.factories import book_appointment, make_patient, make_user

READ_AGAIN = """([place, event]) => new Promise((done) => {
  document.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr } }) => {
    if (elt.id === "poll") xhr.addEventListener("loadend", () => done(xhr.status));
  });
  window.htmx.trigger(place, event);
})"""

NOTE_NEXT_ANSWER = """() => { window.nextAnswer = new Promise((done) => {
  document.addEventListener("htmx:beforeSend", ({ detail: { xhr } }) => {
    xhr.addEventListener("loadend", () => done(xhr.responseURL));
  }, { once: true });
}); }"""


@pytest.fixture
def card(clinic, doctor, maria, monday):
    """The link of Maria's appointment at 10 on the day."""
    appointment = book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(10)))
    return f".appt > a[href*='/{appointment.pk}/']"


@pytest.fixture
def day(window, receptionist, monday, card):
    page = window(receptionist, width=1440)
    page.goto(f"/agenda/{monday}/")
    return page


def change(clinic, doctor, monday):
    book_appointment(doctor, patient=make_patient(clinic).pk, starts_at=clinic.instant(monday, time(15)))


def read_again(page, place="body", event="refresh-day"):
    """Have the page ask for what has changed, and wait until it has dealt with the answer."""
    assert page.evaluate(READ_AGAIN, [place, event]) == 200


def centre(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_click_acts_though_the_day_has_changed_in_it(day, card, clinic, doctor, monday):
    day.mouse.move(*centre(day, card))
    day.mouse.down()
    change(clinic, doctor, monday)
    read_again(day)
    expect(day.locator(".row > .appt")).to_have_count(1)
    day.mouse.up()
    expect(day.locator("#appointment")).to_contain_text("Maria da Silva Souza")
    expect(day.locator(".row > .appt")).to_have_count(2)


def test_a_tap_acts_though_the_day_has_changed_in_it(day, card, clinic, doctor, monday):
    """The answer is there when the finger comes down: after half a second it would begin to drag the card."""
    devtools = day.context.new_cdp_session(day)
    x, y = centre(day, card)
    change(clinic, doctor, monday)
    answers = HeldAnswers(day, "**/agenda/*/", times=1)
    day.evaluate(f"(asked) => {{ window.isRead = ({READ_AGAIN})(asked); }}", ["body", "refresh-day"])
    answers.wait_for_one()
    devtools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    answers.let_through()
    assert day.evaluate("window.isRead") == 200
    expect(day.locator(".row > .appt")).to_have_count(1)
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(day.locator("#appointment")).to_contain_text("Maria da Silva Souza")
    expect(day.locator(".row > .appt")).to_have_count(2)


@pytest.mark.parametrize("let_go", ["mouse elsewhere", "another window"])
def test_a_press_without_a_click_lets_the_day_be_drawn(day, card, clinic, doctor, monday, let_go):
    day.mouse.move(*centre(day, card))
    day.mouse.down()
    change(clinic, doctor, monday)
    read_again(day)
    expect(day.locator(".row > .appt")).to_have_count(1)
    if let_go == "another window":
        day.evaluate("window.dispatchEvent(new Event('blur'))")
        expect(day.locator(".row > .appt")).to_have_count(2)
    else:
        day.mouse.move(2, 2)
    day.mouse.up()
    expect(day.locator(".row > .appt")).to_have_count(2)


@pytest.fixture
def today(clinic):
    return clinic.local(timezone.now()).date()


def queue_of(window, user):
    page = window(user)
    page.goto("/fila/")
    return page


def test_a_key_on_a_button_acts_though_the_list_has_changed(window, receptionist, doctor, today):
    """By the space bar: Enter acts when it goes down."""
    visit = put(doctor, "12:00", day=today, status="confirmed")
    page = queue_of(window, receptionist)
    page.locator(f"#q{visit.pk} [data-key=k]").focus()
    page.keyboard.down("Space")
    put(doctor, "12:30", day=today, status="confirmed")
    read_again(page, "#poll", "visibilitychange")
    expect(page.locator(".queue-row")).to_have_count(1)
    page.keyboard.up("Space")
    expect(page.locator(".queue-row")).to_have_count(2)
    expect(page.locator(f"[aria-labelledby=queue-waiting] #q{visit.pk}")).to_be_visible()
    assert Appointment.objects.get(pk=visit.pk).status == "checked_in"


def test_an_act_during_which_the_queue_has_changed_keeps_its_lock(window, receptionist, doctor, today):
    """A second act waits for the answer to the first one, which replaces the rows of both."""
    first, second = (put(doctor, hour, day=today, status="confirmed") for hour in ("12:00", "12:30"))
    page, sent = queue_of(window, receptionist), []
    page.locator(f"#q{first.pk} [data-key=k]").hover()
    page.mouse.down()
    put(doctor, "13:00", day=today, status="confirmed")
    read_again(page, "#poll", "visibilitychange")
    page.route("**/situacao/", lambda route: sent.append(route))
    with page.expect_request("**/situacao/"):
        page.mouse.up()
    page.locator(f"#q{second.pk} [data-key=k]").click()
    assert len(sent) == 1
    with page.expect_request(f"**/{second.pk}/situacao/"):
        sent[0].continue_()
    expect(page.locator(f"[aria-labelledby=queue-waiting] #q{first.pk}")).to_be_visible()
    expect(page.locator(".queue-row")).to_have_count(3)
    assert Appointment.objects.get(pk=second.pk).status == "confirmed"
    sent[1].continue_()
    expect(page.locator(f"[aria-labelledby=queue-waiting] #q{second.pk}")).to_be_visible()


def test_a_click_acts_though_the_row_shows_another_caller(window, receptionist, clinic, monday, card):
    """A second after the focus is on a row, the page notes by itself who calls its patient, unless a colleague does."""
    page = window(receptionist)
    page.goto(f"/confirmacoes/{monday}/")
    begin_call(Appointment.objects.get().pk, clinic=clinic, caller=make_user(clinic, name="Rita Lopes"))
    page.locator(".confirmation-row [data-key=c]").first.hover()
    page.evaluate(NOTE_NEXT_ANSWER)
    page.mouse.down()
    assert page.evaluate("window.nextAnswer").endswith("/ligando/")
    page.mouse.up()
    expect(page.locator(".confirmation-row")).to_contain_text("Desfazer confirmação")


def test_a_click_acts_though_its_row_has_changed_in_it(window, receptionist, clinic, doctor, maria, monday):
    """Of a list that is not drawn anew but by its rows."""
    since, until = clinic.day(monday)
    visit = book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(10)))
    Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=since, ends_at=until, reason="doença")
    page = window(receptionist)
    page.goto("/pendencias/")
    page.locator(f"#p{visit.pk} [name=to]").first.hover()
    page.mouse.down()
    change_status(visit.pk, "confirmed", clinic=clinic, by=Author(channel="browser", user=receptionist))
    read_again(page, "#poll", "visibilitychange")
    page.mouse.up()
    expect(page.locator(f"#p{visit.pk}")).to_contain_text("Remarcado de")
    visit.refresh_from_db()
    assert visit.status == "rescheduled"
