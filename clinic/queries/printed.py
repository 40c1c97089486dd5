"""The days as they are printed: a sheet for each doctor and local date, without what is cancelled. Reads only."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Prefetch

from clinic.models import Appointment, AppointmentProcedure, Clinic, Doctor
from clinic.models.appointment import Status
from clinic.queries.appointments import listed

PRINTED = [status for status in Status.values if status != Status.CANCELLED]


@dataclass
class Sheet:
    """The appointments of one doctor that begin on one local date, in their order, with patients and lines."""

    doctor: Doctor
    day: date
    appointments: list[Appointment] = field(default_factory=list)


def sheets(clinic: Clinic, since: datetime, before: datetime) -> list[Sheet]:
    """Return the sheets of the appointments that start in [since, before), cancelled ones left out, by date and doctor.

    Two queries, however many appointments.
    """
    lines = Prefetch("lines", AppointmentProcedure.objects.order_by("position"))
    found = listed(clinic, since=since, before=before, statuses=PRINTED).prefetch_related(lines)
    by_place: dict[tuple[date, int], Sheet] = {}
    for appointment in found:
        day = clinic.local(appointment.starts_at).date()
        sheet = by_place.setdefault((day, appointment.doctor_id), Sheet(appointment.doctor, day))
        sheet.appointments.append(appointment)
    return sorted(by_place.values(), key=lambda sheet: (sheet.day, sheet.doctor.sort_name, sheet.doctor.pk))
