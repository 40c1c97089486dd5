"""The list of keys, on pages with and without a day."""

import pytest
from playwright.sync_api import expect

OF_THE_DAY = ("Percorrer os horários do dia", "Imprimir o dia em lista", "Desfazer a última ação", "Hoje")


@pytest.fixture
def list_on(window, receptionist, doctor):
    """Open a page and its list of keys."""

    def opened(address):
        page = window(receptionist)
        page.goto(address)
        page.evaluate("document.activeElement.blur()")  # of the search field
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_contain_text("Buscar paciente")
        return page.locator("#keys")

    return opened


def test_a_page_without_a_day_shows_no_keys_of_the_day(list_on):
    keys = list_on("/pacientes/")
    for words in OF_THE_DAY:
        expect(keys).not_to_contain_text(words)


def test_a_day_shows_its_keys(list_on, monday):
    keys = list_on(f"/agenda/{monday}/")
    for words in OF_THE_DAY:
        expect(keys).to_contain_text(words)
