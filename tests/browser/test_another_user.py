"""Two people at one computer: what a page sends is never stored as another person's act without a question."""

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment, AppointmentEvent
from tests.browser.desk import open_slot
from tests.factories import book_appointment, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in_as_severino(page, clinic, client):
    other = make_user(clinic, username="severino", name="Severino Lima")
    client.force_login(other)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([cookie | {"url": page.evaluate("location.origin")}])


@pytest.fixture
def drawn_for_rosa(window, receptionist, clinic, doctor, maria, monday, client):
    """A filled booking form of one user, in whose browser another one has signed in since."""
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    sign_in_as_severino(page, clinic, client)
    page.locator("#save").click()
    expect(page.locator("#trouble")).to_contain_text("agora quem entrou neste computador é Severino Lima")
    return page


def test_nothing_is_stored_and_what_was_typed_stays(drawn_for_rosa, complaints):
    assert not Appointment.objects.exists()
    expect(drawn_for_rosa.locator("#panel")).to_contain_text("Maria da Silva Souza")
    complaints.clear()


def test_the_present_user_may_store_it_under_their_name(drawn_for_rosa, complaints):
    drawn_for_rosa.get_by_role("button", name="Gravar assim mesmo").click()
    expect(drawn_for_rosa.locator("#panel")).to_contain_text("Agendado às 10:00")
    expect(drawn_for_rosa.locator("[data-user]")).to_have_text("Severino Lima")
    assert AppointmentEvent.objects.get().user.username == "severino"
    complaints.clear()


def test_a_button_of_its_own_address_is_pressed_again(window, receptionist, clinic, doctor, maria, client, complaints):
    appointment = book_appointment(doctor, patient=maria.pk)
    page = window(receptionist)
    page.goto(f"/agendamentos/{appointment.pk}/")
    sign_in_as_severino(page, clinic, client)
    page.get_by_role("button", name="Cancelar pelo(a) paciente").click()
    page.get_by_role("button", name="Gravar assim mesmo").click()
    expect(page.locator("#panel .status")).to_have_text("Cancelado")
    complaints.clear()
