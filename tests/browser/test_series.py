"""Repeating an appointment: from the panel to ten sessions, with counted clicks, and what is done with them."""

from datetime import time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.models import Appointment, Series
from tests.browser.desk import open_slot, taken_by_somebody_else
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_series


@pytest.fixture
def visit(clinic, doctor, maria, monday):
    return book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(10)))


def count_clicks(page):
    page.evaluate("() => { sessionStorage.clicks = 0 }")
    page.add_init_script(
        "addEventListener('click', (e) => { if (e.isTrusted && e.detail) sessionStorage.clicks++ }, true)"
    )
    page.evaluate(
        "() => addEventListener('click', (e) => { if (e.isTrusted && e.detail) sessionStorage.clicks++ }, true)"
    )
    return lambda: int(page.evaluate("() => sessionStorage.clicks"))


def hold(page, address):
    """Keep what is posted there back; call what is returned to let it go on."""
    held = []
    page.route(address, lambda route: held.append(route) if route.request.method == "POST" else route.continue_())

    def release():
        for route in held:
            route.continue_()
        page.unroute(address)

    return release


def test_ten_sessions_take_two_clicks_more_than_one(window, receptionist, doctor, maria, monday):
    page = window(receptionist)
    open_slot(page, monday)
    page.keyboard.type("maria")
    page.keyboard.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    clicks = count_clicks(page)
    release = hold(page, "**/novo/")
    page.get_by_role("button", name="Agendar e repetir…").click()
    for button in ("#save", "#repeat"):
        expect(page.locator(button)).to_be_disabled()
    release()
    expect(page.locator(".message.success")).to_have_text("Agendado.")
    expect(page.locator("#series-form [role=status]")).to_have_text("9 datas, todas livres")
    page.get_by_role("button", name="Agendar as selecionadas").click()
    expect(page.locator(".message.success")).to_contain_text("9 sessões agendadas.")
    assert clicks() == 2
    assert Series.objects.get().sessions.count() == 10


def test_the_first_field_has_the_focus(window, receptionist, visit, clinic, doctor):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/")
    page.get_by_role("link", name="Repetir…").click()
    expect(page.get_by_label("Repetir a cada")).to_be_focused()
    series = make_series(visit)
    page.goto(f"/sessoes/{series.pk}/remarcar/")
    expect(page.get_by_label("Dia da semana")).to_be_focused()


def posts_of(page):
    posts = []
    page.on("request", lambda request: posts.append(request.post_data) if request.method == "POST" else None)
    return posts


def test_a_double_click_books_one_series(window, receptionist, visit):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    posts, release = posts_of(page), hold(page, "**/repetir/")
    page.locator("#save").dblclick()
    expect(page.locator("#save")).to_be_disabled()
    release()
    expect(page.locator(".message.success")).to_contain_text("9 sessões agendadas.")
    assert len(posts) == 1


def test_a_click_after_enter_books_the_series(window, receptionist, visit):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    release = hold(page, "**/repetir/")
    with page.expect_request("**/repetir/"):
        page.get_by_label("Sessões ao todo").press("Enter")
    page.locator("#save").click()
    release()
    expect(page.locator(".message.success")).to_contain_text("9 sessões agendadas.")


def test_a_field_that_is_left_aborts_no_booking(window, receptionist, visit):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    page.get_by_label("Sessões ao todo").focus()
    release = hold(page, "**/repetir/")
    page.evaluate("document.getElementById('save').click()")
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    release()
    expect(page.locator(".message.success")).to_contain_text("9 sessões agendadas.")


