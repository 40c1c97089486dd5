"""Both APIs list the price of today, and book at that of the day of the appointment."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from clinic.booking import LineRequest
from clinic.models import Appointment, ProcedurePrice
from tests.factories import book_appointment, make_doctor, make_procedure


@pytest.fixture
def procedure(recife):
    return make_procedure(recife, price="100.00")


@pytest.fixture
def doctor(recife, procedure):
    return make_doctor(recife, procedures=[procedure], days=range(1, 8))


def begins(procedure, days, price):
    day = procedure.clinic.local(timezone.now()).date() + timedelta(days=days)
    fields = {"clinic": procedure.clinic, "procedure": procedure}
    return ProcedurePrice.objects.create(**fields, valid_from=day, price=price)


def test_both_list_the_price_of_today(imagemais, mivicall, recife, procedure, doctor):
    begins(procedure, 0, "108.00"), begins(procedure, 1, "200.00")
    program = imagemais(recife)
    assert program.get("/procedures").json()[0]["price"] == "108"
    assert program.get(f"/doctors/{doctor.pk}").json()["procedures"][0]["price"] == "108"
    assert program.get("/doctors").json()[0]["procedures"][0]["price"] == "108"
    assert mivicall(recife).get("/services").json()["items"][0]["price"] == 108


def test_an_appointment_has_its_price_and_that_of_today(imagemais, recife, procedure, doctor):
    begins(procedure, 2, "300.00")
    visit = book_appointment(doctor, lines=(LineRequest(procedure.pk),))
    (line,) = visit.lines.all()
    assert line.price == Decimal("300.00")
    day = f"{recife.local(visit.starts_at):%Y-%m-%d}"
    program = imagemais(recife)
    for answer in (program.get("/appointments", date=day), program.get(f"/appointments/{visit.pk}")):
        (element,) = answer.json()
        shown = element["appointmentProcedures"]
        assert (shown["price"], shown["procedure"]["price"]) == ("300", "100")


def test_a_program_changes_the_price_of_today(mivicall, recife, procedure, doctor):
    begins(procedure, 0, "108.00"), begins(procedure, 5, "200.00")
    program = mivicall(recife)
    changed = program("PATCH", f"/services/{procedure.uuid}", {"price": 111})
    assert (changed.status_code, changed.json()["price"]) == (200, 111)
    assert program.get("/services").json()["items"][0]["price"] == 111
    assert sorted(ProcedurePrice.objects.values_list("price", flat=True)) == [Decimal(111), Decimal(200)]


def test_a_program_books_at_the_price_of_the_day(mivicall, recife, procedure, doctor):
    begins(procedure, 0, "108.00")
    visit = book_appointment(doctor, lines=(LineRequest(procedure.pk),))
    assert Appointment.objects.get(pk=visit.pk).lines.get().price == Decimal("108.00")
