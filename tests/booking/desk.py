"""A front desk to test at: a clinic, a doctor, a patient, and a moment that is told: no test depends on today."""

from dataclasses import dataclass
from datetime import date, datetime, time

import pytest

from clinic.booking import Author, LineRequest, Proposal, book
from clinic.models import (
    AppliedDiscount,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Doctor,
    Patient,
    Procedure,
)
from clinic.refusals import Refused
from clinic.registry import PatientDetails
from tests.factories import make_clinic, make_doctor, make_patient, make_procedure

MONDAY = date(2026, 11, 23)
STORED = (Patient, Appointment, AppointmentProcedure, AppliedDiscount, AppointmentEvent)
BY = Author(channel=AppointmentEvent.Channel.COMMAND, credential="tests")


@dataclass
class Desk:
    clinic: Clinic
    procedure: Procedure
    doctor: Doctor
    patient: Patient

    @property
    def now(self) -> datetime:
        """Monday, 07:00: an hour before work begins."""
        return self.at(7)

    def at(self, hour, minute=0, day=MONDAY) -> datetime:
        return self.clinic.instant(day, time(hour, minute))

    def clock(self, instant) -> str:
        return f"{self.clinic.local(instant):%d/%m %H:%M}"

    def proposal(self, **changes) -> Proposal:
        """Monday at 09:00 for the procedure's 30 minutes; `details` instead of the patient when given."""
        defaults = {
            "clinic": self.clinic,
            "doctor": self.doctor.pk,
            "lines": (LineRequest(self.procedure.pk),),
            "starts_at": self.at(9),
            "patient": None if "details" in changes else self.patient.pk,
        }
        return Proposal(**defaults | changes)

    def book(self, *, now=None, by=BY, **changes) -> Appointment:
        return book(self.proposal(**changes), by=by, now=now or self.now)

    def another_patient(self, **fields) -> Patient:
        return make_patient(self.clinic, **fields)

    def another_doctor(self, **fields) -> Doctor:
        return make_doctor(self.clinic, **{"procedures": [self.procedure]} | fields)


def open_desk(**clinic) -> Desk:
    clinic = make_clinic(**clinic)
    procedure = make_procedure(clinic, name="Consulta")
    doctor = make_doctor(clinic, name="Dra. Helena Prado", procedures=[procedure])
    return Desk(clinic, procedure, doctor, make_patient(clinic, name="Ana Souza"))


def details(**changes) -> PatientDetails:
    return PatientDetails(**{"name": "João da Silva", "phone": "(81) 99876-5432"} | changes)


def refused(call, *arguments, **keywords) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments, **keywords)
    return caught.value


def outcome(call, *arguments, **keywords):
    """What the call returned, or the Refused it raised."""
    try:
        return call(*arguments, **keywords)
    except Refused as refusal:
        return refusal


def reasons(call, *arguments, **keywords) -> set:
    """The broken rules, empty when the call went through."""
    return getattr(outcome(call, *arguments, **keywords), "reasons", set())


def stored() -> dict:
    """How many rows of each kind there are."""
    return {model.__name__: model.objects.count() for model in STORED}
