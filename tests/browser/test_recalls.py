"""Retornos: from the visit that is over to the booked return, by the mouse, by keys, and beside a colleague."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.booking import Author, RecallWish, change_status, close_recall, reopen_recall, write_recall
from clinic.models import Recall
from tests.browser.desk import sent_by
from tests.browser.test_every_page import violations
from tests.factories import book_appointment, make_patient, next_monday

BY = Author(channel="command", credential="Paula")


@pytest.fixture
def visits(clinic, doctor):
    """Three visits of the last weeks, which are over."""
    found = []
    for number, name in enumerate(("Ana Lima", "Bia Reis", "Caio Melo")):
        at = next_monday(clinic) - timedelta(weeks=2 + number)
        patient = make_patient(clinic, name=name)
        visit = book_appointment(doctor, patient=patient.pk, starts_at=at, now=at - timedelta(days=1))
        for status in ("checked_in", "in_service", "finished"):
            change_status(visit.pk, status, clinic=clinic, by=BY, now=at)
        found.append(visit)
    return found


@pytest.fixture
def recalls(clinic, doctor, visits):
    today = clinic.local(timezone.now()).date()
    procedure = doctor.procedures.get().pk
    return [
        write_recall(
            visit.pk,
            RecallWish(due_on=today + timedelta(days=number - 1), procedure=procedure, doctor=doctor.pk),
            clinic=clinic,
            by=BY,
            now=visit.ends_at,
        )
        for number, visit in enumerate(visits)
    ]


def row(recall):
    return f"#t{recall.pk}"


def read_again(page):
    page.evaluate("htmx.trigger('#poll', 'visibilitychange')")


def test_a_return_in_six_months_is_two_clicks(window, receptionist, visits):
    page = window(receptionist)
    page.goto(f"/agendamentos/{visits[0].pk}/")
    page.get_by_role("link", name="Lembrar do retorno…").click()  # 1
    expect(page.get_by_role("radio", name="6 meses")).to_be_focused()
    page.get_by_role("button", name="Lembrar").click()  # 2
    expect(page.locator("#panel")).to_contain_text("Retorno anotado para")
    assert Recall.objects.get().appointment_id == visits[0].pk


def test_a_due_return_is_booked_by_two_clicks(window, receptionist, recalls):
    page = window(receptionist)
    page.goto("/retornos/")
    expect(page.locator("[data-summary]")).to_contain_text("2 para chamar · 3 até")
    page.locator(row(recalls[0])).get_by_role("link", name="Agendar").click()  # 1
    expect(page.locator("#booking-who")).to_contain_text("Ana Lima")
    expect(page.locator("#save")).to_be_focused()
    page.locator("#save").click()  # 2
    expect(page.locator("#panel .message.success")).to_contain_text("Agendado às")
    recalls[0].refresh_from_db()
    assert recalls[0].outcome == "booked"
    page.goto("/retornos/")
    expect(page.locator(row(recalls[0]))).to_contain_text("Agendado para")


def test_the_list_by_keys(window, receptionist, recalls):
    page = window(receptionist)
    page.goto("/retornos/")
    page.keyboard.press("ArrowDown")
    expect(page.locator(row(recalls[0]))).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator(f"{row(recalls[0])}.done")).to_contain_text("Não quer o retorno.")
    expect(page.locator(row(recalls[1]))).to_be_focused()
    page.keyboard.press("u")
    expect(page.locator(f"{row(recalls[0])}:not(.done)")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"{row(recalls[0])}.done")).to_contain_text("Já tem horário.")
    page.keyboard.press("l")
    expect(page.locator(f"{row(recalls[1])} [name=due_on]")).to_be_focused()
    page.keyboard.type("+30")
    page.keyboard.press("Enter")
    expect(page.locator(row(recalls[2]))).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#panel-title")).to_have_text("Agendar")


def test_an_own_act_is_counted_at_once(window, receptionist, recalls):
    page = window(receptionist)
    page.goto("/retornos/")
    for closed, count in ((0, "1 para chamar · 2 até"), (1, "0 para chamar · 1 até")):
        page.locator(row(recalls[closed])).get_by_role("button", name="Não quer").click()
        expect(page.locator("#recalls-head [data-summary]")).to_contain_text(count)
    page.locator(row(recalls[2])).get_by_role("button", name="Não quer").click()
    expect(page.locator("#recalls-head")).to_have_text("")
    expect(page.locator("#recalls-head")).to_be_focused()
    page.keyboard.press("u")
    expect(page.locator("#recalls-head [data-summary]")).to_contain_text("0 para chamar · 1 até")


def test_what_a_colleague_did_appears_and_is_announced_once(window, receptionist, clinic, recalls):
    page = window(receptionist)
    page.goto("/retornos/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(row(recalls[1]))).to_be_focused()
    close_recall(recalls[0].pk, "declined", clinic=clinic, by=BY, seen=None)
    read_again(page)
    expect(page.locator(f"{row(recalls[0])}.done")).to_contain_text("Paula")
    expect(page.locator(row(recalls[1]))).to_be_focused()
    expect(page.locator("#list-changed")).to_contain_text("Lista atualizada: 1 para chamar · 2 até")


def test_nothing_is_drawn_anew_under_a_date_that_is_typed(window, receptionist, clinic, recalls):
    page = window(receptionist)
    page.goto("/retornos/")
    page.locator(f"{row(recalls[0])} summary").click()
    page.locator(f"{row(recalls[0])} [name=due_on]").fill("01/0")
    close_recall(recalls[2].pk, "declined", clinic=clinic, by=BY, seen=None)
    read_again(page)
    expect(page.locator(f"{row(recalls[0])} [name=due_on]")).to_have_value("01/0")
    expect(page.locator(f"{row(recalls[2])}.done")).to_have_count(0)
    page.locator(f"{row(recalls[0])} summary").click()
    read_again(page)
    expect(page.locator(f"{row(recalls[2])}.done")).to_be_visible()


def test_what_is_typed_during_a_refresh_is_not_lost(window, receptionist, clinic, recalls):
    page, held = window(receptionist), []
    page.goto("/retornos/")
    close_recall(recalls[2].pk, "declined", clinic=clinic, by=BY, seen=None)
    page.route("**/retornos/*", lambda route: held.append(route))
    with page.expect_request("**/retornos/*"):
        read_again(page)
    page.locator(f"{row(recalls[0])} summary").click()
    page.locator(f"{row(recalls[0])} [name=due_on]").fill("01/0")
    with page.expect_event("requestfinished"):
        held[0].continue_()
    page.unroute("**/retornos/*")
    expect(page.locator(f"{row(recalls[0])} [name=due_on]")).to_have_value("01/0")
    page.locator(f"{row(recalls[0])} summary").click()
    read_again(page)
    expect(page.locator(f"{row(recalls[2])}.done")).to_be_visible()


def test_who_acts_on_what_a_colleague_closed_reads_it(window, receptionist, clinic, recalls):
    page = window(receptionist)
    page.goto("/retornos/")
    close_recall(recalls[0].pk, "elsewhere", clinic=clinic, by=BY, seen=None)
    page.locator(row(recalls[0])).get_by_role("button", name="Não quer").click()
    expect(page.locator(row(recalls[0]))).to_contain_text("Paula já fechou este retorno: já tem horário.")


def test_u_leaves_what_a_colleague_did_to_ones_own_row(window, receptionist, clinic, recalls):
    page = window(receptionist)
    page.goto("/retornos/")
    page.locator(row(recalls[0])).focus()
    page.keyboard.press("n")
    expect(page.locator(f"{row(recalls[0])}.done")).to_contain_text("Não quer o retorno.")
    reopen_recall(recalls[0].pk, clinic=clinic, by=BY, seen=None)
    close_recall(recalls[0].pk, "elsewhere", clinic=clinic, by=BY, seen=None)
    read_again(page)
    expect(page.locator(f"{row(recalls[0])}.done")).to_contain_text("Já tem horário.")
    sent = sent_by(page)
    page.keyboard.press("u")
    page.locator(f"{row(recalls[1])} [data-key=n]").click()
    expect(page.locator(f"{row(recalls[1])}.done")).to_contain_text("Não quer o retorno.")
    assert [path for path in sent if path.endswith("/desfazer/")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(window, receptionist, recalls, scheme):
    page = window(receptionist, scheme=scheme)
    close_recall(recalls[2].pk, "declined", clinic=recalls[2].clinic, by=BY, seen=None)
    for path in ("/retornos/", f"/agendamentos/{recalls[0].appointment_id}/retorno/"):
        page.goto(path)
        assert violations(page) == []
