"""Several people at the same minute: real threads, real connections, a real PostgreSQL that really commits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction

from clinic.booking import (
    LineRequest,
    WaitingWish,
    book,
    book_waiting,
    change_procedures,
    change_status,
    check,
    put_on_waiting_list,
    reschedule,
    undo,
)
from clinic.models import Appointment, AppointmentEvent, Doctor, Patient
from clinic.refusals import Reason, Refused
from clinic.registry import change_patient, register_patient
from tests.booking.desk import BY, details, open_desk, refused, stored
from tests.factories import cpf, make_doctor, make_patient
from tests.locks import another_connection, held
from tests.server.conftest import APPLICATION_NAME

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 20  # seconds until a condition that never comes true fails its test
BLOCK = """UPDATE clinic_patient SET blocked_at = now(), name = '…', social_name = '', phone = NULL, phone_hash = '',
    second_phone = NULL, cpf = NULL, health_number = NULL, nif = '', document_number = NULL, birth_date = NULL,
    guardian_name = '', email = '', alert = '', notes = '' WHERE id = %s"""
SEATS = 12  # of the sixteen in the pool: more threads than that cannot all have a connection before they start


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def watcher():
    """A connection of its own, outside every transaction of the test."""
    with another_connection(autocommit=True) as watching:
        yield watching


def at_once(*works):
    """What each returned or raised, all let go at the same moment on connections of their own."""
    gate = Barrier(len(works))

    def run(work):
        try:
            if len(works) <= SEATS:
                connection.ensure_connection()
            gate.wait(PATIENCE)
            return work()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def in_background(work):
    """A thread that does `work` on its own connection; its future."""

    def run():
        try:
            return work()
        finally:
            connections.close_all()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(run)
    pool.shutdown(wait=False)
    return future


def until_somebody_waits(watcher, number=1):
    """Returns when that many sessions of this database wait for a lock."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        waiting = watcher.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()[0]
        if waiting >= number:
            return
        watcher.execute("SELECT pg_sleep(0.005)")
    pytest.fail("nobody waited for a lock")


def won(outcomes):
    return [outcome for outcome in outcomes if not isinstance(outcome, Exception)]


def reasons_of(outcomes):
    return [getattr(outcome, "reasons", outcome) for outcome in outcomes if isinstance(outcome, Exception)]


def booking(desk, **changes):
    proposal = desk.proposal(**changes)
    return lambda: book(proposal, by=BY, now=desk.now)


# Many at once


def test_of_many_bookings_of_one_time_one_wins_others_get_options(desk):
    outcomes = at_once(*(booking(desk, patient=make_patient(desk.clinic).pk) for _ in range(12)))

    assert len(won(outcomes)) == 1
    assert reasons_of(outcomes) == [{Reason.DOCTOR_TAKEN}] * 11
    assert stored() == {
        "Patient": 13,
        "Appointment": 1,
        "AppointmentProcedure": 1,
        "AppliedDiscount": 0,
        "AppointmentEvent": 1,
    }


def test_check_without_constraint_stores_every_concurrent_booking(desk):
    """The same table without its constraints, in a schema of this test's own."""
    number = 10
    looked = Barrier(number)
    with another_connection(autocommit=True) as owner:
        owner.execute("DROP SCHEMA IF EXISTS unguarded CASCADE")
        owner.execute("CREATE SCHEMA unguarded")
        owner.execute("CREATE TABLE unguarded.appointment (LIKE clinic_appointment INCLUDING DEFAULTS)")

        def look_then_insert():
            with another_connection() as own:
                taken = own.execute(
                    "SELECT id FROM unguarded.appointment WHERE doctor_id = %s AND starts_at < %s AND ends_at > %s"
                    " FOR UPDATE",
                    [desk.doctor.pk, desk.at(10), desk.at(9)],
                ).fetchall()
                looked.wait(PATIENCE)
                if not taken:
                    insert(own, "unguarded.appointment", desk, desk.patient)
            return True

        outcomes = at_once(*[look_then_insert] * number)
        rows = owner.execute("SELECT count(*) FROM unguarded.appointment").fetchone()[0]
        owner.execute("DROP SCHEMA unguarded CASCADE")

    assert (outcomes, rows) == ([True] * number, number)


