"""A spreadsheet from the file chooser to the clinic and back, as a manager does it."""

import re

import pytest
from playwright.sync_api import expect

from clinic.models import ImportRun, Patient
from tests.browser.test_every_page import violations
from tests.exchange.sheets import csv_bytes
from tests.factories import cpf, make_manager

ROWS = [
    ["Nome", "Celular", "CPF"],
    *([f"Pessoa {n}", f"81 9{81000000 + n}", cpf(n)] for n in range(1, 1201)),
    ["", "1"],
]


@pytest.fixture
def manager(clinic):
    return make_manager(clinic)


def chosen(page, content=None, name="velho.csv"):
    page.goto("/importar/")
    page.get_by_label("Planilha", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content or csv_bytes(ROWS)}
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_spreadsheet_is_brought_and_taken_back(window, manager, scheme):
    page, before = window(manager, scheme=scheme), Patient.objects.count()
    chosen(page)
    assert violations(page) == []
    page.get_by_role("button", name="Ler a planilha").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("O que é cada coluna?")
    assert violations(page) == []
    page.get_by_role("button", name="Ver o que acontece com cada linha").click()
    expect(page.get_by_role("button", name="Importar 1200 linhas")).to_be_visible(timeout=90_000)
    page.get_by_role("link", name=re.compile("Recusado")).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert violations(page) == []
    page.get_by_role("button", name="Importar 1200 linhas").click()
    expect(page.get_by_role("button", name="Desfazer esta importação")).to_be_visible(timeout=90_000)
    assert Patient.objects.count() == before + 1200
    page.get_by_role("button", name="Desfazer esta importação").click()
    page.get_by_role("dialog").get_by_role("button", name="Desfazer").click()
    expect(page.get_by_role("link", name="Desfeito 1200")).to_be_visible(timeout=90_000)
    assert Patient.objects.count() == before


def test_a_closed_page_goes_on_when_it_is_opened_again(window, manager):
    page = window(manager)
    chosen(page)
    page.get_by_role("button", name="Ler a planilha").click()
    page.get_by_role("button", name="Ver o que acontece com cada linha").click()
    expect(page.get_by_role("button", name="Importar 1200 linhas")).to_be_visible(timeout=90_000)
    page.route("**/avancar/", lambda route: route.abort())
    run = ImportRun.objects.get()
    ImportRun.objects.filter(pk=run.pk).update(state="checking", number=0)
    other = window(manager, width=360)
    other.goto(f"/importar/{run.pk}/")
    expect(other.get_by_role("button", name="Importar 1200 linhas")).to_be_visible(timeout=90_000)
    assert other.evaluate("document.documentElement.scrollWidth") == 360


def test_a_file_that_is_too_large_is_not_sent(window, manager):
    page = window(manager)
    chosen(page, b"Nome\n" + b"x" * 1000)
    page.get_by_label("Planilha", exact=True).evaluate("each => each.dataset.most = '0.0001'")
    chosen_again = {"name": "maior.csv", "mimeType": "text/csv", "buffer": b"Nome\n" + b"x" * 2000}
    page.get_by_label("Planilha", exact=True).set_input_files(chosen_again)
    expect(page.locator("#error-file")).to_contain_text("Divida a planilha")
    page.get_by_role("button", name="Ler a planilha").click()
    expect(page).to_have_url(re.compile("/importar/$"))
    assert not ImportRun.objects.exists()


def test_without_scripts_a_button_works_on(window, manager):
    page = window(manager, javascript=False)
    chosen(page, csv_bytes(ROWS[:3]))
    page.get_by_role("button", name="Ler a planilha").click()
    page.get_by_role("button", name="Ver o que acontece com cada linha").click()
    page.get_by_role("button", name="Continuar").click()
    expect(page.get_by_role("button", name="Importar 2 linhas")).to_be_visible()
