"""The next free times by mouse, by keys, and without JavaScript."""

from datetime import time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.models import Absence, Appointment
from tests.browser.desk import book_maria, taken_by_somebody_else
from tests.browser.test_booking import COUNT_CLICKS, wait_until_htmx_listens
from tests.browser.test_day import COUNT_ACTS
from tests.factories import make_doctor, make_patient, make_procedure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def closed_today(clinic):
    """The first free time is of a later day, at whatever hour of a Monday the tests run."""
    midnight = clinic.local(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    Absence.objects.create(clinic=clinic, reason="feriado", starts_at=midnight, ends_at=midnight + timedelta(days=1))


@pytest.fixture
def dermatologist(clinic):
    procedure = make_procedure(clinic, name="Consulta dermatológica")
    return make_doctor(clinic, name="Dra. Yasmin Torres", procedures=[procedure], specialty="Dermatologia", days=[1, 2])


def test_any_dermatologist_on_a_monday_morning_takes_one_click(window, receptionist, doctor, dermatologist, monday):
    page = window(receptionist)
    page.add_init_script(COUNT_CLICKS)
    page.goto(f"/agenda/{monday}/")
    page.locator("#day-book").click()
    expect(page.locator("#q")).to_be_focused()
    page.locator("#doctor").select_option(label="Qualquer profissional de Dermatologia")
    page.locator("#find_from").fill("segunda de manhã")
    page.locator("#find_from").press("Enter")
    expect(page.locator("#offer-1")).to_contain_text("08:00 · Dra. Yasmin Torres")
    expect(page.locator("#offer-1")).to_contain_text("seg ")
    expect(page.locator("#offer-1")).to_be_focused()
    expect(page.locator("#booking-offers")).to_contain_text("Diga:")
    assert page.evaluate("window.clicks") == 1


def test_keys_choose_a_next_time_and_book_it(window, receptionist, doctor, dermatologist, maria, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.keyboard.press("n")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#doctor")).to_be_focused()
    page.locator("#doctor").select_option("any:Dermatologia")
    expect(page.locator("#offer-3")).to_be_visible()
    page.locator("#find_earliest-1").focus()
    first = page.locator("#offer-1").inner_text()
    page.keyboard.press(".")
    expect(page.locator("#offer-1")).not_to_have_text(first)
    expect(page.locator("#offer-1")).to_be_focused()
    page.keyboard.press(",")
    expect(page.locator("#offer-1")).to_contain_text(first.split("\n")[-1])
    page.keyboard.press("d")
    expect(page.locator("#offer-1")).not_to_contain_text(first.split("\n")[-1])
    expect(page.locator("#offer-1")).to_contain_text("08:00")
    page.keyboard.press("2")
    expect(page.locator("#save")).to_be_focused()
    expect(page.locator("#save")).to_contain_text("às 08:15")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("Agendado às 08:15 com a Dra. Yasmin Torres.")
    assert Appointment.objects.get().doctor == dermatologist


def test_a_known_patient_is_booked_by_n_with_fourteen_keys(window, receptionist, clinic, doctor, monday):
    make_doctor(clinic, name="Dr. Rui Sá")
    maria = make_patient(clinic, name="Maria Prado", phone="+5581988120246")
    page = window(receptionist)
    page.add_init_script(COUNT_ACTS)
    page.goto(f"/agenda/{monday}/")
    page.keyboard.press("n")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("0246")
    page.keyboard.press("Enter")
    expect(page.locator("#doctor")).to_be_focused()
    wait_until_htmx_listens(page.locator("#doctor"))
    page.keyboard.type("hele")
    expect(page.locator("#offer-1")).to_contain_text("Dra. Helena Prado")
    wait_until_htmx_listens(page.locator("#doctor"))
    page.keyboard.press("Alt+1")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#panel")).to_contain_text("com a Dra. Helena Prado.")
    assert Appointment.objects.get().patient == maria
    clicks, keys = page.evaluate("[window.clicks, window.keys]")
    assert clicks == 0 and keys <= 14


def test_a_digit_in_a_text_field_is_written_and_with_alt_chooses(window, receptionist, doctor, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator("#day-book").click()
    expect(page.locator("#q")).to_be_focused()
    page.locator("#doctor").select_option(str(doctor.pk))
    expect(page.locator("#offer-1")).to_be_visible()
    page.locator("#notes").focus()
    page.keyboard.type("1.,d")
    expect(page.locator("#notes")).to_have_value("1.,d")
    page.keyboard.press("Alt+2")
    expect(page.locator("#offer-2")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#starts")).to_have_value("08:15")


def test_chips_are_chosen_by_mouse_and_keep_the_focus(window, receptionist, doctor, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator("#day-book").click()
    expect(page.locator("#q")).to_be_focused()
    page.locator("#doctor").select_option("any:Cardiologia")
    expect(page.locator("#offer-1")).to_contain_text("08:00")
    page.get_by_text("tarde", exact=True).click()
    expect(page.locator("#offer-1")).to_contain_text("13:00")
    page.get_by_text("noite", exact=True).click()
    expect(page.locator("#find_part-noite")).to_be_focused()


def test_a_clicked_time_keeps_the_search_closed_until_asked(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator("a[href*='inicio=10:00']").first.click()
    expect(page.locator("#booking-offers")).to_have_count(0)
    page.get_by_role("button", name="Outro horário…").click()
    expect(page.locator("#offer-1")).to_be_focused()


def test_the_next_times_are_found_without_javascript(window, receptionist, doctor, dermatologist, maria, monday):
    page = window(receptionist, javascript=False)
    page.goto(f"/agendamentos/novo/?data={monday}&paciente={maria.pk}")
    page.locator("#doctor").select_option("any:Dermatologia")
    page.get_by_role("button", name="Procurar").click()
    page.locator("#offer-2").click()
    expect(page.locator("#starts")).to_have_value("08:15")
    page.locator("#save").click()
    assert Appointment.objects.get().doctor == dermatologist


def test_enter_without_javascript_searches_and_books_nothing(window, receptionist, doctor, maria, monday):
    page = window(receptionist, javascript=False)
    page.goto(f"/agendamentos/novo/?data={monday}&paciente={maria.pk}&medico={doctor.pk}&inicio=09:00")
    page.get_by_role("button", name="Outro horário…").click()
    page.locator("#find_from").fill("terça à tarde")
    page.keyboard.press("Enter")
    expect(page.locator("#offer-1")).to_contain_text("13:00")
    expect(page.locator("#find_from")).to_have_value("terça à tarde")
    assert not Appointment.objects.exists()
    page.locator("#offer-1").click()
    page.locator("#save").click()
    assert Appointment.objects.count() == 1


def test_enter_without_javascript_moves_nothing(window, receptionist, doctor, maria, monday):
    visit = taken_by_somebody_else(doctor, monday, time(10))
    page = window(receptionist, javascript=False)
    page.goto(f"/agendamentos/{visit.pk}/remarcar/")
    page.locator("#starts").fill("11:00")
    page.get_by_role("button", name="Outro horário…").click()
    page.locator("#find_from").fill("terça à tarde")
    page.keyboard.press("Enter")
    expect(page.locator("#offer-1")).to_contain_text("13:00")
    assert Appointment.objects.get().starts_at == visit.starts_at


def test_a_key_seeks_with_whoever_performs_it(window, receptionist, doctor, dermatologist, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/?todos=1")
    page.locator("a[href*='inicio=10:00']").first.click()
    page.get_by_role("button", name="Outro horário…").click()
    expect(page.locator("#offer-1")).to_be_focused()
    page.keyboard.press("o")
    expect(page.locator("#doctor")).to_have_value("any")
    expect(page.locator("#offer-1")).to_be_focused()
    page.keyboard.press("o")
    expect(page.locator("#doctor")).to_have_value("any")


def test_moving_finds_the_next_time_of_whoever_performs_it(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    address = book_maria(page, monday)
    make_doctor(doctor.clinic, name="Dr. Bruno Reis", procedures=list(doctor.procedures.all()), hours=[])
    page.goto(f"{address}remarcar/")
    page.get_by_role("button", name="Outro horário…").click()
    expect(page.locator("#offer-1")).to_be_visible()
    page.locator("#offer-1").click()
    expect(page.locator("#save")).to_contain_text("08:00")
    page.locator("#save").click()
    expect(page.locator("#panel")).to_contain_text("Remarcado")
    assert Appointment.objects.get().status == "rescheduled"
