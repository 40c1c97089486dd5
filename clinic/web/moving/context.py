"""What the day shows while an appointment is moved: where it could go, and why it stayed."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from clinic import booking
from clinic.form_fields import TypedDateField
from clinic.models import Appointment, Doctor
from clinic.queries import booking_options
from clinic.spoken import WEEKDAYS
from clinic.web.booking_panel.forms import MoveForm


class FreeTimes(NamedTuple):
    """The local starts that an appointment could have with a doctor, as 09:05."""

    doctor: Doctor
    starts: list[str]


def places_context(appointment: Appointment, typed_day: str) -> dict[str, Any]:
    """Return the free times of every doctor on the local date that was asked for, by default the appointment's."""
    day = _day(appointment, typed_day)
    lines = list(appointment.lines.all())
    performing, not_performing = booking_options.split_by_performing(
        appointment.clinic,
        booking_options.doctors(appointment.clinic),
        {line.procedure_id for line in lines},
        appointment.doctor_id,
    )
    return {
        "appointment": appointment,
        "day": day,
        "weekday": WEEKDAYS[day.weekday()],
        "free": _free_times(appointment, performing, day),
        "not_performing": not_performing,
        "procedure_names": ", ".join(line.procedure_name for line in lines),
    }


def refused_context(appointment: Appointment, form: MoveForm | None) -> dict[str, Any]:
    """Return what is offered where a move was refused; the form is None where nothing was posted."""
    wanted: datetime | None = form.cleaned_data.get("starts_at") if form and form.was_moved_elsewhere else None
    return {
        "appointment": appointment,
        "place": booking.place(appointment),
        "doctor": form.cleaned_data.get("doctor") if form else None,
        "times": form.alternatives if form else [],
        "wanted": wanted,
        "is_movable": booking.is_movable(appointment),
    }


def _day(appointment: Appointment, typed: str) -> date:
    try:
        read: date | None = TypedDateField(required=False).clean(typed)
    except ValidationError:
        read = None
    return read or appointment.clinic.local(appointment.starts_at).date()


def _free_times(appointment: Appointment, doctors: list[Doctor], day: date) -> list[FreeTimes]:
    starts: dict[int, list[str]] = {doctor.pk: [] for doctor in doctors}
    for opening in booking.openings_of_any(
        appointment.clinic,
        doctors=doctors,
        minutes=(appointment.ends_at - appointment.starts_at) // timedelta(minutes=1),
        first=day,
        last=day,
        patient=appointment.patient_id,
        moving=appointment,
    ):
        starts[opening.doctor_id].append(f"{appointment.clinic.local(opening.starts_at):%H:%M}")
    return [FreeTimes(doctor, starts[doctor.pk]) for doctor in doctors]
