"""A agenda como estava: a day as its page was at a moment, to read only, and what is different at a later one."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.models import Clinic, shown
from clinic.queries import agenda
from clinic.queries.agenda import Change, Difference
from clinic.web.agenda.grid import past_day_html
from clinic.web.reading import read_date
from clinic.web.responses import private

AGO = [
    (gettext_lazy("há 1 hora"), timedelta(hours=1)),
    (gettext_lazy("há 1 dia"), timedelta(days=1)),
    (gettext_lazy("há 7 dias"), timedelta(days=7)),
]
WORDS = {
    Change.ADDED: gettext_lazy("Novo"),
    Change.MOVED_HERE: gettext_lazy("Veio de outro dia"),
    Change.MOVED_AWAY: gettext_lazy("Foi para outro dia"),
    Change.MOVED: gettext_lazy("Mudou de lugar"),
    Change.CANCELLED: gettext_lazy("Cancelado"),
    Change.CHANGED: gettext_lazy("Alterado"),
}


@require_safe
@manager_required
def as_of(request: ClinicRequest, date: str) -> HttpResponse:
    """Show a local date as it was at the wall time `em`, an hour ago without one; with `ate`, what is different then,
    or now where that is "agora"."""
    on, clinic, now = read_date(date), request.clinic, timezone.now()
    if on is None:
        raise Http404
    typed, until = request.GET.get("em", ""), request.GET.get("ate", "")
    moment = _moment(typed, clinic) if typed else now - AGO[0][1]
    complaint = _complaint(moment, now)
    last = now if until == "agora" else _moment(until, clinic)
    last_complaint = _complaint(last, now) if until else ""
    context: dict[str, Any] = {
        "on": on,
        "moment": moment,
        "em": f"{clinic.local(moment):%Y-%m-%dT%H:%M}" if moment else "",
        "complaint": complaint,
        "last_complaint": last_complaint,
        "until": "" if until == "agora" or last is None else until,
        "last": last,
        "presets": [(label, _address(on, clinic, now - ago)) for label, ago in AGO],
        "today": reverse("web:agenda-day", args=[on.isoformat()]),
        "previous": _address(on - timedelta(days=1), clinic, moment),
        "next": _address(on + timedelta(days=1), clinic, moment),
        "since_then": _address(on, clinic, moment, ate="agora"),
    }
    if moment and not complaint:
        shown.add_day(on)
        past = agenda.day_as_of(clinic, on, moment, now)
        context |= {
            "day": past.day,
            "unknown_until": past.unknown_until,
            "grid": past_day_html(past.day, clinic, moment),
        }
        if last and not last_complaint:
            found = agenda.differences(clinic, on, *sorted((moment, last)))
            context["differences"] = [(WORDS[one.kind], one, _time(one, clinic)) for one in found]
    status = 422 if complaint or last_complaint else 200
    return private(render(request, "agenda/as_of.html", context, status=status))


def _moment(text: str, clinic: Clinic) -> datetime | None:
    """Read a wall time of the clinic, as 2026-11-28T17:40; None for what is none."""
    try:
        wall = parse_datetime(text)
    except ValueError:
        return None
    if wall is None or wall.tzinfo or not 1900 <= wall.year <= 2200:
        return None
    return clinic.nearest_instant(wall.date(), wall.time())


def _complaint(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return _("Escreva dia e hora, por exemplo 28/11/2026 17:40.")
    return _("Este momento ainda não chegou.") if moment > now else ""


def _address(on: date, clinic: Clinic, moment: datetime | None, **more: str) -> str:
    em = {"em": f"{clinic.local(moment):%Y-%m-%dT%H:%M}"} if moment else {}
    return reverse("web:agenda-as-of", args=[on.isoformat()], query=em | more)


def _time(difference: Difference, clinic: Clinic) -> str:
    return f"{clinic.local(difference.starts_at):%H:%M}"
