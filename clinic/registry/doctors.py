"""Adding, changing and switching off a doctor by a program, by the rules that the admin's form has."""

from collections.abc import Collection, Mapping
from enum import Enum, auto
from typing import Any

from django.db import connection, models
from django.db.models import QuerySet, Value

from clinic.models import Clinic, Doctor, Procedure, WorkingHours
from clinic.models.booking_limits import UNRESTRICTED
from clinic.models.doctor import LONGEST_INTERVAL, SHORTEST_INTERVAL, USUAL_INTERVAL
from clinic.models.limits import max_length
from clinic.models.locks import get_locked, get_shared, hold_advisory
from clinic.models.names import has_letter
from clinic.models.ranges import Fold
from clinic.models.titles import split_title
from clinic.registry.clinic_events import record_directory
from clinic.registry.patient_details import tidy, unstorable
from clinic.registry.patient_events import Author
from clinic.schedule import Hours, are_valid_hours, overlapping_hours
from clinic.transactions import run_in_transaction

NAMES_LOCK = "hashtextextended('names of doctors', %s)"


class DoctorFault(Enum):
    """Why a doctor cannot be added as described."""

    NAME_MISSING = auto()
    NAME_WITHOUT_LETTERS = auto()
    NAME_TOO_LONG = auto()
    NAME_UNSTORABLE = auto()
    NAME_TAKEN = auto()
    PROCEDURE_UNKNOWN = auto()
    ENDS_NOT_AFTER_START = auto()
    HOURS_OVERLAP = auto()
    INTERVAL_TOO_SHORT = auto()
    INTERVAL_TOO_LONG = auto()
    SPECIALTY_TOO_LONG = auto()
    SPECIALTY_UNSTORABLE = auto()


class DoctorRefused(Exception):
    """Raised when nothing was written; `faults` holds every broken rule."""

    def __init__(self, faults: list[DoctorFault]) -> None:
        super().__init__(", ".join(fault.name for fault in faults))
        self.faults = faults


def register_doctor(
    clinic: Clinic,
    *,
    name: str,
    by: Author,
    procedures: Collection[int] = (),
    hours: Collection[Hours] = (),
    interval_minutes: int = USUAL_INTERVAL,
    specialty: str = "",
    title: str = "",
    council_number: str = "",
    limits: Mapping[str, int] = UNRESTRICTED,
) -> Doctor:
    """Add an active doctor, who performs these procedures and works these hours.

    Without a `title`, one with which `name` begins becomes the doctor's; no active doctor may have the rest of the name
    already. `limits` are columns of BookingLimits, `council_number` as it is stored. Raises DoctorRefused, or Refused
    (TRY_AGAIN). Shares the clinic's row: a change of its time zone locks all its doctors (`clinic.booking.time_zone`).
    """
    name = tidy(name)

    def work() -> Doctor:
        performed = _offered(clinic, procedures)
        has_unknown = len(performed) < len(set(procedures))
        faults = [*_faults(name, has_unknown, hours, interval_minutes), *_specialty_faults(specialty)]
        if faults:
            raise DoctorRefused(faults)
        get_shared(Clinic, clinic.pk)
        split, own_name = split_title(name)
        require_new_name(clinic, own_name)
        doctor = Doctor.objects.create(
            clinic=clinic,
            title=title or split,
            name=own_name,
            council_number=council_number,
            specialty=tidy(specialty),
            interval_minutes=interval_minutes,
            **limits,
        )
        doctor.procedures.add(*performed)
        WorkingHours.objects.bulk_create(
            WorkingHours(clinic=clinic, doctor=doctor, **row._asdict()) for row in sorted(hours)
        )
        record_directory(clinic, {}, doctor_snapshot(doctor), by)
        return doctor

    return run_in_transaction(work)


def change_doctor(
    pk: int, *, clinic: Clinic, by: Author, name: str | None = None, specialty: str | None = None
) -> Doctor:
    """Change name and specialty of an active doctor, where they are given. The name as it is shown changes nothing: by
    it alone nobody knows the article of a title like "Psic.".

    Shares the clinic's row and locks the doctor's. Raises DoctorRefused, or Doctor.DoesNotExist.
    """

    def work() -> Doctor:
        get_shared(Clinic, clinic.pk)
        doctor = get_locked(Doctor.objects.of(clinic).filter(pk=pk, active=True))
        before = doctor_snapshot(doctor)
        faults = [*_name_faults(tidy(name or doctor.name)), *_specialty_faults(specialty or "")]
        if name == "":
            faults.append(DoctorFault.NAME_MISSING)
        if faults:
            raise DoctorRefused(faults)
        if name is not None and tidy(name) != doctor.full_name:
            doctor.title, doctor.name = split_title(tidy(name))
            require_new_name(clinic, doctor.name, besides=pk)
        if specialty is not None:
            doctor.specialty = tidy(specialty)
        doctor.save(update_fields=["title", "name", "specialty"])
        record_directory(clinic, before, doctor_snapshot(doctor), by)
        return doctor

    return run_in_transaction(work)


