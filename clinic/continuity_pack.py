"""The next hours of a clinic as one file, to be printed or read when the network falls."""

from base64 import b64encode
from datetime import datetime, timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from clinic.models import Clinic
from clinic.queries.printed import sheets

HOURS = 48
STYLE = settings.ROOT / "static" / "css" / "printed.css"


def pack(clinic: Clinic, now: datetime, hours: int = HOURS) -> str:
    """Return an HTML document that loads nothing, in the clinic's language and zone.

    It begins with the local date of `now`, so that the visits of this morning are in it, and ends `hours` after `now`.
    """
    with timezone.override(clinic.zone), translation.override(clinic.language):
        since, _next_day = clinic.day(clinic.local(now).date())
        context = {
            "clinic": clinic,
            "language": clinic.language,
            "sheets": sheets(clinic, since, now + timedelta(hours=hours)),
            "until": now + timedelta(hours=hours),
            "shows_phones": True,
            "shows_notes": True,
            "printed_at": now,
            "style": b64encode(STYLE.read_bytes()).decode(),
        }
        return render_to_string("printed/pack.html", context)
