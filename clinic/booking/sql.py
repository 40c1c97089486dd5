"""The rows of a booking's hot path, in SQL written out.

Composing these statements cost Django several times what running them costs PostgreSQL. Everything
here is what the ORM would have done: rows are models, tenancy is the first condition, columns come from the models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from uuid import UUID

from django.db import connection, models

from clinic.booking.pricing import PricedLine
from clinic.cursors import prepared_cursor
from clinic.models import (
    AppliedDiscount,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Discount,
    Doctor,
    Patient,
    Procedure,
)
from clinic.models.appointment import OVERLAP_LOOKBACK, STANDING_SQL
from clinic.models.locks import LOCK, lock_of_held_row, lock_row
from clinic.models.raw_sql import column_names, instance
from clinic.schedule import HOURS_AND_ABSENCES_SQL, Schedules, schedules_of

DoctorKey = int | UUID

# A patient comes without the phone, which is parsed at every load: no rule about an appointment asks for it.
PATIENT_COLUMNS = ("id", "clinic_id", "name", "social_name", "died")
# The patient's row waits for the doctor's: the count makes PostgreSQL look for, and lock, the doctor first.
FOUND = """
    WITH doctor AS MATERIALIZED (
        SELECT {doctor} FROM clinic_doctor WHERE clinic_id = %(clinic)s AND {doctor_key} = %(doctor)s AND active {lock}
    ), patient AS MATERIALIZED (
        SELECT {patient} FROM clinic_patient
        WHERE clinic_id = %(clinic)s AND id = %(patient)s AND (SELECT count(*) FROM doctor) >= {least} {lock}
    ), procedure AS (
        SELECT {procedure}, EXISTS (
            SELECT FROM clinic_doctor_procedures, doctor WHERE doctor_id = doctor.id AND procedure_id = each.id
        ), row_number() OVER () AS line
        FROM clinic_procedure AS each
        WHERE clinic_id = %(clinic)s AND {procedure_key} = ANY (%(procedures)s) AND active
    ), discount AS (
        SELECT {discount}, row_number() OVER () AS line
        FROM clinic_discount WHERE clinic_id = %(clinic)s AND id = ANY (%(discounts)s)
    )
    SELECT doctor.*, patient.*, procedure.*, discount.* FROM ({once}) AS once
    LEFT JOIN doctor ON true LEFT JOIN patient ON true
    LEFT JOIN (procedure FULL JOIN discount USING (line)) ON true
"""
# From here to its end the transaction plans no statement anew: planning AROUND costs twice what running it does.
PLANNED_ONCE = "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"
HOLD_DOCTOR = "SELECT FROM clinic_doctor WHERE clinic_id = %s AND id = %s"
HOLD_PATIENT = "SELECT FROM clinic_patient WHERE clinic_id = %s AND id = %s"
# The day's hours and absences, in the last three columns what else tells an appointment that overlaps, and a row with
# nothing but the clinic's time zone.
AROUND = f"""
    SELECT stored.*, NULL::bigint, NULL::bigint, NULL::bigint FROM ({HOURS_AND_ABSENCES_SQL}) AS stored
    UNION ALL
    SELECT doctor_id, NULL, NULL, NULL, starts_at, ends_at, clinic_doctor.name,
        appointment.id, patient_id, encaixe_by_id
    FROM clinic_appointment AS appointment JOIN clinic_doctor ON clinic_doctor.id = doctor_id
    WHERE appointment.clinic_id = %(clinic)s AND (doctor_id = %(doctor)s OR patient_id = %(patient)s)
      AND starts_at > %(since)s AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s
      AND {STANDING_SQL} AND appointment.id IS DISTINCT FROM %(besides)s
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, time_zone, NULL, NULL, NULL FROM clinic_clinic WHERE id = %(clinic)s
    ORDER BY 5, 8
"""  # noqa: S608 - what is put in is the statement of clinic.schedule


@dataclass(frozen=True)
class Found:
    """The rows that were asked for, None for each unknown or inactive; a procedure has `performed`: by this doctor."""

    doctor: Doctor | None
    patient: Patient | None
    procedures: list[Procedure | None]
    discounts: list[Discount | None]


@dataclass(frozen=True)
class Overlapping:
    """A standing appointment that shares time with the one wanted."""

    id: int
    doctor_id: int
    doctor_name: str
    patient_id: int
    starts_at: datetime
    ends_at: datetime
    is_encaixe: bool

    def occupies(self, doctor: Doctor) -> bool:
        """Whether it takes time of that doctor; an encaixe takes the patient's only."""
        return self.doctor_id == doctor.pk and not self.is_encaixe