def test_the_constraint_alone_lets_one_of_many_bare_inserts_through(desk):
    patients = [make_patient(desk.clinic) for _ in range(8)]

    def insert_blindly(patient):
        with another_connection() as own:
            insert(own, "clinic_appointment", desk, patient)
        return True

    outcomes = at_once(*(lambda patient=patient: insert_blindly(patient) for patient in patients))

    assert len(won(outcomes)) == Appointment.objects.count() == 1
    lost = psycopg.errors.ExclusionViolation | psycopg.errors.DeadlockDetected
    assert all(isinstance(outcome, lost) for outcome in outcomes if outcome is not True)


def insert(own, table, desk, patient, starts_at=None):
    starts_at = starts_at or desk.at(9)
    own.execute(
        f"INSERT INTO {table} (id, uuid, clinic_id, doctor_id, patient_id, starts_at, ends_at, status, source,"  # noqa: S608 - two literals of this module
        " doctor_name, notes, metadata, typed_cpf, encaixe_reason, cancelled_by, cancel_reason, created_at, updated_at)"
        " OVERRIDING SYSTEM VALUE VALUES (nextval('clinic_appointment_id_seq'), gen_random_uuid(), %s, %s, %s, %s, %s,"
        " 'scheduled', 'manual', '', '', '{}', '', '', '', '', now(), now())",
        [desk.clinic.pk, desk.doctor.pk, patient.pk, starts_at, starts_at + timedelta(hours=1)],
    )


@pytest.mark.parametrize("table", ["doctor", "patient"])
def test_booking_waits_for_the_row_that_another_holds(desk, watcher, table):
    held = {"doctor": desk.doctor, "patient": desk.patient}[table]
    with another_connection() as other:
        other.execute(f"SELECT 1 FROM clinic_{table} WHERE id = %s FOR NO KEY UPDATE", [held.pk])  # noqa: S608 - of two
        waiting = in_background(booking(desk))
        until_somebody_waits(watcher)
        assert not waiting.done()
        other.rollback()

        assert waiting.result(PATIENCE).status == "scheduled"


@pytest.mark.parametrize("table", ["doctor", "patient"])
@pytest.mark.parametrize("typed", [{}, {"cpf": "529.982.247-25"}])
def test_booking_by_details_waits_for_the_row_that_is_held(desk, watcher, table, typed):
    known = make_patient(desk.clinic, name="João da Silva", phone="+5581998765432", cpf="52998224725")
    held = {"doctor": desk.doctor, "patient": known}[table]
    with another_connection() as other:
        other.execute(f"SELECT 1 FROM clinic_{table} WHERE id = %s FOR NO KEY UPDATE", [held.pk])  # noqa: S608 - of two
        waiting = in_background(booking(desk, details=details(**typed)))
        until_somebody_waits(watcher)
        assert not waiting.done()
        other.rollback()

        assert waiting.result(PATIENCE).patient == known


@pytest.mark.parametrize("place", [0, 1], ids=["first held", "second held"])
def test_booking_locks_namesakes_in_the_order_of_their_ids(desk, watcher, place):
    """It waits for the first one before it locks the second; of several nobody is locked because the row is free."""
    namesakes = [make_patient(desk.clinic, name="João da Silva", phone="+5581998765432") for _ in range(2)]
    with held(namesakes[place]):
        waiting = in_background(booking(desk, details=details()))
        until_somebody_waits(watcher)
        with another_connection() as third:
            free = third.execute(
                "SELECT id FROM clinic_patient WHERE name = 'João da Silva' FOR NO KEY UPDATE SKIP LOCKED"
            ).fetchall()

    assert free == ([(namesakes[1].pk,)] if place == 0 else [])
    assert waiting.result(PATIENCE).patient == namesakes[0]


@pytest.mark.parametrize("table", ["doctor", "patient"])
@pytest.mark.parametrize("typed", [{}, {"cpf": "529.982.247-25"}])
def test_who_is_blocked_while_a_booking_waits_is_not_found(desk, watcher, table, typed):
    known = make_patient(desk.clinic, name="João da Silva", phone="+5581998765432", cpf="52998224725")
    with held({"doctor": desk.doctor, "patient": known}[table]) as other:
        waiting = in_background(booking(desk, details=details(**typed)))
        until_somebody_waits(watcher)
        other.execute(BLOCK, [known.pk])
        other.commit()

        patient = waiting.result(PATIENCE).patient
    assert patient != known and patient.name == "João da Silva"


