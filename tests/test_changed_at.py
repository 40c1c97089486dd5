"""When a row was written last: every writer moves it, and no list goes beyond what may still be committed."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from clinic import booking
from clinic.booking import LineRequest, PayerWish
from clinic.booking.time_zone import Keep, change_time_zone
from clinic.models import Appointment, Patient
from clinic.queries.changes import EARLIEST, changed_appointments, changed_patients, next_since, settled_until
from clinic.registry import change_patient, redact_patient
from tests.booking.desk import BY, open_desk
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_payer,
    make_procedure,
    next_monday,
)
from tests.locks import another_connection

NOTES = "UPDATE clinic_appointment SET notes = %s WHERE id = %s"


def changed_at(row):
    return type(row).objects.values_list("changed_at", flat=True).get(pk=row.pk)


# Writers --------------------------------------------------------------------------------------------------------------


def redact(desk, pk):
    booking.change_status(pk, "cancelled", clinic=desk.clinic, by=BY, cancelled_by="patient", now=desk.now)
    moved = Appointment.objects.get(pk=pk).changed_at
    redact_patient(desk.patient.pk, clinic=desk.clinic, by=BY, reason="pediu")
    assert Appointment.objects.get(pk=pk).changed_at > moved


def add_procedure(desk, pk):
    added = make_procedure(desk.clinic)
    desk.doctor.procedures.add(added)
    lines = LineRequest(desk.procedure.pk), LineRequest(added.pk)
    booking.change_procedures(pk, clinic=desk.clinic, lines=lines, by=BY, now=desk.now)


def move_and_undo(desk, pk):
    booking.reschedule(pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(10), by=BY, now=desk.now)
    moved = Appointment.objects.get(pk=pk).changed_at
    booking.undo(pk, clinic=desk.clinic, by=BY, now=desk.now)
    assert Appointment.objects.get(pk=pk).changed_at > moved


ACTS = {
    "status": lambda desk, pk: booking.change_status(pk, "confirmed", clinic=desk.clinic, by=BY, now=desk.now),
    "notes": lambda desk, pk: booking.edit_notes(pk, clinic=desk.clinic, by=BY, notes="traz exames", now=desk.now),
    "metadata": lambda desk, pk: booking.edit_notes(pk, clinic=desk.clinic, by=BY, metadata={"a": 1}, now=desk.now),
    "move": lambda desk, pk: booking.reschedule(
        pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=desk.at(10), by=BY, now=desk.now
    ),
    "payer": lambda desk, pk: booking.change_payer(
        pk, clinic=desk.clinic, wish=PayerWish(make_payer(desk.clinic).pk), by=BY, now=desk.now
    ),
    "clock": lambda desk, pk: change_time_zone(
        desk.clinic, "America/Manaus", keep=Keep.CLOCK, by=BY, now=desk.now - timedelta(days=1)
    ),
    "instant": lambda desk, pk: change_time_zone(
        desk.clinic, "America/Manaus", keep=Keep.INSTANT, by=BY, now=desk.now - timedelta(days=1)
    ),
    "redaction": redact,
    "procedures": add_procedure,
    "undo": move_and_undo,
    "name": lambda desk, pk: change_patient(desk.patient.pk, {"name": "Outra"}, clinic=desk.clinic, by=BY),
    "social name": lambda desk, pk: change_patient(desk.patient.pk, {"social_name": "Lia"}, clinic=desk.clinic, by=BY),
    "birth": lambda desk, pk: change_patient(
        desk.patient.pk, {"birth_date": desk.now.date() - timedelta(days=9999)}, clinic=desk.clinic, by=BY
    ),
    "phone": lambda desk, pk: change_patient(desk.patient.pk, {"phone": "81988887777"}, clinic=desk.clinic, by=BY),
    "cpf": lambda desk, pk: change_patient(desk.patient.pk, {"cpf": "52998224725"}, clinic=desk.clinic, by=BY),
}


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTS)
def test_every_act_that_answers_show_moves_it(act):
    desk = open_desk()
    booked = desk.book(notes="veio só")
    before = changed_at(booked)
    ACTS[act](desk, booked.pk)
    assert changed_at(booked) > before


@pytest.mark.django_db
def test_a_patients_own_notes_move_the_patient_only():
    desk = open_desk()
    booked = desk.book()
    before, patient_before = changed_at(booked), changed_at(desk.patient)
    change_patient(desk.patient.pk, {"email": "ana@example.com"}, clinic=desk.clinic, by=BY)
    assert changed_at(booked) == before and changed_at(desk.patient) > patient_before


@pytest.mark.django_db
def test_a_new_key_of_hashes_moves_patients_and_no_appointment(settings):
    desk = open_desk()
    booked = desk.book()
    before, patient_before = changed_at(booked), changed_at(desk.patient)
    settings.PHONE_HASH_KEY = "another"
    call_command("rehash_phones", verbosity=0)
    assert changed_at(booked) == before and changed_at(desk.patient) > patient_before


@pytest.mark.django_db
def test_no_writer_can_give_it_another_moment():
    patient = make_patient()
    patient.changed_at = EARLIEST
    patient.save()
    Patient.objects.filter(pk=patient.pk).update(changed_at=EARLIEST)
    assert timezone.now() - changed_at(patient) < timedelta(minutes=1)


# What may still be committed ------------------------------------------------------------------------------------------


@pytest.fixture
def two_booked(transactional_db):
    clinic = make_clinic()
    doctor = make_doctor(clinic, procedures=[make_procedure(clinic)])
    return [book_appointment(doctor, starts_at=next_monday(doctor.clinic, hour)) for hour in (9, 10)]


def since(clinic, instant):
    """(ids of what changed, from when to ask next time), as both APIs compute it."""
    until = settled_until()
    return [row.pk for row in changed_appointments(clinic, instant, until)], next_since(instant, until)


def test_who_writes_early_and_commits_late_is_not_passed_over(two_booked):
    early, late = two_booked
    clinic = early.clinic
    with another_connection() as other:
        _, following = since(clinic, EARLIEST)
        other.execute(NOTES, ["cedo", early.pk])
        Appointment.objects.filter(pk=late.pk).update(notes="tarde")
        listed, following = since(clinic, following)
        assert listed == []  # the late one as well: it is behind the early one
        other.commit()
    listed, following = since(clinic, following)
    assert listed == [early.pk, late.pk]
    assert since(clinic, following)[0] == []


def test_who_asks_since_now_is_given_what_was_being_written(two_booked):
    row = two_booked[0]
    with another_connection() as other:
        other.execute(NOTES, ["antes", row.pk])
        listed, following = since(row.clinic, timezone.now())
        assert listed == []
        other.commit()
    assert since(row.clinic, following)[0] == [row.pk]


def test_who_has_locked_a_row_may_write_it_and_is_waited_for(two_booked):
    row = two_booked[0]
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_appointment WHERE id = %s FOR UPDATE", [row.pk])
        before = timezone.now()
        assert settled_until() < before
        other.rollback()
    assert settled_until() > before


def test_who_only_reads_holds_nothing_up(two_booked):
    row = two_booked[0]
    with another_connection() as other:
        other.execute("SELECT count(*) FROM clinic_appointment")
        following = settled_until()
        other.execute(NOTES, ["depois de ler", row.pk])
        assert changed_by(other, row) >= following
        other.commit()
    assert since(row.clinic, following)[0] == [row.pk]


def changed_by(session, row):
    return session.execute("SELECT changed_at FROM clinic_appointment WHERE id = %s", [row.pk]).fetchone()[0]


def test_a_transaction_has_its_id_before_the_clock_is_read(two_booked):
    """Else it could be seen without an id, as one that has written nothing, and have read the clock already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'clinic_note_change'")
        body = cursor.fetchone()[0]
    assert 0 < body.index("pg_current_xact_id()") < body.index("clock_timestamp()")


@pytest.fixture
def other_role(two_booked):
    """A role that may not see what the sessions of the tests' own role do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            pytest.skip("the embedded server's role may create no other")
        cursor.execute("CREATE ROLE clinic_blind NOLOGIN")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO clinic_blind")
    yield "clinic_blind"
    with connection.cursor() as cursor:
        cursor.execute("DROP OWNED BY clinic_blind")
        cursor.execute("DROP ROLE clinic_blind")


def test_while_a_hidden_writer_is_under_way_nothing_is_listed(two_booked, other_role):
    row = two_booked[0]
    with another_connection() as hidden, connection.cursor() as cursor:
        hidden.execute(NOTES, ["escondido", row.pk])
        cursor.execute(f"SET ROLE {other_role}")
        try:
            assert settled_until() == EARLIEST
            hidden.commit()
            assert settled_until() > EARLIEST
        finally:
            cursor.execute("RESET ROLE")


def test_patients_are_listed_in_the_order_of_their_changes(transactional_db):
    first = make_patient()
    second = make_patient(first.clinic)
    Patient.objects.filter(pk=first.pk).update(notes="mudou")
    rows = changed_patients(first.clinic, EARLIEST, settled_until())
    assert [row.pk for row in rows] == [second.pk, first.pk]