@dataclass(frozen=True)
class Around:
    """What there is at the time wanted: the doctor's hours and absences that day, and who overlaps, in time's order.

    `time_zone` is the clinic's as it is stored now."""

    schedules: Schedules
    overlapping: list[Overlapping]
    time_zone: str


def found(
    clinic: Clinic,
    *,
    doctor: DoctorKey | None = None,
    patient: int | None = None,
    procedures: Sequence[int | UUID] = (),
    discounts: Sequence[int] = (),
    lock: bool = False,
) -> Found:
    """By id or uuid, procedures and discounts in the order asked for.

    With `lock` the doctor's row is held, then the patient's; two statements when one of them is held already."""
    asked = [each for each in procedures if _possible(each)]
    parameters = {
        "clinic": clinic.pk,
        "doctor": doctor if _possible(doctor) else None,
        "patient": patient if _possible(patient) else None,
        "procedures": asked,
        "discounts": [each for each in discounts if _possible(each)],
    }
    keys = _key(doctor), _key(asked[0]) if asked else "id"
    with prepared_cursor() as cursor:
        rows = _found_rows(cursor, keys, parameters, lock=lock)
    known, known_discounts = {}, {}
    for _, _, (*values, performed, _), (*discount_values, _) in rows:
        if each := instance(Procedure, values):
            each.performed = performed
            known |= {each.pk: each, each.uuid: each}
        if discount := instance(Discount, discount_values):
            known_discounts[discount.pk] = discount
    doctor_values, patient_values, *_ = rows[0]
    return Found(
        instance(Doctor, doctor_values),
        instance(Patient, patient_values, PATIENT_COLUMNS),
        [known.get(each) for each in procedures],
        [known_discounts.get(each) for each in discounts],
    )


def hold(clinic: Clinic, doctors: set[int], patient: int) -> None:
    """Lock the rows of these doctors of the clinic, in order of id, then of the patient."""
    with prepared_cursor() as cursor:
        for doctor in sorted(doctors):
            lock_row(cursor, HOLD_DOCTOR, [clinic.pk, doctor])
        lock_row(cursor, HOLD_PATIENT, [clinic.pk, patient])


def around(
    clinic: Clinic, doctor: Doctor, patient: Patient | None, starts_at, ends_at, *, day: date, besides=None
) -> Around:
    """`day` is the local date of the start; `besides` an appointment about to be moved, or None. One statement."""
    # What begins on the day may end on the next one.
    first, last = clinic.day(day)[0], clinic.day(day + timedelta(days=1))[1]
    parameters = {
        "clinic": clinic.pk,
        "doctors": [doctor.pk],
        "first": first,
        "last": last,
        "doctor": doctor.pk,
        "patient": patient and patient.pk,
        "since": starts_at - OVERLAP_LOOKBACK,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "besides": besides and besides.pk,
    }
    with prepared_cursor() as cursor:
        cursor.execute(AROUND, parameters)
        all_rows = cursor.fetchall()
    time_zone = next(row[6] for row in all_rows if _is_zone(row))
    stored = [row[:7] for row in all_rows if row[7] is None and not _is_zone(row)]
    overlapping = [
        Overlapping(pk, doctor_id, name, patient_id, starts, ends, encaixe is not None)
        for doctor_id, _, _, _, starts, ends, name, pk, patient_id, encaixe in all_rows
        if pk is not None
    ]
    return Around(schedules_of(clinic, stored), overlapping, time_zone)


def _is_zone(row):
    """Of AROUND: neither hours, which have a weekday, nor an absence or an appointment, which have a start."""
    return row[1] is None and row[4] is None


def insert(appointment: Appointment, lines: list[PricedLine], event: AppointmentEvent) -> None:
    """Store the three and the discounts in one statement; `appointment` gets its id. IntegrityError as ever."""
    off = [(position, *each) for position, line in enumerate(lines) for each in line.discounts]
    parameters = [
        *_values(appointment),
        appointment.clinic_id,
        list(range(len(lines))),
        [line.procedure.pk for line in lines],
        [line.price for line in lines],
        [line.procedure.name for line in lines],
        appointment.clinic_id,
        [position for position, _, _ in off],
        [discount.pk for _, discount, _ in off],
        [value for _, _, value in off],
        [discount.name for _, discount, _ in off],
        *_values(event),
    ]
    with prepared_cursor() as cursor:
        cursor.execute(_insertion(), parameters)
        (appointment.pk,) = cursor.fetchone()
    appointment._state.adding, appointment._state.db = False, connection.alias


