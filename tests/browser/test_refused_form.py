"""A page that comes back with a refused form has the focus at the first field that is refused."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_manager


@pytest.fixture
def page(window, clinic, doctor):
    return window(make_manager(clinic))


def test_a_refused_form_of_the_admin_begins_at_its_fault(page):
    page.goto("/admin/clinic/procedure/add/")
    page.locator("#id_name").fill("Holter")
    page.locator("#id_price").fill("noventa")
    page.locator("[name=_save]").first.click()
    expect(page.locator(".errornote")).to_be_visible()
    expect(page.locator("#id_price")).to_be_focused()


def test_a_refused_step_begins_at_its_fault(page):
    page.goto("/comecar/medico/")
    page.get_by_label("Nome", exact=True).fill("Ana Reis")
    page.get_by_role("button", name="Continuar").last.click()
    expect(page.locator("main [aria-invalid=true]")).to_have_count(1)
    expect(page.locator("main [aria-invalid=true]")).to_be_focused()
