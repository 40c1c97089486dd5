"""A doctor's own day worked off by keys, without an address that is closed to them being asked for."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import Author, change_status
from clinic.models import Appointment
from tests.browser.test_every_page import violations
from tests.days import put
from tests.factories import make_doctor_user, make_patient

BY = Author(channel="command", credential="tests")


@pytest.fixture
def visits(clinic, doctor):
    """Two of today who wait, whatever hour it is."""
    today = clinic.local(timezone.now()).date()
    found = [
        put(doctor, hour, day=today, status="confirmed", patient=make_patient(clinic, name=name, notes="asma"))
        for hour, name in (("12:00", "Ana Lima"), ("12:30", "Bia Reis"))
    ]
    for visit in found:
        change_status(visit.pk, "checked_in", clinic=clinic, by=BY)
    return found


@pytest.fixture
def page(window, doctor, visits):
    page = window(make_doctor_user(doctor=doctor))
    page.goto("/")
    return page


def test_two_visits_are_begun_and_finished_by_keys(page, visits):
    expect(page).to_have_url("/meu-dia/")
    first, second = visits
    page.locator("#queue-head").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#q{first.pk}")).to_be_focused()
    page.keyboard.press("i")
    expect(page.locator(f"[aria-labelledby=queue-in-service] #q{first.pk}")).to_be_visible()
    page.locator(f"#q{first.pk}").focus()
    page.keyboard.press("e")
    expect(page.locator(f"[aria-labelledby=queue-gone] #q{first.pk}")).to_be_visible()
    page.locator(f"#q{second.pk}").focus()
    page.keyboard.press("i")
    expect(page.locator(f"[aria-labelledby=queue-in-service] #q{second.pk}")).to_be_visible()
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["finished", "in_service"]


@pytest.mark.parametrize("width", [1280, 360])
def test_it_pleases_axe_fits_and_lists_its_keys(page, width):
    page.set_viewport_size({"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("summary").first.click()
    assert violations(page) == []
    page.locator("#queue-head").focus()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Chamar, iniciar, finalizar")


def test_open_notes_keep_the_focus_as_the_day_refreshes(page, visits):
    first, second = visits
    notes = page.locator(f"#q{first.pk} summary")
    notes.click()
    change_status(second.pk, "in_service", clinic=second.clinic, by=BY)
    page.evaluate("htmx.trigger('#poll', 'visibilitychange')")
    expect(page.locator(f"[aria-labelledby=queue-in-service] #q{second.pk}")).to_be_visible()
    expect(notes).to_be_focused()
    expect(page.locator(f"#q{first.pk} details")).to_have_attribute("open", "")
