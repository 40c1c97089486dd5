"""The sources as a browser loads them in development: bundles whose imports it follows itself."""

import pytest
from playwright.sync_api import expect

from tests.browser.collected import source

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_day_works_without_collectstatic(window, receptionist, doctor, monday):
    page = window(receptionist, bundles=source)
    loaded = []
    page.on("requestfinished", lambda request: loaded.append(request.url.partition("/static/")[2]))
    page.goto(f"/agenda/{monday}/")
    expect(page.locator(".grid")).to_have_css("display", "grid")
    expect(page.locator("#day-book")).to_have_css("color", "rgb(255, 255, 255)")
    page.keyboard.press("n")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#day-book")).to_be_focused()
    assert {"css/tokens.css", "css/day/grid.css", "js/keys.js", "js/day/refresh.js"} <= set(loaded)


def test_a_collected_day_asks_for_no_part(window, receptionist, doctor, monday):
    page = window(receptionist)
    loaded = []
    page.on("requestfinished", lambda request: loaded.append(request.url.partition("/static/")[2]))
    page.goto(f"/agenda/{monday}/")
    page.wait_for_load_state("networkidle")
    assert {"bundles/site.css", "bundles/day.css", "bundles/site.js", "bundles/day.js"} <= set(loaded)
    assert [name for name in loaded if name.startswith(("css/", "js/"))] == []
