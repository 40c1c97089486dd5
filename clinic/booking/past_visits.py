"""Visits of the time before this product, which an import brings: written as they were, in bulk.

They are history: no opening hours, no active doctor and no rule of a booking is asked, and nothing follows from them.
That a doctor and a patient are in one place at a time holds for them too; the constraints have the last word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import IntegrityError, connection, transaction

from clinic.booking.book import snapshot_with_lines
from clinic.booking.pricing import PricedLine
from clinic.booking.rules.notes import too_long_notes
from clinic.copying import copy_rows, next_ids
from clinic.models import Appointment, AppointmentEvent, AppointmentProcedure, Clinic, Doctor, Patient, Payer, Procedure
from clinic.models.appointment import FREES_THE_TIME, STANDING_SQL, Status
from clinic.models.patient import CURRENT
from clinic.models.price import PRICE_SQL
from clinic.models.references import referred_to
from clinic.refusals import Refusal
from clinic.registry import Author
from clinic.registry.patient_details import tidy_notes, unstorable_notes

STORED_SQL = """
    SELECT place, status FROM unnest(%(doctors)s::bigint[], %(patients)s::bigint[], %(starts)s::timestamptz[])
        WITH ORDINALITY AS wanted (doctor, patient, start, place)
    JOIN clinic_appointment AS stored ON stored.clinic_id = %(clinic)s AND stored.doctor_id = wanted.doctor
        AND stored.starts_at = wanted.start AND stored.patient_id = wanted.patient AND stored.deleted_at IS NULL
"""
# Two statements in one, since each of them has an index of its own.
TAKEN_SQL = f"""
    WITH wanted AS (
        SELECT * FROM unnest(
            %(doctors)s::bigint[], %(patients)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
        ) WITH ORDINALITY AS wanted (doctor, patient, start, finish, place)
    )
    SELECT place, TRUE, starts_at, ends_at FROM wanted JOIN clinic_appointment AS stored
        ON stored.clinic_id = %(clinic)s AND stored.doctor_id = doctor AND encaixe_by_id IS NULL
        AND starts_at > start - interval '1 day' AND starts_at < finish AND ends_at > start AND {STANDING_SQL}
    UNION ALL
    SELECT place, FALSE, starts_at, ends_at FROM wanted JOIN clinic_appointment AS stored
        ON stored.clinic_id = %(clinic)s AND stored.patient_id = patient
        AND starts_at > start - interval '1 day' AND starts_at < finish AND ends_at > start AND {STANDING_SQL}
    ORDER BY 1, 2, 3
"""  # noqa: S608 - the inserted text is our own condition
PRICES_SQL = f"""
    SELECT place, {PRICE_SQL.format(procedure="procedure.id", payer="wanted.payer", day="day", base="procedure.price")}
    FROM unnest(%(procedures)s::bigint[], %(payers)s::bigint[], %(days)s::date[])
        WITH ORDINALITY AS wanted (procedure_id, payer, day, place)
    JOIN clinic_procedure AS procedure ON procedure.clinic_id = %(clinic)s AND procedure.id = wanted.procedure_id
"""  # noqa: S608 - the inserted text is our own expression
ONE_EVENT_SQL = """
    SELECT appointment_id FROM clinic_appointmentevent
    WHERE clinic_id = %s AND appointment_id = ANY(%s) GROUP BY appointment_id HAVING count(*) = 1
