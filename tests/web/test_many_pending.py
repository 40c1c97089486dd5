"""A whole clinic closed over 400 appointments: asked before, listed by pages, moved by the ones at work, taken back."""

from datetime import date, time, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.booking import place
from clinic.models import Absence, Appointment, Clinic
from clinic.queries.pending import pending
from tests.days import put
from tests.factories import make_clinic, make_doctor, make_manager, make_patient, make_procedure

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 30)
DOCTORS, VISITS = 20, 20
LIST, NUMBER = reverse("web:pending-list"), reverse("web:pending-number")


@pytest.fixture(scope="module")
def full_day(django_db_setup, django_db_blocker):
    """A week before the Monday on which every doctor has twenty appointments: in a transaction around those of the
    tests, each of which finds it as it was."""
    with django_db_blocker.unblock(), time_machine.travel("2026-11-23T10:00:00Z", tick=False), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        clinic = make_clinic()
        procedure = make_procedure(clinic)
        for _ in range(DOCTORS):
            doctor = make_doctor(clinic, procedures=[procedure], hours=[(time(8), time(18))])
            for number in range(VISITS):
                at = time(8 + number // 2, number % 2 * 30)
                put(doctor, f"{at:%H:%M}", day=DAY, patient=make_patient(clinic))
        yield clinic.pk
        transaction.set_rollback(True)


@pytest.fixture
def clinic(full_day, db):
    return Clinic.objects.get(pk=full_day)


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_manager(clinic))
    return client


def close(clinic):
    starts_at, ends_at = clinic.day(DAY)
    return Absence.objects.create(clinic=clinic, starts_at=starts_at, ends_at=ends_at, reason="obras")


def closure_form(**answer):
    span = {"starts_at_0": f"{DAY:%d/%m/%Y}", "starts_at_1": "00:00"}
    span |= {"ends_at_0": f"{DAY + timedelta(days=1):%d/%m/%Y}", "ends_at_1": "00:00"}
    return span | {"reason": "obras"} | answer


def test_the_closure_asks_about_all_of_them_first(desk):
    address = reverse("admin:clinic_closure_add")
    answer = desk.post(address, closure_form())
    assert "400 pessoas já estão agendadas nesse período" in answer.text
    assert not Absence.objects.exists()
    desk.post(address, closure_form(close_over=answer.context["affected"].asked))
    assert Absence.objects.count() == 1
    assert "(400<" in desk.get(NUMBER).text


def test_they_are_listed_by_pages_at_a_fixed_number_of_queries(desk, clinic):
    close(clinic)
    with CaptureQueriesContext(connection) as captured:
        first = desk.get(LIST)
    assert len(captured) <= 22  # one of them writes whom the page shows
    pages = [first]
    while query := pages[-1].context["board"].next_query:
        pages.append(desk.get(f"{LIST}?{query}"))
    assert len(pages) == 16
    listed = [row.appointment.pk for page in pages for group in page.context["board"].groups for row in group.rows]
    assert len(set(listed)) == 400
    assert "0 de 400 resolvidos" in first.text
    proposals = [row.proposals[0].value for group in first.context["board"].groups for row in group.rows]
    assert len(set(proposals)) == len(proposals) == 25


def test_taken_back_after_some_were_moved(desk, clinic):
    absence = close(clinic)
    rows = desk.get(LIST).context["board"].groups[0].rows
    for row in rows[:5]:
        address = reverse("web:pending-move", args=[row.appointment.pk])
        desk.post(address, {"to": row.proposals[0].value, "place": place(row.appointment)})
    assert "5 de 400 resolvidos" in desk.get(LIST).text
    desk.post(reverse("web:absence-undo", args=[absence.pk]))
    assert pending(clinic, now=clinic.day(DAY)[0]) == []
    assert Appointment.objects.filter(status="rescheduled").count() == 5