def test_the_dates_follow_what_is_typed(window, receptionist, visit, doctor, monday):
    taken_by_somebody_else(doctor, monday + timedelta(weeks=1), time(10))
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/")
    page.get_by_role("link", name="Repetir…").click()
    page.wait_for_url("**/repetir/")
    status = page.locator("#series-form [role=status]")
    expect(status).to_have_text("9 datas: 8 livres, 1 não")
    page.get_by_label("Sessões ao todo").fill("3")
    page.keyboard.press("Tab")
    expect(status).to_have_text("2 datas: 1 livre, 1 não")
    expect(page.get_by_label("Ou até o dia")).to_be_focused()
    # Enter in a field looks at the dates, and books none.
    page.get_by_label("Sessões ao todo").fill("4")
    page.keyboard.press("Enter")
    expect(status).to_have_text("3 datas: 2 livres, 1 não")
    assert Appointment.objects.count() == 2
    page.locator(".series-rows [type=radio]").nth(1).check()
    page.get_by_role("button", name="Agendar as selecionadas").click()
    expect(page.locator(".message.success")).to_contain_text("3 sessões agendadas.")


def test_what_is_typed_while_the_dates_are_asked_for_stays(window, receptionist, visit):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    release = hold(page, "**/repetir/")
    page.get_by_label("Sessões ao todo").fill("3")
    with page.expect_request("**/repetir/"):
        page.keyboard.press("Tab")
    page.keyboard.type("x")
    release()
    expect(page.locator("#series-form [role=status]")).to_have_text("2 datas, todas livres")
    expect(page.get_by_label("Ou até o dia")).to_have_value("x")
    expect(page.get_by_label("Ou até o dia")).to_be_focused()
    # The complaint of a field comes and goes without the field.
    page.keyboard.press("Tab")
    expect(page.locator("#error-until")).not_to_be_empty()
    page.get_by_label("Ou até o dia").fill("")
    page.keyboard.press("Tab")
    expect(page.locator("#error-until")).to_be_empty()
    expect(page.locator("#series-form [role=status]")).to_have_text("2 datas, todas livres")


def test_what_is_typed_while_a_move_is_looked_at_stays(window, receptionist, visit):
    series = make_series(visit)
    page = window(receptionist)
    page.goto(f"/sessoes/{series.pk}/remarcar/")
    status = page.locator("#series-form [role=status]")
    page.evaluate("() => { document.querySelector('[role=status]').isTheSame = true }")
    release = hold(page, "**/remarcar/")
    with page.expect_request("**/remarcar/"):
        page.get_by_label("Dia da semana").select_option("2")
    page.get_by_label("Início").focus()
    page.keyboard.type("1")
    release()
    expect(status).to_have_text("1 data, livre")
    expect(page.get_by_label("Início")).to_have_value("1")
    # A live region is read aloud only where it was there before its words.
    assert status.evaluate("(region) => region.isTheSame")
    page.get_by_label("Início").fill("25")
    page.get_by_label("Dia da semana").focus()
    expect(page.locator("#error-starts")).to_contain_text("Este horário não existe.")
    expect(page.get_by_role("button", name="Remarcar as selecionadas")).to_have_count(0)


def test_weekdays_are_asked_for_weeks_only(window, receptionist, visit, monday):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    weekdays = page.get_by_role("group", name="Dias da semana")
    expect(weekdays).to_be_visible()
    page.get_by_label("Dias ou semanas").select_option("day")
    expect(weekdays).to_be_hidden()
    expect(page.locator(".series-rows th").first).to_contain_text(f"{monday + timedelta(days=1):%d/%m/%Y}")
    page.get_by_label("Dias ou semanas").select_option("week")
    expect(weekdays).to_be_visible()
    expect(page.locator(".series-rows th").first).to_contain_text(f"{monday + timedelta(weeks=1):%d/%m/%Y}")


