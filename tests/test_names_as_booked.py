"""What was booked keeps the names of then, wherever it is shown, whatever managers rename since."""

import re
from datetime import time, timedelta

import pytest
from django.urls import reverse

from clinic.access import access_tokens
from clinic.booking import Author, LineRequest, reschedule, undo
from clinic.models import (
    AppliedDiscount,
    Appointment,
    AppointmentEvent,
    Discount,
    Doctor,
    Procedure,
)
from tests.booking.desk import MONDAY, open_desk
from tests.factories import make_discount, make_master, make_procedure
from tests.migrated import migrate, models_at

pytestmark = pytest.mark.django_db

BY = Author(channel=AppointmentEvent.Channel.COMMAND, credential="tests")
RENAMED = ["Outra", "consulta", "Consulta (até 2026)", "Consulta\u00a0", "x" * 80, "<b>Nova</b>", "Consultas de rotina"]


@pytest.fixture
def visit(time_machine):
    """A booking of two procedures, one with a discount, and that time already over."""
    time_machine.move_to("2026-11-23T10:00:00Z", tick=False)
    desk = open_desk()
    second = make_procedure(desk.clinic, name="Ecocardiograma")
    desk.doctor.procedures.add(second)
    discount = make_discount(desk.clinic, name="Convênio", percentage=10, expires_on=MONDAY)
    appointment = desk.book(lines=(LineRequest(desk.procedure.pk), LineRequest(second.pk, discount.pk)))
    time_machine.move_to("2026-11-24T10:00:00Z", tick=False)
    return appointment


def rename(clinic, name):
    for model in (Procedure, Discount, Doctor):
        for row in model.objects.of(clinic):
            row.name = name
            row.save()


def page(client, address, *args):
    answer = client.get(reverse(address, args=args))
    assert answer.status_code == 200
    return re.sub(r"\s+<", "<", answer.content.decode())


@pytest.mark.parametrize("name", RENAMED)
def test_every_page_shows_the_names_as_booked(client, visit, name):
    rename(visit.clinic, name)
    client.force_login(make_master(visit.clinic))
    detail = page(client, "web:appointment-detail", visit.pk)
    assert all(each in detail for each in ("Consulta<", "Ecocardiograma", "Convênio: −", "Dra. Helena Prado"))
    card = page(client, "web:patient-detail", visit.patient_id)
    assert "Dra. Helena Prado" in card
    assert "Consulta, Ecocardiograma" in card
    assert "Consulta, Ecocardiograma" in page(client, "web:agenda-day", MONDAY)
    admin = page(client, "admin:clinic_appointment_change", visit.pk)
    assert all(each in admin for each in ("Consulta<", "Ecocardiograma", "Dra. Helena Prado"))
    assert "Dra. Helena Prado" in page(client, "admin:clinic_appointment_changelist")


@pytest.mark.parametrize("name", RENAMED)
def test_the_api_answers_with_the_names_as_booked(client, visit, name):
    rename(visit.clinic, name)
    _, token = access_tokens.release(visit.clinic, make_master(visit.clinic), channel="command")
    answer = client.get(f"/api/appointments/{visit.pk}", headers={"Authorization": f"Bearer {token}"})
    plain, discounted = answer.json()
    assert plain["doctor"]["name"] == "Dra. Helena Prado"
    assert plain["appointmentProcedures"]["procedure"]["name"] == "Consulta"
    line = discounted["appointmentProcedures"]
    assert line["procedure"]["name"] == "Ecocardiograma"
    assert line["discountsAppointmentProcedures"][0]["discount"]["name"] == "Convênio"


def test_the_event_of_a_booking_keeps_every_name_and_amount(visit):
    rename(visit.clinic, "Outra")
    assert visit.events.get().after["lines"] == [
        {"procedure": "Consulta", "price": "252.00", "discounts": []},
        {"procedure": "Ecocardiograma", "price": "252.00", "discounts": [{"name": "Convênio", "value": "25.20"}]},
    ]


def test_moved_appointment_stores_the_current_doctor_name(visit):
    rename(visit.clinic, "Helena Prado Reis")
    now = visit.ends_at - timedelta(hours=2)
    tuesday = visit.clinic.instant(MONDAY + timedelta(days=1), time(9))
    moved = reschedule(
        visit.pk, doctor=visit.doctor_id, starts_at=tuesday, without_expired=True, clinic=visit.clinic, by=BY, now=now
    )
    assert Appointment.objects.get(pk=visit.pk).doctor_name == moved.doctor_name == "Dra. Helena Prado Reis"
    event = moved.events.last()
    assert (event.before["doctor_name"], event.after["doctor_name"]) == ("Dra. Helena Prado", "Dra. Helena Prado Reis")
    assert event.after["discounts_off"][0]["name"] == "Convênio"
    undo(visit.pk, clinic=visit.clinic, by=BY, now=now)
    assert AppliedDiscount.objects.get().discount_name == "Convênio"


@pytest.mark.django_db(transaction=True)
def test_the_migration_fills_the_names_of_what_is_stored(own_database):
    own_database.begin()
    desk = open_desk()
    discount = make_discount(desk.clinic, name="Convênio")
    booked = desk.book(lines=(LineRequest(desk.procedure.pk, discount.pk),))
    desk.doctor.name = "Helena Prado Reis"
    desk.doctor.save()
    own_database.carry("0011_hours_past_midnight")
    migrate("0013_fill_names_as_booked")
    then = models_at("0013_fill_names_as_booked")
    assert then.get_model("clinic", "Appointment").objects.get(pk=booked.pk).doctor_name == "Dra. Helena Prado"
    assert then.get_model("clinic", "AppointmentProcedure").objects.get().procedure_name == "Consulta"
    assert then.get_model("clinic", "AppliedDiscount").objects.get().discount_name == "Convênio"
