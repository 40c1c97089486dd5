"""How many appointments doctors have on dates, for the numbers a day that the clinic allows."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from clinic.booking.slots import Slot
from clinic.cursors import prepared_cursor
from clinic.models import Appointment, Clinic, Doctor, Procedure
from clinic.models.appointment import STANDING_SQL
from clinic.schedule import RESTRICTED, Booked, Restricted

# An appointment with a procedure twice counts once. A row without a procedure counts all of a doctor. What `besides`
# is among is not returned: it has a place there already, even where the number was lowered since.
BOOKED_SQL = f"""
    SELECT doctor_id, procedure_id, (starts_at AT TIME ZONE %(zone)s::text)::date AS day, count(DISTINCT id)
    FROM (
        SELECT id, doctor_id, NULL::bigint AS procedure_id, starts_at FROM clinic_appointment
        WHERE clinic_id = %(clinic)s AND doctor_id = ANY (%(full_doctors)s) AND {STANDING_SQL}
          AND starts_at >= %(first)s AND starts_at < %(last)s
        UNION ALL
        SELECT appointment.id, doctor_id, procedure_id, starts_at
        FROM clinic_appointment AS appointment
        JOIN clinic_appointmentprocedure AS line ON line.appointment_id = appointment.id
        WHERE appointment.clinic_id = %(clinic)s AND doctor_id = ANY (%(doctors)s) AND {STANDING_SQL}
          AND starts_at >= %(first)s AND starts_at < %(last)s
          AND procedure_id = ANY (%(procedures)s)
    ) AS counted
    GROUP BY 1, 2, 3
    HAVING NOT coalesce(bool_or(id = %(besides)s), FALSE)
"""  # noqa: S608 - the inserted text is the condition of the model


def load_booked(
    clinic: Clinic,
    doctors: Iterable[Doctor],
    procedures: Iterable[Restricted],
    first: date,
    last: date,
    *,
    besides: Appointment | None = None,
) -> Booked:
    """Count what begins on the local dates from `first` to `last`, both included, for the appointment `besides`: with
    the doctor that it has, on its date, nothing is full for it that it is counted in, while it stands.

    One query; none where neither one of these doctors nor one of the procedures has a number a day."""
    of_doctors = [doctor.pk for doctor in doctors if doctor.per_day is not None]
    of_procedures = {procedure.pk for procedure in procedures if procedure.per_day is not None}
    if not of_doctors and not of_procedures:
        return Booked()
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "zone": clinic.time_zone,
        "full_doctors": of_doctors,
        "doctors": [doctor.pk for doctor in doctors] if of_procedures else [],
        "procedures": list(of_procedures),
        "first": clinic.day(first)[0],
        "last": clinic.day(last)[1],
        "besides": besides.pk if besides else None,
    }
    with prepared_cursor() as cursor:
        cursor.execute(BOOKED_SQL, parameters)
        rows = cursor.fetchall()
    return Booked(
        {(doctor, day): number for doctor, procedure, day, number in rows if procedure is None},
        {(doctor, procedure, day): number for doctor, procedure, day, number in rows if procedure is not None},
    )


def booked_that_day(slot: Slot) -> Booked:
    """Return `load_booked` of the slot's doctor and procedures on its local date. At most one query."""
    day = slot.local_date
    return load_booked(slot.clinic, [slot.doctor], slot.procedures, day, day, besides=slot.moving)


def with_procedures(slot: Slot) -> Slot:
    """Return the slot of an appointment that exists with those of its procedures that the clinic restricts. One query,
    none where the slot has procedures already."""
    if slot.moving is None or slot.procedures:
        return slot
    return replace(slot, procedures=tuple(_restricted_procedures(slot.moving)))


def _restricted_procedures(appointment: Appointment) -> Sequence[Procedure]:
    """Return those procedures of an appointment that restrict bookings. One query."""
    restricted = Procedure.objects.of(appointment.clinic).filter(RESTRICTED)
    return list(restricted.filter(pk__in=appointment.lines.order_by().values("procedure")).order_by("pk"))
