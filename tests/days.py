"""A day put together appointment by appointment, and what it shows."""

from datetime import UTC, date, datetime, time, timedelta

from clinic.models import Appointment, AppointmentProcedure
from clinic.queries import agenda
from tests.factories import make_patient

MONDAY = date(2026, 11, 23)
EARLIER = datetime(2026, 11, 20, tzinfo=UTC)


def put(doctor, at, minutes=30, status="scheduled", day=MONDAY, **fields):
    """An appointment written straight to the table: what is shown must not depend on how it came there."""
    starts_at = doctor.clinic.instant(day, time.fromisoformat(at))
    appointment = Appointment.objects.create(
        clinic=doctor.clinic,
        doctor=doctor,
        doctor_name=doctor.full_name,
        patient=fields.pop("patient", None) or make_patient(doctor.clinic),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        status=status,
        cancelled_by="patient" if status == "cancelled" else "",
        **fields,
    )
    procedure = doctor.procedures.first()
    AppointmentProcedure.objects.create(
        clinic=doctor.clinic,
        appointment=appointment,
        position=0,
        procedure=procedure,
        procedure_name=procedure.name,
        price=1,
    )
    return appointment


def shown(clinic, on=MONDAY, now=EARLIER, **filters):
    return agenda.day(clinic, on, now=now, **filters)


def cells(day, kind):
    return [cell for hour in day.hours for row in hour.rows for cell in row.cells if cell.kind == kind]


def free(day):
    return [cell.time for cell in cells(day, "slot")]


def hours(*pairs):
    return [(time.fromisoformat(starts), time.fromisoformat(ends)) for starts, ends in pairs]
