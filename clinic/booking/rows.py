"""The rows of a booking's hot path, in SQL written out.

Composing these statements cost Django several times what running them costs PostgreSQL (README, Decisions). Everything
here is what the ORM would have done: rows are models, tenancy is the first condition, columns come from the models.
"""

from functools import cache
from uuid import UUID

from django.db import connection, models

from clinic.booking.pricing import PricedLine
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

DOCTOR = "SELECT * FROM clinic_doctor WHERE clinic_id = %s AND {key} = %s AND active"
# Without the phone, which is parsed at every load: no rule about an appointment asks for it.
PATIENT = "SELECT id, clinic_id, name, social_name FROM clinic_patient WHERE clinic_id = %s AND id = %s"
LOCKED = " FOR NO KEY UPDATE"
HOLD_DOCTORS = "SELECT FROM clinic_doctor WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"
HOLD_PATIENT = "SELECT FROM clinic_patient WHERE id = %s FOR NO KEY UPDATE"
PROCEDURES = """
    SELECT procedure.*, EXISTS (
        SELECT FROM clinic_doctor_procedures WHERE doctor_id = %s AND procedure_id = procedure.id
    ) AS performed
    FROM clinic_procedure AS procedure WHERE clinic_id = %s AND {key} = ANY (%s) AND active
"""
OVERLAPPING = """
    SELECT appointment.id, appointment.doctor_id, patient_id, starts_at, ends_at, encaixe_by_id, name AS doctor_name
    FROM clinic_appointment AS appointment JOIN clinic_doctor ON clinic_doctor.id = doctor_id
    WHERE appointment.clinic_id = %s AND (doctor_id = %s OR patient_id = %s)
      AND starts_at < %s AND ends_at > %s
      AND status NOT IN ('cancelled', 'no_show') AND deleted_at IS NULL AND appointment.id IS DISTINCT FROM %s
    ORDER BY starts_at, appointment.id
"""


def doctor(clinic: Clinic, wanted: int | UUID, *, lock: bool = False) -> Doctor | None:
    """The active doctor with that id or uuid; with `lock`, its row is held (FOR NO KEY UPDATE)."""
    statement = DOCTOR.format(key=_key(wanted)) + (LOCKED if lock else "")
    return _first(Doctor, statement, [clinic.pk, wanted]) if _possible(wanted) else None


def patient(clinic: Clinic, wanted: int, *, lock: bool = False) -> Patient | None:
    """The patient with that id, with the columns that rules about time need; with `lock`, held like the doctor's."""
    return _first(Patient, PATIENT + (LOCKED if lock else ""), [clinic.pk, wanted]) if _possible(wanted) else None


def hold(doctors: set[int], patient: int) -> None:
    """Lock the rows of these doctors, in order of id, then of the patient."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_DOCTORS, [list(doctors)])
        cursor.execute(HOLD_PATIENT, [patient])


def procedures(clinic: Clinic, wanted: list, doctor: Doctor | None) -> list[Procedure | None]:
    """Active ones in the order asked for, None for each unknown, with `performed`: whether this doctor does it."""
    asked = [each for each in wanted if _possible(each)]
    if not asked:
        return [None] * len(wanted)
    key = _key(asked[0])
    found = Procedure.objects.raw(PROCEDURES.format(key=key), [doctor and doctor.pk, clinic.pk, asked])
    by_key = {getattr(procedure, key): procedure for procedure in found}
    return [by_key.get(each) for each in wanted]


def overlapping(
    clinic: Clinic, doctor: Doctor, patient: Patient | None, starts_at, ends_at, *, besides: Appointment | None = None
) -> list[Appointment]:
    """Standing appointments of this doctor or this patient that share time with the span, with `doctor_name`."""
    whose = [clinic.pk, doctor.pk, patient and patient.pk]
    return list(Appointment.objects.raw(OVERLAPPING, [*whose, ends_at, starts_at, besides and besides.pk]))


def insert(appointment: Appointment, lines: list[PricedLine], event: AppointmentEvent) -> None:
    """Store the three and the discounts in one statement; `appointment` gets its id. IntegrityError as ever."""
    off = [(position, *each) for position, line in enumerate(lines) for each in line.discounts]
    parameters = [
        *_values(appointment),
        appointment.clinic_id,
        list(range(len(lines))),
        [line.procedure.pk for line in lines],
        [line.price for line in lines],
        appointment.clinic_id,
        [position for position, _, _ in off],
        [discount.pk for _, discount, _ in off],
        [value for _, _, value in off],
        *_values(event),
    ]
    with connection.cursor() as cursor:
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
            INSERT INTO {AppointmentProcedure._meta.db_table} (clinic_id, appointment_id, position, procedure_id, price)
            SELECT %s, appointment.id, line.*
            FROM appointment, unnest(%s::int[], %s::bigint[], %s::numeric[]) AS line
            RETURNING id, position
        ), off AS (
            INSERT INTO {AppliedDiscount._meta.db_table} (clinic_id, line_id, discount_id, value)
            SELECT %s, line.id, discount_id, value
            FROM unnest(%s::int[], %s::bigint[], %s::numeric[]) AS off (position, discount_id, value)
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


def _first(model, statement, parameters):
    return next(iter(model.objects.raw(statement, parameters)), None)


def _key(wanted):
    return "uuid" if isinstance(wanted, UUID) else "id"


def _possible(wanted):
    """An id beyond bigint is nobody's, and PostgreSQL would refuse to compare it."""
    return isinstance(wanted, UUID) or abs(wanted) <= models.BigIntegerField.MAX_BIGINT
