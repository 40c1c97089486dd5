"""What links, buttons and forms of our own pages send as text: instants, dates, numbers, and the keys of forms."""

from datetime import date, datetime
from uuid import UUID, uuid4

from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_aware

from clinic.form_fields import READABLE_YEARS, is_short_number


def read_instant(text: str) -> datetime | None:
    """Read an instant as a button or a link sends it; None for anything else."""
    try:
        instant = parse_datetime(text)
    except ValueError:
        return None
    return instant if instant and is_aware(instant) and instant.year in READABLE_YEARS else None


def read_date(text: str) -> date | None:
    """Read a date as a button or an address sends it, as 2026-11-23; None for anything else, and for a year from which
    a calendar could not step on or back."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and day.year in READABLE_YEARS else None


def read_number(text: str) -> int | None:
    """Read an id, or another number, as a button or a link sends it; None for anything else."""
    return int(text) if is_short_number(text) else None


def state_seen(data: QueryDict) -> str:
    """Return the state of the row that a button was drawn with (`seen`); "", which no row has, where it names none."""
    return data.get("seen", "")


def version_seen(data: QueryDict) -> int:
    """Return the version of the row that a button was drawn with (`seen`); 0, which no row has, where it names none."""
    return read_number(state_seen(data)) or 0


def event_to_undo(data: QueryDict) -> int:
    """Return the id of the event that a button for undoing names; 0, which is of none, where it names none."""
    return read_number(data.get("event", "")) or 0


def key_of_form(text: str | None) -> UUID:
    """Return the key that a form was sent with, by which two clicks are one act; a new one without a readable one."""
    try:
        return UUID(text or "")
    except ValueError:
        return uuid4()
