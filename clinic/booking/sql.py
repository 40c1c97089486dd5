"""Hand-written statements of a booking's hot path.

Composing them took Django several times as long as PostgreSQL takes to run them. They do what the ORM would have done:
rows become models, the clinic is the first condition, columns come from the models.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from clinic.booking.columns import PATIENT_COLUMNS, column_list, placeholders, values, written_fields
from clinic.booking.pricing import PricedLine
from clinic.booking.proposal import DoctorKey
from clinic.booking.slots import OverlappingAppointment, ScheduleContext, Slot
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
from clinic.models.price import PRICE_SQL
from clinic.models.raw_sql import attribute_names, column_names, instance
from clinic.models.titles import with_title
from clinic.registry.sql import MATCHING_SQL, SINGLE_SQL, FoundPatients, PatientSearch
from clinic.schedule import HOURS_AND_ABSENCES_SQL, dates_of, schedules_of

# The patient's row waits for the doctor's: the count makes PostgreSQL look for, and lock, the doctor first. A patient
# that is described is read if exactly one is found, as `registry.sql` explains; how many are is the last column.
ROWS_SQL = """
    WITH doctor AS MATERIALIZED (
        SELECT {doctor} FROM clinic_doctor WHERE clinic_id = %(clinic)s AND {doctor_key} = %(doctor)s AND active {lock}
    ), {matching} patient AS MATERIALIZED (
        SELECT {patient} FROM clinic_patient WHERE {wanted} AND (SELECT count(*) FROM doctor) >= {least} {lock}
    ), procedure AS (
        SELECT {procedure}, {price}, EXISTS (
            SELECT FROM clinic_doctor_procedures, doctor WHERE doctor_id = doctor.id AND procedure_id = requested.id
        ), row_number() OVER () AS line
        FROM clinic_procedure AS requested
        WHERE clinic_id = %(clinic)s AND {procedures}
    ), discount AS (
        SELECT {discount}, row_number() OVER () AS line
        FROM clinic_discount WHERE clinic_id = %(clinic)s AND {discounts}
    )
    SELECT doctor.*, patient.*, procedure.*, discount.*, {found} FROM ({setup}) AS setup
    LEFT JOIN doctor ON true LEFT JOIN patient ON true
    LEFT JOIN (procedure FULL JOIN discount USING (line)) ON true
"""
# Which procedures and discounts are loaded: those of a booking, by their ids, or those that an appointment has.
REQUESTED = {
    "procedures": "{procedure_key} = ANY (%(procedures)s) AND active",
    "discounts": "id = ANY (%(discounts)s)",
}
STORED = {
    "procedures": """id IN (
        SELECT procedure_id FROM clinic_appointmentprocedure
        WHERE clinic_id = %(clinic)s AND appointment_id = %(appointment)s
    )""",
    "discounts": """id IN (
        SELECT discount_id FROM clinic_applieddiscount AS applied
        JOIN clinic_appointmentprocedure AS line ON line.id = applied.line_id
        WHERE line.clinic_id = %(clinic)s AND line.appointment_id = %(appointment)s
    )""",
}
# Until the transaction ends no statement is planned anew: planning CONTEXT_SQL takes twice as long as running it.
FORCE_GENERIC_PLANS = "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)"
LOCK_DOCTOR_SQL = "SELECT FROM clinic_doctor WHERE clinic_id = %s AND id = %s"
LOCK_PATIENT_SQL = "SELECT FROM clinic_patient WHERE clinic_id = %s AND id = %s"
# The day's hours and absences, and own holidays; overlapping appointments, with three columns of their own at the end;
# and a row with nothing but the clinic's time zone.
CONTEXT_SQL = f"""
    SELECT stored.*, NULL::bigint, NULL::bigint, NULL::bigint FROM ({HOURS_AND_ABSENCES_SQL}) AS stored
    UNION ALL
    SELECT doctor_id, NULL, NULL, NULL, starts_at, ends_at, clinic_doctor.name, title, NULL, NULL, NULL,
        appointment.id, patient_id, encaixe_by_id
    FROM clinic_appointment AS appointment JOIN clinic_doctor ON clinic_doctor.id = doctor_id
    WHERE appointment.clinic_id = %(clinic)s AND (doctor_id = %(doctor)s OR patient_id = %(patient)s)
      AND starts_at > %(since)s AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s
      AND {STANDING_SQL} AND appointment.id IS DISTINCT FROM %(moving)s
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, time_zone, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM clinic_clinic WHERE id = %(clinic)s
    ORDER BY 5, 12
