"""A discount that is meant for other ages is booked, with a warning before."""

from datetime import date

import pytest
from django.urls import reverse

from clinic.models import Appointment, Discount, Patient
from tests.factories import make_discount, make_manager
from tests.web.test_booking_panel import (
    BOOK,
    CHECK,
    HTMX,
    clinic,
    desk,
    doctor,
    form,
    patient,
    procedure,
    saturday,
)

__all__ = ["clinic", "desk", "doctor", "form", "patient", "procedure", "saturday"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

WARNING = (
    "O desconto “Idoso 60+” é para quem tem 60 anos ou mais, e em 23/11/2026 a idade é de 49 anos. "
    "Confira a data de nascimento ou tire o desconto."
)


@pytest.fixture
def elderly(clinic):
    return make_discount(clinic, name="Idoso 60+", minimum_age=60)


@pytest.fixture
def discounted(form, elderly):
    return form | {"discount": [elderly.pk]}


def asked(desk, form):
    return " ".join(desk.post(CHECK, form, headers=HTMX).text.split())


def born(patient, day):
    Patient.objects.filter(pk=patient.pk).update(birth_date=day)


def test_a_discount_for_another_age_is_warned_of_and_booked(desk, discounted, patient):
    born(patient, "1977-11-23")
    assert WARNING in asked(desk, discounted)
    assert desk.post(BOOK, discounted, headers=HTMX).status_code == 200
    assert Appointment.objects.get().lines.get().discounts.exists()


def test_the_age_on_the_day_of_the_visit_counts(desk, discounted, patient):
    born(patient, "1966-11-24")
    assert "é para quem tem 60 anos ou mais, e em 23/11/2026 a idade é de 59 anos" in asked(desk, discounted)
    assert "O desconto" not in asked(desk, discounted | {"date": "24/11/2026"})


def test_an_unknown_age_is_not_warned_of(desk, discounted, patient):
    born(patient, None)
    assert "O desconto" not in asked(desk, discounted)


def test_a_new_patient_is_compared_by_what_is_typed(desk, discounted):
    new = {"patient": "", "is_new": "1", "name": "Caio Reis", "phone": "(81) 97777-0002", "birth_date": "23/11/1977"}
    assert WARNING in asked(desk, discounted | new)


@pytest.mark.usefixtures("elderly")
def test_a_discount_for_the_whole_is_named_once(desk, discounted, elderly, procedure, patient):
    born(patient, "1977-11-23")
    both = discounted | {"procedure": [procedure.pk] * 2, "discount": [elderly.pk, ""], "whole_discount": elderly.pk}
    assert asked(desk, both).count("O desconto “Idoso 60+”") == 1


@pytest.mark.parametrize(
    ("least", "most", "ages"),
    [(None, 12, "quem tem até 12 anos"), (None, 1, "quem tem até 1 ano"), (5, 12, "quem tem de 5 a 12 anos")],
)
def test_the_warning_names_the_ages(desk, discounted, elderly, patient, least, most, ages):
    Discount.objects.update(minimum_age=least, maximum_age=most)
    born(patient, "1977-11-23")
    assert f"é para {ages}, e em 23/11/2026" in asked(desk, discounted)


@pytest.mark.parametrize(("born_on", "fits"), [("2014-01-01", True), ("2021-11-23", True), ("2021-11-24", False)])
def test_both_ends_of_the_ages_are_included(born_on, fits):
    discount = Discount(minimum_age=5, maximum_age=12)
    assert discount.is_for_age(date.fromisoformat(born_on), date(2026, 11, 23)) is fits


def test_a_manager_gives_the_ages_in_order(client, clinic):
    client.force_login(make_manager(clinic))
    typed = {"name": "Criança", "percentage": "10", "minimum_age": "12", "maximum_age": "5"}
    page = client.post(reverse("admin:clinic_discount_add"), typed).text
    assert "Use idades de 0 a 120, a máxima não menor que a mínima." in page
    client.post(reverse("admin:clinic_discount_add"), typed | {"minimum_age": "5", "maximum_age": "12"})
    assert Discount.objects.get().maximum_age == 12
