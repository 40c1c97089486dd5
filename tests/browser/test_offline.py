"""A form that is sent while the computer has no network stays on its page, with its text."""

import pytest
from playwright.sync_api import expect

from clinic.models import DisplayLink, Procedure
from tests.factories import make_manager


@pytest.fixture
def page(window, clinic):
    return window(make_manager(clinic))


def test_a_form_of_the_admin_stays_until_there_is_a_network(page, complaints):
    page.goto("/admin/clinic/procedure/add/")
    page.locator("#id_name").fill("Holter")
    page.locator("#id_price").fill("90")
    page.context.set_offline(True)
    page.locator("[name=_save]").first.click()
    expect(page.locator("#trouble > .message")).to_contain_text("Sem rede")
    expect(page.locator("#id_name")).to_have_value("Holter")
    page.context.set_offline(False)
    page.locator("[name=_save]").first.click()
    expect(page.locator(".messagelist")).to_contain_text("Holter")
    assert Procedure.objects.filter(name="Holter").exists()
    complaints.clear()  # the request for which there was no network


def test_a_form_of_a_page_stays_until_there_is_a_network(page, complaints):
    page.goto("/configuracoes/paineis/")
    page.locator("main [name=name]").fill("Recepção")
    page.context.set_offline(True)
    page.get_by_role("button", name="Criar link").click()
    expect(page.locator("#trouble > .message")).to_contain_text("Sem rede")
    page.context.set_offline(False)
    page.get_by_role("button", name="Criar link").click()
    expect(page.get_by_role("link", name="Já copiei")).to_be_visible()
    assert DisplayLink.objects.count() == 1
    complaints.clear()  # the request for which there was no network


def test_a_server_on_this_computer_is_asked_without_network(page):
    page.goto("/admin/clinic/procedure/add/")
    page.locator("#id_name").fill("Holter")
    page.locator("#id_price").fill("90")
    page.evaluate("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    page.locator("[name=_save]").first.click()
    expect(page.locator(".messagelist")).to_contain_text("Holter")
    assert Procedure.objects.filter(name="Holter").count() == 1
