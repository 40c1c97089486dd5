"""What else a patient has booked is seen beside a booking, and stands in the way of none."""

import re
from datetime import time, timedelta

import pytest
from django.urls import reverse

from clinic.models import Appointment
from tests.factories import book_appointment, make_clinic, make_doctor
from tests.web.test_booking_panel import (
    BOOK,
    CHECK,
    HTMX,
    MONDAY,
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

ELEVEN = "Já tem agendamento em 23/11 às 11:00 com a Dra. Helena Prado."


@pytest.fixture
def eleven(saturday, clinic, doctor, patient):
    return book_appointment(doctor, patient=patient.pk, starts_at=clinic.instant(MONDAY, time(11)))


def text_of(answer):
    return " ".join(answer.text.split())


def test_another_time_of_that_day_is_named_and_booked_beside(desk, form, eleven):
    assert ELEVEN in text_of(desk.post(CHECK, form, headers=HTMX))
    assert ELEVEN not in text_of(desk.post(CHECK, form | {"date": "24/11/2026"}, headers=HTMX))
    assert desk.post(BOOK, form, headers=HTMX).status_code == 200
    assert Appointment.objects.count() == 2


def test_who_has_a_title_of_both_genders_is_named_with_the_article(desk, form, eleven, doctor):
    doctor.title, doctor.name = "a Psic.", "Inês Sá"
    doctor.save()
    Appointment.objects.update(doctor_name=doctor.full_name)
    said = "Já tem agendamento em 23/11 às 11:00 com a Psic. Inês Sá."
    assert said in text_of(desk.post(CHECK, form, headers=HTMX))


@pytest.mark.parametrize("freed", [{"status": "cancelled", "cancelled_by": "clinic"}, {"status": "no_show"}])
def test_what_does_not_stand_is_not_named(desk, form, eleven, freed):
    Appointment.objects.update(**freed)
    assert ELEVEN not in text_of(desk.post(CHECK, form, headers=HTMX))


def test_a_move_names_the_others_of_that_day_and_not_itself(desk, clinic, doctor, patient, eleven):
    nine = book_appointment(doctor, patient=patient.pk, starts_at=clinic.instant(MONDAY, time(9)))
    page = text_of(desk.get(reverse("web:appointment-reschedule", args=[nine.pk]), headers=HTMX))
    assert ELEVEN in page and "às 09:00 com" not in page


@pytest.fixture
def past(saturday, clinic, doctor, patient):
    """Visits of a week ago and more: one missed and two finished, and one missed long ago."""
    visits = [(7, "no_show"), (14, "finished"), (21, "finished"), (800, "no_show")]
    for number, (days, status) in enumerate(visits):
        starts_at = clinic.instant(MONDAY, time(13, 30 * (number % 2))) + timedelta(hours=number // 2)
        visit = book_appointment(doctor, patient=patient.pk, starts_at=starts_at)
        earlier = {name: getattr(visit, name) - timedelta(days=days) for name in ("starts_at", "ends_at")}
        Appointment.objects.filter(pk=visit.pk).update(status=status, **earlier)


def test_a_visit_is_named_once_of_that_day_or_as_the_next(desk, form, eleven):
    next_one = "próxima 23/11/2026 11:00 com a Dra. Helena Prado"
    that_day, another_day = (
        text_of(desk.post(CHECK, form | {"date": day}, headers=HTMX)) for day in ("23/11", "24/11")
    )
    assert ELEVEN in that_day and next_one not in that_day
    assert ELEVEN not in another_day and next_one in another_day


def test_the_next_visit_of_another_day_is_named_beside(desk, form, clinic, doctor, patient, eleven):
    book_appointment(doctor, patient=patient.pk, starts_at=clinic.instant(MONDAY + timedelta(days=7), time(10)))
    page = text_of(desk.post(CHECK, form, headers=HTMX))
    assert ELEVEN in page and "próxima 30/11/2026 10:00" in page


@pytest.mark.usefixtures("eleven", "past")
def test_next_and_missed_visits_are_beside_the_patient(desk, patient):
    page = text_of(desk.get(BOOK + f"?paciente={patient.pk}"))
    assert "próxima 23/11/2026 11:00 com a Dra. Helena Prado" in page
    assert "faltou 1 de 3" in page


def test_who_never_missed_has_no_mark_and_other_clinics_do_not_count(desk, patient):
    elsewhere = make_doctor(make_clinic())
    book_appointment(elsewhere)
    page = text_of(desk.get(BOOK + f"?paciente={patient.pk}"))
    assert not re.search(r"faltou \d|próxima \d", page)
