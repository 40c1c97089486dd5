from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from clinic.access.middleware import referring_page
from clinic.form_fields import TypedDateField, is_short_number
from clinic.models.appointment import Status
from clinic.queries import agenda
from clinic.web.htmx import partial_or_page, wants_partial


@require_safe
def today(request):
    """Today in the clinic's zone, or the date typed in `data`."""
    try:
        typed = TypedDateField(required=False).clean(request.GET.get("data", ""))
    except ValidationError as error:
        return _unreadable(request, error)
    if typed:
        return redirect(_url(typed, _filters(request)))
    return day(request, request.clinic.local(timezone.now()).date())


def _unreadable(request, error):
    """The day on the page stays, with the sentence beside it."""
    messages.error(request, error.messages[0])
    if not wants_partial(request):
        return redirect(referring_page(request))
    response = render(request, "_messages.html", {"oob": True}, status=422)
    response["HX-Reswap"] = "none"
    response["HX-Push-Url"] = "false"
    return response


@require_safe
def day(request, date: date | str):
    """One day of all doctors. When htmx asks with the version it has, an unchanged day is a 304 without a body.

    Pages poll with it: no second protocol, and no connection that hangs."""
    on = _picked_date(date) if isinstance(date, str) else date
    if on is None:
        raise Http404
    doctors, statuses = _filters(request)
    shown = agenda.day(request.clinic, on, now=timezone.now(), doctors=doctors, statuses=statuses)
    etag = f'"{shown.version}"'
    if wants_partial(request) and etag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
        patch_vary_headers(response, ["HX-Request", "Cookie"])
    else:
        response = partial_or_page(request, "agenda/day.html", "day", _context(shown, doctors, statuses))
    if wants_partial(request):
        response["ETag"] = etag
    patch_cache_control(response, private=True, no_store=True)
    return response


def page(request, on: date) -> dict:
    """The context of that day's page, unfiltered, for pages that stand beside it."""
    shown = agenda.day(request.clinic, on, now=timezone.now())
    return _context(shown, set(), set())


def _context(shown, doctors, statuses):
    filters = doctors, statuses
    return {
        "day": shown,
        "url": _url(shown.day, filters),
        "previous": _url(shown.day - timedelta(days=1), filters),
        "next": _url(shown.day + timedelta(days=1), filters),
        "today": _url(None, filters),
        "next_working": _url(shown.next_working, filters) if shown.next_working else "",
        "statuses": [(code, label, code in statuses) for code, label in Status.choices],
        "filters": len(doctors) + len(statuses),
        "query": _query(filters),
        # Written out here once: reversing an address for each of hundreds of cards would cost more than the cards.
        "appointment_address": reverse("web:appointment-detail", args=[0]).removesuffix("0/"),
        "iso": shown.day.isoformat(),
    }


def _filters(request):
    doctors = {int(value) for value in request.GET.getlist("medico") if is_short_number(value)}
    statuses = {value for value in request.GET.getlist("situacao") if value in Status.values}
    return doctors, statuses


def _query(filters):
    doctors, statuses = filters
    return urlencode([("medico", each) for each in sorted(doctors)] + [("situacao", each) for each in sorted(statuses)])


def _url(on, filters):
    path = reverse("web:agenda-day", args=[on.isoformat()]) if on else reverse("web:agenda-today")
    query = _query(filters)
    return f"{path}?{query}" if query else path


def _picked_date(text):
    """The date written as 2026-11-23, within the years that a calendar can step from; else None."""
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and 1900 <= found.year <= 2200 else None