def test_this_and_the_following_from_an_open_session(window, receptionist, visit, monday):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    page.get_by_role("button", name="Agendar as selecionadas").click()
    expect(page.locator(".message.success")).to_contain_text("9 sessões agendadas.")
    third = Appointment.objects.order_by("starts_at")[2]
    page.goto(f"/agendamentos/{third.pk}/")
    expect(page.locator("#appointment")).to_contain_text("Sessão 3 de 10")
    page.get_by_role("link", name="Ver as sessões").click()
    expect(page.locator("input[name=session]:checked")).to_have_count(8)
    page.get_by_role("button", name="Remarcar as selecionadas…").click()
    page.wait_for_url("**/remarcar/")  # with its scripts, which ask for the dates anew
    page.get_by_label("Dia da semana").select_option("2")
    expect(page.locator("#series-form [role=status]")).to_have_text("8 datas, todas livres")
    page.get_by_role("button", name="Remarcar as selecionadas").click()
    expect(page.locator(".message.success")).to_contain_text("8 sessões remarcadas.")
    page.get_by_text("Cancelar as selecionadas…").click()
    page.locator("input[name=session]").first.uncheck()
    page.get_by_label("pelo(a) paciente").check()
    page.get_by_role("button", name="Cancelar as selecionadas").click()
    expect(page.locator(".message.success")).to_contain_text("9 sessões canceladas.")
    assert Appointment.objects.exclude(status="cancelled").get() == visit


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_scrolls_sideways_and_nothing_violates_axe(window, receptionist, visit, doctor, monday, width):
    taken_by_somebody_else(doctor, monday + timedelta(weeks=1), time(10))
    page = window(receptionist, width=width)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") and violations(page) == []
    page.get_by_role("button", name="Agendar as selecionadas").click()
    expect(page.locator(".message.success")).to_contain_text("8 sessões agendadas.")
    for path in ("", "remarcar/"):
        page.goto(f"/sessoes/{Series.objects.get().pk}/{path}")
        page.evaluate("() => document.querySelectorAll('details').forEach((part) => { part.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") and violations(page) == []


def test_a_refused_series_is_in_sight_and_in_focus(window, receptionist, visit, doctor, monday):
    page = window(receptionist, height=500)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    save = page.get_by_role("button", name="Agendar as selecionadas")
    expect(save).to_be_visible()
    taken_by_somebody_else(doctor, monday + timedelta(weeks=1), time(10))
    save.click()
    refused = page.locator("#series-refusals .message.error")
    expect(refused).to_contain_text("Nada foi agendado.")
    expect(refused).to_be_focused()
    expect(refused).to_be_in_viewport()
    expect(refused).not_to_have_attribute("role", "alert")  # the focus has it read aloud already


def test_it_works_without_a_script(window, receptionist, visit):
    page = window(receptionist, javascript=False)
    page.goto(f"/agendamentos/{visit.pk}/repetir/")
    page.get_by_label("Sessões ao todo").fill("3")
    page.keyboard.press("Enter")
    expect(page.locator("#series-form [role=status]")).to_have_text("2 datas, todas livres")
    page.get_by_role("button", name="Agendar as selecionadas").click()
    expect(page.locator("main")).to_contain_text("3 sessões")


def test_enter_cancels_no_session_and_keeps_what_is_typed(window, receptionist, visit):
    series = make_series(visit)
    page = window(receptionist)
    page.goto(f"/sessoes/{series.pk}/")
    page.locator("summary", has_text="Cancelar as selecionadas…").click()
    page.get_by_role("radio", name="paciente").check()
    page.get_by_label("Motivo").fill("viajou")
    page.locator("[name=session]").first.press("Enter")
    expect(page.locator("#save")).to_be_focused()
    expect(page.get_by_role("radio", name="paciente")).to_be_checked()
    expect(page.get_by_label("Motivo")).to_have_value("viajou")
    visit.refresh_from_db()
    assert visit.status == "scheduled"
    page.get_by_label("Motivo").press("Enter")
    expect(page.locator("#save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".message.success")).to_have_text("1 sessão cancelada.")
    visit.refresh_from_db()
    assert (visit.status, visit.cancel_reason) == ("cancelled", "viajou")
