"""What the buttons of a pending appointment post."""

from datetime import datetime

from django.utils.dateparse import parse_datetime

from clinic.form_fields import is_short_number


def read_place(text: str) -> tuple[int | None, datetime | None]:
    """Read the value of a proposal: a doctor's id and an instant; None for what cannot be read."""
    doctor, _bar, starts = text.partition("|")
    return read_number(doctor), _read_instant(starts)


def read_number(text: str) -> int | None:
    return int(text) if is_short_number(text) else None


def _read_instant(text: str) -> datetime | None:
    try:
        instant = parse_datetime(text)
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None
