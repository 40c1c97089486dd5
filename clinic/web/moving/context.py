"""What the day shows while an appointment is moved: where it could go, and why it stayed."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from clinic import booking
from clinic.form_fields import TypedDateField
from clinic.models import Appointment, Doctor, Procedure
from clinic.queries import booking_options
from clinic.spoken import WEEKDAYS
from clinic.web.booking_panel.forms import MoveForm

TIME_FIELDS = {"date", "starts", "ends"}  # another time would be free of what is wrong with these alone


class FreeTimes(NamedTuple):
    """The local starts that an appointment could have with a doctor on a date, as 09:05."""

    doctor: Doctor
    day: date
    weekday: str
    starts: list[str]
    is_performing: bool


def places_context(appointment: Appointment, typed_day: str, days: int, minutes: int | None) -> dict[str, Any]:
    """Return the free times of every doctor on so many local dates from the one that was asked for on, by default the
    appointment's, and of so many minutes, by default as many as it has."""
    first = _day(appointment, typed_day)
    dates = [first + timedelta(days=number) for number in range(days)]
    lines = list(appointment.lines.select_related("procedure"))
    performing, not_performing = booking_options.split_by_performing(
        appointment.clinic,
        booking_options.doctors(appointment.clinic),
        {line.procedure_id for line in lines},
        appointment.doctor_id,
    )
    return {
        "appointment": appointment,
        "free": _free_times(
            appointment,
            performing,
            not_performing,
            dates,
            minutes or _length(appointment),
            [line.procedure for line in lines],
        ),
        "procedure_names": ", ".join(line.procedure_name for line in lines),
    }


def refused_context(appointment: Appointment, form: MoveForm | None) -> dict[str, Any]:
    """Return what is offered where a move was refused; the form is None where nothing was posted."""
    wanted: datetime | None = form.cleaned_data.get("starts_at") if form and form.was_moved_elsewhere else None
    return {
        "appointment": appointment,
        "place": booking.place(appointment),
        "doctor": form.cleaned_data.get("doctor") if form else None,
        "times": form.alternatives if form and form.errors.keys() <= TIME_FIELDS else [],
        "wanted": wanted,
        "minutes": _wanted_minutes(form) if form else None,
        "is_movable": booking.is_movable(appointment),
    }


def resize_context(appointment: Appointment, by: booking.Author) -> dict[str, Any]:
    """Return what is offered where another end was refused: the latest one, None where it has that already, and
    *Alterar*, where a longer end can be an encaixe."""
    latest = booking.latest_end(appointment)
    return {
        "appointment": appointment,
        "shown": shown_state(appointment),
        "latest": latest if latest > appointment.ends_at else None,
        "is_changeable": not booking.change_refusals(appointment, by),
    }


def shown_state(appointment: Appointment) -> str:
    """Return place and end of an appointment as a card shows them, to be compared with what was seen:
    `12|2026-11-23|09:05|09:35`, by the clinic's clock. static/js/day/move.js puts the same together."""
    return f"{booking.place(appointment)}|{appointment.clinic.local(appointment.ends_at):%H:%M}"


def _wanted_minutes(form: MoveForm) -> int | None:
    """Return the length that was asked for; None where it was to stay, or cannot be read."""
    starts_at, ends_at = form.cleaned_data.get("starts_at"), form.cleaned_data.get("ends_at")
    return (ends_at - starts_at) // timedelta(minutes=1) if starts_at and ends_at else None


def _length(appointment: Appointment) -> int:
    return (appointment.ends_at - appointment.starts_at) // timedelta(minutes=1)


def _day(appointment: Appointment, typed: str) -> date:
    try:
        read: date | None = TypedDateField(required=False).clean(typed)
    except ValidationError:
        read = None
    return read or appointment.clinic.local(appointment.starts_at).date()


def _free_times(
    appointment: Appointment,
    performing: list[Doctor],
    not_performing: list[Doctor],
    dates: list[date],
    minutes: int,
    procedures: list[Procedure],
) -> list[FreeTimes]:
    starts: dict[tuple[int, date], list[str]] = defaultdict(list)
    for opening in booking.openings_of_any(
        appointment.clinic,
        doctors=performing,
        minutes=minutes,
        first=dates[0],
        last=dates[-1],
        patient=appointment.patient_id,
        moving=appointment,
        procedures=procedures,
    ):
        local = appointment.clinic.local(opening.starts_at)
        starts[opening.doctor_id, local.date()].append(f"{local:%H:%M}")
    return [
        FreeTimes(doctor, day, WEEKDAYS[day.weekday()], starts[doctor.pk, day], doctor in performing)
        for day in dates
        for doctor in [*performing, *not_performing]
    ]
