"""Procedures and doctors of a spreadsheet: changed by the rules that they have everywhere, and taken back.

`clinic.exchange` reads the file and asks here. A `version` is a text that is another one after every change.
"""

import json
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, transaction

from clinic.models import Appointment, AppointmentProcedure, Clinic, Doctor, Procedure, WorkingHours
from clinic.models.booking_limits import MAX_VALUES
from clinic.models.locks import get_locked, get_shared
from clinic.models.references import referred_to
from clinic.registry.clinic_events import record_directory
from clinic.registry.doctors import doctor_snapshot, switch_off_doctor
from clinic.registry.patient_events import Author
from clinic.registry.prices import price_today
from clinic.registry.procedures import change_procedure, switch_off_procedure
from clinic.transactions import run_as_one, run_in_transaction

BY_PROCEDURE = {"name", "duration_minutes", "price"}  # what `change_procedure` writes
PERFORMED = Doctor.procedures.through
# What is of a row that a spreadsheet has made, and is deleted with it; anything else that names the row keeps it, but
# for appointments that were taken back.
OF_ROW_SQL = {
    Procedure: [
        "DELETE FROM clinic_doctor_procedures WHERE doctor_id IN (SELECT id FROM clinic_doctor"
        " WHERE clinic_id = %s AND NOT active) AND procedure_id = %s",
    ],
    Doctor: [
        "DELETE FROM clinic_workinghours WHERE clinic_id = %s AND doctor_id = %s",
        "DELETE FROM clinic_doctor_procedures WHERE doctor_id IN (SELECT id FROM clinic_doctor WHERE clinic_id = %s)"
        " AND doctor_id = %s",
    ],
}
DELETE_SQL = {
    Procedure: "DELETE FROM clinic_procedure WHERE clinic_id = %s AND id = %s",
    Doctor: "DELETE FROM clinic_doctor WHERE clinic_id = %s AND id = %s",
}


def change_imported_procedure(pk: int, values: Mapping[str, Any], *, clinic: Clinic, by: Author) -> Procedure:
    """Give an active procedure these values of its columns, the price that of today. Raises ProcedureRefused,
    Procedure.DoesNotExist, IntegrityError for a code that another procedure has, or Refused (TRY_AGAIN)."""

    def work() -> Procedure:
        by_rules = {name: value for name, value in values.items() if name in BY_PROCEDURE}
        procedure = change_procedure(pk, by_rules, clinic=clinic, by=by)
        _set(procedure, {name: value for name, value in values.items() if name not in BY_PROCEDURE})
        return procedure

    return run_as_one(work)


def change_imported_doctor(pk: int, values: Mapping[str, Any], *, clinic: Clinic, by: Author) -> Doctor:
    """Give an active doctor these values of the columns title, council_number and specialty, and store the event.

    Shares the clinic's row and locks the doctor's. Raises Doctor.DoesNotExist, IntegrityError for a number that another
    doctor has, or Refused (TRY_AGAIN)."""

    def work() -> Doctor:
        get_shared(Clinic, clinic.pk)
        doctor = get_locked(Doctor.objects.of(clinic).filter(pk=pk, active=True))
        before = _with_number(doctor)
        _set(doctor, values)
        record_directory(clinic, before, _with_number(doctor), by)
        return doctor

    return run_in_transaction(work)


def procedure_version(procedure: Procedure) -> str:
    """Return the version of a procedure. One query."""
    columns = ("name", "duration_minutes", "code", "preparation", "active", "return_days", *MAX_VALUES)
    return _hash([*(getattr(procedure, name) for name in columns), str(price_today(procedure))])