"""  # noqa: S608 - the inserted text is the statement of clinic.schedule


@dataclass(frozen=True)
class LoadedRows:
    """The requested rows, None for each that is unknown or inactive; `performed` are the ids of the procedures that
    this doctor performs, `prices` what each of these procedures costs on the day, by id. The `price` of a procedure is
    that of today.

    `patient` is the one that was asked for by id. `found` is what a search has found: the one patient that it matches,
    or nobody. None where no search was asked for, or it has to be made alone: it matches several, or one whose row is
    held; or, with `lock`, the doctor was held, is unknown or was not given.
    """

    doctor: Doctor | None
    patient: Patient | None
    procedures: list[Procedure | None]
    performed: frozenset[int]
    discounts: list[Discount | None]
    prices: dict[int, Decimal] = field(default_factory=dict)
    found: FoundPatients | None = None


def load_rows(
    clinic: Clinic,
    *,
    doctor: DoctorKey | None = None,
    patient: int | None = None,
    search: PatientSearch | None = None,
    procedures: Sequence[int | UUID] = (),
    discounts: Sequence[int] = (),
    day: date | None = None,
    payer: int | None = None,
    lock: bool = False,
) -> LoadedRows:
    """Load rows by id or uuid, a patient by id or by a search; procedures and discounts in the requested order. `day`
    is the local date whose prices are wanted, None for today, and `payer` the id of who pays them.

    By id, a blocked patient is unknown, and of a merged one it is the kept one that is loaded: looked at behind the
    lock, for which a merge was waited for. A search gives `found` alone, with a merged patient as it is: which patient
    is meant, if any, depends on `match_patient`.

    With `lock` the doctor's row is locked, then the patient's; two statements when another transaction holds one, and
    as many again for the kept patient. The second one makes no search, and none is made for a held patient alone:
    `match_patient` makes it then, by one statement or two.
    """
    procedure_keys = [key for key in procedures if is_possible_key(key)]
    today = clinic.local(timezone.now()).date()
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "doctor": doctor if is_possible_key(doctor) else None,
        "patient": patient if is_possible_key(patient) else None,
        "procedures": procedure_keys,
        "discounts": [key for key in discounts if is_possible_key(key)],
        "today": today,
        "day": day or today,
        "payer": payer if is_possible_key(payer) else None,
        **(search.parameters if search else {}),
    }
    key_columns = key_column(doctor), key_column(procedure_keys[0]) if procedure_keys else "id"
    with prepared_cursor() as cursor:
        read = _fetch_rows(cursor, key_columns, parameters, search.where if search else "", lock=lock)
    by_id = None if search else read.patient
    if by_id and by_id.merged_into_id:
        return load_rows(
            clinic,
            doctor=doctor,
            patient=by_id.merged_into_id,
            procedures=procedures,
            discounts=discounts,
            day=day,
            payer=payer,
            lock=lock,
        )
    procedures_by_key: dict[int | UUID, Procedure] = {}
    for procedure in read.procedures:
        procedures_by_key |= {procedure.pk: procedure, procedure.uuid: procedure}
    discounts_by_id = {discount.pk: discount for discount in read.discounts}
    return LoadedRows(
        read.doctor,
        None if by_id and by_id.blocked_at else by_id,
        [procedures_by_key.get(key) for key in procedures],
        read.performed,
        [discounts_by_id.get(key) for key in discounts],
        read.prices,
        _found(search, read) if search else None,
    )


def load_rows_of(appointment: Appointment, doctor: DoctorKey | None) -> LoadedRows:
    """Load the doctor, and of an appointment the procedures and discounts, by name, those that are no longer offered
    too. Its patient is loaded already. One statement."""
    parameters = {
        "clinic": appointment.clinic_id,
        "appointment": appointment.pk,
        "doctor": doctor if is_possible_key(doctor) else None,
        "patient": None,
        **dict.fromkeys(("today", "day"), appointment.clinic.local(timezone.now()).date()),
        "payer": None,
    }
    with prepared_cursor() as cursor:
        read = _fetch(cursor, _rows_statement((key_column(doctor), "id"), "", is_stored=True), parameters)
    procedures = sorted(read.procedures, key=attrgetter("sort_name", "pk"))
    discounts = sorted(read.discounts, key=attrgetter("name", "pk"))
    return LoadedRows(read.doctor, None, [*procedures], read.performed, [*discounts])


def ids_of_doctor(clinic: Clinic, key: DoctorKey | None) -> list[int]:
    """Return the id of the clinic's doctor with this key, an inactive one too; none where there is none."""
    if not is_possible_key(key):
        return []
    return list(Doctor.objects.of(clinic).filter(**{key_column(key): key}).values_list("pk", flat=True))


