"""Leaving a page with what was typed into one of its forms: the browser asks first, in the agenda and in the admin."""

import re
from datetime import time

import pytest
from playwright.sync_api import expect

from clinic.models import Patient, Procedure
from tests.factories import book_appointment, make_doctor, make_manager, make_master


@pytest.fixture
def page(window, clinic, doctor):
    return window(make_manager(clinic))


def questions_of(page):
    """Return the kinds of the questions that the browser asks from now on; each is answered by staying."""
    kinds = []
    page.on("dialog", lambda dialog: (kinds.append(dialog.type), dialog.dismiss()))
    return kinds


def wait_until_leaving_is_asked_about(page):
    """An answer is in its place a moment before the script has taken over what was typed."""
    page.wait_for_function("() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))")


@pytest.fixture
def asked(page):
    return questions_of(page)


def test_a_half_typed_form_of_the_admin_asks_first(page, asked):
    page.goto("/admin/clinic/procedure/add/")
    page.locator("#id_name").fill("Holter")
    page.get_by_role("link", name="← Voltar à agenda").click()
    expect(page.locator("#id_name")).to_have_value("Holter")
    assert asked == ["beforeunload"]


def test_a_refused_form_of_the_admin_asks_first(page, asked):
    page.goto("/admin/clinic/procedure/add/")
    page.locator("#id_name").fill("Holter")
    page.locator("[name=_save]").first.click()
    expect(page.locator(".errornote")).to_be_visible()
    page.get_by_role("link", name="← Voltar à agenda").click()
    expect(page.locator("#id_name")).to_have_value("Holter")
    assert asked == ["beforeunload"]


def test_the_question_of_a_save_asks_before_it_is_left(page, asked, clinic, doctor, monday):
    book_appointment(doctor, starts_at=clinic.instant(monday, time(9)))
    page.goto(f"/admin/clinic/doctor/{doctor.pk}/change/")
    page.locator("#id_active").uncheck()
    page.locator("[name=_save]").first.click()
    expect(page.locator(".question")).to_be_visible()
    page.get_by_role("link", name="← Voltar à agenda").click()
    expect(page.locator(".question")).to_be_visible()
    assert asked == ["beforeunload"]


def test_a_saved_form_of_the_admin_asks_nothing(page, asked):
    page.goto("/admin/clinic/procedure/add/")
    page.locator("#id_name").fill("Holter")
    page.locator("#id_price").fill("90")
    page.locator("[name=_save]").first.click()
    expect(page.locator(".messagelist")).to_contain_text("Holter")
    assert asked == []
    assert Procedure.objects.filter(name="Holter").exists()


def test_ticks_of_an_admin_list_ask_nothing(page, asked):
    page.goto("/admin/clinic/doctor/")
    page.locator(".action-select").first.check()
    page.get_by_role("link", name="← Voltar à agenda").click()
    expect(page.locator("#day")).to_be_visible()
    assert asked == []


def test_a_half_typed_patient_asks_first(page, asked):
    page.goto("/pacientes/novo/")
    page.get_by_label("Nome completo").fill("Rui Alves")
    page.get_by_role("link", name="Agenda", exact=True).click()
    expect(page.get_by_label("Nome completo")).to_have_value("Rui Alves")
    assert asked == ["beforeunload"]


def test_a_refused_patient_asks_first(page, asked):
    page.goto("/pacientes/novo/")
    page.get_by_label("Nome completo").fill("Rui Alves")
    page.get_by_role("button", name="Cadastrar").click()
    expect(page.locator("#patient-form [aria-invalid=true]").first).to_be_visible()
    wait_until_leaving_is_asked_about(page)
    page.get_by_role("link", name="Agenda", exact=True).click()
    expect(page.get_by_label("Nome completo")).to_have_value("Rui Alves")
    assert asked == ["beforeunload"]


def test_a_saved_patient_asks_nothing(page, asked):
    page.goto("/pacientes/novo/")
    page.get_by_label("Nome completo").fill("Rui Alves")
    page.get_by_label("Telefone", exact=True).fill("81 99123-4567")
    page.get_by_role("button", name="Cadastrar").click()
    expect(page.locator("h1")).to_contain_text("Rui Alves")
    assert asked == []
    assert Patient.objects.filter(name="Rui Alves").exists()


def test_a_closed_popover_asks_nothing(page, asked, clinic):
    make_doctor(clinic, name="Dr. Zeno Alves")
    page.goto("/agenda/")
    page.locator(".doctor", has_text="Zeno").locator("[popovertarget=delay]").click()
    expect(page.locator("#delay-minutes")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#delay")).to_be_hidden()
    page.get_by_role("link", name="Fila", exact=True).click()
    expect(page).to_have_url(re.compile("fila"))
    assert asked == []


def test_a_search_asks_nothing(page, asked):
    page.goto("/pacientes/")
    page.locator("#search").fill("rui")
    page.get_by_role("link", name="Agenda", exact=True).click()
    expect(page.locator("#day")).to_be_visible()
    assert asked == []


def test_text_that_no_answer_came_for_asks_first(page, asked, complaints):
    page.goto("/recados/novo/")
    page.locator("#text").fill("Ligar para o laboratório")
    page.route("**/recados/novo/", lambda route: route.abort())
    page.get_by_role("button", name="Anotar").click()
    expect(page.locator("#trouble > .message")).to_contain_text("Tentar de novo")
    wait_until_leaving_is_asked_about(page)
    page.get_by_role("link", name="Agenda", exact=True).click()
    expect(page.locator("#text")).to_have_value("Ligar para o laboratório")
    assert asked == ["beforeunload"]
    complaints.clear()  # the failed request itself


def test_a_family_that_was_looked_up_asks_first(page, asked):
    page.goto("/agendamentos/familia/")
    page.get_by_label("Telefone de quem é novo").fill("81 99123-4567")
    page.get_by_role("button", name="Mais uma pessoa").click()
    expect(page.get_by_text("Pessoa 3")).to_be_visible()
    wait_until_leaving_is_asked_about(page)
    page.get_by_role("link", name="Agenda", exact=True).click()
    expect(page.get_by_label("Telefone de quem é novo")).to_have_value("81 99123-4567")
    assert asked == ["beforeunload"]


def test_dates_that_were_looked_at_ask_first(page, asked, clinic, doctor, monday):
    visit = book_appointment(doctor, starts_at=clinic.instant(monday, time(9)))
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    with page.expect_response("**/repetir/"):
        page.get_by_label("Sessões ao todo").fill("6")
        page.get_by_label("Sessões ao todo").press("Enter")
    wait_until_leaving_is_asked_about(page)
    page.get_by_role("link", name="Agenda", exact=True).click()
    expect(page.get_by_label("Sessões ao todo")).to_have_value("6")
    assert asked == ["beforeunload"]


def test_a_key_that_was_made_asks_nothing(window, clinic, doctor):
    page = window(make_master(clinic))
    asked = questions_of(page)
    page.goto("/configuracoes/integracoes/")
    page.get_by_label("Nome", exact=True).fill("Central de voz")
    page.get_by_role("button", name="Criar chave").click()
    expect(page.get_by_role("link", name="Já copiei")).to_be_visible()
    page.get_by_role("link", name="Agenda", exact=True).click()
    expect(page.locator("#day")).to_be_visible()
    assert asked == []