"""
# What is written; the database's defaults are right for every other column.
APPOINTMENT_COLUMNS = (
    *("id", "clinic_id", "uuid", "doctor_id", "doctor_name", "patient_id", "starts_at", "ends_at", "status"),
    *("status_since", "source", "notes", "metadata", "payer_id", "unverified_cpf", "encaixe_reason", "cancelled_by"),
    *("cancel_reason", "created_by_id", "created_at", "updated_at"),
)
LINE_COLUMNS = ("clinic_id", "appointment_id", "position", "procedure_id", "procedure_name", "price")
EVENT_COLUMNS = (
    *("clinic_id", "appointment_id", "doctor_id", "kind", "at", "channel", "user_id", "credential", "before", "after"),
)
BOOKED = AppointmentEvent.Kind.BOOKED
TAKEN_CONSTRAINTS = {"appointment_doctor_free", "appointment_patient_in_one_place"}
# What every appointment has.
OF_EVERY_ONE = (AppointmentProcedure, AppointmentEvent)


@dataclass(frozen=True, kw_only=True)
class PastVisit:
    """A visit as another program has kept it; instants are aware. `patient` is the id of one who is not merged.
    `cancelled_by` is given with the status Cancelado alone. The doctor and the procedures may be inactive."""

    doctor: Doctor
    patient: int
    procedures: tuple[Procedure, ...]
    starts_at: datetime
    ends_at: datetime
    status: Status
    cancelled_by: str = ""
    payer: Payer | None = None
    notes: str = ""

    @property
    def takes_time(self) -> bool:
        return self.status not in FREES_THE_TIME


@dataclass(frozen=True)
class TakenTime:
    """A standing appointment in the way of a visit: of the doctor, or else of the patient."""

    is_of_doctor: bool
    starts_at: datetime
    ends_at: datetime


def past_visit_refusals(visit: PastVisit) -> list[Refusal]:
    """Return the refusals of a visit that ask no database: those about its notes."""
    notes = tidy_notes(visit.notes)
    return unstorable_notes(notes) + too_long_notes(notes)


def lock_patients(clinic: Clinic, patients: Iterable[int]) -> set[int]:
    """Lock these patients, in order of id, until the transaction ends; return the ids of those that are neither merged
    nor blocked meanwhile. One statement."""
    rows = Patient.objects.of(clinic).filter(CURRENT, pk__in=set(patients)).order_by("pk")
    return set(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def stored_visits(clinic: Clinic, visits: Sequence[PastVisit], *, any_status: bool) -> set[int]:
    """Return the places of those that are stored already: same doctor, patient and start, and without `any_status` only
    if both take their time or neither does. One statement."""
    rows = _rows(STORED_SQL, _parameters(clinic, visits))
    return {
        place - 1
        for place, status in rows
        if any_status or visits[place - 1].takes_time == (status not in FREES_THE_TIME)
    }


def taken_times(clinic: Clinic, visits: Sequence[PastVisit]) -> dict[int, TakenTime]:
    """Return by its place what is in the way of each visit that takes time. One statement."""
    asked = [place for place, visit in enumerate(visits) if visit.takes_time]
    rows = _rows(TAKEN_SQL, _parameters(clinic, [visits[place] for place in asked]))
    return {asked[place - 1]: TakenTime(*values) for place, *values in rows}


def write_past_visits(
    clinic: Clinic, visits: Sequence[PastVisit], *, by: Author, now: datetime
) -> list[Appointment | None]:
    """Store the visits, each with its lines at the prices of its day and one event of the booking; return them in the
    same order, None for each whose time something else has taken meanwhile.

    `now` is when they were written. Runs in the caller's transaction, in which their patients are locked
    (`lock_patients`). Two statements and three COPY, and more only after a conflict: then for each half.
    """
    try:
        with transaction.atomic():
            return [*_written(clinic, visits, by, now)]
    except IntegrityError as error:
        if not _is_taken(error):
            raise
        if len(visits) == 1:
            return [None]
    half = len(visits) // 2
    return [
        appointment
        for part in (visits[:half], visits[half:])
        for appointment in write_past_visits(clinic, part, by=by, now=now)
    ]


def appointment_version(appointment: Appointment) -> str:
    """Return a text that is another one after every change of the appointment; only to be compared."""
    return appointment.updated_at.isoformat()


def delete_imported(clinic: Clinic, versions: Mapping[int, str], now: datetime) -> set[int]:
    """Mark these appointments, by their ids, as deleted that an import has made and nobody has touched since their
    version; return the ids of those that are gone.

    The row stays, without its texts, so that programs which keep a copy learn of it (`queries.changes`). One with a
    second event, or to which anything refers, is not touched. Locks their rows; runs in the caller's transaction. Four
    statements."""
    rows = list(Appointment.objects.of(clinic).filter(pk__in=versions).order_by("pk").select_for_update())
    alone = {appointment for (appointment,) in _rows(ONE_EVENT_SQL, [clinic.pk, list(versions)])}
    wanted = [row.pk for row in rows if row.pk in alone and appointment_version(row) == versions[row.pk]]
    free = set(wanted) - referred_to(Appointment, wanted, OF_EVERY_ONE)
    gone = versions.keys() - {row.pk for row in rows if row.deleted_at is None}
    marked = Appointment.objects.of(clinic).filter(pk__in=free)
    marked.update(deleted_at=now, updated_at=now, notes="", metadata={})
    return gone | free


def _written(clinic: Clinic, visits: Sequence[PastVisit], by: Author, now: datetime) -> list[Appointment]:
    priced = _priced_lines(clinic, visits)
    ids = next_ids(Appointment, len(visits))
    appointments = [_appointment(clinic, pk, visit, by, now) for pk, visit in zip(ids, visits, strict=True)]
    pairs = list(zip(appointments, priced, strict=True))
    values = attrgetter(*APPOINTMENT_COLUMNS)
    copy_rows(Appointment, APPOINTMENT_COLUMNS, map(values, appointments))
    copy_rows(
        AppointmentProcedure,
        LINE_COLUMNS,
        (
            (clinic.pk, appointment.pk, position, line.procedure.pk, line.procedure.name, line.price)
            for appointment, lines in pairs
            for position, line in enumerate(lines)
        ),
    )
    author = by.channel, by.user.pk if by.user else None, by.credential
    copy_rows(
        AppointmentEvent,
        EVENT_COLUMNS,
        (
            (clinic.pk, made.pk, made.doctor_id, BOOKED, now, *author, {}, snapshot_with_lines(made, lines))
            for made, lines in pairs
        ),
    )
    return appointments


def _appointment(clinic: Clinic, pk: int, visit: PastVisit, by: Author, now: datetime) -> Appointment:
    return Appointment(
        pk=pk,
        clinic=clinic,
        doctor=visit.doctor,
        doctor_name=visit.doctor.full_name,
        patient_id=visit.patient,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        status=visit.status,
        status_since=min(visit.starts_at, now),
        cancelled_by=visit.cancelled_by,
        payer=visit.payer,
        notes=tidy_notes(visit.notes),
        created_by=by.user,
        created_at=now,
        updated_at=now,
    )


def _priced_lines(clinic: Clinic, visits: Sequence[PastVisit]) -> list[list[PricedLine]]:
    """Return the lines of each visit, at the prices that hold on its local date for who pays. One statement."""
    keys = list(
        dict.fromkeys(
            (procedure.pk, visit.payer.pk if visit.payer else None, clinic.local(visit.starts_at).date())
            for visit in visits
            for procedure in visit.procedures
        )
    )
    procedures, payers, days = (list(values) for values in zip(*keys, strict=True))
    parameters = {"clinic": clinic.pk, "procedures": procedures, "payers": payers, "days": days}
    prices: dict[Any, Decimal] = {keys[place - 1]: price for place, price in _rows(PRICES_SQL, parameters)}
    return [
        [
            PricedLine(procedure, prices[procedure.pk, payer, clinic.local(visit.starts_at).date()], ())
            for procedure in visit.procedures
        ]
        for visit in visits
        for payer in [visit.payer.pk if visit.payer else None]
    ]


def _parameters(clinic: Clinic, visits: Sequence[PastVisit]) -> dict[str, Any]:
    return {
        "clinic": clinic.pk,
        "doctors": [visit.doctor.pk for visit in visits],
        "patients": [visit.patient for visit in visits],
        "starts": [visit.starts_at for visit in visits],
        "ends": [visit.ends_at for visit in visits],
    }


def _is_taken(error: IntegrityError) -> bool:
    cause: Any = error.__cause__
    return cause is not None and cause.diag.constraint_name in TAKEN_CONSTRAINTS


def _rows(statement: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [*cursor.fetchall()]