def lock_rows(clinic: Clinic, doctors: set[int], *patients: int) -> None:
    """Lock the rows of these doctors of the clinic, in order of id, then of the patients, as they are given."""
    with prepared_cursor() as cursor:
        for doctor in sorted(doctors):
            lock_row(cursor, LOCK_DOCTOR_SQL, [clinic.pk, doctor])
        for patient in patients:
            lock_row(cursor, LOCK_PATIENT_SQL, [clinic.pk, patient])


def load_context(slot: Slot) -> ScheduleContext:
    """Load what the rules of availability need to know about a slot. One statement.

    Call it once, after the locks: what it returns then holds until the transaction ends.
    """
    clinic, day = slot.clinic, slot.local_date
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "doctors": [slot.doctor.pk],
        **dates_of(clinic, day, day),
        "doctor": slot.doctor.pk,
        "patient": slot.patient.pk if slot.patient else None,
        "since": slot.starts_at - OVERLAP_LOOKBACK,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "moving": slot.moving.pk if slot.moving else None,
    }
    with prepared_cursor() as cursor:
        cursor.execute(CONTEXT_SQL, parameters)
        rows = cursor.fetchall()
    time_zone = next(row[6] for row in rows if _is_time_zone_row(row))
    schedule_rows = [row[:11] for row in rows if row[11] is None and not _is_time_zone_row(row)]
    overlapping = [
        OverlappingAppointment(
            pk, doctor_id, with_title(title, name), title, patient_id, starts_at, ends_at, encaixe_by is not None
        )
        for doctor_id, _, _, _, starts_at, ends_at, name, title, _, _, _, pk, patient_id, encaixe_by in rows
        if pk is not None
    ]
    return ScheduleContext(schedules_of(clinic, schedule_rows), overlapping, time_zone)


def _is_time_zone_row(row: tuple[Any, ...]) -> bool:
    """Return whether a row of CONTEXT_SQL holds the time zone: hours have a weekday, absences and appointments a
    start, the clinic's own days a rule for their date."""
    return row[1] is None and row[4] is None and row[7] is None