def doctor_version(doctor: Doctor) -> str:
    """Return the version of a doctor, with hours and procedures. Two queries."""
    texts = ("title", "name", "council_number", "specialty", "room")
    columns = (*texts, "active", "interval_minutes", "encaixes_per_day", *MAX_VALUES)
    hours = doctor.hours.order_by("pk").values_list("weekday", "starts", "ends", "valid_from", "valid_until")
    performed = doctor.procedures.order_by("pk").values_list("pk", flat=True)
    return _hash([*(getattr(doctor, name) for name in columns), list(hours), list(performed)])


def delete_imported_procedures(clinic: Clinic, versions: Mapping[int, str], by: Author) -> set[int]:
    """Delete these procedures, by their ids, that an import has made and nobody has changed since their version; return
    the ids of those that are gone. One that only deleted appointments name is switched off, and gone too. One that an
    active doctor performs, or that anything else names, stays.

    Shares the clinic's row and locks theirs; runs in the caller's transaction."""
    return _delete(Procedure, clinic, versions, procedure_version, by)


def delete_imported_doctors(clinic: Clinic, versions: Mapping[int, str], by: Author) -> set[int]:
    """Delete or switch off these doctors, with their hours, like `delete_imported_procedures`. One with an appointment,
    an absence, a user or anything else stays."""
    return _delete(Doctor, clinic, versions, doctor_version, by)


def _delete(
    model: Any, clinic: Clinic, versions: Mapping[int, str], version_of: Callable[[Any], str], by: Author
) -> set[int]:
    get_shared(Clinic, clinic.pk)
    rows = model.objects.of(clinic).filter(pk__in=versions).order_by("pk").select_for_update()
    here = {row.pk: row for row in rows}
    gone = versions.keys() - here.keys()
    for pk, row in here.items():
        row.clinic = clinic
        if version_of(row) != versions[pk]:
            continue
        if _is_deleted(model, clinic, pk):
            gone |= {pk}
        elif row.active and NAMED_BY_DELETED[model](row):
            _switch_off(model, clinic, pk, by)
            gone |= {pk}
    return gone


def _is_deleted(model: Any, clinic: Clinic, pk: int) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for statement in (*OF_ROW_SQL[model], DELETE_SQL[model]):
                cursor.execute(statement, [clinic.pk, pk])
    except IntegrityError:
        return False
    return True


def _is_procedure_of_deleted(procedure: Procedure) -> bool:
    """Return whether nothing but deleted appointments and inactive doctors refer to a procedure."""
    standing = AppointmentProcedure.objects.filter(procedure=procedure, appointment__deleted_at=None)
    besides = (AppointmentProcedure, PERFORMED)
    is_used = standing.exists() or procedure.doctors.filter(active=True).exists()
    return not is_used and not referred_to(Procedure, [procedure.pk], besides)


def _is_doctor_of_deleted(doctor: Doctor) -> bool:
    """Return whether nothing but deleted appointments, and what is deleted with a doctor, refer to the doctor."""
    is_used = Appointment.objects.filter(doctor=doctor, deleted_at=None).exists()
    return not is_used and not referred_to(Doctor, [doctor.pk], (Appointment, PERFORMED, WorkingHours))


NAMED_BY_DELETED: dict[Any, Callable[[Any], bool]] = {
    Procedure: _is_procedure_of_deleted,
    Doctor: _is_doctor_of_deleted,
}


def _switch_off(model: Any, clinic: Clinic, pk: int, by: Author) -> None:
    with connection.cursor() as cursor:
        for statement in OF_ROW_SQL[model]:
            cursor.execute(statement, [clinic.pk, pk])
    switch_off = switch_off_doctor if model is Doctor else switch_off_procedure
    switch_off(pk, clinic=clinic, by=by)


def _with_number(doctor: Doctor) -> dict[str, Any]:
    return doctor_snapshot(doctor) | {"council_number": doctor.council_number}


def _set(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    if values:
        row.save(update_fields=[*values])


def _hash(values: list[Any]) -> str:
    return blake2b(json.dumps(values, cls=DjangoJSONEncoder).encode(), digest_size=16).hexdigest()
