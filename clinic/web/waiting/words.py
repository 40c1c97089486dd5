"""What an entry of the waiting list asks for, in words."""

from datetime import datetime, time

from django.utils.translation import gettext as _

from clinic.booking import PartOfDay
from clinic.models import Clinic, WaitingEntry
from clinic.web.booking_panel.finder_fields import PART_LABELS, WEEKDAY_LABELS
from clinic.web.pending.context import when


def hours_of(part: PartOfDay) -> tuple[time, time]:
    """Return the local times from which and to which a visit begins that is wanted in this part of the day."""
    return time(part.first_hour), time(part.last_hour, 59)


def part_of(entry: WaitingEntry) -> PartOfDay | None:
    """Return the part of the day that the wanted hours are, None for others."""
    hours = entry.from_time, entry.to_time
    return next((part for part in PartOfDay if hours_of(part) == hours), None)


def conditions(entry: WaitingEntry) -> list[str]:
    """Return days, hours and last date, as ["ter/qui", "manhã", "até 12/12"]; none for any time."""
    parts = []
    if entry.weekdays:
        parts.append("/".join(str(WEEKDAY_LABELS[weekday]) for weekday in entry.weekdays))
    if part := part_of(entry):
        parts.append(str(PART_LABELS[part]))
    elif entry.from_time and entry.to_time:
        hours = {"first": f"{entry.from_time:%H:%M}", "last": f"{entry.to_time:%H:%M}"}
        parts.append(_("das %(first)s às %(last)s") % hours)
    if entry.until:
        parts.append(_("até %(date)s") % {"date": f"{entry.until:%d/%m}"})
    return parts


def present_place(entry: WaitingEntry, clinic: Clinic) -> str:
    """Return "tem ter 12/01 10:00", or "sem horário desde 12/11" for who has none."""
    if entry.appointment:
        return _("tem %(time)s") % {"time": when(clinic, entry.appointment.starts_at)}
    return _("sem horário desde %(date)s") % {"date": _date(clinic, entry.created_at)}


def _date(clinic: Clinic, instant: datetime) -> str:
    return f"{clinic.local(instant):%d/%m}"
