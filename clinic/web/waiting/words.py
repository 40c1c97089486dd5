"""What a request of the waiting list asks for, in words."""

from datetime import datetime, time

from django.utils.translation import gettext as _

from clinic.booking import PartOfDay
from clinic.models import Clinic, WaitingRequest
from clinic.web.booking_panel.finder_fields import PART_LABELS, WEEKDAY_LABELS
from clinic.web.pending.context import when


def hours_of(part: PartOfDay) -> tuple[time, time]:
    """Return the local times from which and to which a visit begins that is wanted in this part of the day."""
    return time(part.first_hour), time(part.last_hour, 59)


def part_of(request: WaitingRequest) -> PartOfDay | None:
    """Return the part of the day that the wanted hours are, None for others."""
    hours = request.from_time, request.to_time
    return next((part for part in PartOfDay if hours_of(part) == hours), None)


def conditions(request: WaitingRequest) -> list[str]:
    """Return days, hours and last date, as ["ter/qui", "manhã", "até 12/12"]; none for any time."""
    parts = []
    if request.weekdays:
        parts.append("/".join(str(WEEKDAY_LABELS[weekday]) for weekday in request.weekdays))
    if part := part_of(request):
        parts.append(str(PART_LABELS[part]))
    elif request.from_time and request.to_time:
        hours = {"first": f"{request.from_time:%H:%M}", "last": f"{request.to_time:%H:%M}"}
        parts.append(_("das %(first)s às %(last)s") % hours)
    if request.until:
        parts.append(_("até %(date)s") % {"date": f"{request.until:%d/%m}"})
    return parts


def present_place(request: WaitingRequest, clinic: Clinic) -> str:
    """Return "tem ter 12/01 10:00", or "sem horário desde 12/11" for who has none."""
    if request.appointment:
        return _("tem %(time)s") % {"time": when(clinic, request.appointment.starts_at)}
    return _("sem horário desde %(date)s") % {"date": _date(clinic, request.created_at)}


def _date(clinic: Clinic, instant: datetime) -> str:
    return f"{clinic.local(instant):%d/%m}"
