"""The list of keys, on pages with and without a day."""

import pytest
from playwright.sync_api import expect

from tests.factories import book_appointment, make_manager

OF_THE_DAY = ("Percorrer os horários do dia", "Imprimir o dia em lista", "Desfazer a última ação", "Hoje")


@pytest.fixture
def list_on(window, clinic, doctor):
    """Open a page and its list of keys."""

    def opened(address):
        page = window(make_manager(clinic))
        page.goto(address)
        page.evaluate("document.activeElement.blur()")  # of the search field
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_contain_text("Buscar paciente")
        return page.locator("#keys")

    return opened


@pytest.mark.parametrize("address", ["/pacientes/", "/agenda/{monday}/como-estava/"])
def test_a_page_without_a_day_shows_no_keys_of_the_day(list_on, monday, address):
    keys = list_on(address.format(monday=monday))
    for words in (*OF_THE_DAY, "Imprimir"):
        expect(keys).not_to_contain_text(words)


def test_a_day_shows_its_keys(list_on, monday):
    keys = list_on(f"/agenda/{monday}/")
    for words in OF_THE_DAY:
        expect(keys).to_contain_text(words)


def test_a_week_shows_no_key_that_prints(list_on, doctor, monday):
    keys = list_on(f"/agenda/semana/{doctor.pk}/{monday}/")
    expect(keys).to_contain_text("Percorrer os horários do dia")
    expect(keys).not_to_contain_text("Imprimir")


PRINTED = ["/agenda/{day}/lista/", "/agendamentos/{visit.pk}/comprovante/", "/pacientes/{visit.patient_id}/dados/"]
PRINTED += ["/configuracoes/privacidade/", "/configuracoes/privacidade/aviso/"]


@pytest.mark.parametrize("address", PRINTED)
def test_a_page_with_a_button_that_prints_shows_its_key(list_on, clinic, doctor, address):
    visit = book_appointment(doctor)
    keys = list_on(address.format(day=clinic.local(visit.starts_at).date(), visit=visit))
    expect(keys.locator("dt:has(kbd:text-is('p')) + dd")).to_have_text("Imprimir")
