"""What the page of a series shows of its sessions."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.http import QueryDict

from clinic import booking
from clinic.form_fields import is_short_number
from clinic.models import Appointment, Series
from clinic.queries.series import Session, standing
from clinic.schedule import Recurrence, bookable_dates, dates_after


def sessions_context(series: Series, found: Sequence[Session], now: datetime) -> dict[str, Any]:
    """Return the sessions, each with the `state` in which it is shown, and what they are asked about. There are some,
    and the series comes with its clinic."""
    counted = standing(found)
    first, last = (counted or [found[0].appointment])[0], (counted or [found[-1].appointment])[-1]
    return {
        "series": series,
        "sessions": [(each, booking.state(each.appointment)) for each in found],
        "total": len(counted),
        "patient": last.patient,
        "first": first,
        "last": last,
        "is_repeatable": booking.is_repeatable(last),
        "coming": {session.pk for session in ahead(found, now)},
        "left_out": left_out(series, counted, now),
    }


def ahead(found: Sequence[Session], now: datetime) -> list[Appointment]:
    """Return the sessions that can still be moved or cancelled together: they have not begun."""
    return [each.appointment for each in found if booking.is_still_ahead(each.appointment, now)]


def ticked(query: QueryDict, coming: Sequence[Appointment]) -> set[int]:
    """Return the ids of the sessions that are ticked when the page opens: those of `coming` from the one with the id
    `de` on, or only the one with the id `so`."""
    only, since = query.get("so", ""), query.get("de", "")
    if is_short_number(only):
        return {session.pk for session in coming if session.pk == int(only)}
    starts = [session.starts_at for session in coming if str(session.pk) == since]
    return {session.pk for session in coming if not starts or session.starts_at >= starts[0]}


def left_out(series: Series, counted: Sequence[Appointment], now: datetime) -> list[date]:
    """Return the dates still ahead that the rule of the series has between its first session and its last, and on which
    there is none; none where there are as many sessions as dates, only moved."""
    clinic = series.clinic
    taken = [clinic.local(session.starts_at).date() for session in counted]
    if not taken:
        return []
    rule = Recurrence(series.every, frozenset(series.weekdays), until=taken[-1])
    all_dates = dates_after(taken[0], rule, (date.min, taken[-1])).dates
    if len(taken) > len(all_dates):
        return []
    return dates_after(taken[0], rule, bookable_dates(clinic, now), besides=taken).dates
