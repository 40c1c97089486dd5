"""What the page of a series shows of its sessions."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.http import QueryDict

from clinic import booking
from clinic.form_fields import is_short_number
from clinic.models import Appointment, Series
from clinic.queries.series import Session, standing
from clinic.schedule import Recurrence, bookable_dates, dates_after, period_of


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
        "left_out": left_out(series, found, now),
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


def left_out(series: Series, found: Sequence[Session], now: datetime) -> list[date]:
    """Return the dates still ahead that the rule of the series had as it was asked for, between its first session and
    its last, in whose period there is no session at all: one that is on another day was moved."""
    clinic = series.clinic
    taken = [clinic.local(session.starts_at).date() for session in standing(found)]
    if not taken:
        return []
    first = clinic.local(found[0].appointment.starts_at).date()
    count = None if series.count is None else series.count - 1
    rule = Recurrence(series.every, frozenset(series.weekdays), count, series.until)
    periods = {period_of(first, rule, day) for day in taken}
    earliest = max(taken[0], bookable_dates(clinic, now)[0])
    dates = dates_after(first, rule, (date.min, taken[-1])).dates
    return [day for day in dates if day >= earliest and period_of(first, rule, day) not in periods]
