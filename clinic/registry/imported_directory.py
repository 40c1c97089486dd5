"""Procedures and doctors of a spreadsheet: added and changed by the rules that they have everywhere, and taken back.

`clinic.exchange` reads the file and asks here. A `version` is a text that is another one after every change.
"""

import json
from collections.abc import Callable, Collection, Mapping
from hashlib import blake2b
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, transaction

from clinic.models import Clinic, Doctor, Procedure
from clinic.models.locks import get_locked, get_shared
from clinic.registry.doctors import register_doctor
from clinic.registry.patient_events import Author
from clinic.registry.prices import price_today
from clinic.registry.procedures import ProcedureDetails, change_procedure, register_procedure
from clinic.schedule import Hours
from clinic.transactions import run_in_transaction

BY_PROCEDURE = {"name", "duration_minutes", "price"}  # what `change_procedure` writes
# What is of a row that a spreadsheet has made, and is deleted with it; anything else that names the row keeps it.
DELETE_SQL = {
    Procedure: ["DELETE FROM clinic_procedure WHERE clinic_id = %s AND id = %s"],
    Doctor: [
        "DELETE FROM clinic_workinghours WHERE clinic_id = %s AND doctor_id = %s",
        "DELETE FROM clinic_doctor_procedures WHERE doctor_id IN (SELECT id FROM clinic_doctor WHERE clinic_id = %s)"
        " AND doctor_id = %s",
        "DELETE FROM clinic_doctor WHERE clinic_id = %s AND id = %s",
    ],
}


def imported_procedure(
    clinic: Clinic, details: ProcedureDetails, *, code: str, preparation: str, by: Author
) -> Procedure:
    """Add an active procedure. Raises ProcedureRefused, or Refused (TRY_AGAIN)."""

    def work() -> Procedure:
        procedure = register_procedure(clinic, details, by)
        procedure.code, procedure.preparation = code, preparation
        procedure.save(update_fields=["code", "preparation"])
        return procedure

    return run_in_transaction(work)


def imported_doctor(
    clinic: Clinic,
    *,
    name: str,
    title: str,
    council_number: str,
    specialty: str,
    procedures: Collection[int],
    hours: Collection[Hours],
    by: Author,
) -> Doctor:
    """Add an active doctor. Raises DoctorRefused, or Refused (TRY_AGAIN)."""

    def work() -> Doctor:
        doctor = register_doctor(
            clinic, name=name, title=title, specialty=specialty, procedures=procedures, hours=hours, by=by
        )
        doctor.council_number = council_number
        doctor.save(update_fields=["council_number"])
        return doctor

    return run_in_transaction(work)


def change_imported_procedure(pk: int, values: Mapping[str, Any], *, clinic: Clinic, by: Author) -> Procedure:
    """Give an active procedure these values of its columns, the price that of today. Raises ProcedureRefused,
    Procedure.DoesNotExist, or Refused (TRY_AGAIN)."""

    def work() -> Procedure:
        by_rules = {name: value for name, value in values.items() if name in BY_PROCEDURE}
        procedure = change_procedure(pk, by_rules, clinic=clinic, by=by)
        _set(procedure, {name: value for name, value in values.items() if name not in BY_PROCEDURE})
        return procedure

    return run_in_transaction(work)


def change_imported_doctor(pk: int, values: Mapping[str, Any], *, clinic: Clinic) -> Doctor:
    """Give an active doctor these values of the columns title, council_number and specialty.

    Shares the clinic's row and locks the doctor's. Raises Doctor.DoesNotExist, or Refused (TRY_AGAIN)."""

    def work() -> Doctor:
        get_shared(Clinic, clinic.pk)
        doctor = get_locked(Doctor.objects.of(clinic).filter(pk=pk, active=True))
        _set(doctor, values)
        return doctor

    return run_in_transaction(work)


def procedure_version(procedure: Procedure) -> str:
    """Return the version of a procedure. One query."""
    columns = ("name", "duration_minutes", "code", "preparation", "active", "return_days")
    return _hash([*(getattr(procedure, name) for name in columns), str(price_today(procedure))])


def doctor_version(doctor: Doctor) -> str:
    """Return the version of a doctor, with hours and procedures. Two queries."""
    columns = ("title", "name", "council_number", "specialty", "active", "interval_minutes", "encaixes_per_day", "room")
    hours = doctor.hours.order_by("pk").values_list("weekday", "starts", "ends", "valid_from", "valid_until")
    performed = doctor.procedures.order_by("pk").values_list("pk", flat=True)
    return _hash([*(getattr(doctor, name) for name in columns), list(hours), list(performed)])


def delete_imported_procedures(clinic: Clinic, versions: Mapping[int, str]) -> set[int]:
    """Delete these procedures, by their ids, that an import has made and nobody has changed since their version; return
    the ids of those that are gone. One that a doctor performs, or that anything else names, stays.

    Locks their rows; runs in the caller's transaction."""
    return _delete(Procedure, clinic, versions, procedure_version)


def delete_imported_doctors(clinic: Clinic, versions: Mapping[int, str]) -> set[int]:
    """Delete these doctors, with their hours, like `delete_imported_procedures`. One with an appointment, an absence, a
    user or anything else stays."""
    return _delete(Doctor, clinic, versions, doctor_version)


def _delete(model: Any, clinic: Clinic, versions: Mapping[int, str], version_of: Callable[[Any], str]) -> set[int]:
    rows = model.objects.of(clinic).filter(pk__in=versions).order_by("pk").select_for_update()
    here = {row.pk: row for row in rows}
    gone = versions.keys() - here.keys()
    for pk, row in here.items():
        row.clinic = clinic
        if version_of(row) == versions[pk] and _is_deleted(model, clinic, pk):
            gone |= {pk}
    return gone


def _is_deleted(model: Any, clinic: Clinic, pk: int) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for statement in DELETE_SQL[model]:
                cursor.execute(statement, [clinic.pk, pk])
    except IntegrityError:
        return False
    return True


def _set(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    if values:
        row.save(update_fields=[*values])


def _hash(values: list[Any]) -> str:
    return blake2b(json.dumps(values, cls=DjangoJSONEncoder).encode(), digest_size=16).hexdigest()
