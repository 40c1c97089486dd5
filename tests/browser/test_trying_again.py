"""Requests that failed, sent again by the notice that says so, whatever the page's own refreshing does meanwhile."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from clinic.booking import Author, change_status
from clinic.models import Appointment
from tests.browser.desk import three_of_today

BY = Author(channel="command", credential="tests")
STATUS = "**/fila/*/situacao/"


@pytest.fixture
def visits(doctor):
    return three_of_today(doctor)


@pytest.fixture
def page(window, receptionist, visits, complaints):
    page = window(receptionist)
    with page.expect_response("**/pendencias/numero/") as number:
        page.goto("/fila/")
    number.value.finished()
    yield page
    complaints.clear()  # the failed requests themselves


def arrive(page, visit):
    page.click(f"#q{visit.pk} [data-key=k]")


def retry(page):
    return page.get_by_role("button", name="Tentar de novo")


def refresh(page):
    """Have the page ask for what has changed, and wait for what becomes of that."""
    page.evaluate("""() => new Promise((done) => {
      document.addEventListener("htmx:afterRequest", ({ detail }) => detail.requestConfig.elt.id === "poll" && done());
      window.htmx.trigger("#poll", "visibilitychange");
    })""")


def waiting(visit):
    return f"[aria-labelledby=queue-waiting] #q{visit.pk}"


def test_a_refresh_that_fails_too_leaves_the_act_to_repeat(page, visits):
    page.route("**/fila/**", lambda route: route.abort())
    arrive(page, visits[0])
    expect(retry(page)).to_be_visible()
    refresh(page)
    refresh(page)
    page.unroute("**/fila/**")
    retry(page).click()
    expect(page.locator(waiting(visits[0]))).to_be_visible()
    expect(retry(page)).to_have_count(0)


def test_a_refresh_leaves_the_notice_of_an_act(page, visits):
    """And after it has drawn the row anew, the act is sent as it was pressed."""
    first, second = visits[:2]
    page.route(STATUS, lambda route: route.abort())
    arrive(page, first)
    expect(retry(page)).to_be_visible()
    change_status(second.pk, "checked_in", clinic=second.clinic, by=BY)
    refresh(page)
    expect(page.locator(waiting(second))).to_be_visible()
    page.unroute(STATUS)
    retry(page).click()
    expect(page.locator(waiting(first))).to_be_visible()
    expect(retry(page)).to_have_count(0)


def test_a_row_that_changed_meanwhile_refuses_the_repeated_act(page, visits):
    page.route(STATUS, lambda route: route.abort())
    arrive(page, visits[0])
    expect(retry(page)).to_be_visible()
    change_status(visits[0].pk, "scheduled", clinic=visits[0].clinic, by=BY)
    refresh(page)
    page.unroute(STATUS)
    retry(page).click()
    expect(page.locator(f"#q{visits[0].pk} [role=alert]")).to_contain_text("foi alterado depois do que você viu")
    assert Appointment.objects.get(pk=visits[0].pk).status == "scheduled"


def test_all_acts_that_failed_are_repeated(page, visits):
    page.route(STATUS, lambda route: route.abort())
    for visit in visits:
        arrive(page, visit)
        expect(page.locator("#queue.htmx-request, #queue .htmx-request")).to_have_count(0)
    page.unroute(STATUS)
    retry(page).click()
    for visit in visits:
        expect(page.locator(waiting(visit))).to_be_visible()


def test_acts_that_fail_once_more_are_repeated_all_the_same(page, visits):
    """By the notice while the network is still away: of three buttons that are pressed at once, htmx sends one."""
    page.route(STATUS, lambda route: route.abort())
    for visit in visits:
        arrive(page, visit)
        expect(page.locator("#queue.htmx-request, #queue .htmx-request")).to_have_count(0)
    failed = []
    with page.expect_event("requestfailed", lambda request: failed.append(request) or len(failed) == len(visits)):
        retry(page).click()
    expect(page.locator("#queue.htmx-request, #queue .htmx-request")).to_have_count(0)
    page.unroute(STATUS)
    retry(page).click()
    for visit in visits:
        expect(page.locator(waiting(visit))).to_be_visible()
    expect(retry(page)).to_have_count(0)


def test_an_act_that_waited_for_one_that_failed_is_sent(page, visits):
    first, second = visits[:2]
    due = []
    page.route(f"**/fila/{first.pk}/situacao/", lambda route: due.append(route), times=1)
    arrive(page, first)
    arrive(page, second)
    due[0].abort()
    expect(page.locator(waiting(second))).to_be_visible()
    retry(page).click()
    expect(page.locator(waiting(first))).to_be_visible()


def test_an_act_that_waited_and_failed_too_is_repeated(page, visits):
    first, second = visits[:2]
    due = []
    page.route(f"**/fila/{second.pk}/situacao/", lambda route: route.abort())
    page.route(f"**/fila/{first.pk}/situacao/", lambda route: due.append(route), times=1)
    arrive(page, first)
    arrive(page, second)
    with page.expect_event("requestfailed", lambda request: f"/{second.pk}/" in request.url):
        due[0].abort()
    page.unroute(f"**/fila/{second.pk}/situacao/")
    retry(page).click()
    for visit in (first, second):
        expect(page.locator(waiting(visit))).to_be_visible()
    expect(retry(page)).to_have_count(0)


def move_away(visit):
    """As a colleague does, to the next day."""
    state = Appointment.objects.filter(pk=visit.pk)
    state.update(starts_at=visit.starts_at + timedelta(days=1), ends_at=visit.ends_at + timedelta(days=1))


def test_a_row_that_is_gone_refuses_the_repeated_act(page, visits):
    page.route(STATUS, lambda route: route.abort())
    arrive(page, visits[0])
    expect(retry(page)).to_be_visible()
    move_away(visits[0])
    refresh(page)
    expect(page.locator(f"#q{visits[0].pk}")).to_have_count(0)
    page.unroute(STATUS)
    retry(page).click()
    expect(page.locator("#queue > [role=alert]")).to_contain_text("foi alterado depois do que você viu")
    assert Appointment.objects.get(pk=visits[0].pk).status == "confirmed"


def test_another_act_on_a_row_leaves_the_notice_of_the_first(page, visits):
    page.route(STATUS, lambda route: route.abort())
    arrive(page, visits[0])
    expect(retry(page)).to_be_visible()
    page.locator(f"#q{visits[0].pk} summary").click()
    page.locator(f"#q{visits[0].pk} [name=kind]").first.click()
    expect(page.locator(f"#q{visits[0].pk}")).to_contain_text("prioridade:")
    expect(retry(page)).to_be_visible()


def test_what_was_dismissed_is_not_repeated(page, visits):
    first, second = visits[:2]
    page.route(STATUS, lambda route: route.abort())
    arrive(page, first)
    page.get_by_role("button", name="Fechar aviso").click()
    arrive(page, second)
    expect(retry(page)).to_be_visible()
    page.unroute(STATUS)
    retry(page).click()
    expect(page.locator(waiting(second))).to_be_visible()
    assert Appointment.objects.get(pk=first.pk).status == "confirmed"


def test_after_failed_refreshes_the_list_is_read_again(page, visits):
    page.route("**/fila/", lambda route: route.abort())
    refresh(page)
    refresh(page)
    change_status(visits[0].pk, "checked_in", clinic=visits[0].clinic, by=BY)
    page.unroute("**/fila/")
    retry(page).click()
    expect(page.locator(waiting(visits[0]))).to_be_visible()
