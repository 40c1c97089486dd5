"""Adding a doctor with working hours, by the rules that the admin's form has."""

from collections.abc import Collection
from datetime import time
from enum import Enum, auto
from typing import NamedTuple

from django.db import models

from clinic.models import Clinic, Doctor, Procedure, WorkingHours
from clinic.models.doctor import LONGEST_INTERVAL, SHORTEST_INTERVAL
from clinic.models.locks import get_shared
from clinic.models.names import has_letter
from clinic.registry.patient_details import tidy, unstorable
from clinic.schedule import are_valid_hours, overlapping_hours
from clinic.transactions import run_in_transaction


class DoctorFault(Enum):
    NAME_MISSING = auto()
    NAME_WITHOUT_LETTERS = auto()
    NAME_TOO_LONG = auto()
    NAME_UNSTORABLE = auto()
    PROCEDURE_UNKNOWN = auto()
    ENDS_NOT_AFTER_START = auto()
    HOURS_OVERLAP = auto()
    INTERVAL_TOO_SHORT = auto()
    INTERVAL_TOO_LONG = auto()


class DoctorRefused(Exception):
    """Nothing was written; `faults` holds all that is wrong."""

    def __init__(self, faults: list[DoctorFault]):
        super().__init__(", ".join(fault.name for fault in faults))
        self.faults = faults


class Hours(NamedTuple):
    """Local wall time of the clinic; an end that is not after the start is on the day after the ISO weekday."""

    weekday: int
    starts: time
    ends: time


def register_doctor(
    clinic: Clinic, *, name: str, procedures: Collection[int], hours: Collection[Hours], interval_minutes: int
) -> Doctor:
    """An active doctor, who performs those procedures and works those hours.

    Raises DoctorRefused, or Refused (TRY_AGAIN). Shares the clinic's row: a change of its time zone holds all
    its doctors (`clinic.booking.time_zone`)."""
    name = tidy(name)

    def work():
        performed = _found(clinic, procedures)
        if faults := _faults(clinic, name, procedures, hours, interval_minutes):
            raise DoctorRefused(faults)
        get_shared(Clinic, clinic.pk)
        doctor = Doctor.objects.create(clinic=clinic, name=name, interval_minutes=interval_minutes)
        doctor.procedures.set(performed)
        WorkingHours.objects.bulk_create(
            WorkingHours(clinic=clinic, doctor=doctor, **span._asdict()) for span in sorted(hours)
        )
        return doctor

    return run_in_transaction(work)


def check_doctor(
    clinic: Clinic, *, name: str, procedures: Collection[int], hours: Collection[Hours], interval_minutes: int
) -> list[DoctorFault]:
    """What `register_doctor` would refuse."""
    return _faults(clinic, tidy(name), procedures, hours, interval_minutes)


def _faults(clinic, name, procedures, hours, interval_minutes):
    limit = Doctor._meta.get_field("name").max_length
    wrong = {
        DoctorFault.NAME_MISSING: not name,
        DoctorFault.NAME_WITHOUT_LETTERS: bool(name) and not has_letter(name) and not unstorable(name),
        DoctorFault.NAME_TOO_LONG: len(name) > limit,
        DoctorFault.NAME_UNSTORABLE: bool(unstorable(name)),
        DoctorFault.PROCEDURE_UNKNOWN: len(_found(clinic, procedures)) < len(set(procedures)),
        DoctorFault.ENDS_NOT_AFTER_START: not all(are_valid_hours(span.starts, span.ends) for span in hours),
        DoctorFault.HOURS_OVERLAP: bool(overlapping_hours(hours)),
        DoctorFault.INTERVAL_TOO_SHORT: interval_minutes < SHORTEST_INTERVAL,
        DoctorFault.INTERVAL_TOO_LONG: interval_minutes > LONGEST_INTERVAL,
    }
    return [fault for fault, broken in wrong.items() if broken]


def _found(clinic, procedures):
    possible = [each for each in procedures if 0 < each <= models.BigIntegerField.MAX_BIGINT]
    return list(Procedure.objects.of(clinic).filter(pk__in=possible, active=True))
