"""What the day posts, as the fields of *Remarcar* and *Alterar*."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.http import QueryDict

from clinic import booking
from clinic.form_fields import TypedTimeField, is_short_number
from clinic.models import Appointment
from clinic.models.procedure import LONGEST_DURATION
from clinic.web.booking_panel import fields
from clinic.web.booking_panel.change_form import data_of_lines

MAX_DAYS = 7  # of a week's page


def read_minutes(text: str) -> int | None:
    """Read a length that an appointment may have; None for anything else."""
    return int(text) if is_short_number(text) and 0 < int(text) <= LONGEST_DURATION else None


def read_days(text: str) -> int:
    """Read a number of dates, a week at most; 1 for anything else."""
    return int(text) if is_short_number(text) and 1 <= int(text) <= MAX_DAYS else 1


def data_of_choice(posted: QueryDict, appointment: Appointment) -> QueryDict:
    """Return the fields of *Remarcar* for the offered time that is chosen, with the length that was asked for."""
    data = fields.apply_move_button(posted, appointment, None)
    if minutes := read_minutes(data.get("minutes", "")):
        data["ends"] = _later(data.get("starts", ""), minutes)
    return data


def data_of_end(posted: QueryDict, appointment: Appointment) -> QueryDict:
    """Return the fields of *Alterar* as they are stored, with the posted end.

    What is `seen` is read before the lines: with it, lines that are changed meanwhile are not replaced."""
    seen = booking.contents(appointment)
    data = data_of_lines(appointment)
    data["seen"], data["place"] = seen, booking.place(appointment)
    data["ends"] = posted.get("ends", "") or data.get("ends", "")
    return data


def _later(starts: str, minutes: int) -> str:
    """Return the wall time so much later; "" where the start cannot be read."""
    try:
        wall = TypedTimeField().clean(starts)
    except ValidationError:
        return ""
    return f"{datetime.combine(datetime.min, wall) + timedelta(minutes=minutes):%H:%M}"
