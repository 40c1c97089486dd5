"""The cost of a refused time: the case is examined once, and free times are sought after the locks are released."""

from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.booking import change_status, check, check_reschedule, reschedule, undo
from tests.booking.desk import BY, details, open_desk, refused
from tests.locks import another_connection

MONDAY = "2026-11-23"
LOCK_DOCTOR = "SELECT id FROM clinic_doctor WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED"
HOURS = "FROM clinic_workinghours"
# The one statement that the rules of time look at; the search asks for the hours of three weeks in one of its own.
EXAMINATION = "clinic_appointment AS appointment JOIN clinic_doctor"


@pytest.fixture
def desk(db):
    return open_desk()


def statements(act):
    """The statements of `act`, those of transactions left out."""
    with CaptureQueriesContext(connection) as captured:
        act()
    own = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
    return [query["sql"] for query in captured if not query["sql"].startswith(own)]


def examinations(statements_run):
    return sum(EXAMINATION in statement for statement in statements_run)


TAKEN = {"known patient": ({}, 4), "described patient": ({"details": details(cpf="52998224725")}, 9)}


@pytest.mark.parametrize(("patient", "count"), TAKEN.values(), ids=TAKEN)
def test_a_taken_time_is_examined_once(desk, patient, count):
    desk.book(patient=desk.another_patient().pk)
    statements_run = statements(lambda: refused(desk.book, **patient).alternatives)
    assert (examinations(statements_run), len(statements_run)) == (1, count), "\n".join(statements_run)


def test_a_taken_time_is_examined_once_by_check(desk):
    desk.book(patient=desk.another_patient().pk)
    statements_run = statements(lambda: check(desk.proposal(), now=desk.now).alternatives)
    assert (examinations(statements_run), len(statements_run)) == (1, 4), "\n".join(statements_run)


def test_a_taken_time_is_examined_once_for_a_move(desk):
    desk.book(patient=desk.another_patient().pk)
    moved = desk.book(starts_at=desk.at(11))
    target = {"clinic": desk.clinic, "doctor": desk.doctor.pk, "starts_at": desk.at(9), "now": desk.now}
    statements_run = statements(lambda: refused(reschedule, moved.pk, by=BY, **target))
    assert examinations(statements_run) == 1, "\n".join(statements_run)
    statements_run = statements(lambda: check_reschedule(moved.pk, **target))
    assert examinations(statements_run) == 1, "\n".join(statements_run)


def test_a_taken_time_is_examined_once_when_taken_again(desk):
    appointment = desk.book()
    acting = {"clinic": desk.clinic, "by": BY, "now": desk.now}
    change_status(appointment.pk, "cancelled", cancelled_by="clinic", **acting)
    desk.book(patient=desk.another_patient().pk)
    for act in (lambda: change_status(appointment.pk, "scheduled", **acting), lambda: undo(appointment.pk, **acting)):
        statements_run = statements(lambda act=act: refused(act))
        loads = [statement for statement in statements_run if "JOIN clinic_patient AS patient" in statement]
        assert (examinations(statements_run), len(loads)) == (1, 1), "\n".join(statements_run)


# Through the APIs -----------------------------------------------------------------------------------------------------


@contextmanager
def locks_during_searches(doctor):
    """Gives a list with, for each search for free times, whether another connection could lock the doctor's row."""
    could_lock = []

    def watch(execute, sql, params, many, context):
        if HOURS in sql and EXAMINATION not in sql:
            could_lock.append(other.execute(LOCK_DOCTOR, [doctor.pk]).fetchone() is not None)
            other.rollback()
        return execute(sql, params, many, context)

    with another_connection() as other, connection.execute_wrapper(watch):
        yield could_lock


@pytest.fixture
def sunday(time_machine):
    time_machine.move_to("2026-11-22T15:00:00Z", tick=False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [None, "pms-1"], ids=["without a key", "with a key"])
@pytest.mark.parametrize("act", ["book", "move"])
def test_mivicall_searches_when_the_doctor_is_let_go(sunday, mivicall, act, key):
    desk = open_desk()
    program = mivicall(desk.clinic)
    desk.book(patient=desk.another_patient().pk)
    moved = desk.book(starts_at=desk.at(11))
    booking = {
        "professionalId": str(desk.doctor.uuid),
        "serviceTypeId": str(desk.procedure.uuid),
        "patientName": "Ana Beatriz Nogueira",
        "patientPhone": "+5581988887777",
    }
    method, path, body = {
        "book": ("POST", "/appointments", booking),
        "move": ("PATCH", f"/appointments/{moved.uuid}", {}),
    }[act]
    with locks_during_searches(desk.doctor) as could_lock:
        answer = program(method, path, body | {"startsAt": f"{MONDAY}T09:00:00-03:00"}, key=key)
    assert (answer.status_code, len(answer.json()["alternatives"])) == (409, 3)
    assert could_lock == [True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [None, "pms-1"], ids=["without a key", "with a key"])
@pytest.mark.parametrize(("act", "searches"), [("book", 0), ("reschedule", 0), ("status", 1)])
def test_imagemais_searches_when_the_doctor_is_let_go(sunday, imagemais, act, searches, key):
    """Its sentences name free times only where a cancelled appointment is to stand again."""
    desk = open_desk()
    program = imagemais(desk.clinic)
    given_up = desk.book()
    change_status(given_up.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="clinic")
    desk.book(patient=desk.another_patient().pk)
    moved = desk.book(starts_at=desk.at(11))
    when = {"doctorId": desk.doctor.pk, "date": MONDAY, "startTime": "09:00", "endTime": "09:30"}
    patient = {"name": "João Silva", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "529.982.247-25"}
    booking = when | {"patient": patient, "procedures": [{"id": desk.procedure.pk}]}
    method, path, body = {
        "book": ("POST", "/appointments", booking),
        "reschedule": ("PATCH", f"/appointments/{moved.pk}/reschedule", when),
        "status": ("PATCH", f"/appointments/{given_up.pk}/status", {"action": "agendado"}),
    }[act]
    with locks_during_searches(desk.doctor) as could_lock:
        answer = program(method, path, body, key=key)
    assert answer.status_code == 409, answer.content.decode()
    assert could_lock == [True] * searches
