import re
from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment, Patient
from tests.browser.desk import book_maria, end_session_of, open_slot, path_of, taken_by_somebody_else
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

COUNT_CLICKS = """
window.clicks = 0;
addEventListener("click", (event) => { if (event.isTrusted && event.detail > 0) window.clicks += 1; }, true);
"""


def test_a_known_patient_is_booked_in_three_clicks_and_one_field(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    page.add_init_script(COUNT_CLICKS)
    open_slot(page, monday)
    page.keyboard.type("silva mar")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    expect(page.locator("#booking input[name=patient]")).to_have_value(str(maria.pk))
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00 com a Dra. Helena Prado.")
    expect(page.locator("#day .appt")).to_contain_text("Maria da Silva Souza")
    assert page.evaluate("window.clicks") == 3
    appointment = Appointment.objects.get()
    assert (appointment.patient, appointment.created_by) == (maria, receptionist)
    assert appointment.starts_at == doctor.clinic.instant(monday, time(10))


def test_the_keyboard_alone_books_from_the_open_panel(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator("a[href*='inicio=10:00']").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.get().patient == maria


def test_a_new_patient_needs_a_name_and_a_phone_only(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("João  Conceição")
    page.keyboard.press("Tab")
    page.keyboard.type("81 99999-9999")
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    patient = Patient.objects.get()
    assert (patient.name, str(patient.phone)) == ("João Conceição", "+5581999999999")
    expect(page.locator("#day .appt")).to_contain_text("cadastro incompleto")


def wait_until_htmx_listens(field):
    """It does so a moment after it has put the field into the page; nobody types as fast as a test."""
    field.evaluate("""async (field) => {
      while (!field["htmx-internal-data"]?.listenerInfos?.length) await new Promise(requestAnimationFrame);
    }""")


def test_a_field_says_what_is_wrong_as_soon_as_it_is_left(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    wait_until_htmx_listens(page.locator("#phone"))
    page.locator("#phone").fill("12")
    page.locator("#name").fill("Ana")
    expect(page.locator("#error-phone")).to_contain_text("Faltam dígitos: são só 2.")
    expect(page.locator("#phone")).to_have_attribute("aria-invalid", "true")
    page.locator("#phone").fill("(81) 98888-7777")
    page.locator("#name").focus()
    expect(page.locator("#error-phone")).to_be_empty()
    expect(page.locator("#name")).to_have_value("Ana")


def test_a_mobile_without_its_ninth_digit_is_asked_about(window, receptionist, doctor, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.locator("button[name=new]").first.click()
    wait_until_htmx_listens(page.locator("#phone"))
    page.locator("#name").fill("Rita Lima")
    page.locator("#phone").fill("81 8888-7777")
    page.locator("#name").focus()
    expect(page.locator("#error-phone")).to_contain_text("Acrescentamos o 9: (81) 98888-7777. Confere?")
    expect(page.locator("#phone")).to_have_value("81 8888-7777")
    page.locator("#save").click()
    expect(page.locator("#phone_is_right")).to_be_focused()
    assert Patient.objects.count() == 0
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert str(Patient.objects.get().phone) == "+5581988887777"


def test_time_taken_in_another_window_is_refused_with_free_times(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#notes").fill("prefere manhã")
    taken_by_somebody_else(doctor, monday, time(10))
    with page.expect_response("**/agendamentos/novo/"):
        page.locator("#save").click()

    expect(page.locator("#error-starts")).to_have_text("O horário das 10:00 da Dra. Helena Prado já está ocupado.")
    expect(page.locator("#booking-times button")).to_have_count(3)
    expect(page.locator("#notes")).to_have_value("prefere manhã")
    page.locator("#booking-times").get_by_text("09:30").click()
    expect(page.locator("#save")).to_have_text("Agendar às 09:30")
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 09:30")
    assert Appointment.objects.get(patient=maria).notes == "prefere manhã"


def test_a_double_click_on_save_books_once(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#save").dblclick()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.count() == 1


def test_a_form_posted_after_the_session_ended_comes_back_filled_in(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#notes").fill("trazer exames")
    end_session_of(page)
    page.locator("#save").click()
    page.wait_for_url("**/entrar/**")
    page.locator("[name=username]").fill(receptionist.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.locator("#notes")).to_have_value("trazer exames")
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:00")
    assert Appointment.objects.get().notes == "trazer exames"


def test_everything_works_without_javascript(window, receptionist, doctor, maria, monday):
    page = window(receptionist, javascript=False)
    open_slot(page, monday)
    page.locator("#q").fill("maria")
    page.locator("#q").press("Enter")
    page.locator("#patient-options").get_by_text("Maria da Silva Souza").click()
    page.locator("#save").click()
    expect(page.locator("#day .appt")).to_contain_text("Maria da Silva Souza")

    page.locator("#day .appt a").click()
    page.get_by_role("button", name="Confirmar").click()
    expect(page.locator("#appointment .status-confirmed").first).to_be_visible()
    page.get_by_role("link", name="Remarcar").click()
    page.locator("#starts").fill("11:00")
    page.locator("#save").click()
    expect(page.locator("#appointment")).to_contain_text("11:00–11:30")
    page.get_by_role("link", name="Cancelar com motivo…").click()
    page.get_by_label("Paciente", exact=True).check()
    page.locator("#save").click()
    expect(page.locator("#appointment")).to_contain_text("Cancelado")


def test_a_date_is_typed_as_people_write_it(window, receptionist, doctor, monday):
    page = window(receptionist)
    page.goto("/agenda/")
    page.locator("#day-pick").fill(f"{monday:%d%m%Y}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/agenda/{monday}/")
    page.locator("#day-pick").fill("31/02")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Esta data não existe.")
    expect(page).to_have_url(re.compile(f"/agenda/{monday}/$"))
    page.locator("#day-native").fill(f"{monday + timedelta(days=1)}")
    page.wait_for_url(f"**/agenda/{monday + timedelta(days=1)}/")


def test_another_of_the_family_is_booked_after_the_first(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    book_maria(page, monday)
    page.get_by_role("link", name="Agendar outro da família").click()
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#save")).to_have_text("Agendar às 10:30")
    assert path_of(page) == f"/agenda/{monday}/"
    page.keyboard.type("Bia Souza")
    page.keyboard.press("Enter")
    expect(page.locator("#name")).to_have_value("Bia Souza")
    expect(page.locator("#phone")).to_be_focused()
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Agendado às 10:30")

    bia = Patient.objects.get(name="Bia Souza")
    assert bia.phone == maria.phone
    assert bia.appointments.get().lines.get().procedure == doctor.procedures.get()
