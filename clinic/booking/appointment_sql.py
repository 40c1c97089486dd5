"""Hand-written statements about one stored appointment: loaded, locked with its rows, written with its event.

Like those of `booking.sql`, and for the same reason: dragging a card asks them all."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from clinic.booking.columns import Field, column_list, placeholders, values, written_fields
from clinic.booking.proposal import DoctorKey
from clinic.booking.sql import FORCE_GENERIC_PLANS, is_possible_key, key_column
from clinic.cursors import prepared_cursor
from clinic.models import Appointment, AppointmentEvent, Clinic, Doctor, Patient
from clinic.models.locks import LOCK, lock_row
from clinic.models.raw_sql import column_names, instance

NOT_LOADED = {"phone", "phone_hash", "search", "folded_name"}  # of a patient: parsed at every load, or only searched by
SELECT = """
    SELECT {columns} FROM clinic_appointment AS appointment
    JOIN clinic_clinic AS clinic ON clinic.id = appointment.clinic_id
    JOIN clinic_doctor AS doctor ON doctor.id = appointment.doctor_id
    JOIN clinic_patient AS patient ON patient.id = appointment.patient_id
    WHERE appointment.clinic_id = %(clinic)s AND appointment.id = %(appointment)s AND appointment.deleted_at IS NULL
        AND patient.blocked_at IS NULL
"""
# Each row waits for the one before it: the count makes PostgreSQL look for, and lock, that one first.
LOCK_SQL = f"""
    WITH place AS MATERIALIZED (
        SELECT doctor_id, patient_id FROM clinic_appointment, ({FORCE_GENERIC_PLANS}) AS setup
        WHERE clinic_id = %(clinic)s AND id = %(appointment)s AND deleted_at IS NULL
    ), wanted AS (
        SELECT doctor_id FROM place
        UNION SELECT id FROM clinic_doctor WHERE clinic_id = %(clinic)s AND {{doctor_key}} = %(other_doctor)s
    ), first_doctor AS MATERIALIZED (
        SELECT id FROM clinic_doctor
        WHERE clinic_id = %(clinic)s AND id = (SELECT min(doctor_id) FROM wanted) {LOCK} SKIP LOCKED
    ), last_doctor AS MATERIALIZED (
        SELECT id FROM clinic_doctor
        WHERE clinic_id = %(clinic)s AND id = (SELECT max(doctor_id) FROM wanted)
          AND (SELECT count(*) FROM first_doctor) = 1 {LOCK} SKIP LOCKED
    ), patient_of_place AS MATERIALIZED (
        SELECT id FROM clinic_patient
        WHERE clinic_id = %(clinic)s AND id = (SELECT patient_id FROM place)
          AND (SELECT count(*) FROM last_doctor) = 1 {LOCK} SKIP LOCKED
    )
    {SELECT} AND appointment.patient_id = (SELECT id FROM patient_of_place)
    {LOCK} OF appointment SKIP LOCKED
"""  # noqa: S608 - the inserted text is this module's and clinic.models.locks' own
LOCK_ONE_SQL = "SELECT FROM clinic_appointment WHERE clinic_id = %s AND id = %s"


def load(clinic: Clinic, appointment_id: int) -> Appointment | None:
    """Return the appointment with clinic, doctor and patient; None for one that is unknown,
    deleted or of a blocked patient. One statement.

    The patient's phone and what else is rarely needed are loaded when they are read."""
    parameters = {"clinic": clinic.pk, "appointment": appointment_id}
    return _fetch(_with_columns(SELECT), parameters)


def load_locked(clinic: Clinic, appointment_id: int, other_doctor: DoctorKey | None) -> Appointment | None:
    """Return the same with its row locked, and before it those of its doctor and the other one, in order of id, and of
    the patient. None where it is unknown, deleted or of a blocked patient, and where one of the rows is held: none is
    waited for."""
    parameters = {
        "clinic": clinic.pk,
        "appointment": appointment_id,
        "other_doctor": other_doctor if is_possible_key(other_doctor) else None,
    }
    return _fetch(_lock_statement(key_column(other_doctor)), parameters)


def wait_for(clinic: Clinic, appointment_id: int) -> None:
    """Lock the appointment's row. Raises OperationalError (55P03, 57014) when it is not released in time."""
    with prepared_cursor() as cursor:
        lock_row(cursor, LOCK_ONE_SQL, [clinic.pk, appointment_id])


def update(appointment: Appointment, names: Iterable[str], event: AppointmentEvent) -> None:
    """Store the named fields of the appointment, and its event, by one statement. Raises IntegrityError."""
    fields = _fields(tuple(names))
    with prepared_cursor() as cursor:
        cursor.execute(_update_statement(fields), [*values(appointment, fields), appointment.pk, *values(event)])
        (event.pk,) = cursor.fetchone()
    event._state.adding, event._state.db = False, DEFAULT_DB_ALIAS


@cache
def _fields(names: tuple[str, ...]) -> tuple[Field, ...]:
    fields = {field.name: field for field in Appointment._meta.concrete_fields}
    return tuple(fields[name] for name in names)


def _fetch(statement: str, parameters: dict[str, Any]) -> Appointment | None:
    with prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    of_clinic, of_doctor, of_patient = _part_ends()
    appointment, clinic = instance(Appointment, row[:of_clinic]), instance(Clinic, row[of_clinic:of_doctor])
    doctor, patient = (
        instance(Doctor, row[of_doctor:of_patient]),
        instance(Patient, row[of_patient:], _patient_columns()),
    )
    # Inner joins: all four are there.
    if appointment and clinic and doctor and patient:
        appointment.clinic, appointment.doctor, appointment.patient = clinic, doctor, patient
    return appointment


@cache
def _part_ends() -> tuple[int, int, int]:
    """Return where the values of appointment, clinic and doctor end in a row."""
    clinic = len(column_names(Appointment))
    doctor = clinic + len(column_names(Clinic))
    return clinic, doctor, doctor + len(column_names(Doctor))


@cache
def _patient_columns() -> tuple[str, ...]:
    return tuple(name for name in column_names(Patient) if name not in NOT_LOADED)


@cache
def _lock_statement(doctor_key: str) -> str:
    return _with_columns(LOCK_SQL, doctor_key=doctor_key)


@cache
def _with_columns(statement: str, **names: str) -> str:
    columns = [f"appointment.{name}" for name in column_names(Appointment)]
    columns += [f"clinic.{name}" for name in column_names(Clinic)]
    columns += [f"doctor.{name}" for name in column_names(Doctor)]
    columns += [f"patient.{name}" for name in _patient_columns()]
    return statement.format(columns=", ".join(columns), **names)


@cache
def _update_statement(fields: tuple[Field, ...]) -> str:
    assigned = ", ".join(f"{field.column} = %s::{field.db_type(connection)}" for field in fields)
    event = written_fields(AppointmentEvent)
    return f"""
        WITH appointment AS (UPDATE {Appointment._meta.db_table} SET {assigned} WHERE id = %s RETURNING id)
        INSERT INTO {AppointmentEvent._meta.db_table} (appointment_id, {column_list(event)})
        SELECT appointment.id, {placeholders(event)} FROM appointment
        RETURNING id
    """  # noqa: S608 - only names of the models' own columns are inserted
