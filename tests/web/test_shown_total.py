"""Nobody books another total than the panel has shown, whatever managers change meanwhile."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from clinic.models import Appointment
from tests.factories import (
    make_clinic,
    make_discount,
    make_doctor,
    make_lisbon,
    make_patient,
    make_procedure,
    make_user,
)

pytestmark = pytest.mark.django_db

BOOK = "/agendamentos/novo/"
HTMX = {"HX-Request": "true"}
HIDDEN = re.compile(r'<input type="hidden" name="(shown_total|shown_for)" value="([^"]*)">')


@pytest.fixture(params=[make_clinic, make_lisbon], ids=["Recife", "Lisbon"])
def clinic(request, db, time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    return request.param()


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic))
    return client


@pytest.fixture
def panel(desk, clinic):
    """The form of a panel with two lines, the second with a discount, and a discount for the whole."""
    procedures = [make_procedure(clinic, price=Decimal(100)), make_procedure(clinic, price=Decimal("49.90"))]
    doctor = make_doctor(clinic, procedures=procedures)
    own, whole = make_discount(clinic, percentage=10), make_discount(clinic, fixed=20)
    fields = {
        "patient": make_patient(clinic).pk,
        "doctor": doctor.pk,
        "procedure": [procedure.pk for procedure in procedures],
        "discount": ["", own.pk],
        "whole_discount": whole.pk,
        "date": "23/11/2026",
        "starts": "09:00",
    }
    return drawn(fields, desk.post(reverse("web:appointment-check"), fields))


def drawn(fields, answer):
    """The form as the answer leaves it."""
    return fields | dict(HIDDEN.findall(answer.text))


def change(rows, **values):
    row = rows.first()
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


CHANGES = {
    "a discount's percentage": lambda clinic: change(clinic.discount_set.filter(fixed=None), percentage=Decimal(5)),
    "a discount's percentage, up": lambda clinic: change(clinic.discount_set.filter(fixed=None), percentage=100),
    "a discount's amount": lambda clinic: change(clinic.discount_set.exclude(fixed=None), fixed=Decimal("19.99")),
    "a percentage for an amount": lambda clinic: change(
        clinic.discount_set.exclude(fixed=None), fixed=None, percentage=Decimal(1)
    ),
    "a price, up": lambda clinic: change(clinic.procedure_set, price=Decimal("500.01")),
    "a price, down": lambda clinic: change(clinic.procedure_set, price=Decimal(0)),
    "a price by a cent": lambda clinic: change(clinic.procedure_set, price=Decimal("100.01")),
}


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "whole page"])
@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
def test_changed_total_is_shown_and_booked_when_sent_again(desk, clinic, panel, changed, headers):
    changed(clinic)
    answer = desk.post(BOOK, panel, headers=headers)
    assert answer.status_code == 409
    assert "O total mudou enquanto o painel estava aberto" in answer.text
    assert clinic.money(Decimal(panel["shown_total"])) in answer.text
    assert not Appointment.objects.exists()

    again = drawn(panel, answer)
    assert again["shown_total"] != panel["shown_total"]
    assert desk.post(BOOK, again, headers=headers).status_code in {200, 302}
    assert total(Appointment.objects.get()) == Decimal(again["shown_total"])


def total(appointment):
    return sum(
        line.price - sum(discount.value for discount in line.discounts.all()) for line in appointment.lines.all()
    )


def test_the_total_that_was_shown_is_booked(desk, panel):
    assert desk.post(BOOK, panel, headers=HTMX).status_code == 200
    assert total(Appointment.objects.get()) == Decimal(panel["shown_total"]) == Decimal("124.91")


def test_leaving_another_field_does_not_confirm_what_changed(desk, clinic, panel):
    change(clinic.procedure_set, price=Decimal(200))
    checked = desk.post(reverse("web:appointment-check"), panel, headers=HTMX | {"HX-Trigger-Name": "notes"})
    assert "O total mudou: era" in checked.text
    still = drawn(panel, checked)
    assert still["shown_total"] == panel["shown_total"]
    assert desk.post(BOOK, still, headers=HTMX).status_code == 409


def test_another_choice_of_procedures_has_its_own_total(desk, clinic, panel):
    change(clinic.procedure_set, price=Decimal(200))
    fewer = panel | {"procedure": panel["procedure"][:1], "discount": [""], "whole_discount": ""}
    checked = desk.post(reverse("web:appointment-check"), fewer, headers=HTMX | {"HX-Trigger-Name": "procedure"})
    assert "O total mudou" not in checked.text
    assert desk.post(BOOK, drawn(fewer, checked), headers=HTMX).status_code == 200
    assert total(Appointment.objects.get()) == 200


def test_every_other_complaint_comes_with_it(desk, clinic, panel):
    change(clinic.procedure_set, price=Decimal(200))
    answer = desk.post(BOOK, panel | {"starts": "03:00"}, headers=HTMX)
    assert "O total mudou" in answer.text
    assert answer.context["form"].errors.keys() == {"__all__", "starts"}


def test_a_discount_that_is_over_is_the_only_complaint_about_money(desk, clinic, panel):
    change(clinic.discount_set.filter(fixed=None), expires_on=date(2026, 11, 1))
    answer = desk.post(BOOK, panel, headers=HTMX)
    assert answer.context["form"].errors.keys() == {"discount"}


@pytest.mark.parametrize("sent", ["", "x", "NaN", "Infinity", "-1", "1e999999", "124,91", "124.91\0", "9" * 500])
def test_a_mangled_total_breaks_nothing(desk, panel, sent):
    answer = desk.post(BOOK, panel | {"shown_total": sent}, headers=HTMX)
    assert answer.status_code in {200, 400, 409, 422}
    assert len(answer.content) < 100_000