def test_booking_by_id_refuses_who_is_blocked_while_it_waits(desk, watcher):
    with held(desk.patient) as other:
        waiting = in_background(booking(desk))
        until_somebody_waits(watcher)
        other.execute(BLOCK, [desk.patient.pk])
        other.commit()

        assert reasons_of([waiting.exception(PATIENCE)]) == [{Reason.PATIENT_UNKNOWN}]


def test_a_patient_added_while_the_doctor_is_held_is_recognised(desk, watcher):
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        waiting = in_background(booking(desk, details=details()))
        until_somebody_waits(watcher)
        known = make_patient(desk.clinic, name="João da Silva", phone="+5581998765432")
        other.rollback()

        assert waiting.result(PATIENCE).patient == known


@pytest.mark.parametrize("act", ["move", "status", "undo", "procedures"])
def test_every_change_waits_for_the_doctors_row_too(desk, watcher, act):
    appointment = desk.book()
    change_status(appointment.pk, "confirmed", clinic=desk.clinic, by=BY, now=desk.now)
    acting = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    two = (LineRequest(desk.procedure.pk),) * 2
    works = {
        "move": lambda: reschedule(appointment.pk, doctor=desk.doctor.pk, starts_at=desk.at(11), **acting),
        "status": lambda: change_status(appointment.pk, "checked_in", **acting),
        "undo": lambda: undo(appointment.pk, **acting),
        "procedures": lambda: change_procedures(appointment.pk, lines=two, **acting),
    }
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        waiting = in_background(works[act])
        until_somebody_waits(watcher)
        assert not waiting.done()
        other.rollback()

        assert waiting.result(PATIENCE).pk == appointment.pk


def test_lock_timeout_answers_try_again_and_writes_nothing(desk):
    before = stored()

    def impatient():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
            return refused(booking(desk))

    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])
        refusal = in_background(impatient).result(PATIENCE)

    assert [(each.reason, each.field, each.message) for each in refusal.refusals] == [
        (
            Reason.TRY_AGAIN,
            "",
            "Outra pessoa está gravando isto neste momento. Nada foi gravado aqui: tente de novo.",
        )
    ]
    assert stored() == before


def test_nobody_waits_for_a_lock_longer_than_three_seconds():
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("3s",)


def test_locked_doctor_blocks_neither_other_doctors_nor_checks(desk):
    colleague = make_doctor(desk.clinic, procedures=[desk.procedure])
    with another_connection() as other:
        other.execute("SELECT 1 FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE", [desk.doctor.pk])

        assert in_background(booking(desk, doctor=colleague.pk)).result(PATIENCE).doctor == colleague
        assert check(desk.proposal(starts_at=desk.at(11)), now=desk.now) is None


# Stampedes


def deadlocks(watcher):
    """How many this database has had. What a session counted is seen by others when it ends, so all of this process's
    are ended first. The server that other tests share keeps its own, which take no part in this test."""
    connections.close_all()
    connection.close_pool()
    others = (
        "SELECT backend_start, state, query FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> %s"
    )
    deadline = monotonic() + PATIENCE
    while sessions := watcher.execute(others, [APPLICATION_NAME]).fetchall():
        if monotonic() > deadline:
            pytest.fail(f"sessions of this process did not end: {sessions}")
        watcher.execute("SELECT pg_sleep(0.005)")
    return watcher.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()[0]


def test_stampede_on_overlapping_times_has_one_winner_no_deadlock(watcher):
    desk = open_desk()
    Doctor.objects.filter(pk=desk.doctor.pk).update(interval_minutes=5)
    patients = [make_patient(desk.clinic) for _ in range(32)]
    before = deadlocks(watcher)

    outcomes = at_once(
        *(
            booking(
                desk,
                patient=patient.pk,
                starts_at=desk.at(13) + timedelta(minutes=index),
                ends_at=desk.at(14) + timedelta(minutes=index),
            )
            for index, patient in enumerate(patients)
        )
    )

    assert len(won(outcomes)) == Appointment.objects.count() == AppointmentEvent.objects.count() == 1
    assert reasons_of(outcomes) == [{Reason.DOCTOR_TAKEN}] * 31
    for refusal in outcomes:
        if isinstance(refusal, Exception):
            assert len(refusal.alternatives) == 3
            for opening in refusal.alternatives:
                times = {"starts_at": opening.starts_at, "ends_at": opening.ends_at}
                assert check(desk.proposal(**times), now=desk.now) is None
    assert deadlocks(watcher) == before


