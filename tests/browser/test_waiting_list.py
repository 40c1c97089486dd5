"""The waiting list: from a cancellation to the next patient's booking, with counted clicks, and by keys."""

from datetime import datetime, time, timedelta

import pytest
from playwright.sync_api import expect

from clinic.booking import (
    Author,
    WaitingWish,
    book_waiting,
    put_back_waiting,
    put_on_waiting_list,
    withdraw_waiting,
)
from clinic.models import Appointment, WaitingEntry
from tests.browser.desk import sent_by, taken_by_somebody_else
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_patient

BY = Author(channel="command", credential="tests")


@pytest.fixture
def visit(clinic, doctor, maria, monday):
    return book_appointment(doctor, patient=maria.pk, starts_at=clinic.instant(monday, time(9)))


@pytest.fixture
def julia(clinic, doctor, monday):
    """Her appointment is five weeks later; she wants Mondays in the morning."""
    patient = make_patient(clinic, name="Júlia Reis")
    far = book_appointment(doctor, patient=patient.pk, starts_at=clinic.instant(monday + timedelta(weeks=5), time(10)))
    wish = WaitingWish(appointment=far.pk, weekdays=[1], to_time=time(12))
    return put_on_waiting_list(patient.pk, wish, clinic=clinic, by=BY)


@pytest.fixture
def joao(clinic, doctor):
    patient = make_patient(clinic, name="João Melo")
    wish = WaitingWish(procedures=[doctor.procedures.get().pk], is_urgent=True)
    return put_on_waiting_list(patient.pk, wish, clinic=clinic, by=BY)


def test_two_clicks_after_a_cancellation_the_next_one_has_it(window, receptionist, visit, julia):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/")
    page.get_by_role("button", name="Cancelar pelo(a) paciente").click()
    strip = page.locator(".waiting-strip")
    expect(strip).to_contain_text("ficou livre. 1 quer antes:")
    expect(strip).to_contain_text("Júlia Reis (seg · das 00:00 às 12:00 · tem")
    strip.get_by_role("link", name="Oferecer").click()  # 1
    row = page.locator(f"#w{julia.pk}")
    expect(row).to_be_focused()
    row.get_by_role("button", name="Trocar para").click()  # 2
    expect(row).to_contain_text("Trocado para seg")
    moved = Appointment.objects.get(pk=julia.appointment_id)
    assert (moved.starts_at, moved.status) == (visit.starts_at, "rescheduled")
    row.get_by_role("button", name="Desfazer troca").click()
    expect(row.get_by_role("button", name="Trocar para")).to_be_visible()
    assert WaitingEntry.objects.get(pk=julia.pk).closed_at is None


def test_a_swap_shows_who_would_want_the_time_it_gives_up(window, receptionist, visit, julia, joao):
    page = window(receptionist)
    page.goto("/fila-de-espera/")
    expect(page.locator(f"#w{julia.pk}")).to_contain_text("que serve a João Melo")
    page.locator(f"#w{julia.pk} [data-key='1']").click()
    expect(page.locator(f"#w{julia.pk} .waiting-strip")).to_contain_text("João Melo")


def test_a_time_that_is_given_away_is_offered_no_more(window, receptionist, clinic, doctor, maria, joao):
    wish = WaitingWish(procedures=[doctor.procedures.get().pk])
    second = put_on_waiting_list(maria.pk, wish, clinic=clinic, by=BY)
    page = window(receptionist)
    page.goto("/fila-de-espera/")
    first_time = page.locator(f"#w{joao.pk} [data-key='1']").get_attribute("value")
    offered = page.locator(f"#w{second.pk} [data-key='1']")
    expect(offered).to_have_attribute("value", first_time)
    page.locator(f"#w{joao.pk}").focus()
    page.keyboard.press("1")
    expect(page.locator(f"#w{joao.pk}")).to_contain_text("Agendado para")
    expect(offered).not_to_have_attribute("value", first_time)
    expect(page.locator(f"#w{second.pk}")).to_be_focused()


def test_the_reason_why_a_time_is_refused_stays(window, receptionist, clinic, doctor, julia, joao):
    page, read = window(receptionist), []
    page.goto("/fila-de-espera/")
    first = page.locator(f"#w{joao.pk}")
    starts_at = datetime.fromisoformat(first.locator("[data-key='1']").get_attribute("value").partition("|")[2])
    taken_by_somebody_else(doctor, clinic.local(starts_at).date(), clinic.local(starts_at).time())
    page.on("request", lambda request: "/fila-de-espera/?" in request.url and read.append(request.url))
    first.locator("[data-key='1']").click()
    expect(first.locator("[role=alert]")).to_contain_text("já está ocupado")
    page.locator(f"#w{julia.pk} [data-key=n]").click()
    expect(page.locator(f"#w{julia.pk}")).to_contain_text("não atende: 1 ×")
    expect(first.locator("[role=alert]")).to_contain_text("já está ocupado")
    assert read == []


