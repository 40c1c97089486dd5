"""What people do at the desk, for the tests that begin with it."""

from urllib.parse import urlsplit

from django.utils import timezone
from playwright.sync_api import expect

from clinic.access.sessions import SessionStore
from clinic.booking import Author, LineRequest, Proposal, book
from clinic.models import Appointment
from tests.days import put
from tests.factories import make_patient


def open_slot(page, monday, at="10:00"):
    """Click the first free time at `at` in the day."""
    page.goto(f"/agenda/{monday}/")
    page.locator(f"a[href*='inicio={at}']").first.click()
    expect(page.locator("#q")).to_be_focused()


def three_of_today(doctor):
    """Three confirmed appointments of today, whatever hour it is."""
    clinic = doctor.clinic
    today = clinic.local(timezone.now()).date()
    return [
        put(doctor, hour, day=today, status="confirmed", patient=make_patient(clinic, name=name))
        for hour, name in (("12:00", "Ana Lima"), ("12:30", "Bia Reis"), ("13:00", "Caio Melo"))
    ]


def taken_by_somebody_else(doctor, monday, at):
    clinic = doctor.clinic
    proposal = Proposal(
        clinic=clinic,
        doctor=doctor.pk,
        lines=(LineRequest(doctor.procedures.get().pk),),
        starts_at=clinic.instant(monday, at),
        patient=make_patient(clinic).pk,
    )
    return book(proposal, by=Author(channel="command", credential="outra janela"))


def end_session_of(page):
    """Let the session be as old as one that was left open over lunch and the afternoon."""
    (cookie,) = (each for each in page.context.cookies() if each["name"] == "sessionid")
    session = SessionStore(cookie["value"])
    session["seen_at"] -= 3 * 3600
    session.save()


def book_maria(page, monday):
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    return f"/agendamentos/{Appointment.objects.get().pk}/"


def wait_until_answered(page):
    """Both what a changed field asks and what a pressed button sends: the answer to the latter replaces the panel."""
    expect(page.locator("#panel .htmx-request")).to_have_count(0)


def sent_by(page):
    """The paths that the page posts to from now on."""
    paths = []
    page.on("request", lambda request: request.method == "POST" and paths.append(urlsplit(request.url).path))
    return paths


def path_of(page):
    return page.evaluate("location.pathname + location.search")
