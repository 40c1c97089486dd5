"""Recados: worked off by keys, written in two fields, and counted in the bar."""

from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.models import Memo
from clinic.registry import MemoDetails, finish_memo, reopen_memo, write_memo
from tests.browser.desk import end_session_of, sent_by
from tests.browser.test_every_page import violations
from tests.factories import make_user


@pytest.fixture
def calls(clinic, receptionist):
    return [
        write_memo(clinic, MemoDetails("call", name, f"+558198123121{number}"), key=uuid4(), by=receptionist)
        for number, name in enumerate(("Ana Lima", "Bia Reis", "Caio Melo"))
    ]


@pytest.fixture
def page(window, receptionist, calls):
    page = window(receptionist)
    page.goto("/recados/")
    return page


def row(memo):
    return f"#r{memo.pk}"


def number(page):
    return page.locator(".bar nav .memo-number")


def read_again(page):
    page.evaluate("htmx.ajax('GET', location.pathname, {source: '#poll', target: '#memos', swap: 'outerHTML'})")


def test_two_calls_are_four_keys_and_one_is_taken_back(page, calls):
    expect(number(page)).to_contain_text("(3")
    page.keyboard.press("ArrowDown")
    expect(page.locator(row(calls[0]))).to_be_focused()
    page.keyboard.press("f")
    expect(page.locator(f"{row(calls[0])}.done")).to_contain_text("Feito por Rosa Recepção")
    expect(page.locator(row(calls[1]))).to_be_focused()
    page.keyboard.press("f")
    expect(page.locator(row(calls[2]))).to_be_focused()
    expect(number(page)).to_contain_text("(1")
    page.keyboard.press("u")
    expect(page.locator(f"{row(calls[1])}:not(.done)")).to_be_focused()
    expect(number(page)).to_contain_text("(2")
    assert [memo.done_at is None for memo in Memo.objects.order_by("pk")] == [False, True, True]


def test_who_is_second_reads_at_the_row_who_was_first(page, clinic, calls):
    finish_memo(calls[1].pk, clinic=clinic, by=make_user(clinic, name="Paula"))
    page.click(f"{row(calls[1])} [data-key=f]")
    expect(page.locator(row(calls[1]))).to_contain_text("Paula já fez, em")
    expect(page.locator(row(calls[1]))).to_be_focused()


def test_u_leaves_what_a_colleague_did_to_ones_own_row(page, clinic, calls):
    page.locator(row(calls[0])).focus()
    page.keyboard.press("f")
    expect(page.locator(f"{row(calls[0])}.done")).to_contain_text("Feito por Rosa Recepção")
    reopen_memo(calls[0].pk, clinic=clinic, seen=Memo.objects.get(pk=calls[0].pk).done_at)
    finish_memo(calls[0].pk, clinic=clinic, by=make_user(clinic, name="Paula"))
    read_again(page)
    expect(page.locator(f"{row(calls[0])}.done")).to_contain_text("Feito por Paula")
    sent = sent_by(page)
    page.keyboard.press("u")
    page.locator(f"{row(calls[1])} [data-key=f]").click()
    expect(page.locator(f"{row(calls[1])}.done")).to_contain_text("Feito por Rosa Recepção")
    assert [path for path in sent if path.endswith("/desfazer/")] == []


def test_the_list_drawn_anew_keeps_the_focus(page, clinic, calls):
    page.locator(row(calls[2])).focus()
    finish_memo(calls[0].pk, clinic=clinic, by=make_user(clinic, name="Paula"))
    read_again(page)
    expect(page.locator(f"{row(calls[0])}.done")).to_contain_text("Paula")
    expect(page.locator(row(calls[2]))).to_be_focused()


def test_a_call_back_is_written_from_a_number_nobody_has(window, receptionist):
    page = window(receptionist)
    page.goto("/agenda/")
    page.keyboard.press("/")
    page.keyboard.type("81 98123-4567")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Anotar recado").click()
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("Zilda Prestes")
    page.keyboard.press("Enter")
    expect(page.locator(".memo-row")).to_contain_text("Zilda Prestes")
    assert Memo.objects.get().phone == "+5581981234567"
    assert "98123" not in page.url


def test_a_note_asks_for_no_caller_and_shows_what_is_wrong(window, receptionist):
    page = window(receptionist)
    page.goto("/recados/")
    page.keyboard.press("n")
    expect(page.locator("#name")).to_be_focused()
    page.get_by_label("Recado", exact=True).check()
    expect(page.locator("#name")).to_be_hidden()
    expect(page.locator("#hour")).to_be_hidden()
    page.click("#save")
    expect(page.locator("#error-text")).to_have_text("Escreva o recado.")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("Sala 3 sem impressora")
    page.locator("#day").fill("hoje")
    page.click("#save")
    expect(page.locator(".memo-row")).to_contain_text("Sala 3 sem impressora")
    assert Memo.objects.get().kind == "note"


def test_what_was_typed_outlives_the_session(window, receptionist):
    page = window(receptionist)
    page.goto("/recados/novo/")
    page.locator("#name").fill("Zilda Prestes")
    page.locator("#phone").fill("81 98123-4567")
    end_session_of(page)
    page.click("#save")
    expect(page.locator("#phone, #id_username").first).to_be_visible()
    assert not Memo.objects.exists()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_list_pleases_axe_and_fits(window, clinic, receptionist, calls, width):
    today = clinic.local(timezone.now()).date()
    details = MemoDetails("note", text="x" * 500, day=today, recipient_id=receptionist.pk)
    write_memo(clinic, details, key=uuid4(), by=receptionist)
    finish_memo(calls[0].pk, clinic=clinic, by=receptionist)
    page = window(receptionist, width=width)
    for address in ("/recados/", "/recados/?feitos=1", "/agenda/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []
