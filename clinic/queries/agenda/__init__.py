"""The day of all doctors, placed on a grid of five-minute rows: its queries, and the public interface of the package.

Reads only; knows no HTTP and no booking."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db.models import Case, CharField, OuterRef, Q, StringAgg, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf

from clinic.models import Appointment, AppointmentProcedure, Clinic, Doctor
from clinic.models.appointment import Status
from clinic.models.doctor import LONGEST_INTERVAL
from clinic.models.patient import incomplete
from clinic.queries.agenda.layout import LOOK_AHEAD, AppointmentRow, DayLayout
from clinic.queries.agenda.page import Card, Column, Day, DoctorChoice, Hour, Row, Shade, Slot
from clinic.schedule import load_schedules

__all__ = ["Card", "Column", "Day", "DoctorChoice", "Hour", "Row", "Shade", "Slot", "day"]

MOST_COLUMNS = 200  # static/css/day/placement.css knows no more


def day(
    clinic: Clinic, on: date, *, now: datetime, doctors: Collection[int] = (), statuses: Collection[str] = ()
) -> Day:
    """Return the local date `on` at the instant `now`; empty filters show every doctor and status. Three queries.

    A doctor without appointments on that date is there while active only.
    """
    appointments = _appointments(clinic, on)
    next_midnight = clinic.day(on)[1]
    all_doctors = _doctors(clinic, {row.doctor_id for row in appointments if row.starts_at < next_midnight})
    ids = {doctor.pk for doctor in all_doctors}
    schedules = load_schedules(clinic, all_doctors, on, on + timedelta(days=LOOK_AHEAD))
    chosen = ids & set(doctors) or ids
    layout = DayLayout(clinic, on, now, schedules, {status for status in statuses if status in Status.values})
    return layout.lay_out(all_doctors, chosen, appointments)


def _appointments(clinic: Clinic, on: date) -> list[AppointmentRow]:
    """Return the appointments of the date; as models they would cost too much for a page of hundreds.

    Those right after midnight too: they may take the end of a free time that begins before it.
    """
    midnight, next_midnight = clinic.day(on)
    procedures = (
        AppointmentProcedure.objects.of(clinic)
        .filter(appointment=OuterRef("pk"))
        .order_by()
        .values("appointment")
        .annotate(names=StringAgg("procedure_name", delimiter=Value(", "), order_by="position"))
        .values("names")
    )
    rows = (
        Appointment.objects.of(clinic)
        .kept()
        .overlapping(midnight, next_midnight + timedelta(minutes=LONGEST_INTERVAL))
        .annotate(
            patient_name=Coalesce(NullIf("patient__social_name", Value("")), "patient__name"),
            procedures=Coalesce(Subquery(procedures), Value(""), output_field=CharField()),
            arrived_at=Case(When(status=Status.CHECKED_IN, then="status_since")),
            incomplete=Case(When(incomplete("patient__"), then=Value(True)), default=Value(False)),
        )
        .order_by("starts_at", "pk")
        .values_list(
            # in the order of AppointmentRow's fields
            "pk", "doctor_id", "starts_at", "ends_at", "status", "source", "patient_name", "procedures", "arrived_at",
            "incomplete", "unverified_cpf", "encaixe_by_id",
        )
    )  # fmt: skip
    return [AppointmentRow(*values) for values in rows]


def _doctors(clinic: Clinic, with_appointments: Collection[int]) -> list[Doctor]:
    """Return the active doctors, and the inactive ones with these ids."""
    doctors = Doctor.objects.of(clinic).filter(Q(active=True) | Q(pk__in=with_appointments))
    return list(doctors.only("name", "specialty", "interval_minutes", "active")[:MOST_COLUMNS])