def switch_off_doctor(pk: int, *, clinic: Clinic, by: Author) -> None:
    """Make a doctor inactive; what is booked ahead becomes pending. An inactive one stays so.

    Shares the clinic's row and locks the doctor's. Raises Doctor.DoesNotExist.
    """

    def work() -> None:
        get_shared(Clinic, clinic.pk)
        doctor = get_locked(Doctor.objects.of(clinic).filter(pk=pk))
        if doctor.active:
            doctor.active = False
            doctor.save(update_fields=["active"])
            record_directory(clinic, doctor_snapshot(doctor), {}, by)

    run_in_transaction(work)


def doctor_snapshot(doctor: Doctor) -> dict[str, Any]:
    """Return what an event of the directory says of a doctor."""
    return {"doctor": doctor.pk, "name": doctor.full_name, "specialty": doctor.specialty}


def require_new_name(clinic: Clinic, name: str, *, besides: int | None = None) -> None:
    """Raise DoctorRefused if another active doctor has this name, without regard to accents, capitals and titles.

    A program that got no answer would add the doctor again, to a column of the day that nobody works in. A person who
    adds a namesake in the admin sees the other one. Holds an advisory lock, so that of two requests the second waits;
    `besides` is the id of the doctor who is changed.
    """
    with connection.cursor() as cursor:
        hold_advisory(cursor, NAMES_LOCK, [clinic.pk])
    if set(doctors_named(clinic, name).values_list("pk", flat=True)) - {besides}:
        raise DoctorRefused([DoctorFault.NAME_TAKEN])


def doctors_named(clinic: Clinic, name: str) -> "QuerySet[Doctor]":
    """Return the active doctors who have this name, without regard to accents and capitals; it comes without title."""
    return Doctor.objects.of(clinic).filter(active=True, sort_name=Fold(Value(tidy(name)))).order_by("pk")


def check_doctor(
    clinic: Clinic, *, name: str, procedures: Collection[int], hours: Collection[Hours], interval_minutes: int
) -> list[DoctorFault]:
    """Return the faults for which `register_doctor` would refuse. Writes nothing."""
    has_unknown = len(_offered(clinic, procedures)) < len(set(procedures))
    return _faults(tidy(name), has_unknown, hours, interval_minutes)


def _faults(name: str, has_unknown: bool, hours: Collection[Hours], interval_minutes: int) -> list[DoctorFault]:
    is_broken = {
        DoctorFault.PROCEDURE_UNKNOWN: has_unknown,
        DoctorFault.ENDS_NOT_AFTER_START: not all(are_valid_hours(row.starts, row.ends) for row in hours),
        DoctorFault.HOURS_OVERLAP: bool(overlapping_hours(hours)),
        DoctorFault.INTERVAL_TOO_SHORT: interval_minutes < SHORTEST_INTERVAL,
        DoctorFault.INTERVAL_TOO_LONG: interval_minutes > LONGEST_INTERVAL,
    }
    return [*_name_faults(name), *(fault for fault, broken in is_broken.items() if broken)]


def _name_faults(name: str) -> list[DoctorFault]:
    is_broken = {
        DoctorFault.NAME_MISSING: not name,
        DoctorFault.NAME_WITHOUT_LETTERS: bool(name) and not has_letter(name) and not unstorable(name),
        DoctorFault.NAME_TOO_LONG: len(name) > max_length(Doctor, "name"),
        DoctorFault.NAME_UNSTORABLE: bool(unstorable(name)),
    }
    return [fault for fault, broken in is_broken.items() if broken]


def _specialty_faults(specialty: str) -> list[DoctorFault]:
    is_broken = {
        DoctorFault.SPECIALTY_TOO_LONG: len(tidy(specialty)) > max_length(Doctor, "specialty"),
        DoctorFault.SPECIALTY_UNSTORABLE: bool(unstorable(specialty)),
    }
    return [fault for fault, broken in is_broken.items() if broken]


def _offered(clinic: Clinic, ids: Collection[int]) -> list[int]:
    """Return those of the ids that are of an active procedure."""
    possible = [pk for pk in ids if 0 < pk <= models.BigIntegerField.MAX_BIGINT]
    offered = Procedure.objects.of(clinic).filter(pk__in=possible, active=True)
    return list(offered.values_list("pk", flat=True))
