"""Instants in addresses: ISO 8601 with an offset, and since when changes may be asked for."""

import re
from datetime import UTC, datetime, timedelta
from enum import Enum

from django.utils import timezone

from clinic.queries.changes import EARLIEST

PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)", re.ASCII | re.IGNORECASE)
AHEAD = timedelta(minutes=1)  # by which the clocks of two machines may differ


class SinceFault(Enum):
    TOO_EARLY = "too early"
    FUTURE = "future"


def parse_moment(text: str) -> datetime | None:
    """Return the instant in UTC, None for a text of another form or a time that does not exist."""
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC) if PATTERN.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def with_plus(text: str) -> str:
    """Return the text of a query with its offset's plus sign, which arrives as a space if it was not encoded."""
    return text.replace(" ", "+")


def since_fault(since: datetime) -> SinceFault | None:
    """Return why no change is listed since then, None if it can be. A client that asks for the future would take an
    empty list for the truth."""
    if since < EARLIEST:
        return SinceFault.TOO_EARLY
    return SinceFault.FUTURE if since > timezone.now() + AHEAD else None


def format_moment(moment: datetime) -> str:
    """Write an instant in UTC to the microsecond: what is cut off would be listed twice."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