def insert(appointment: Appointment, lines: list[PricedLine], event: AppointmentEvent) -> None:
    """Store the three and the discounts by one statement; `appointment` gets its id. Raises IntegrityError."""
    numbered = list(enumerate(lines))
    line_rows = [
        {"position": position, "procedure": line.procedure.pk, "price": str(line.price), "name": line.procedure.name}
        for position, line in numbered
    ]
    discount_rows = [
        {"position": position, "discount": discount.pk, "value": str(amount), "name": discount.name}
        for position, line in numbered
        for discount, amount in line.discounts
    ]
    parameters = [
        *values(appointment),
        appointment.clinic_id,
        json.dumps(line_rows),
        appointment.clinic_id,
        json.dumps(discount_rows),
        *values(event),
    ]
    with prepared_cursor() as cursor:
        cursor.execute(_insert_statement(), parameters)
        (appointment.pk,) = cursor.fetchone()
    appointment._state.adding, appointment._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insert_statement() -> str:
    """One statement is one round trip, and one moment at which a constraint can refuse. Lines and discounts are two
    parameters, as JSON: of an array psycopg looks for the type at every run."""
    appointment, event = written_fields(Appointment), written_fields(AppointmentEvent)
    appointment_columns, event_columns = column_list(appointment), column_list(event)
    return f"""
        WITH appointment AS (
            INSERT INTO {Appointment._meta.db_table} ({appointment_columns}) VALUES ({placeholders(appointment)})
            RETURNING id
        ), line AS (
            INSERT INTO {AppointmentProcedure._meta.db_table}
                (clinic_id, appointment_id, position, procedure_id, price, procedure_name)
            SELECT %s, appointment.id, line.*
            FROM appointment,
                jsonb_to_recordset(%s) AS line (position int, procedure bigint, price numeric, name text)
            RETURNING id, position
        ), applied_discount AS (
            INSERT INTO {AppliedDiscount._meta.db_table} (clinic_id, line_id, discount_id, value, discount_name)
            SELECT %s, line.id, discount, value, name
            FROM jsonb_to_recordset(%s) AS applied (position int, discount bigint, value numeric, name text)
            JOIN line USING (position)
        ), event AS (
            INSERT INTO {AppointmentEvent._meta.db_table} (appointment_id, {event_columns})
            SELECT appointment.id, {placeholders(event)} FROM appointment
        )
        SELECT id FROM appointment
    """  # noqa: S608 - only names of the models' own columns are inserted


# The parts of a row of ROWS_SQL: the doctor's values, the patient's, a procedure's with its price on the day, whether
# it is performed and its line, a discount's with its line.
type _RowParts = tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]


class _Read(NamedTuple):
    """What rows of ROWS_SQL hold; `performed` are ids of the procedures, `matching` is how many patients are described,
    None where none was looked for so."""

    doctor: Doctor | None
    patient: Patient | None
    procedures: list[Procedure]
    performed: frozenset[int]
    discounts: list[Discount]
    prices: dict[int, Decimal]
    matching: int | None


def _fetch_rows(
    cursor: CursorWrapper, key_columns: tuple[str, str], parameters: dict[str, Any], where: str, *, lock: bool
) -> _Read:
    """With `lock`, both rows are first read as if nobody held them; then the one that is held is waited for. Who is
    searched for, by the condition `where`, is not: who that is has to be asked again behind the doctor's lock."""
    if not lock:
        return _fetch(cursor, _rows_statement(key_columns, "", where), parameters, where)
    read = _fetch(cursor, _rows_statement(key_columns, f"{LOCK} SKIP LOCKED", where), parameters, where)
    lacks_doctor = parameters["doctor"] is not None and read.doctor is None
    lacks_patient = parameters["patient"] is not None and read.patient is None
    if lacks_doctor or lacks_patient:
        with lock_of_held_row() as clause:
            return _fetch(cursor, _rows_statement(key_columns, clause), parameters)
    return read


def _fetch(cursor: CursorWrapper, statement: str, parameters: dict[str, Any], where: str = "") -> _Read:
    cursor.execute(statement, parameters)
    rows = cursor.fetchall()
    patient_columns = _patient_columns(where)
    return _read([_split(row, patient_columns) for row in rows], patient_columns, rows[0][-1])


