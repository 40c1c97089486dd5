"""Families beside a stampede of other bookings: nothing half written, and no deadlock."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection

from clinic.booking import book, book_family, merge_patients
from clinic.models import Appointment
from clinic.refusals import Refused
from tests.booking.desk import BY, open_desk
from tests.locks import held, wait_until_somebody_waits_for_a_lock
from tests.test_races import at_once, won

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, DESKS = 4, 5


@pytest.fixture
def desk():
    return open_desk()


def rows(desk, patients, doctors, hours):
    return [
        desk.proposal(patient=patient.pk, doctor=doctor.pk, starts_at=desk.at(hour))
        for patient, doctor, hour in zip(patients, doctors, hours, strict=True)
    ]


def test_a_family_beside_a_stampede_is_booked_whole_or_not_at_all(desk):
    doctors = [desk.doctor, desk.another_doctor()]
    for number in range(ROUNDS):
        hours = (8 + number * 2, 9 + number * 2)
        patients = [desk.another_patient(), desk.another_patient()]
        family = rows(desk, patients, doctors if number % 2 else doctors[::-1], hours)
        others = [
            desk.proposal(patient=desk.another_patient().pk, doctor=doctor.pk, starts_at=desk.at(hour))
            for doctor in doctors
            for hour in hours
        ]
        outcomes = at_once(
            lambda family=family: book_family(family, key=uuid4(), by=BY, now=desk.now),
            *(lambda other=other: book(other, by=BY, now=desk.now) for other in others),
        )
        assert [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)] == []
        stands = Appointment.objects.filter(patient__in=patients).count()
        assert stands == (2 if isinstance(outcomes[0], list) else 0)


def test_families_in_opposite_orders_do_not_deadlock(desk):
    doctors = [desk.doctor, desk.another_doctor()]
    patients = [desk.another_patient(), desk.another_patient()]
    for number in range(ROUNDS):
        hours = (8 + number, 14 + number % 3)
        one = rows(desk, patients, doctors, hours)
        other = rows(desk, patients[::-1], doctors[::-1], hours)
        outcomes = at_once(
            *(lambda rows=rows: book_family(rows, key=uuid4(), by=BY, now=desk.now) for rows in (one, other))
        )
        assert [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)] == []
        assert Appointment.objects.count() % 2 == 0


def test_a_double_click_books_once(desk):
    family, key = rows(desk, [desk.patient, desk.another_patient()], [desk.doctor] * 2, (9, 10)), uuid4()
    outcomes = at_once(*[lambda: book_family(family, key=key, by=BY, now=desk.now)] * DESKS)
    assert len(won(outcomes)) == DESKS
    assert Appointment.objects.count() == 2


def test_of_a_merged_patient_the_kept_row_is_locked_in_its_turn(desk):
    kept, between, merged = desk.patient, desk.another_patient(), desk.another_patient()
    merge_patients(kept.pk, merged.pk, sides={}, clinic=desk.clinic, by=BY, now=desk.now)
    family = rows(desk, [between, merged], [desk.doctor] * 2, (9, 10))

    def book():
        try:
            return book_family(family, key=uuid4(), by=BY, now=desk.now)
        finally:
            connection.close()

    with ThreadPoolExecutor() as desks, held(kept) as other:
        booking = desks.submit(book)
        wait_until_somebody_waits_for_a_lock()
        try:
            other.execute("SELECT FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE NOWAIT", [between.pk])
        finally:
            other.rollback()
        assert [each.patient_id for each in booking.result()] == [between.pk, kept.pk]
