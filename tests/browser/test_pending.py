"""Pending appointments worked off by keys and by two people at once."""

from datetime import time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import Author, change_status, reschedule
from clinic.booking.undo import SLIP_PERIOD
from clinic.models import Absence, Appointment
from clinic.web.booking_panel.finder_fields import read_time_value
from tests.browser.held_answers import HeldAnswers
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_doctor, make_patient, make_user


@pytest.fixture
def visits(clinic, doctor, monday):
    """Three of a doctor who is away that day."""
    names = ["Ana Lima", "Bia Reis", "Caio Melo"]
    visits = [
        book_appointment(
            doctor, starts_at=clinic.instant(monday, time(hour)), patient=make_patient(clinic, name=name).pk
        )
        for hour, name in zip((9, 10, 14), names, strict=True)
    ]
    Absence.objects.create(
        clinic=clinic,
        doctor=doctor,
        starts_at=clinic.day(monday)[0],
        ends_at=clinic.day(monday + timedelta(days=1))[0],
        reason="doença",
    )
    return visits


def test_one_key_a_patient(window, receptionist, visits):
    page = window(receptionist)
    page.goto("/pendencias/")
    expect(page.locator("nav")).to_contain_text("(3")
    page.keyboard.press("ArrowDown")
    for visit in visits:
        expect(page.locator(f"#p{visit.pk}")).to_be_focused()
        page.keyboard.press("1")
        expect(page.locator(f"#p{visit.pk}")).to_contain_text("Remarcado de")
    expect(page.locator("#pending-head")).to_contain_text("3 de 3 resolvidos")
    assert set(Appointment.objects.values_list("status", flat=True)) == {"rescheduled"}


def test_the_navigation_counts_along(window, receptionist, visits):
    page = window(receptionist)
    page.goto("/pendencias/")
    number = page.locator("#pending-number")
    expect(number).to_contain_text("(3")
    page.locator(f"#p{visits[0].pk} [name=to]").first.click()
    expect(number).to_contain_text("(2")
    page.locator(f"#p{visits[1].pk} summary").click()
    page.locator(f"#p{visits[1].pk} details button").first.click()
    expect(number).to_contain_text("(1")
    page.keyboard.press("u")
    expect(number).to_contain_text("(2")


def test_the_day_counts_what_another_window_made_pending(window, clinic, receptionist, visits, monday):
    Absence.objects.all().delete()
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    expect(page.locator(".appt")).to_have_count(3)
    expect(page.locator("#pending-number")).to_be_empty()
    since, until = clinic.day(monday)
    Absence.objects.create(clinic=clinic, starts_at=since, ends_at=until, reason="obras")
    page.evaluate("htmx.ajax('GET', location.pathname, {source: '#poll', target: '#day', swap: 'outerHTML'})")
    expect(page.locator("#pending-number")).to_contain_text("(3")