def test_one_patient_gets_one_of_two_doctors_at_the_same_minute(desk):
    colleague = make_doctor(desk.clinic, procedures=[desk.procedure])

    for hour in (9, 10, 14, 15):
        outcomes = at_once(
            *(booking(desk, doctor=doctor.pk, starts_at=desk.at(hour)) for doctor in (desk.doctor, colleague))
        )

        assert len(won(outcomes)) == 1
        assert reasons_of(outcomes) == [{Reason.PATIENT_ELSEWHERE}]


@pytest.mark.parametrize("known_by", [{"cpf": cpf(400_000_007)}, {}], ids=["CPF", "phone and name"])
def test_a_new_patient_who_books_twice_at_once_is_one_patient(desk, known_by):
    doctors = [desk.doctor, *(make_doctor(desk.clinic, procedures=[desk.procedure]) for _ in range(3))]

    outcomes = at_once(
        *(
            booking(desk, doctor=doctor.pk, starts_at=desk.at(9 + index % 2 * 5), details=details(**known_by))
            for index, doctor in enumerate(doctors)
        )
    )

    assert Patient.objects.of(desk.clinic).count() == 2
    assert len(won(outcomes)) == 2
    assert reasons_of(outcomes) == [{Reason.PATIENT_ELSEWHERE}] * 2


def test_a_patient_registered_by_a_double_click_is_one_patient(desk):
    key, typed = uuid4(), details(birth_date=None)

    outcomes = at_once(*[lambda: register_patient(desk.clinic, typed, key=key, by=BY)] * 4)

    assert len(set(won(outcomes))) == 1 and len(won(outcomes)) == 4
    assert Patient.objects.of(desk.clinic).count() == 2


def test_two_windows_that_register_one_patient_at_once_register_one(desk):
    typed = details(cpf="")

    outcomes = at_once(*[lambda: register_patient(desk.clinic, typed, by=BY)] * 4)

    assert len(won(outcomes)) == 1
    assert {reason for each in outcomes if isinstance(each, Refused) for reason in each.reasons} == {
        Reason.PATIENT_EXISTS
    }
    assert Patient.objects.of(desk.clinic).count() == 2


def test_one_cpf_given_to_two_patients_at_once_is_of_one(desk):
    patients, given = [desk.another_patient() for _ in range(4)], cpf(7)
    outcomes = at_once(
        *[lambda pk=each.pk: change_patient(pk, {"cpf": given}, clinic=desk.clinic, by=BY) for each in patients]
    )
    assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.CPF_TAKEN}] * 3


def test_a_patient_with_and_without_the_cpf_at_once_is_one_patient(desk):
    doctors = [desk.doctor, make_doctor(desk.clinic, procedures=[desk.procedure])]
    typed = [details(cpf=cpf(400_000_008)), details()]

    outcomes = at_once(
        *(
            booking(desk, doctor=doctor.pk, starts_at=desk.at(hour), details=each)
            for doctor, hour, each in zip(doctors, (9, 14), typed, strict=True)
        )
    )

    assert len(won(outcomes)) == 2
    assert Patient.objects.of(desk.clinic).filter(name="João da Silva").get().cpf == cpf(400_000_008)


def test_time_cancelled_during_a_booking_goes_to_at_most_one(desk):
    for hour in (8, 9, 10, 11, 14, 15):
        appointment = desk.book(starts_at=desk.at(hour))
        acting = {"clinic": desk.clinic, "by": BY, "now": desk.now}
        rival = booking(desk, patient=make_patient(desk.clinic).pk, starts_at=desk.at(hour))

        cancelled, booked = at_once(
            lambda pk=appointment.pk, acting=acting: change_status(pk, "cancelled", cancelled_by="patient", **acting),
            rival,
        )
        assert cancelled.status == "cancelled"
        taken = isinstance(booked, Appointment)
        assert taken or booked.reasons == {Reason.DOCTOR_TAKEN}

        back, booked = at_once(lambda pk=appointment.pk, acting=acting: undo(pk, **acting), rival)
        standing = Appointment.objects.of(desk.clinic).standing().filter(starts_at=desk.at(hour))
        assert standing.count() == 1
        assert reasons_of([back, booked]) == [{Reason.DOCTOR_TAKEN}] * (1 + taken)


