"""A clinic as on the vendor's page: doctor, procedures and discount that its sample request asks for."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from clinic.models import Clinic, Discount, Doctor, Procedure
from tests.api.conftest import Program
from tests.factories import make_discount, make_doctor, make_procedure

MONDAY = date(2026, 11, 23)
VALID = {"name": "Ana Luísa Prado", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "529.982.247-25"}
ODD = [None, True, 0, 0.1, 10**30, "", "\0", "\ud800", "x" * 10_000, [], [None, {}, [], "\ud800"], {}, {"id": []}]


@dataclass
class Desk:
    """`ask` is a program with a token of the clinic."""

    clinic: Clinic
    doctor: Doctor
    procedures: list[Procedure]
    discount: Discount
    ask: Program

    def booking(self, **changes):
        """The vendor's sample, with the date moved and the ids of this clinic; None takes a field away."""
        body = {
            "patient": {
                "name": "João Silva",
                "phone": "(81) 99999-9999",
                "dateBirth": "1990-01-01",
                "cpf": "123.456.789-00",
            },
            "procedures": [
                {"id": self.procedures[0].pk},
                {"id": self.procedures[1].pk, "discountId": self.discount.pk},
            ],
            "doctorId": self.doctor.pk,
            "date": f"{MONDAY}",
            "startTime": "09:00",
            "endTime": "09:15",
            "notes": "Observações sobre o agendamento",
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    def patient(self, **changes):
        body = self.booking()["patient"] | changes
        return {name: value for name, value in body.items() if value is not None}

    def book(self, **changes):
        """The id of what is booked."""
        answer = self.ask("POST", "/appointments", self.booking(**changes))
        assert answer.status_code == 201, answer.content.decode()
        return answer.json()[0]["id"]


@pytest.fixture
def saturday(time_machine):
    time_machine.move_to("2026-11-21T15:00:00.123456Z", tick=False)
    return time_machine


@pytest.fixture
def monday(saturday):
    """07:00 on the day that everything is booked for."""
    saturday.move_to("2026-11-23T10:00:00Z", tick=False)
    return saturday


@pytest.fixture
def desk(saturday, recife, imagemais):
    procedures = [
        make_procedure(recife, name="HEMOGRAMA", price=Decimal("40.00"), duration_minutes=5),
        make_procedure(
            recife, name="17 BETA ESTRADIOL E2 - SEGUNDA AMOSTRA", price=Decimal("252.00"), duration_minutes=10
        ),
    ]
    return Desk(
        clinic=recife,
        doctor=make_doctor(recife, name="Dr Victor", procedures=procedures),
        procedures=procedures,
        discount=make_discount(recife, name="Desconto de 20%"),
        ask=imagemais(recife),
    )


@pytest.fixture
def booked(desk):
    return desk.book()


@pytest.fixture
def act(desk, booked, settings):
    settings.API_REQUESTS_A_SECOND = 1000

    def change(action, **more):
        return desk.ask("PATCH", f"/appointments/{booked}/status", {"action": action} | more)

    return change


def priced(procedure, price):
    return {"id": procedure.pk, "name": procedure.name, "price": price}


def new_doctor(desk, **changes):
    body = {
        "name": "Dra Ana",
        "procedureIds": [desk.procedures[0].pk],
        "startTime": "07:30",
        "endTime": "12:00",
        "intervalMinutes": 20,
        "workingDays": ["Segunda", "Sabado"],
    } | changes
    return {name: value for name, value in body.items() if value is not None}
