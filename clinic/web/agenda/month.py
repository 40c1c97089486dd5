"""A month at a glance."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.form_fields import is_short_number
from clinic.queries import agenda
from clinic.web.agenda.views import my_doctors
from clinic.web.htmx import partial_or_page
from clinic.web.reading import read_date
from clinic.web.responses import private


@require_safe
def month(request: ClinicRequest, month: str) -> HttpResponse:
    """Show what is free and booked in the half-days of a month written as 2026-11, of the doctors in `medico`.

    Without any they are those that this computer shows, with `todos` all."""
    first = read_date(f"{month}-01")
    if first is None:
        raise Http404
    asked = [int(text) for text in request.GET.getlist("medico") if is_short_number(text)]
    doctors = asked or ([] if "todos" in request.GET else sorted(my_doctors(request)))
    shown = agenda.month(request.clinic, first, now=timezone.now(), doctors=doctors)
    context = _context(first, shown.today, [choice.id for choice in shown.choices if choice.chosen])
    return private(partial_or_page(request, "agenda/month.html", "month", {"month": shown} | context))


def _context(first: date, today: date, doctors: list[str]) -> dict[str, Any]:
    query = urlencode([("medico", doctor) for doctor in doctors] or [("todos", "1")])
    is_now = first == today.replace(day=1)
    on = today if is_now else first

    def other(day: date) -> str:
        return f"{reverse('web:agenda-month', args=[f'{day:%Y-%m}'])}?{query}"

    return {
        "query": query,
        "is_now": is_now,
        "url": other(first),
        "previous": other(first - timedelta(days=1)),
        "next": other(first + timedelta(days=31)),
        "today_address": other(today),
        "day_address": f"{reverse('web:agenda-day', args=[on.isoformat()])}?{query}",
        "week_address": reverse("web:agenda-week-choose", query={"data": on.isoformat(), "medico": doctors[:1]}),
        "month_address": other(first),
        "only": doctors[0] if len(doctors) == 1 else "",
        "of_several": len(doctors) > 1,
    }
