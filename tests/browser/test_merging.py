"""Two records of one person become one, side by side, and two again."""

import pytest
from playwright.sync_api import expect

from clinic.models import Patient
from tests.browser.test_every_page import violations
from tests.factories import make_patient, phone

BORN = "1984-03-12"


@pytest.fixture
def pair(clinic):
    kept = make_patient(clinic, name="Ana de Souza", phone=phone(801), birth_date=BORN, notes="Prefere a manhã.")
    return kept, make_patient(clinic, name="Ana Sousa", phone=phone(802), cpf=None, birth_date=BORN, notes="Alérgica.")


def test_two_records_are_found_compared_merged_and_separated(window, receptionist, pair):
    kept, other = pair
    page = window(receptionist)
    page.goto(f"/pacientes/{kept.pk}/")
    page.get_by_role("link", name="Juntar cadastros…").click()
    page.get_by_label("Qual é o outro cadastro").fill("sousa")
    expect(page.locator("#found")).to_contain_text("Encontrados")
    assert violations(page) == []
    page.get_by_role("link", name="Comparar Ana Sousa").click()

    expect(page.get_by_role("radio", checked=True)).to_have_count(3)
    page.get_by_role("radiogroup", name="Nome").get_by_label("Ana Sousa").check()
    assert violations(page) == []
    page.get_by_role("button", name="Juntar").click()

    expect(page.locator("#messages")).to_contain_text("Cadastros juntados.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Sousa")
    assert violations(page) == []
    page.get_by_role("button", name="Desfazer").click()
    expect(page.locator("#messages")).to_contain_text("Cadastros separados de novo")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana de Souza")
    assert Patient.objects.filter(pk=other.pk, merged_into=None).exists()


def test_a_merge_that_is_refused_keeps_the_choices(window, receptionist, pair):
    kept, other = pair
    page = window(receptionist)
    page.goto(f"/pacientes/{kept.pk}/juntar/{other.pk}/")
    Patient.objects.filter(pk=other.pk).update(updated_at="2026-01-01T00:00Z")
    name = page.get_by_role("radiogroup", name="Nome").get_by_label("Ana Sousa")
    name.check()
    page.get_by_role("button", name="Juntar").click()
    expect(page.locator("#merge .error")).to_contain_text("Um dos cadastros foi alterado")
    expect(name).to_be_checked()
    page.get_by_role("button", name="Juntar").click()
    expect(page.get_by_role("button", name="Desfazer")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Sousa")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1280, "dark")])
def test_both_pages_fit_a_phone_and_the_night(window, receptionist, pair, width, scheme):
    kept, other = pair
    page = window(receptionist, width=width, scheme=scheme)
    for path in (f"/pacientes/{kept.pk}/", f"/pacientes/{kept.pk}/juntar/", f"/pacientes/{kept.pk}/juntar/{other.pk}/"):
        page.goto(path)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_javascript_the_pages_work(window, receptionist, pair):
    kept, other = pair
    page = window(receptionist, javascript=False)
    page.goto(f"/pacientes/{kept.pk}/juntar/")
    page.get_by_label("Qual é o outro cadastro").fill("sousa")
    page.get_by_role("button", name="Buscar").click()
    page.get_by_role("link", name="Comparar Ana Sousa").click()
    page.get_by_role("button", name="Juntar").click()
    page.get_by_role("button", name="Desfazer").click()
    expect(page.locator("#messages")).to_contain_text("Cadastros separados de novo")
