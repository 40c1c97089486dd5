"""A procedure is added to a standing appointment: counted in clicks and in keys, on a phone, without JavaScript."""

from datetime import time

import pytest
from playwright.sync_api import expect

from tests.browser.test_booking import wait_until_htmx_listens
from tests.browser.test_encaixe import COUNT_CLICKS
from tests.factories import book_appointment, make_doctor, make_procedure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ecg(doctor):
    procedure = make_procedure(doctor.clinic, name="ECG", price="95.00", duration_minutes=20)
    doctor.procedures.add(procedure)
    return procedure


@pytest.fixture
def booked(doctor, maria, monday):
    return book_appointment(doctor, patient=maria.pk, starts_at=doctor.clinic.instant(monday, time(9)))


def names(booked):
    return [line.procedure_name for line in booked.lines.all()]


def test_a_procedure_is_added_by_four_clicks(window, receptionist, booked, ecg, monday):
    page = window(receptionist)
    page.add_init_script(COUNT_CLICKS)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{booked.pk}").click()
    page.get_by_role("link", name="Alterar procedimentos").click()
    empty = page.locator("#procedure-1")
    expect(empty).to_be_focused()
    empty.click()
    empty.select_option("ECG")
    expect(page.locator("#ends")).to_have_value("09:50")
    expect(page.locator("#booking-end")).to_contain_text("O fim passa de 09:30 para 09:50.")
    page.get_by_role("button", name="Salvar alteração").click()

    expect(page.locator("#panel")).to_contain_text("Procedimentos alterados: + ECG")
    assert page.evaluate("window.clicks") == 4
    expect(page.locator(f"#a{booked.pk}")).to_contain_text("ECG")
    page.get_by_role("button", name="Desfazer alteração").click()
    expect(page.locator("#panel .table")).not_to_contain_text("ECG")
    assert len(names(booked)) == 1


def test_a_procedure_is_added_by_keys(window, receptionist, booked, ecg, monday):
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{booked.pk}").focus()
    page.keyboard.press("e")
    expect(page.locator("#procedure-1")).to_be_focused()
    expect(page.locator("#panel.htmx-settling")).to_have_count(0)
    page.keyboard.type("ec")
    expect(page.locator("#ends")).to_have_value("09:50")
    expect(page.locator("#procedure-1")).to_be_focused()
    page.locator("#ends").focus()
    page.keyboard.press("Enter")

    expect(page.locator("#panel")).to_contain_text("Procedimentos alterados: + ECG")
    assert names(booked)[1] == "ECG"


def test_an_end_typed_meanwhile_stays(window, receptionist, booked, ecg):
    page = window(receptionist)
    page.goto(f"/agendamentos/{booked.pk}/alterar/")
    page.locator("#procedure-1").select_option("ECG")
    page.locator("#ends").fill("10:15")
    page.locator("#booking-lines [name=add]").click()
    expect(page.locator("#procedure-2")).to_be_focused()

    expect(page.locator("#ends")).to_have_value("10:15")
    expect(page.locator("#procedure-1")).to_have_value(str(ecg.pk))


def test_a_procedure_is_added_on_a_phone_without_javascript(window, receptionist, booked, ecg, doctor, monday):
    book_appointment(doctor, starts_at=doctor.clinic.instant(monday, time(9, 40)))
    page = window(receptionist, javascript=False, width=360, height=740)
    page.goto(f"/agendamentos/{booked.pk}/")
    page.get_by_role("link", name="Alterar procedimentos").click()
    page.locator("#procedure-1").select_option("ECG")
    box = page.locator("#booking").bounding_box()
    assert box["x"] + box["width"] <= 360
    page.get_by_role("button", name="Salvar alteração").click()
    page.get_by_role("button", name="terminar às 09:40, o máximo possível").click()
    page.get_by_role("button", name="Salvar alteração").click()

    expect(page.locator("#appointment")).to_contain_text("09:00–09:40")
    assert names(booked)[1] == "ECG"


def test_a_colleague_takes_over_with_another_procedure(window, receptionist, booked, doctor, monday):
    echo = make_procedure(doctor.clinic, name="Ecocardiograma", price="420.00", duration_minutes=20)
    make_doctor(doctor.clinic, name="Dr. Rui Sá", procedures=[echo])
    page = window(receptionist)
    page.goto(f"/agenda/{monday}/")
    page.locator(f"#a{booked.pk}").focus()
    page.keyboard.press("m")
    page.keyboard.press("m")  # the form instead of the arrows
    page.get_by_role("button", name="Trocar procedimentos…").click()
    expect(page.locator("#procedure-0")).to_be_focused()
    wait_until_htmx_listens(page.locator("#doctor"))
    page.locator("#doctor").select_option(label="Rui Sá, Dr. — Clínica médica")
    expect(page.locator("#error-procedure")).to_contain_text("O Dr. Rui Sá não realiza Consulta")
    wait_until_htmx_listens(page.locator("#procedure-0"))
    page.locator("#procedure-0").select_option("Ecocardiograma")
    expect(page.locator("#error-procedure")).to_be_empty()
    expect(page.locator("#booking-total")).to_contain_text("R$ 420,00")
    page.locator("#save").click()

    expect(page.locator("#panel")).to_contain_text("com o Dr. Rui Sá, + Ecocardiograma")
    expect(page.locator("#panel")).to_contain_text("09:00–09:20")
    page.get_by_role("button", name="Desfazer remarcação").click()
    expect(page.locator("#panel")).to_contain_text("09:00–09:30")
    assert names(booked) == ["Consulta"]


def test_the_focus_stays_on_a_possible_end(window, receptionist, booked, ecg, doctor, monday):
    book_appointment(doctor, starts_at=doctor.clinic.instant(monday, time(9, 40)))
    page = window(receptionist)
    page.goto(f"/agendamentos/{booked.pk}/alterar/")
    page.locator("#procedure-1").select_option("ECG")
    end = page.get_by_role("button", name="terminar às 09:40, o máximo possível")
    expect(end).to_be_visible()
    wait_until_htmx_listens(page.locator("#ends"))
    page.locator("#ends").fill("10:00")
    page.evaluate("document.getElementById('booking-end').dataset.old = ''")
    end.focus()
    expect(page.locator("#booking-end[data-old]")).to_have_count(0)
    expect(end).to_be_focused()
