"""Releasing, copying, rotating and revoking, as a master does it, with JavaScript and without."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from clinic.access import access_tokens, api_keys
from clinic.models import AccessToken, ApiKey
from tests.browser.test_every_page import violations
from tests.factories import make_manager, make_master

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = reverse("web:integration-list")


@pytest.fixture
def master(clinic):
    return make_master(clinic, name="Mara Master")


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(request, window, master):
    page = window(master, javascript=request.param)
    page.goto(PAGE)
    return page


def secret(page):
    return page.locator("#secret-text").input_value()


def create_key(page, name):
    page.get_by_label("Nome", exact=True).fill(name)
    page.get_by_role("button", name="Criar chave").click()


def confirm(page, button, answer):
    page.get_by_role("button", name=button).first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name=answer).click()


def test_a_token_is_released_shown_once_and_revoked(page, clinic):
    page.get_by_role("button", name="Liberar token").click()
    expect(page.locator("#secret-title")).to_be_focused()
    token, _ = access_tokens.authenticate(secret(page))
    assert token.clinic == clinic

    page.get_by_role("link", name="Já copiei").click()
    expect(page.locator("#secret")).to_have_count(0)
    confirm(page, "Revogar", "Revogar")
    expect(page.get_by_text("revogado em")).to_be_visible()
    expect(page.get_by_text("Token revogado.")).to_be_visible()
    assert AccessToken.objects.get().revoked_at


def test_a_key_is_created_rotated_and_revoked(page):
    create_key(page, "Central de voz")
    expect(page.locator("#secret-title")).to_be_focused()
    first = secret(page)
    assert api_keys.authenticate(first)[0].name == "Central de voz"

    confirm(page, "Trocar", "Criar a chave nova")
    expect(page.get_by_text("A chave antiga de")).to_be_visible()
    second = secret(page)
    assert second != first and api_keys.authenticate(second) and api_keys.authenticate(first)
    expect(page.get_by_text("trocada; ainda vale até")).to_be_visible()

    confirm(page, "Revogar", "Revogar")
    expect(page.get_by_text("1 chave encerrada")).to_be_visible()
    assert ApiKey.objects.exclude(revoked_at=None).get().prefix == second[:15]


def test_a_reload_neither_shows_the_secret_again_nor_makes_another(page):
    page.get_by_role("button", name="Liberar token").click()
    text = secret(page)
    page.reload()
    expect(page.get_by_text("válido")).to_be_visible()
    assert text not in page.content() and page.locator("#secret").count() == 0
    page.go_back()
    assert text not in page.content()
    assert AccessToken.objects.count() == 1
    assert "integracoes" in page.url or "about:blank" in page.url


def test_errors_are_shown_and_typed_text_stays(page):
    create_key(page, "")
    expect(page.locator("#error-name")).to_contain_text("Dê um nome")
    expect(page.locator("#name")).to_be_focused()
    create_key(page, "Agora sim")
    assert api_keys.authenticate(secret(page))[0].name == "Agora sim"


def test_the_secret_is_copied_and_the_button_says_so(window, master):
    page = window(master)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(PAGE)
    page.get_by_role("button", name="Liberar token").click()
    page.get_by_role("button", name="Copiar").click()
    expect(page.get_by_role("button", name="Copiado")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret(page)
    expect(page.get_by_role("button", name="Copiar")).to_be_visible()


def test_the_address_of_a_calendar_is_copied(window, clinic, doctor):
    page = window(make_manager(clinic))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/admin/clinic/doctor/")
    page.locator("#changelist-form [name=_selected_action]").check()
    page.locator("[name=action]").select_option("release_calendar")
    page.locator("#changelist-form [name=index]").click()
    page.get_by_role("button", name="Copiar").click()
    expect(page.get_by_role("button", name="Copiado")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("main code").inner_text()
    assert violations(page) == []


def test_without_clipboard_api_the_secret_is_selected_and_copied(window, master):
    """As over plain HTTP, where browsers offer no clipboard."""
    page = window(master)
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(PAGE)
    page.get_by_role("button", name="Liberar token").click()
    page.get_by_role("button", name="Copiar").click()
    expect(page.get_by_role("button", name=re.compile("Copiado|Selecionado"))).to_be_visible()
    assert page.evaluate("getSelection().toString()") == secret(page)


def test_the_seconds_left_count_down(window, master):
    page = window(master)
    page.goto(PAGE)
    page.get_by_role("button", name="Liberar token").click()
    left = page.locator("#secret [data-seconds]")
    expect(left).to_have_text(re.compile(r"válido por mais 59:5\d"))
    before = left.inner_text()
    expect(left).not_to_have_text(before)
    left.evaluate("(shown) => { const over = shown.cloneNode(); over.dataset.seconds = 1; shown.replaceWith(over); }")
    expect(page.locator("#secret [data-seconds]")).to_have_text("expirado")


def test_a_question_takes_the_focus_and_gives_it_back(window, master, clinic):
    access_tokens.release(clinic, master, channel="command")
    page = window(master)
    page.goto(PAGE)
    button = page.get_by_role("button", name="Revogar").first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Voltar")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()
    assert AccessToken.objects.get().revoked_at is None


def test_a_secret_is_no_wider_than_a_phone(window, master):
    page = window(master, width=360, height=740)
    page.goto(PAGE)
    page.get_by_role("button", name="Liberar token").click()
    expect(page.locator("#secret-text")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    field = page.locator("#secret-text")
    assert field.evaluate("(each) => each.scrollHeight - each.clientHeight") <= 2
    assert "mono" in field.evaluate("(each) => getComputedStyle(each).fontFamily").lower()


def test_an_example_of_the_reference_is_copied_as_it_stands(window, clinic):
    page = window()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(reverse("imagemais:first-steps"))
    page.get_by_role("button", name="Copiar").nth(1).click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl 'http://") and copied.endswith('-H "Authorization: Bearer $TOKEN"')
