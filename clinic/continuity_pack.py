"""The next hours of a clinic as one file, to be printed or read when the network falls."""

from base64 import b64encode
from datetime import datetime, timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from clinic.models import Clinic, shown
from clinic.queries.printed import Sheet, sheets

HOURS = 48
STYLE = settings.ROOT / "static" / "css" / "printed.css"


def pack(clinic: Clinic, now: datetime, hours: int = HOURS) -> str:
    """Return an HTML document that loads nothing, in the clinic's language and zone.

    It begins with the local date of `now`, so that the visits of this morning are in it, and ends `hours` after `now`.
    """
    with timezone.override(clinic.zone), translation.override(clinic.language):
        until = now + timedelta(hours=hours)
        context = {
            "clinic": clinic,
            "language": clinic.language,
            "sheets": _sheets(clinic, now, until),
            "until": until,
            "shows_phones": True,
            "shows_notes": True,
            "printed_at": now,
            "style": b64encode(STYLE.read_bytes()).decode(),
        }
        return render_to_string("printed/pack.html", context)


def _sheets(clinic: Clinic, now: datetime, until: datetime) -> list[Sheet]:
    """Return the sheets of all days; for the access log each of them is shown as a whole."""
    with shown.choosing():
        found = [sheet for span in _days(clinic, now, until) for sheet in sheets(clinic, *span)]
    for sheet in found:
        shown.add_day(sheet.day)
    return found


def _days(clinic: Clinic, now: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Return the spans of the local dates from that of `now`, the last one ending at `until`.

    For one date PostgreSQL looks patients up by their ids; for several it would read the whole table.
    """
    first, last = clinic.local(now).date(), clinic.local(until).date()
    spans = [clinic.day(first + timedelta(days=number)) for number in range((last - first).days + 1)]
    return [(since, min(before, until)) for since, before in spans]
