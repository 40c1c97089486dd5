"""What the + beside a list of boxes in the admin has added comes back into the list, ticked."""

import pytest
from playwright.sync_api import expect

from clinic.models import Doctor, Procedure
from tests.factories import make_manager


@pytest.fixture
def page(window, clinic, doctor):
    page = window(make_manager(clinic))
    page.goto(f"/admin/clinic/doctor/{doctor.pk}/change/")
    return page


def add_by_popup(page, name):
    with page.expect_popup() as opened:
        page.locator("#add_id_procedures").click()
    popup = opened.value
    popup.locator("#id_name").fill(name)
    popup.locator("#id_price").fill("120,00")
    with popup.expect_event("close"):
        popup.locator("[name=_save]").first.click()


def labels(page):
    return [text.strip() for text in page.locator("#id_procedures label").all_inner_texts()]


def test_what_the_popup_added_is_ticked_in_its_place(page):
    page.locator("#id_specialty").fill("Clínica médica")
    add_by_popup(page, "Eletrocardiograma <i>")
    added = page.get_by_label("Eletrocardiograma <i>")
    expect(added).to_be_checked()
    expect(added).to_be_focused()
    add_by_popup(page, "Avaliação")
    assert labels(page) == ["Avaliação", "Consulta", "Eletrocardiograma <i>"]
    expect(page.locator("#id_specialty")).to_have_value("Clínica médica")
    page.locator("[name=_save]").first.click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert Doctor.objects.get().procedures.count() == 3


def test_the_first_box_of_an_empty_list_is_added(window, clinic):
    page = window(make_manager(clinic))
    page.goto("/admin/clinic/doctor/add/")
    add_by_popup(page, "Consulta")
    expect(page.get_by_label("Consulta")).to_be_checked()
    page.locator("#id_name").fill("Lia Prado")
    page.locator("[name=_save]").first.click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert Doctor.objects.get().procedures.get() == Procedure.objects.get()