def test_concurrent_swap_of_two_times_neither_deadlocks_nor_overlaps(desk, watcher):
    colleague = make_doctor(desk.clinic, procedures=[desk.procedure])
    mine, theirs = desk.book(), desk.book(doctor=colleague.pk, patient=make_patient(desk.clinic).pk)
    before = deadlocks(watcher)

    def swap(appointment, doctor):
        return lambda: reschedule(
            appointment.pk, clinic=desk.clinic, doctor=doctor.pk, starts_at=desk.at(9), by=BY, now=desk.now
        )

    for _ in range(5):
        outcomes = at_once(swap(mine, colleague), swap(theirs, desk.doctor))
        assert reasons_of(outcomes) == [{Reason.DOCTOR_TAKEN}] * 2
    assert deadlocks(watcher) == before


def test_of_two_who_call_a_patient_in_at_once_one_does(desk):
    appointments = [desk.book(), desk.book(starts_at=desk.at(10), patient=make_patient(desk.clinic).pk)]
    acting = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    for appointment in appointments:
        change_status(appointment.pk, "checked_in", **acting)

    outcomes = at_once(
        *(lambda pk=each.pk: change_status(pk, "in_service", **acting) for each in appointments),
    )

    assert len(won(outcomes)) == 1
    assert reasons_of(outcomes) == [{Reason.ANOTHER_IN_SERVICE}]


def test_of_two_who_undo_at_once_one_does(desk):
    appointment = desk.book()
    acting = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    change_status(appointment.pk, "confirmed", **acting)

    outcomes = at_once(*[lambda: undo(appointment.pk, **acting)] * 2)

    assert len(won(outcomes)) == 1
    assert reasons_of(outcomes)[0] <= {Reason.NOTHING_TO_UNDO, Reason.TRY_AGAIN}
    assert appointment.events.count() == 3


def test_a_procedure_deleted_between_the_look_and_the_commit_is_named(desk, watcher):
    before = stored()
    with another_connection() as other:
        other.execute("DELETE FROM clinic_doctor_procedures WHERE procedure_id = %s", [desk.procedure.pk])
        other.execute("DELETE FROM clinic_procedure WHERE id = %s", [desk.procedure.pk])
        waiting = in_background(lambda: refused(booking(desk)))
        until_somebody_waits(watcher)
        other.commit()

        assert waiting.result(PATIENCE).reasons == {Reason.PROCEDURE_UNKNOWN}
    assert stored() == before


def test_other_errors_are_no_conflict(desk):
    """A source that does not exist is a mistake of the program and stays one."""
    with pytest.raises(IntegrityError):
        desk.book(source="fax")
    assert Appointment.objects.count() == 0


def test_crossed_doctors_and_patients_do_not_deadlock(desk):
    """Two bookings that name doctors and patients crosswise take their locks in one order."""
    colleague = make_doctor(desk.clinic, procedures=[desk.procedure])
    patients = [desk.patient, make_patient(desk.clinic)]
    lines = (LineRequest(desk.procedure.pk),)

    outcomes = at_once(
        *(
            booking(desk, doctor=doctor.pk, patient=patient.pk, lines=lines, starts_at=desk.at(hour))
            for hour, (doctor, patient) in enumerate(
                [(doctor, patient) for doctor in (desk.doctor, colleague) for patient in patients], start=14
            )
        )
    )

    assert len(won(outcomes)) == 4


# Giving a time to who waits


@pytest.mark.parametrize("has_appointment", [True, False])
def test_who_is_second_to_give_a_time_reads_that_it_is_given(desk, watcher, has_appointment):
    far = desk.book(starts_at=desk.at(15)) if has_appointment else None
    wish = WaitingWish(appointment=far.pk) if far else WaitingWish(procedures=[desk.procedure.pk])
    entry = put_on_waiting_list(desk.patient.pk, wish, clinic=desk.clinic, by=BY, now=desk.now)
    given = {"clinic": desk.clinic, "doctor": desk.doctor.pk, "starts_at": desk.at(9), "by": BY, "now": desk.now}

    def give():
        try:
            return book_waiting(entry.pk, seen=None, place=None, **given)
        except Refused as refusal:
            return refusal

    with held(desk.doctor):
        both = [in_background(give), in_background(give)]
        until_somebody_waits(watcher, 2)
    outcomes = [each.result(PATIENCE) for each in both]
    assert len(won(outcomes)) == 1 and reasons_of(outcomes) == [{Reason.WAITING_CLOSED}]