def _found(search: PatientSearch, read: _Read) -> FoundPatients | None:
    patients = [read.patient] if read.patient else []
    return FoundPatients(search, patients) if read.matching == len(patients) else None


def _read(rows: list[_RowParts], patient_columns: tuple[str, ...], matching: int | None) -> _Read:
    procedures, discounts, performed, prices = [], [], set(), {}
    for _, _, procedure_values, discount_values in rows:
        if procedure := instance(Procedure, procedure_values[:-3]):
            procedures.append(procedure)
            prices[procedure.pk] = procedure_values[-3]
            if procedure_values[-2]:
                performed.add(procedure.pk)
        if discount := instance(Discount, discount_values[:-1]):
            discounts.append(discount)
    doctor_values, patient_values, *_ = rows[0]
    patient = instance(Patient, patient_values, patient_columns)
    doctor = instance(Doctor, doctor_values)
    return _Read(doctor, patient, procedures, frozenset(performed), discounts, prices, matching)


def _patient_columns(where: str) -> tuple[str, ...]:
    """Return what is loaded of a patient: of one who is searched for everything, to compare and to complete."""
    return attribute_names(Patient) if where else PATIENT_COLUMNS


@cache
def _rows_statement(key_columns: tuple[str, str], lock: str, where: str = "", *, is_stored: bool = False) -> str:
    """Return the statement; a patient is read by id, or searched for by the condition `where`."""
    doctor_key, procedure_key = key_columns
    conditions = STORED if is_stored else REQUESTED
    return ROWS_SQL.format(
        doctor=", ".join(column_names(Doctor)),
        doctor_key=doctor_key,
        matching=f"{MATCHING_SQL.format(where=where)}," if where else "",
        patient=", ".join(column_names(Patient) if where else PATIENT_COLUMNS),
        wanted=SINGLE_SQL.format(where=where) if where else "clinic_id = %(clinic)s AND id = %(patient)s",
        found="(SELECT count(*) FROM matching)" if where else "NULL",
        procedure=", ".join(
            f"{_price('today', 'NULL')} AS price" if name == "price" else f"requested.{name}"
            for name in column_names(Procedure)
        ),
        price=_price("day", "%(payer)s::bigint"),
        procedures=conditions["procedures"].format(procedure_key=procedure_key),
        discounts=conditions["discounts"],
        discount=", ".join(column_names(Discount)),
        lock=lock,
        # The patient is not locked before the doctor is: two bookings that want both would wait for each other.
        least=1 if "SKIP" in lock else 0,
        setup=FORCE_GENERIC_PLANS if lock else "SELECT",
    )


def _price(day: str, payer: str) -> str:
    """Return the price of a requested procedure as a part of a statement; `day` is the parameter with the date."""
    return PRICE_SQL.format(procedure="requested.id", payer=payer, day=f"%({day})s", base="requested.price")


@cache
def _part_ends(patient_columns: tuple[str, ...]) -> tuple[int, int, int]:
    """Return where the values of doctor, patient and procedure end in a row of ROWS_SQL."""
    doctor = len(column_names(Doctor))
    patient = doctor + len(patient_columns)
    return doctor, patient, patient + len(column_names(Procedure)) + 3


def _split(row: tuple[Any, ...], patient_columns: tuple[str, ...]) -> _RowParts:
    doctor_end, patient_end, procedure_end = _part_ends(patient_columns)
    return row[:doctor_end], row[doctor_end:patient_end], row[patient_end:procedure_end], row[procedure_end:-1]


def key_column(key: DoctorKey | None) -> str:
    """Return the column that such a key is looked for in."""
    return "uuid" if isinstance(key, UUID) else "id"


def is_possible_key(key: DoctorKey | None) -> bool:
    """Return False for None and for an id beyond bigint, which PostgreSQL would refuse to compare."""
    return isinstance(key, UUID) or (key is not None and abs(key) <= models.BigIntegerField.MAX_BIGINT)
