"""The waiting room's display beside the queue: a call appears, the network goes and comes back, the link ends."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.access import display_links
from clinic.booking import Author, call_to_room, change_status, state
from clinic.models import DisplayLink
from tests.browser.test_every_page import violations
from tests.days import put
from tests.factories import make_patient

pytestmark = pytest.mark.django_db(transaction=True)
BY = Author(channel="command", credential="tests")


@pytest.fixture
def waiting(clinic, doctor):
    """A patient who has arrived today, whatever hour it is."""
    type(doctor).objects.filter(pk=doctor.pk).update(room="Consultório 3")
    today = clinic.local(timezone.now()).date()
    appointment = put(doctor, "12:00", day=today, status="confirmed", patient=make_patient(clinic, name="Ana Lima"))
    change_status(appointment.pk, "checked_in", clinic=clinic, by=BY)
    return appointment


@pytest.fixture
def screen(window, clinic):
    """A browser that nobody has signed in on and that has opened the link."""
    _, secret = display_links.create(clinic, name="Recepção", by=None)
    page = window(None)
    page.goto(f"/painel/{secret}/")
    return page


@pytest.fixture
def queue(window, receptionist, waiting):
    page = window(receptionist)
    page.goto("/fila/")
    return page


def test_one_key_calls_and_the_display_shows_it(screen, queue, waiting):
    expect(screen.locator("#calls")).to_contain_text("Aguarde")
    queue.locator(f"#q{waiting.pk}").focus()
    queue.keyboard.press("c")
    expect(queue.locator(f"#q{waiting.pk}")).to_contain_text("chamado às")
    expect(queue.locator(f"#q{waiting.pk}")).to_be_focused()
    expect(screen.locator("[data-call]").first).to_contain_text("A. L.")
    expect(screen.locator("[data-call]").first).to_contain_text("Consultório 3")
    assert "Ana" not in screen.content()


def test_the_display_goes_on_when_the_network_comes_back(screen, queue, waiting, complaints):
    screen.context.set_offline(True)
    expect(screen.locator("#offline")).to_contain_text("Sem conexão")
    queue.locator(f"#q{waiting.pk}").focus()
    queue.keyboard.press("c")
    expect(queue.locator(f"#q{waiting.pk}")).to_contain_text("chamado às")
    screen.context.set_offline(False)
    expect(screen.locator("[data-call]").first).to_contain_text("A. L.")
    expect(screen.locator("#offline")).to_be_empty()
    complaints.clear()


def overflow(page):
    """How many pixels of the page are below the screen."""
    return page.evaluate("document.documentElement.scrollHeight - innerHeight")


def test_an_empty_display_has_nothing_below_the_screen(screen):
    assert overflow(screen) == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 650), (1920, 1080), (1080, 1920)])
def test_six_calls_fit_on_the_screen(screen, clinic, doctor, width, height):
    type(doctor).objects.filter(pk=doctor.pk).update(room="Sala de ultrassom 2, primeiro andar dir.")
    today = clinic.local(timezone.now()).date()
    for hour in range(8, 14):
        patient = make_patient(clinic, name=f"Maria Moreira {hour}")
        appointment = put(doctor, f"{hour:02}:00", day=today, status="confirmed", patient=patient)
        arrived = change_status(appointment.pk, "checked_in", clinic=clinic, by=BY)
        call_to_room(appointment.pk, seen=state(arrived), clinic=clinic, by=BY)
    screen.set_viewport_size({"width": width, "height": height})
    expect(screen.locator("[data-call]")).to_have_count(6)
    assert overflow(screen) == 0
    assert screen.locator(".room").first.evaluate("room => room.scrollWidth <= room.clientWidth")


def test_a_revoked_link_says_so_on_the_screen(screen, clinic, complaints):
    display_links.revoke(DisplayLink.objects.get().pk, clinic=clinic, by=None)
    expect(screen.locator("h1")).to_have_text("Este link não abre o painel")
    complaints.clear()


def test_a_display_that_may_not_sound_yet_says_so(screen, complaints):
    screen.locator("#chime").click()
    expect(screen.locator("#silent")).to_be_hidden()
    opened_again = screen.context.new_page()  # what was pressed in another window lets this one not sound
    opened_again.goto("/painel/")
    expect(opened_again.locator("#chime")).to_have_attribute("aria-pressed", "true")
    expect(opened_again.locator("#silent")).to_have_text("Toque na tela para ligar o som.")
    opened_again.locator("h1").click()
    expect(opened_again.locator("#silent")).to_be_hidden()


def test_a_priority_is_two_keys(queue, waiting):
    queue.locator(f"#q{waiting.pk}").focus()
    queue.keyboard.press("p")
    expect(queue.get_by_role("button", name="gestante")).to_be_focused()
    queue.keyboard.press("Enter")
    expect(queue.locator(f"#q{waiting.pk} .priority")).to_contain_text("gestante")
    expect(queue.locator(f"#q{waiting.pk}")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_display(screen, queue, waiting, scheme):
    queue.locator(f"#q{waiting.pk}").focus()
    queue.keyboard.press("c")
    expect(screen.locator("[data-call]").first).to_be_visible()
    screen.emulate_media(color_scheme=scheme)
    assert violations(screen) == []
