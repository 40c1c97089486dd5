"""Particular ou convênio, in a browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment, Patient
from tests.browser.desk import open_slot
from tests.browser.test_booking import wait_until_htmx_listens
from tests.factories import make_doctor, make_lisbon, make_patient, make_payer, make_procedure, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unimed(doctor):
    make_payer(doctor.clinic, name="Bradesco")
    return make_payer(doctor.clinic, name="Unimed")


def test_case_48_the_keyboard_books_with_an_expired_card(window, receptionist, doctor, maria, monday, unimed):
    expired_on = monday - timedelta(days=3)
    Patient.objects.filter(pk=maria.pk).update(payer=unimed, card_number="0123", card_expires_on=expired_on)
    words = f"arteira vencida em {expired_on:%d/%m/%Y}"
    page = window(receptionist)
    open_slot(page, monday)
    expect(page.locator("#card_number")).to_be_hidden()
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    expect(page.locator(f"#payer-{unimed.pk}")).to_be_checked()
    expect(page.locator("#card_number")).to_have_value("0123")
    expect(page.locator("#booking-card")).to_contain_text(f"C{words}.")
    page.keyboard.press("Enter")

    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    expect(page.locator("#panel")).to_contain_text(f"c{words}")
    expect(page.locator("#day .appt")).to_contain_text(f"c{words}")
    assert Appointment.objects.get().payer == unimed


def test_a_letter_chooses_the_payer(window, receptionist, doctor, maria, monday, unimed):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    wait_until_htmx_listens(page.locator(f"#payer-{unimed.pk}"))
    page.locator("#payer-0").focus()
    page.keyboard.press("u")
    expect(page.locator(f"#payer-{unimed.pk}")).to_be_checked()
    expect(page.locator(f"#payer-{unimed.pk}")).to_be_focused()
    page.wait_for_load_state("networkidle")
    page.locator("#card_number").fill("0 123-4")
    page.locator("#authorization_number").fill("G1")
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("Unimed · guia G1")
    maria.refresh_from_db()
    assert (maria.payer, maria.card_number) == (unimed, "01234")


def test_what_is_typed_while_the_payer_is_asked_about_stays(window, receptionist, doctor, maria, monday, unimed):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    wait_until_htmx_listens(page.locator(f"#payer-{unimed.pk}"))
    held = []
    page.route("**/agendamentos/conferir/", lambda route: held.append(route))
    with page.expect_request("**/agendamentos/conferir/"):
        page.locator(f"#payer-{unimed.pk}").locator("..").click()
    page.locator("#card_number").type("0123")
    with page.expect_response("**/agendamentos/conferir/"):
        held[0].continue_()
    page.unroute("**/agendamentos/conferir/")
    page.locator("#authorization_number").fill("G1")
    expect(page.locator("#card_number")).to_have_value("0123")


def test_h_at_the_payers_is_no_key_of_the_day(window, receptionist, doctor, maria, monday, unimed):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("#payer-0").focus()
    page.keyboard.press("h")
    page.keyboard.press("n")
    expect(page.locator("#payer-0")).to_be_checked()
    expect(page.locator("#panel #booking")).to_be_visible()
    expect(page.locator("#date")).to_have_value(f"{monday:%d/%m/%Y}")


def test_a_payer_needs_no_script_and_fits_a_phone(window, receptionist, doctor, maria, monday, unimed):
    page = window(receptionist, javascript=False, width=360, height=740)
    page.goto(f"/agendamentos/novo/?medico={doctor.pk}&data={monday}&inicio=10:00&paciente={maria.pk}")
    page.locator(f"#payer-{unimed.pk}").check()
    page.locator("#card_number").fill("77")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#save").click()

    expect(page.locator("body")).to_contain_text("Agendado.")
    maria.refresh_from_db()
    assert (maria.payer, maria.card_number, Appointment.objects.get().payer) == (unimed, "77", unimed)


def test_a_portuguese_payer_is_asked_for_no_password(window, monday):
    """Answers name no field that is not there: htmx would complain in the console."""
    clinic = make_lisbon()
    doctor = make_doctor(clinic, procedures=[make_procedure(clinic)])
    rui = make_patient(clinic, name="Rui Alves", payer=make_payer(clinic, name="Médis"))
    page = window(make_user(clinic), locale="pt-PT")
    page.goto(f"/agendamentos/novo/?medico={doctor.pk}&data={monday}&inicio=10:00")
    page.locator("#q").fill("rui")
    page.locator("#patient-options").get_by_text("Rui Alves").click()
    expect(page.locator("#booking input[name=patient]")).to_have_value(str(rui.pk))
    expect(page.locator("#authorization_number")).to_be_visible()
    with page.expect_response("**/agendamentos/conferir/") as checked:
        page.locator("#starts").fill("11:00")
        page.locator("#notes").focus()
    checked.value.finished()
    expect(page.locator("#authorization_password")).to_have_count(0)