@cache
def _insertion():
    """One statement is one round trip, and one moment at which a constraint can refuse."""
    appointment, event = _columns(Appointment), _columns(AppointmentEvent)
    return f"""
        WITH appointment AS (
            INSERT INTO {Appointment._meta.db_table} ({_list(appointment)}) VALUES ({_marks(appointment)}) RETURNING id
        ), line AS (
            INSERT INTO {AppointmentProcedure._meta.db_table}
                (clinic_id, appointment_id, position, procedure_id, price, procedure_name)
            SELECT %s, appointment.id, line.*
            FROM appointment, unnest(%s::int[], %s::bigint[], %s::numeric[], %s::text[]) AS line
            RETURNING id, position
        ), off AS (
            INSERT INTO {AppliedDiscount._meta.db_table} (clinic_id, line_id, discount_id, value, discount_name)
            SELECT %s, line.id, discount_id, value, name
            FROM unnest(%s::int[], %s::bigint[], %s::numeric[], %s::text[]) AS off (position, discount_id, value, name)
            JOIN line USING (position)
        ), event AS (
            INSERT INTO {AppointmentEvent._meta.db_table} (appointment_id, {_list(event)})
            SELECT appointment.id, {_marks(event)} FROM appointment
        )
        SELECT id FROM appointment
    """  # noqa: S608 - nothing but names of the models' own columns is put in


@cache
def _columns(model: type[models.Model]) -> tuple[models.Field, ...]:
    """All that is written of a row but its own id and the appointment's, which the statement itself knows."""
    known = {"id", "appointment_id"}
    return tuple(field for field in model._meta.concrete_fields if field.column not in known)


def _list(fields):
    return ", ".join(connection.ops.quote_name(field.column) for field in fields)


def _marks(fields):
    return ", ".join(f"%s::{field.db_type(connection)}" for field in fields)


def _values(row):
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in _columns(type(row))]


def _found_rows(cursor, keys, parameters, *, lock):
    """With `lock`, both rows are first asked for as if nobody held them; then the one that is held is waited for."""
    if not lock:
        return _fetched(cursor, _found_statement(keys, ""), parameters)
    rows = _fetched(cursor, _found_statement(keys, f"{LOCK} SKIP LOCKED"), parameters)
    doctor_values, patient_values, *_ = rows[0]
    if _is_missing(parameters["doctor"], doctor_values) or _is_missing(parameters["patient"], patient_values):
        with lock_of_held_row() as clause:
            return _fetched(cursor, _found_statement(keys, clause), parameters)
    return rows


def _fetched(cursor, statement, parameters):
    cursor.execute(statement, parameters)
    return [_cut(row) for row in cursor.fetchall()]


def _is_missing(asked, values):
    return asked is not None and values[0] is None


@cache
def _found_statement(keys, lock):
    doctor_key, procedure_key = keys
    return FOUND.format(
        doctor=", ".join(column_names(Doctor)),
        doctor_key=doctor_key,
        patient=", ".join(PATIENT_COLUMNS),
        procedure=", ".join(f"each.{name}" for name in column_names(Procedure)),
        procedure_key=procedure_key,
        discount=", ".join(column_names(Discount)),
        lock=lock,
        # A patient is not held before the doctor is: two who want both would wait for each other.
        least=1 if "SKIP" in lock else 0,
        once=PLANNED_ONCE if lock else "SELECT",
    )


def _cut(row):
    """A row of FOUND, taken apart: the doctor's values, the patient's, a procedure's with `performed` and its line, a
    discount's with its line."""
    parts, at = [], 0
    for length in (
        len(column_names(Doctor)),
        len(PATIENT_COLUMNS),
        len(column_names(Procedure)) + 2,
        len(column_names(Discount)) + 1,
    ):
        parts.append(row[at : at + length])
        at += length
    return parts


def _key(wanted):
    return "uuid" if isinstance(wanted, UUID) else "id"


def _possible(wanted):
    """An id beyond bigint is nobody's, and PostgreSQL would refuse to compare it."""
    return isinstance(wanted, UUID) or wanted is not None and abs(wanted) <= models.BigIntegerField.MAX_BIGINT
