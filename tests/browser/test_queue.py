"""The queue of today worked off by keys and by clicks, and as a colleague changes it."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from clinic.booking import Author, change_status
from clinic.models import Appointment
from tests.browser.desk import three_of_today
from tests.browser.held_answers import HeldAnswers
from tests.browser.test_every_page import violations
from tests.days import put
from tests.factories import make_doctor

BY = Author(channel="command", credential="tests")


@pytest.fixture
def visits(doctor):
    return three_of_today(doctor)


@pytest.fixture
def page(window, receptionist, visits):
    page = window(receptionist)
    page.goto("/fila/")
    return page


def row(visit, part=""):
    return f"{f'[aria-labelledby=queue-{part}] ' if part else ''}#q{visit.pk}"


def read_again(page):
    page.evaluate("htmx.ajax('GET', location.pathname, {source: '#poll', target: '#queue', swap: 'outerHTML'})")


def test_two_visits_are_five_keys(page, visits):
    """An arrow to the first one; every act leads to the row that takes its place."""
    first, second = visits[:2]
    page.locator("#queue-head").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(row(first))).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(row(first, "waiting"))).to_be_visible()
    expect(page.locator(row(second))).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(row(second, "waiting"))).to_be_visible()
    page.locator(row(first)).focus()
    page.keyboard.press("i")
    expect(page.locator(row(first, "in-service"))).to_be_visible()
    expect(page.locator(row(second))).to_be_focused()
    page.locator(row(first)).focus()
    page.keyboard.press("e")
    expect(page.locator(row(first, "gone"))).to_be_visible()
    page.locator(row(first)).focus()
    page.keyboard.press("u")
    expect(page.locator(row(first, "in-service"))).to_be_visible()
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["checked_in", "confirmed", "in_service"]


def test_u_undoes_the_last_act_not_that_of_the_next_row(page, visits):
    first, second = visits[:2]
    change_status(second.pk, "checked_in", clinic=second.clinic, by=BY)
    change_status(first.pk, "checked_in", clinic=first.clinic, by=BY)
    read_again(page)
    page.locator(row(second, "waiting")).focus()
    page.keyboard.press("i")
    expect(page.locator(row(second, "in-service"))).to_be_visible()
    expect(page.locator(row(first, "waiting"))).to_be_focused()
    page.keyboard.press("u")
    expect(page.locator(row(second, "waiting"))).to_be_visible()
    expect(page.locator(row(second, "waiting"))).to_be_focused()
    assert Appointment.objects.get(pk=first.pk).status == "checked_in"


def test_u_after_a_call_leaves_the_arrival(page, visits):
    first, second = visits[:2]
    page.locator(row(first)).focus()
    page.keyboard.press("k")
    expect(page.locator(row(first, "waiting"))).to_be_visible()
    page.locator(row(first)).focus()
    page.keyboard.press("c")
    expect(page.locator(row(first))).to_contain_text("Chamar de novo")
    page.keyboard.press("u")
    page.locator(row(second)).focus()
    page.keyboard.press("k")
    expect(page.locator(row(second, "waiting"))).to_be_visible()
    expect(page.locator(row(first, "waiting"))).to_be_visible()


def test_a_row_reached_by_arrows_is_not_under_the_bar(window, receptionist, visits):
    page = window(receptionist, height=300)
    page.goto("/fila/")
    page.locator("#queue-head").focus()
    for key in ("ArrowDown", "ArrowUp"):
        for _ in visits:
            page.keyboard.press(key)
            bar = page.locator("body > header").bounding_box()
            assert page.locator(".queue-row:focus").bounding_box()["y"] >= bar["y"] + bar["height"]


def test_an_arrival_is_one_click(page, visits):
    page.click(f"{row(visits[1])} [data-key=k]")
    expect(page.locator(row(visits[1], "waiting"))).to_be_visible()
    expect(page.locator(row(visits[1], "waiting"))).to_contain_text("espera 0 min")


def test_a_refused_key_says_why_at_the_row(page, visits):
    first, second = visits[:2]
    for visit in (first, second):
        change_status(visit.pk, "checked_in", clinic=visit.clinic, by=BY)
    change_status(first.pk, "in_service", clinic=first.clinic, by=BY)
    read_again(page)
    page.locator(row(second, "waiting")).focus()
    page.keyboard.press("i")
    expect(page.locator(f"{row(second, 'waiting')} [role=alert]")).to_contain_text("já está atendendo outra pessoa")
    expect(page.locator(row(second))).to_be_focused()


def test_a_refusal_is_scrolled_to_where_its_row_has_gone(window, receptionist, visits):
    first = visits[0]
    for status in ("checked_in", "in_service"):
        change_status(first.pk, status, clinic=first.clinic, by=BY)
    page = window(receptionist, height=300)
    page.goto("/fila/")
    page.locator(row(first, "in-service")).focus()
    change_status(first.pk, "finished", clinic=first.clinic, by=BY)
    page.keyboard.press("e")
    refusal = page.locator(f"{row(first, 'gone')} [role=alert]")
    expect(refusal).to_contain_text("foi alterado depois do que você viu")
    expect(refusal).to_be_in_viewport()


def test_a_refusal_outlives_refreshes_while_its_row_is_read(page, visits):
    first, second, third = visits
    for visit in (first, second):
        change_status(visit.pk, "checked_in", clinic=visit.clinic, by=BY)
    change_status(first.pk, "in_service", clinic=first.clinic, by=BY)
    read_again(page)
    page.locator(row(second, "waiting")).focus()
    page.keyboard.press("i")
    refusal = page.locator(f"{row(second)} .message.error")
    expect(refusal).to_contain_text("já está atendendo outra pessoa")
    change_status(third.pk, "checked_in", clinic=third.clinic, by=BY)
    read_again(page)
    expect(page.locator(row(third, "waiting"))).to_be_visible()
    expect(refusal).to_contain_text("já está atendendo outra pessoa")
    page.keyboard.press("ArrowDown")
    change_status(first.pk, "finished", clinic=first.clinic, by=BY)
    read_again(page)
    expect(page.locator(row(first, "gone"))).to_be_visible()
    expect(refusal).to_have_count(0)


def test_an_act_during_another_one_is_sent_after_it(page, visits):
    first, second = visits[:2]
    held = HeldAnswers(page, "**/fila/*/situacao/", times=1)
    page.click(f"{row(first)} [data-key=k]")
    held.wait_for_one()
    for visit in (first, second, second):
        page.click(f"{row(visit)} [data-key=k]")
    held.let_through()
    for visit in (first, second):
        expect(page.locator(row(visit, "waiting"))).to_be_visible()
    expect(page.locator("#queue .message.error")).to_have_count(0)


def test_a_late_act_on_a_row_that_has_changed_is_refused(page, visits):
    first, second = visits[:2]
    held = HeldAnswers(page, "**/fila/*/situacao/", times=1)
    page.click(f"{row(first)} [data-key=k]")
    held.wait_for_one()
    page.click(f"{row(second)} [data-key=k]")
    change_status(second.pk, "scheduled", clinic=second.clinic, by=BY)
    held.let_through()
    refusal = page.locator(f"{row(second, 'to-come')} [role=alert]")
    expect(refusal).to_contain_text("foi alterado depois do que você viu")


def test_another_act_on_the_row_under_way_is_refused_in_words(page, visits):
    first = visits[0]
    held = HeldAnswers(page, "**/fila/*/situacao/", times=1)
    page.click(f"{row(first)} [data-key=k]")
    held.wait_for_one()
    page.click(f"{row(first)} summary")
    page.locator(f"{row(first)} [name=kind]").first.click()
    held.let_through()
    refusal = page.locator(f"{row(first, 'waiting')} [role=alert]")
    expect(refusal).to_contain_text("foi alterado depois do que você viu")


def test_a_late_act_on_a_row_that_is_gone_keeps_the_filter(page, visits, clinic, doctor):
    """And says why it was refused."""
    first, second = visits[:2]
    other = put(make_doctor(clinic, name="Outra Médica"), "14:00", day=clinic.local(first.starts_at).date())
    page.goto(f"/fila/?medico={doctor.pk}")
    expect(page.locator(row(other))).to_have_count(0)
    due = []
    page.route("**/fila/*/situacao/", lambda route: due.append(route), times=1)
    page.click(f"{row(first)} [data-key=k]")
    page.click(f"{row(second)} [data-key=k]")
    tomorrow = {field: getattr(second, field) + timedelta(days=1) for field in ("starts_at", "ends_at")}
    Appointment.objects.filter(pk=second.pk).update(**tomorrow)
    due[0].continue_()
    expect(page.locator("#queue > [role=alert]")).to_contain_text("foi alterado depois do que você viu")
    expect(page.locator(row(first, "waiting"))).to_be_visible()
    expect(page.locator(row(other))).to_have_count(0)


def test_open_priorities_stay_open_as_the_queue_refreshes(page, visits):
    first, second = visits[:2]
    page.locator(row(first)).focus()
    page.keyboard.press("p")
    choice = page.locator(f"{row(first)} [name=kind]").first
    expect(choice).to_be_focused()
    change_status(second.pk, "checked_in", clinic=second.clinic, by=BY)
    page.evaluate("htmx.trigger('#poll', 'visibilitychange')")
    expect(page.locator(row(second, "waiting"))).to_be_visible()
    expect(choice).to_be_focused()
    page.keyboard.press("Enter")
    expect(choice).to_be_hidden()


def test_what_has_changed_is_announced(page, visits):
    announced = page.locator("#list-changed[role=status]")
    page.locator(row(visits[1])).focus()
    page.keyboard.press("k")
    expect(announced).to_have_text("Lista atualizada: Aguardando 1, Em atendimento 0, A chegar 2, Saíram 0")
    change_status(visits[2].pk, "checked_in", clinic=visits[2].clinic, by=BY)
    read_again(page)
    expect(announced).to_have_text("Lista atualizada: Aguardando 2, Em atendimento 0, A chegar 1, Saíram 0")


def test_what_a_colleague_does_keeps_the_focus(page, visits):
    page.locator(row(visits[2])).focus()
    change_status(visits[0].pk, "checked_in", clinic=visits[0].clinic, by=BY)
    read_again(page)
    expect(page.locator(row(visits[0], "waiting"))).to_be_visible()
    expect(page.locator(row(visits[2]))).to_be_focused()


def test_calling_and_beginning_are_on_one_line_of_a_laptop(page, visits):
    change_status(visits[0].pk, "checked_in", clinic=visits[0].clinic, by=BY)
    read_again(page)
    call = page.locator(row(visits[0], "waiting")).get_by_role("button", name="Chamar")
    begin = page.locator(row(visits[0], "waiting")).get_by_role("button", name="Iniciar atendimento", exact=True)
    expect(begin).to_contain_text("Iniciar")
    assert begin.bounding_box()["y"] == call.bounding_box()["y"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light")])
def test_the_page_fits_and_has_no_violations(window, receptionist, visits, width, scheme):
    change_status(visits[0].pk, "checked_in", clinic=visits[0].clinic, by=BY)
    page = window(receptionist, width=width, scheme=scheme)
    page.goto("/fila/")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
