"""A doctor is sick: recorded by one click on its page, then a key a patient."""

from datetime import date, time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.booking import Author, change_status
from clinic.models import Absence, Appointment, Clinic, WorkingHours
from tests.browser.held_answers import HeldAnswers
from tests.factories import book_appointment, make_patient, make_user

BY = Author(channel="command", credential="tests")


@pytest.fixture
def visits(clinic, doctor, monday):
    return [
        book_appointment(doctor, starts_at=clinic.instant(monday, time(hour)), patient=make_patient(clinic).pk)
        for hour in (9, 14)
    ]


def test_the_first_field_has_the_focus_then_the_wrong_one(window, receptionist, doctor):
    page = window(receptionist)
    page.goto("/pendencias/")
    page.get_by_role("link", name="Registrar ausência…").click()
    expect(page.locator("#doctor")).to_be_focused()
    page.locator("[name=motive][value=outro]").check()
    page.get_by_role("button", name="Registrar ausência").click()
    expect(page.locator("#doctor")).to_be_focused()
    page.locator("#doctor").select_option(index=1)
    page.get_by_role("button", name="Registrar ausência").click()
    expect(page.locator("#other")).to_be_focused()
    page.locator("[name=when][value=ate]").check()
    page.get_by_role("button", name="Registrar ausência").click()
    expect(page.locator("#until")).to_be_focused()


def test_a_list_that_changed_is_shown_with_the_focus(window, receptionist, doctor, visits, monday):
    page = window(receptionist)
    page.goto(f"/ausencias/nova/?doctor={doctor.pk}&when=ate&until={monday:%d/%m/%Y}&motive=doenca")
    change_status(visits[0].pk, "cancelled", clinic=visits[0].clinic, by=BY, cancelled_by="patient")
    page.get_by_role("button", name="Salvar e deixar em Pendências").click()
    expect(page.get_by_role("alert").filter(has_text="A lista mudou")).to_be_focused()
    expect(page.locator("#affected")).to_contain_text("1 pessoa já está agendada nesse período")


def test_a_click_after_enter_records_the_absence(window, receptionist, doctor):
    page = window(receptionist)
    page.goto(f"/ausencias/nova/?medico={doctor.pk}")
    held = HeldAnswers(page, "**/ausencias/nova/?*")
    page.locator("#starts").press("Enter")
    held.wait_for_one()
    page.get_by_role("button", name="Registrar ausência").click()
    expect(page.locator("#messages")).to_contain_text("Ausência registrada")


def test_the_list_follows_the_fields(window, receptionist, doctor, visits, monday):
    page = window(receptionist)
    page.goto(f"/ausencias/nova/?medico={doctor.pk}")
    page.locator("[name=when][value=ate]").check()
    page.locator("#until").fill(f"{monday:%d/%m/%Y}")
    page.keyboard.press("Tab")
    expect(page.locator("#affected")).to_contain_text("2 pessoas já estão agendadas nesse período")
    expect(page.locator("#starts")).to_be_focused()
    page.locator("#ends").fill("10:00")
    page.keyboard.press("Tab")
    expect(page.locator("#affected")).to_contain_text("1 pessoa já está agendada nesse período")
    assert not Absence.objects.exists()


def test_one_click_records_and_one_key_moves_each(window, receptionist, doctor, visits, monday):
    page = window(receptionist)
    page.goto(f"/ausencias/nova/?doctor={doctor.pk}&when=ate&until={monday:%d/%m/%Y}&motive=doenca")
    page.get_by_role("button", name="Salvar e remarcar agora").click()
    expect(page.locator("h1")).to_have_text("Pendências")
    expect(page.locator("#messages")).to_contain_text("2 agendamentos em Pendências")
    page.wait_for_load_state()  # the page's script is there then
    page.keyboard.press("ArrowDown")
    for visit in visits:
        expect(page.locator(f"#p{visit.pk}")).to_be_focused()
        page.keyboard.press("1")
        expect(page.locator(f"#p{visit.pk}")).to_contain_text("Remarcado de")
    assert set(Appointment.objects.values_list("status", flat=True)) == {"rescheduled"}


def test_a_double_click_records_one(window, receptionist, doctor):
    page = window(receptionist)
    page.goto(f"/ausencias/nova/?medico={doctor.pk}")
    posts = []
    page.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    page.get_by_role("button", name="Registrar ausência").dblclick()
    expect(page.locator("#messages")).to_contain_text("Ausência registrada")
    assert len(posts) == Absence.objects.count() == 1


def test_a_click_straight_from_a_field_records_at_once(window, receptionist, doctor, visits, monday):
    """Leaving the field has the list read anew, whose buttons are others; a double click is one act."""
    page = window(receptionist)
    page.goto(f"/ausencias/nova/?doctor={doctor.pk}&when=ate&until={monday:%d/%m/%Y}&motive=outro&other=curso")
    page.locator("#other").select_text()
    page.keyboard.type("congresso")
    page.get_by_role("button", name="Salvar e deixar em Pendências").dblclick()
    expect(page.locator("#messages")).to_contain_text("2 agendamentos em Pendências")
    assert [absence.reason for absence in Absence.objects.all()] == ["congresso"]


def test_without_script_the_list_comes_by_a_button(window, receptionist, doctor, visits, monday):
    page = window(receptionist, javascript=False)
    page.goto(f"/ausencias/nova/?medico={doctor.pk}")
    page.locator("[name=when][value=ate]").check()
    page.locator("#until").fill(f"{monday:%d/%m/%Y}")
    page.get_by_role("button", name="Ver quem está agendado").last.click()
    page.get_by_role("button", name="Salvar e deixar em Pendências").click()
    assert Absence.objects.get().reason == "doença"


def test_a_phone_shows_it_without_scrolling_sideways(window, receptionist, doctor, visits, monday):
    page = window(receptionist, width=360)
    page.goto(f"/ausencias/nova/?doctor={doctor.pk}&when=ate&until={monday:%d/%m/%Y}&motive=doenca")
    expect(page.locator("#affected")).to_contain_text("2 pessoas")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_head_of_todays_column_leads_there_in_two_clicks(window, receptionist, clinic, doctor):
    Clinic.objects.update(observes_holidays=False)
    for weekday in (6, 7):
        WorkingHours.objects.create(clinic=clinic, doctor=doctor, weekday=weekday, starts=time(8), ends=time(18))
    page = window(receptionist, width=1440)
    page.goto("/agenda/?todos=1")
    today = page.locator("#day").get_attribute("data-date")
    book_appointment(doctor, starts_at=clinic.instant(date.fromisoformat(today) + timedelta(days=1), time(9)))
    page.locator("#day-next").click()
    expect(page.locator("#day")).not_to_have_attribute("data-date", today)
    page.locator(".doctor").first.hover()
    page.get_by_role("link", name=f"Registrar ausência: {doctor.full_name}").click()
    page.get_by_role("button", name="Salvar e remarcar agora").click()
    expect(page.locator("h1")).to_have_text("Pendências")
    assert Absence.objects.get().doctor == doctor


def test_the_head_leads_nowhere_without_the_permission(window, clinic, doctor):
    page = window(make_user(clinic), width=1440)
    page.goto("/agenda/?todos=1")
    expect(page.locator(".away")).to_have_count(0)
