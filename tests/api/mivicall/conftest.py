"""Saturday noon in Recife, a clinic with one doctor and one service, and a program with a key of every scope."""

from dataclasses import replace
from datetime import date, time

import pytest

from clinic.booking import Author, change_status
from clinic.models import Appointment, AppointmentEvent
from tests.factories import book_appointment, make_doctor, make_procedure

MONDAY = date(2026, 11, 23)
PHONE = "+5581988887777"
BY = Author(channel="command", credential="tests")
ROAD = {
    "confirmed": ["confirmed"],
    "checked_in": ["checked_in"],
    "in_service": ["checked_in", "in_service"],
    "finished": ["checked_in", "in_service", "finished"],
    "no_show": ["no_show"],
    "cancelled": ["cancelled"],
}


@pytest.fixture
def saturday(time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def monday(saturday):
    """07:00 on the day that everything is booked for."""
    saturday.move_to("2026-11-23T10:00:00Z", tick=False)
    return saturday


@pytest.fixture
def doctor(saturday, recife):
    """Works on weekdays from 8 to 12 and from 13 to 18, and performs one service of 30 minutes."""
    return make_doctor(recife, procedures=[make_procedure(recife, name="Consulta")], name="Dra. Helena Prado")


@pytest.fixture
def service(doctor):
    return doctor.procedures.get()


@pytest.fixture
def program(mivicall, recife):
    return mivicall(recife)


@pytest.fixture
def good(doctor, service):
    """A booking that is taken; tests spoil one thing."""
    return {
        "professionalId": str(doctor.uuid),
        "serviceTypeId": str(service.uuid),
        "patientName": "Ana Beatriz Nogueira",
        "patientPhone": PHONE,
        "startsAt": "2026-11-23T09:00:00-03:00",
    }


@pytest.fixture
def at(recife):
    """`at(9, 30)` is that time on Monday, as an instant."""
    return lambda hour, minute=0, day=MONDAY: recife.instant(day, time(hour, minute))


@pytest.fixture
def booked(program, good):
    """The answer to the good booking."""
    answer = program("POST", "/appointments", good)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def without_key(program):
    return replace(program, secret="")


@pytest.fixture
def standing(doctor, at, saturday):
    """`standing("finished")` is an appointment of Monday at 9 in that status; the clock stands at 9:10 then."""

    def made(status="scheduled"):
        appointment = book_appointment(doctor, starts_at=at(8, 30) if status == "rescheduled" else at(9))
        saturday.move_to(at(9, 10), tick=False)
        for step in ROAD.get(status, []):
            change_status(appointment.pk, step, clinic=doctor.clinic, by=BY, cancelled_by="clinic")
        appointment.refresh_from_db()
        return appointment

    return made


def address(appointment):
    return f"/appointments/{getattr(appointment, 'uuid', appointment)}"


def events(appointment):
    return [event.kind for event in AppointmentEvent.objects.filter(appointment=appointment).order_by("pk")]


def as_it_was(appointment):
    """Return the stored row, whatever this test did to the object."""
    return Appointment.objects.values().get(pk=appointment.pk), events(appointment)


def listed(program, **query):
    answer = program.get("/appointments", **query)
    assert answer.status_code == 200, answer.json()
    return answer.json()
