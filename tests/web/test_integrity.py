"""Painel de integridade: each fault is counted and listed, a sound clinic has none, and who is let in."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.models import Appointment, AppointmentProcedure, Patient, Procedure, WorkingHours
from clinic.queries.integrity import CHECKS, faults, with_appointments
from tests.factories import (
    book_appointment,
    make_discount,
    make_doctor,
    make_manager,
    make_master,
    make_patient,
    make_user,
)

pytestmark = pytest.mark.django_db
INDEX = reverse("web:integrity")


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_manager(clinic))
    return client


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic)


@pytest.fixture
def visit(doctor):
    return book_appointment(doctor)


def numbers(clinic):
    return {name: len(found) for name, found in faults(clinic, now=timezone.now()).items() if found}


def drop(constraint):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is to be looked at later keeps the table from changing
        cursor.execute(f"ALTER TABLE clinic_appointment DROP CONSTRAINT {constraint}")


def test_a_sound_clinic_has_none(desk, clinic, doctor, visit):
    booked = book_appointment(doctor, starts_at=visit.ends_at, discount=make_discount(clinic, percentage=100).pk)
    assert numbers(clinic) == {} and booked.pk
    page = desk.get(INDEX)
    assert "Tudo em ordem." in page.text and [number for _check, number in page.context["counts"]] == [0] * len(CHECKS)
    assert all(str(check.definition) in page.text for check in CHECKS.values())


def test_overlaps_are_counted_though_refused(clinic, doctor, visit):
    later = book_appointment(doctor, starts_at=visit.ends_at)
    drop("appointment_doctor_free"), drop("appointment_patient_in_one_place")
    Appointment.objects.filter(pk=later.pk).update(starts_at=visit.starts_at + timedelta(minutes=10))
    assert numbers(clinic) == {"sobrepostos": 1}
    Appointment.objects.filter(pk=later.pk).update(doctor=make_doctor(clinic, procedures=[doctor.procedures.get()]))
    assert numbers(clinic) == {}
    Appointment.objects.filter(pk=later.pk).update(patient=visit.patient)
    assert numbers(clinic) == {"sobrepostos": 1}


def test_an_encaixe_is_no_overlap(clinic, doctor, visit):
    user = make_user(clinic)
    later = book_appointment(doctor, starts_at=visit.ends_at)
    Appointment.objects.filter(pk=later.pk).update(
        starts_at=visit.starts_at, encaixe_by=user, encaixe_reason="dor", encaixe_approved_by=make_manager(clinic)
    )
    assert numbers(clinic) == {}


def test_outside_hours_is_pending_too(desk, clinic, doctor, visit):
    WorkingHours.objects.filter(doctor=doctor).delete()
    assert numbers(clinic) == {"fora-do-horario": 1, "pendencias": 1}
    page = desk.get(reverse("web:integrity-show", args=["fora-do-horario"]))
    assert reverse("web:appointment-detail", args=[visit.pk]) in page.text
    assert reverse("web:pending-list") in page.text and "não trabalha nesse horário" in page.text


def test_who_no_longer_works_here(clinic, doctor, visit):
    Procedure.objects.of(clinic).update(active=False)
    assert numbers(clinic) == {}  # what was booked is still done
    doctor.active = False
    doctor.save()
    assert numbers(clinic) == {"inativos": 1, "pendencias": 1}


@pytest.mark.parametrize("fault", ["other price", "no line", "too much off"])
def test_amounts_that_do_not_add_up(clinic, doctor, fault):
    visit = book_appointment(doctor, discount=make_discount(clinic, percentage=50).pk)
    line = visit.lines.get()
    if fault == "other price":
        AppointmentProcedure.objects.filter(pk=line.pk).update(price=line.price + 1)
    elif fault == "no line":
        line.delete()
    else:
        line.discounts.update(value=line.price + 1)
    assert numbers(clinic) == {"valores": 1}


def test_a_status_that_no_event_tells(clinic, visit):
    Appointment.objects.filter(pk=visit.pk).update(status="confirmed")
    assert numbers(clinic) == {"historico": 1}


def test_what_is_long_over_is_not_looked_at(clinic, visit):
    long_ago = timezone.now() - timedelta(days=40)
    times = {"starts_at": long_ago, "ends_at": long_ago + timedelta(minutes=30)}
    Appointment.objects.filter(pk=visit.pk).update(status="confirmed", **times)
    assert numbers(clinic) == {}
    assert len(faults(clinic, now=timezone.now(), days=60)["historico"]) == 1


def test_another_clinic_is_not_counted(clinic, visit):
    other = book_appointment()
    Appointment.objects.filter(pk=other.pk).update(status="confirmed")
    assert numbers(clinic) == {} and numbers(other.clinic) == {"historico": 1}


def test_at_most_eight_queries(desk, clinic, doctor, visit):
    WorkingHours.objects.filter(doctor=doctor).delete()
    doctor.procedures.clear()
    with CaptureQueriesContext(connection) as queries:
        found = faults(clinic, now=timezone.now())
        assert with_appointments(clinic, found["pendencias"])
    assert len(queries) <= 8


@pytest.mark.parametrize(("make", "status"), [(make_user, 403), (make_manager, 200), (make_master, 200)])
def test_managers_and_masters_are_let_in(client, clinic, make, status):
    client.force_login(make(clinic))
    for address in (INDEX, reverse("web:integrity-show", args=["valores"])):
        assert client.get(address).status_code == status
        assert client.post(address).status_code == 405
    assert client.get("/integridade/nada/").status_code in {403, 404}


def test_the_command_ends_with_1_where_something_is_found(clinic, visit, capsys):
    out = StringIO()
    call_command("check_integrity", stdout=out)
    assert "Histórico que não confere: 0" in out.getvalue()
    Appointment.objects.filter(pk=visit.pk).update(status="confirmed")
    with pytest.raises(SystemExit) as ended:
        call_command("check_integrity", "--clinic", clinic.slug, stdout=out)
    assert ended.value.code == 1 and "Histórico que não confere: 1" in out.getvalue()
    assert make_patient(clinic)


def test_faults_are_listed_by_start(clinic, doctor, visit):
    start = visit.starts_at
    Appointment.objects.filter(pk=visit.pk).update(
        starts_at=start + timedelta(hours=2), ends_at=start + timedelta(hours=3)
    )
    earlier = book_appointment(doctor, starts_at=start)
    Appointment.objects.of(clinic).update(status="confirmed")
    found = faults(clinic, now=timezone.now())["historico"]
    assert [fault.appointment for fault in found] == [earlier.pk, visit.pk]


def test_a_blocked_patient_is_counted_without_a_name(desk, clinic, visit):
    Appointment.objects.filter(pk=visit.pk).update(status="confirmed")
    blank = {"cpf": None, "phone": None, "birth_date": None}
    Patient.objects.filter(pk=visit.patient_id).update(blocked_at=timezone.now(), name="Ana Souza", **blank)
    page = desk.get(reverse("web:integrity-show", args=["historico"]))
    assert len(page.context["rows"]) == 1 and "Ana Souza" not in page.text
    assert reverse("web:appointment-detail", args=[visit.pk]) not in page.text