def test_keys_for_no_answer_cancelling_and_undoing(window, receptionist, visits):
    first, second, third = (f"#p{visit.pk}" for visit in visits)
    page = window(receptionist)
    page.goto("/pendencias/")
    expect(page.locator(f"{second} summary")).to_contain_text("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("n")
    expect(page.locator(first)).to_contain_text("1 ligação sem resposta")
    expect(page.locator(second)).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(f"{second} details button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(second)).to_contain_text("Desfazer cancelamento")
    expect(page.locator(third)).to_be_focused()
    page.keyboard.press("u")
    expect(page.locator(f"{second} [name=to]")).to_have_count(3)
    expect(page.locator(second)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator(first)).to_be_focused()


def test_two_people_at_one_appointment(window, clinic, receptionist, visits):
    row = f"#p{visits[0].pk}"
    mine, theirs = window(receptionist), window(make_user(clinic, name="Paula Reis"))
    for page in (mine, theirs):
        page.goto("/pendencias/")
    theirs.locator(f"{row} [name=to]").nth(1).click()
    expect(theirs.locator(row)).to_contain_text("Remarcado de")
    mine.locator(f"{row} [name=to]").first.click()
    expect(mine.locator(row)).to_contain_text("foi alterado depois do que você viu")
    expect(mine.locator(row)).to_contain_text("Paula Reis")


def test_an_act_during_a_refresh_is_not_drawn_back(window, clinic, receptionist, visits):
    row, page = f"#p{visits[0].pk}", window(receptionist)
    page.goto("/pendencias/")
    change_status(visits[0].pk, "confirmed", clinic=clinic, by=Author(channel="browser", user=receptionist))
    held = HeldAnswers(page, "**/pendencias/mudancas/**")
    page.evaluate("htmx.trigger('#poll', 'visibilitychange')")
    held.wait_for_one()
    page.locator(f"{row} [name=to]").first.click()
    expect(page.locator(row)).to_contain_text("Remarcado de")
    held.let_through()
    expect(page.locator(row)).to_contain_text("Remarcado de")
    expect(page.locator("#pending-head")).to_contain_text("1 de 3 resolvidos")


def test_a_refresh_leaves_the_notice_of_an_act_that_failed(window, receptionist, visits, complaints):
    page = window(receptionist)
    page.goto("/pendencias/")
    page.route("**/remarcar/", lambda route: route.abort())
    page.locator(f"#p{visits[0].pk} [name=to]").first.click()
    notice = page.locator("#trouble > .message")
    expect(notice).to_be_visible()
    with page.expect_response("**/pendencias/mudancas/**"):
        page.evaluate("htmx.trigger('#poll', 'visibilitychange')")
    expect(notice).to_be_visible()
    page.unroute("**/remarcar/")
    page.get_by_role("button", name="Tentar de novo").click()
    expect(page.locator(f"#p{visits[0].pk}")).to_contain_text("Remarcado de")
    expect(notice).to_have_count(0)
    complaints.clear()  # the failed request itself


def test_a_row_that_is_gone_says_so_as_its_act_is_repeated(window, receptionist, visits, complaints):
    page = window(receptionist)
    page.goto("/pendencias/")
    page.route("**/remarcar/", lambda route: route.abort())
    page.locator(f"#p{visits[0].pk} [name=to]").first.click()
    again = page.get_by_role("button", name="Tentar de novo")
    expect(again).to_be_visible()
    page.locator(f"#p{visits[0].pk}").evaluate("(row) => row.remove()")
    page.unroute("**/remarcar/")
    again.click()
    expect(page.locator("#trouble > .message")).to_contain_text("não está mais na tela")
    complaints.clear()  # the failed request itself


def test_u_undoes_an_act_on_what_was_resolved_today(window, receptionist, visits):
    row = f"#p{visits[0].pk}"
    page = window(receptionist)
    page.goto("/pendencias/")
    page.locator(f"{row} [name=to]").first.click()
    expect(page.locator(row)).to_contain_text("Remarcado de")
    page.goto("/pendencias/?resolvidos=1")
    page.locator(f"{row} [data-key=u]").click()
    expect(page.locator(f"{row} [name=to]")).to_have_count(3)
    page.locator(f"{row} [name=to]").first.click()
    expect(page.locator(row)).to_contain_text("Remarcado de")
    page.keyboard.press("u")
    expect(page.locator(f"{row} [name=to]")).to_have_count(3)


def test_u_leaves_a_move_to_a_time_that_a_colleague_gave(window, clinic, receptionist, visits):
    """Both chose the same time: the second click is no move. Taken back could it be by anybody, for that cause."""
    visit = visits[0]
    Absence.objects.all().delete()
    make_doctor(clinic, procedures=[visit.lines.get().procedure])
    visit.doctor.procedures.clear()
    page, row = window(receptionist), f"#p{visit.pk}"
    page.goto("/pendencias/")
    choice = page.locator(f"{row} [name=to]").first
    doctor, starts_at = read_time_value(choice.get_attribute("value"))
    reschedule(
        visit.pk,
        clinic=clinic,
        doctor=doctor,
        starts_at=starts_at,
        by=Author(channel="browser", user=make_user(clinic, name="Paula Reis")),
    )
    choice.click()
    expect(page.locator(row)).to_contain_text("Paula Reis")
    page.keyboard.press("u")
    expect(page.locator(row)).to_contain_text("Remarcado de")
    visit.refresh_from_db()
    assert visit.starts_at == starts_at


def test_u_after_a_refused_move_leaves_the_colleagues_move(window, clinic, receptionist, visits):
    first, second = (f"#p{visit.pk}" for visit in visits[:2])
    mine, theirs = window(receptionist), window(make_user(clinic, name="Paula Reis"))
    for page in (mine, theirs):
        page.goto("/pendencias/")
    theirs.locator(f"{second} [name=to]").nth(1).click()
    expect(theirs.locator(second)).to_contain_text("Remarcado de")
    mine.locator(first).focus()
    mine.keyboard.press("1")
    expect(mine.locator(second)).to_be_focused()
    mine.keyboard.press("1")
    expect(mine.locator(second)).to_contain_text("foi alterado depois do que você viu")
    mine.keyboard.press("u")
    expect(mine.locator(f"{first} [name=to]").first).to_be_visible()
    assert Appointment.objects.get(status="rescheduled") == visits[1]


def test_what_others_did_appears_by_itself(window, clinic, receptionist, visits):
    row = f"#p{visits[0].pk}"
    mine, theirs = window(receptionist), window(make_user(clinic, name="Paula Reis"))
    for page in (mine, theirs):
        page.goto("/pendencias/")
    mine.locator(f"#p{visits[1].pk}").focus()
    theirs.locator(f"{row} [name=to]").first.click()
    expect(theirs.locator(row)).to_contain_text("Remarcado de")
    mine.evaluate("htmx.ajax('GET', '/pendencias/mudancas/', {source: '#poll', swap: 'none'})")
    expect(mine.locator(row)).to_contain_text("Paula Reis")
    expect(mine.locator("#pending-head")).to_contain_text("1 de 3 resolvidos")
    expect(mine.locator(f"#p{visits[1].pk}")).to_be_focused()


def test_a_button_that_undoes_goes_when_its_time_is_over(window, clinic, receptionist, visits):
    """Three seconds before the minute is over."""
    visit, moved_at = visits[0], timezone.now() - SLIP_PERIOD + timedelta(seconds=3)
    by = Author(channel="browser", user=receptionist)
    reschedule(
        visit.pk,
        clinic=clinic,
        starts_at=visit.starts_at + timedelta(days=1),
        doctor=visit.doctor_id,
        by=by,
        now=moved_at,
    )
    page = window(receptionist)
    page.goto("/pendencias/?resolvidos=1")
    row = page.locator(f"#p{visit.pk}")
    row.get_by_role("button", name="Desfazer remarcação").focus()
    expect(row.get_by_role("link", name="Outro horário…")).to_be_visible()
    expect(row).not_to_contain_text("Desfazer")
    expect(row).to_be_focused()


def test_without_script_it_is_a_form(window, receptionist, visits):
    page = window(receptionist, javascript=False)
    page.goto("/pendencias/")
    page.locator(f"#p{visits[0].pk} [name=to]").first.click()
    expect(page.locator("main")).to_contain_text("1 de 3 resolvidos")


def test_a_phone_shows_it_without_scrolling_sideways(window, receptionist, visits):
    page = window(receptionist, width=360)
    page.goto("/pendencias/")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_key_acts_on_no_row_before_one_is_chosen(window, receptionist, visits):
    page = window(receptionist)
    page.goto("/pendencias/")
    expect(page.locator("nav")).to_contain_text("(3")
    page.keyboard.press("n")
    page.keyboard.press("1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.locator(f"#p{visits[0].pk} details button").first).to_be_focused()
    expect(page.locator("#pending")).not_to_contain_text("sem resposta")
    assert set(Appointment.objects.values_list("status", flat=True)) == {"scheduled"}


def test_an_appointment_that_the_address_names_has_the_focus(window, receptionist, visits):
    page = window(receptionist)
    page.goto(f"/pendencias/#p{visits[1].pk}")
    expect(page.locator(f"#p{visits[1].pk}")).to_be_focused()


@pytest.mark.parametrize("address", ["/pendencias/", "/recados/"])
def test_no_letter_of_a_key_is_shown_on_a_phone(window, receptionist, visits, address):
    page = window(receptionist, width=360, touch=True)
    page.goto(address)
    expect(page.locator("main kbd").first).to_be_attached()
    expect(page.locator("main kbd:visible")).to_have_count(0)


@pytest.mark.parametrize("address", ["/pendencias/", "/recados/"])
def test_letters_of_keys_are_shown_on_a_screen_zoomed_in(window, receptionist, visits, address):
    """At 200 % a laptop is as narrow as this, and has keys."""
    page = window(receptionist, width=640)
    page.goto(address)
    expect(page.locator("main kbd").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_rows_of_every_kind(window, receptionist, visits, doctor, scheme):
    page = window(receptionist, scheme=scheme)
    page.goto("/pendencias/")
    page.locator(f"#p{visits[0].pk} [data-key=n]").click()
    expect(page.locator(f"#p{visits[0].pk}")).to_contain_text("1 ligação sem resposta")
    page.locator(f"#p{visits[1].pk} [name=to]").first.click()
    expect(page.locator(f"#p{visits[1].pk}")).to_contain_text("Remarcado de")
    page.locator(f"#p{visits[2].pk} summary").click()
    assert violations(page) == []
    page.goto(f"/ausencias/nova/?medico={doctor.pk}")
    assert violations(page) == []


def test_the_number_is_read_on_the_smallest_phone(window, receptionist, visits):
    page = window(receptionist, width=360)
    page.goto("/pendencias/")
    expect(page.locator("#pending-number")).to_contain_text("(3")
    assert page.locator(".bar nav").evaluate("nav => nav.scrollWidth <= nav.clientWidth")
