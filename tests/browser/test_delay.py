"""A doctor is late: two clicks in the column's head, and the day says it to eyes and to screen readers."""

from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import Clinic, Delay, WorkingHours
from tests.browser.test_every_page import violations
from tests.factories import make_user


@pytest.fixture
def today(clinic, doctor, window, receptionist):
    """The page of today, on which the doctor works whatever the weekday."""
    Clinic.objects.update(observes_holidays=False)
    for weekday in range(1, 8):
        WorkingHours.objects.create(clinic=clinic, doctor=doctor, weekday=weekday, starts=time(0), ends=time(23, 45))
    page = window(receptionist, width=1440)
    page.goto("/agenda/?todos=1")
    return page


def head_of(page, doctor):
    return page.locator(f".doctor[data-doctor='{doctor.pk}']")


def open_form(page, doctor):
    head_of(page, doctor).hover()
    page.get_by_role("button", name=f"Registrar atraso: {doctor.full_name}").click()
    expect(page.locator("#delay-minutes")).to_be_focused()


def test_two_clicks_record_half_an_hour(today, doctor):
    open_form(today, doctor)
    expect(today.locator("#delay-doctor")).to_have_value(str(doctor.pk))
    today.get_by_role("button", name="Registrar", exact=True).click()
    expect(head_of(today, doctor)).to_contain_text("+30 min")
    expect(today.get_by_role("columnheader", name="atraso de 30 min")).to_be_visible()
    expect(today.locator("#messages")).to_contain_text("atraso de 30 min registrado")
    expect(today.locator("#delay")).to_be_hidden()
    expect(today.locator(f"#delay-of-{doctor.pk}")).to_be_focused()
    assert Delay.objects.get().minutes == 30


def test_it_is_changed_and_taken_away_there(today, doctor):
    for key in ("45", "5"):
        open_form(today, doctor)
        today.keyboard.type(key)
        today.keyboard.press("Enter")
        expect(head_of(today, doctor)).to_contain_text(f"+{key} min")
    open_form(today, doctor)
    expect(today.locator("#delay-minutes")).to_have_value("5")
    today.get_by_role("button", name="Sem atraso").click()
    expect(head_of(today, doctor)).not_to_contain_text("min")
    assert not Delay.objects.exists()


def test_what_is_typed_stays_beside_a_colleagues_delay(today, clinic, doctor, receptionist):
    open_form(today, doctor)
    today.keyboard.type("45")
    day = today.locator("#day").get_attribute("data-date")
    Delay.objects.create(clinic=clinic, doctor=doctor, day=day, minutes=20, recorded_by=make_user(clinic, name="Rui"))
    today.keyboard.press("Enter")
    place = today.locator("#delay").bounding_box()
    expect(today.locator("#delay")).to_contain_text("já há um atraso de 20 min, que Rui registrou em")
    expect(head_of(today, doctor)).to_contain_text("+20 min")
    today.wait_for_function("({ x }) => document.getElementById('delay').getBoundingClientRect().x === x", arg=place)
    expect(today.locator("#delay-minutes")).to_have_value("45")
    expect(today.locator("#delay-minutes")).to_be_focused()
    today.keyboard.press("Enter")
    expect(head_of(today, doctor)).to_contain_text("+45 min")
    expect(today.locator("#delay")).to_be_hidden()


def test_escape_leaves_it_as_it_was(today, doctor):
    open_form(today, doctor)
    today.keyboard.press("Escape")
    expect(today.locator(f"#delay-of-{doctor.pk}")).to_be_focused()
    assert not Delay.objects.exists()


def test_axe_finds_nothing_in_the_open_form(today, doctor):
    open_form(today, doctor)
    today.keyboard.press("Enter")
    expect(head_of(today, doctor)).to_contain_text("+30 min")
    open_form(today, doctor)
    for scheme in ("light", "dark"):
        today.emulate_media(color_scheme=scheme)
        assert violations(today) == []


def test_a_key_leads_to_the_absence_of_the_column_in_focus(today, doctor):
    date = today.locator("#day").get_attribute("data-date")
    today.locator("#day-next").click()
    expect(today.locator("#day")).not_to_have_attribute("data-date", date)
    today.locator(".slot > a").first.focus()
    today.keyboard.press("a")
    expect(today.locator("h1")).to_have_text("Registrar ausência")
    expect(today.locator("#doctor")).to_have_value(str(doctor.pk))


def test_a_phone_says_it_above_the_day(today, clinic, doctor, receptionist):
    day = today.locator("#day").get_attribute("data-date")
    Delay.objects.create(clinic=clinic, doctor=doctor, day=day, minutes=30, recorded_by=receptionist)
    today.set_viewport_size({"width": 360, "height": 740})
    today.reload()
    expect(today.locator(".delays")).to_have_text(f"{doctor.full_name} +30 min")
    assert today.evaluate("document.documentElement.scrollWidth") == 360


def test_without_script_it_is_recorded_too(today, window, clinic, doctor, receptionist):
    page = window(receptionist, width=1440, javascript=False)
    page.goto("/agenda/?todos=1")
    page.locator(f"#delay-of-{doctor.pk}").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Registrar", exact=True).click()
    expect(head_of(page, doctor)).to_contain_text("+30 min")


def test_without_the_permission_there_is_no_button(today, window, clinic):
    page = window(make_user(clinic), width=1440)
    page.goto("/agenda/?todos=1")
    expect(page.locator(".late, #delay")).to_have_count(0)
