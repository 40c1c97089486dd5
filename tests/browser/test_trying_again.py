"""Requests that failed, sent again by the notice that says so, whatever the page's own refreshing does meanwhile."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import Author, change_status
from clinic.models import Appointment
from tests.days import put
from tests.factories import make_patient

BY = Author(channel="command", credential="tests")
STATUS = "**/fila/*/situacao/"


@pytest.fixture
def visits(clinic, doctor):
    """Three of today, whatever hour it is."""
    today = clinic.local(timezone.now()).date()
    return [
        put(doctor, hour, day=today, status="confirmed", patient=make_patient(clinic, name=name))
        for hour, name in (("12:00", "Ana Lima"), ("12:30", "Bia Reis"), ("13:00", "Caio Melo"))
    ]


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
    change_status(visits[0].pk, "no_show", clinic=visits[0].clinic, by=BY)
    refresh(page)
    page.unroute(STATUS)
    retry(page).click()
    expect(page.locator(f"#q{visits[0].pk} [role=alert]")).to_contain_text("foi alterado depois do que você viu")
    assert Appointment.objects.get(pk=visits[0].pk).status == "no_show"


def test_all_acts_that_failed_are_repeated(page, visits):
    page.route(STATUS, lambda route: route.abort())
    for visit in visits:
        arrive(page, visit)
        expect(page.locator("#queue.htmx-request, #queue .htmx-request")).to_have_count(0)
    page.unroute(STATUS)
    retry(page).click()
    for visit in visits:
        expect(page.locator(waiting(visit))).to_be_visible()


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
