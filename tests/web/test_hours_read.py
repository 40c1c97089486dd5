"""A week of hours as text, read back while it is typed, and where it is shown without that."""

import pytest
from django.urls import reverse

from clinic.form_fields import LONGEST_WEEK
from tests.factories import make_doctor, make_manager, make_procedure


@pytest.fixture
def manager(client, clinic):
    client.force_login(make_manager(clinic))
    return client


def read(client, text):
    response = client.post(reverse("web:hours-read"), {"week": text}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_what_was_understood_is_said_and_drawn(manager):
    answer = read(manager, "seg, qua 8-12 13:30-18; dom 22-2")
    assert "Entendido: 3 dias, 21 h por semana." in answer
    assert answer.count("<li") == 7 and answer.count('<li class="off"') == 4
    assert 'aria-label="quarta, 13:30 até 18:00"' in answer
    # A night of Sunday goes on on Monday, and the whole day is shown for it.
    assert 'class="bar rest from-0 to-24" data-hours="7 1320 1560"' in answer.partition("Terça")[0]
    assert 'class="week-grid" data-night' in answer
    assert answer.count("hx-swap-oob") == 2 and "hx-post" not in answer


def test_a_mistake_is_named_at_its_place(manager):
    answer = read(manager, "seg 8-12; <b>sáp 8-10")
    assert "<mark>&lt;b&gt;sáp</mark>" in answer
    assert "não entendi." in answer and "<li" not in answer


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_is_seven_days_without_hours(manager, text):
    answer = read(manager, text)
    assert answer.count('<li class="off"') == 7 and "Entendido" not in answer


@pytest.mark.parametrize(("text", "part"), [("seg 8-12;" * LONGEST_WEEK, "1000 caracteres")])
def test_too_much(manager, text, part):
    answer = read(manager, text)
    assert part in answer and "<li" not in answer and "Entendido" not in answer


def test_the_pages_show_it_without_scripts(manager, clinic):
    doctor = make_doctor(clinic, procedures=[make_procedure(clinic)])
    week = manager.get(reverse("admin:clinic_doctor_week", args=[doctor.pk])).content.decode()
    assert "Entendido: 5 dias, 45 h por semana." in week
    for address in ("admin:clinic_doctor_add", "web:first-steps-medico"):
        page = manager.get(reverse(address)).content.decode()
        assert page.count('role="status"') >= 1 and 'hx-trigger="input delay:400ms from:#id_week, back"' in page
        assert 'name="htmx-config"' in page