def test_the_list_by_keys(window, receptionist, julia, joao):
    page = window(receptionist)
    page.goto("/fila-de-espera/")
    expect(page.locator("[data-summary]")).to_contain_text("2 pedidos · 1 urgente")
    first, second = page.locator(f"#w{joao.pk}"), page.locator(f"#w{julia.pk}")
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("n")
    expect(first).to_contain_text("não atende: 1 ×")
    expect(second).to_be_focused()
    page.keyboard.press("d")
    expect(second).to_contain_text("recusado")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(second).to_contain_text("Retirado da fila de espera.")
    page.keyboard.press("u")
    expect(second.get_by_role("link", name="Alterar")).to_be_visible()
    first.focus()
    page.keyboard.press("1")
    expect(first).to_contain_text("Agendado para")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Aceitou: agendar ou trocar para o horário")


def test_from_the_open_appointment_to_the_list(window, receptionist, visit):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visit.pk}/")
    page.get_by_role("link", name="Quer antes?").click()
    expect(page.locator("#waiting-form")).to_contain_text("Maria da Silva Souza")
    page.get_by_label("manhã").check()
    page.get_by_label("ter", exact=True).check()
    page.get_by_role("button", name="Pôr na fila de espera").click()
    expect(page.locator(".waiting-row")).to_contain_text("ter · manhã")
    expect(page.locator(".message.success")).to_contain_text("Maria da Silva Souza está na fila de espera.")


def test_what_is_refused_stays_in_the_form(window, receptionist, doctor, maria):
    page = window(receptionist)
    page.goto(f"/pacientes/{maria.pk}/")
    page.get_by_role("link", name="Pôr na fila de espera").click()
    page.get_by_label("Nota").fill("prefere telefone")
    page.get_by_role("button", name="Pôr na fila de espera").click()
    expect(page.locator("#error-procedures")).to_have_text("Escolha pelo menos um procedimento.")
    expect(page.get_by_label("Nota")).to_have_value("prefere telefone")
    expect(page.get_by_label("Consulta")).to_be_focused()
    page.get_by_label("Consulta").check()
    page.get_by_label("Até o dia").fill("32/13")
    page.get_by_role("button", name="Pôr na fila de espera").click()
    expect(page.get_by_label("Até o dia")).to_be_focused()
    page.get_by_label("Até o dia").fill("")
    page.get_by_role("button", name="Pôr na fila de espera").click()
    expect(page.locator(".waiting-row")).to_contain_text("prefere telefone")


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_scrolls_sideways_and_nothing_violates_axe(window, receptionist, visit, julia, joao, width):
    page = window(receptionist, width=width)
    for path in ("/fila-de-espera/", f"/fila-de-espera/{julia.pk}/alterar/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == []


def read_again(page):
    page.evaluate("htmx.trigger('#poll', 'visibilitychange')")


def test_what_a_colleague_did_appears_and_the_focus_stays(window, receptionist, clinic, julia, joao):
    page = window(receptionist)
    page.goto("/fila-de-espera/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"#w{julia.pk}")).to_be_focused()
    withdraw_waiting(joao.pk, clinic=clinic, by=BY, seen=None)
    read_again(page)
    expect(page.locator(f"#w{joao.pk}.done")).to_contain_text("Retirado da fila de espera.")
    expect(page.locator(f"#w{julia.pk}")).to_be_focused()
    expect(page.locator("#list-changed")).to_have_text("Lista atualizada: 1 pedido")


def test_u_leaves_what_a_colleague_did_to_ones_own_row(window, receptionist, clinic, doctor, monday, julia, joao):
    page = window(receptionist)
    page.goto("/fila-de-espera/")
    page.locator(f"#w{julia.pk}").focus()
    page.keyboard.press("x")
    expect(page.locator(f"#w{julia.pk}.done")).to_contain_text("Retirado da fila de espera.")
    put_back_waiting(julia.pk, clinic=clinic, by=BY, seen=None)
    starts_at = clinic.instant(monday, time(10))
    book_waiting(julia.pk, clinic=clinic, doctor=doctor.pk, starts_at=starts_at, by=BY, seen=None, place=None)
    read_again(page)
    expect(page.locator(f"#w{julia.pk}")).to_contain_text("Trocado para seg")
    sent = sent_by(page)
    page.keyboard.press("u")
    page.locator(f"#w{joao.pk} [data-key=n]").click()
    expect(page.locator(f"#w{joao.pk}")).to_contain_text("não atende: 1 ×")
    assert sent == [f"/fila-de-espera/{joao.pk}/nao-atende/"]


def test_who_wants_the_time_of_a_swap_stays_in_sight(window, receptionist, clinic, julia, joao):
    page = window(receptionist)
    page.goto("/fila-de-espera/")
    page.locator(f"#w{julia.pk} [data-key='1']").click()
    expect(page.locator(f"#w{julia.pk} .waiting-strip")).to_contain_text("João Melo")
    expect(page.locator("#list-changed")).to_contain_text("1 pedido")  # the list was read again after the act
    withdraw_waiting(joao.pk, clinic=clinic, by=BY, seen=None)
    read_again(page)
    expect(page.locator(f"#w{joao.pk}.done")).to_contain_text("Retirado da fila de espera.")
    expect(page.locator(f"#w{julia.pk} .waiting-strip")).to_be_visible()
