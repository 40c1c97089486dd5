"""A price rise of 8 %, seen before it is done, and taken back, in a browser."""

import pytest
from playwright.sync_api import expect

from clinic.models import PriceRise, ProcedurePrice
from tests.browser.test_every_page import violations
from tests.factories import make_manager, make_procedure


@pytest.fixture
def page(window, clinic):
    make_procedure(clinic, name="Consulta", price="100.00")
    make_procedure(clinic, name="Exame", price="33.00")
    page = window(make_manager(clinic))
    page.goto("/admin/clinic/procedure/")
    page.get_by_role("link", name="Reajustar preços", exact=True).click()
    return page


def test_a_rise_of_eight_percent_is_taken_back(page):
    page.get_by_label("Quanto").fill("8")
    page.get_by_label("Arredondar").select_option("0.50")
    page.get_by_role("button", name="Ver antes e depois").click()
    expect(page.get_by_role("row", name="Exame")).to_contain_text("R$\N{NO-BREAK SPACE}35,50")
    assert violations(page) == [] and not ProcedurePrice.objects.exists()

    page.get_by_role("button", name="Reajustar", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("Os preços foram reajustados.")
    expect(page.get_by_label("Consulta")).to_be_checked()
    expect(page.locator(".ticked")).to_contain_text("R$\N{NO-BREAK SPACE}108,00")
    assert violations(page) == [] and ProcedurePrice.objects.count() >= 2

    page.get_by_role("link", name="Desfazer…").click()
    expect(page.get_by_role("row", name="Exame")).to_contain_text("R$\N{NO-BREAK SPACE}33,00")
    assert violations(page) == [] and not PriceRise.objects.get().taken_back_at
    page.get_by_role("button", name="Desfazer o reajuste").click()
    expect(page.locator(".messagelist")).to_contain_text("O reajuste foi desfeito.")
    expect(page.locator(".ticked")).to_contain_text("R$\N{NO-BREAK SPACE}100,00")
    assert not ProcedurePrice.objects.exists() and PriceRise.objects.get().taken_back_at
