"""Saturday noon in Recife, a clinic with one doctor and one service, and a program with a key of every scope."""

from dataclasses import replace
from datetime import date, time

import pytest

from tests.factories import make_doctor, make_procedure

MONDAY = date(2026, 11, 23)
PHONE = "+5581988887777"


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
