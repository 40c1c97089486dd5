"""A day and a week on a screen ask whether they have changed, with the newest version that they were given."""

from datetime import time

import pytest
from playwright.sync_api import expect

from tests.factories import book_appointment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["day", "week"])
def page(request, window, receptionist, doctor, monday):
    opened = window(receptionist, width=1440)
    opened.goto(f"/agenda/{monday}/" if request.param == "day" else f"/agenda/semana/{doctor.pk}/{monday}/")
    return opened


def poll(page):
    with page.expect_response(lambda answer: "/agenda/" in answer.url) as polled:
        page.evaluate("window.htmx.trigger(document.body, 'refresh-day')")
    return polled.value


def test_a_304_says_with_which_version_to_ask_again(page):
    first = poll(page)
    assert first.status == 304
    assert first.headers["etag"].startswith(first.request.headers["if-none-match"][:-1])
    assert poll(page).request.headers["if-none-match"] == first.headers["etag"]


def test_a_page_that_is_drawn_again_asks_with_its_own_version(page, clinic, doctor, maria, monday):
    assert poll(page).status == 304
    book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(10)))
    drawn = poll(page)
    assert drawn.status == 200
    expect(page.locator(".appt", has_text=maria.name)).to_be_visible()
    again = poll(page)
    assert (again.status, again.request.headers["if-none-match"]) == (304, drawn.headers["etag"].removeprefix("W/"))
