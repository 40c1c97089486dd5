"""The week of one doctor."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic import booking
from clinic.access.requests import ClinicRequest
from clinic.access.sessions import snapshot_of
from clinic.form_fields import TypedDateField, is_short_number
from clinic.models import Doctor, shown
from clinic.queries import agenda
from clinic.web.agenda.drawn import Drawn, polled_drawing
from clinic.web.agenda.grid import week_html
from clinic.web.agenda.views import HIDDEN, my_doctors, unreadable_date_response
from clinic.web.htmx import partial_or_page
from clinic.web.reading import read_date


@require_safe
def choose(request: ClinicRequest) -> HttpResponse:
    """Redirect to the week of the doctor in `medico` and of the date in `data`.

    By default it is this week, and the first doctor of those that this computer shows."""
    try:
        typed = TypedDateField(required=False).clean(request.GET.get("data", ""))
    except ValidationError as error:
        return unreadable_date_response(request, error)
    doctor = _doctor_id(request)
    if doctor is None:
        return redirect("web:agenda-today")
    return redirect(week_url(doctor, typed or _today(request), hides_freed=_hides_freed(request)))


@require_safe
def week(request: ClinicRequest, doctor: int, date: str) -> HttpResponse:
    """Show the week of the doctor that the date is in. An unchanged week is a 304, as on the page of a day."""
    on = read_date(date)
    if on is None:
        raise Http404
    clinic, now, first, hides_freed = request.clinic, timezone.now(), _monday(on), _hides_freed(request)
    about = clinic.pk, "week", first, doctor

    def draw() -> Drawn[agenda.Week]:
        try:
            shown_week = agenda.week(clinic, doctor, first, now=now, hides_freed=hides_freed)
        except Doctor.DoesNotExist as error:
            raise Http404 from error
        return Drawn(shown_week, lambda week: week_html(week, clinic, now))

    def answer(drawn: Drawn[agenda.Week]) -> HttpResponse:
        context = _context(request, drawn, hides_freed=hides_freed)
        return partial_or_page(request, "agenda/week.html", "week", context)

    def rows_version() -> str:
        days = first, first + timedelta(days=6)
        return agenda.rows_version(clinic, *days, doctor, hides_freed, snapshot=snapshot_of(request))

    return polled_drawing(request, about, rows_version, draw, answer)


def week_url(doctor: int, on: date, *, hides_freed: bool) -> str:
    """Return the address of the week of a doctor that the date is in."""
    path = reverse("web:agenda-week", args=[doctor, on.isoformat()])
    return f"{path}?{urlencode(HIDDEN)}" if hides_freed else path


def _context(request: ClinicRequest, drawn: Drawn[agenda.Week], *, hides_freed: bool) -> dict[str, Any]:
    week = drawn.grid
    for column in week.columns:
        if column.on:
            shown.add_day(column.on)
    first, doctor = week.first, week.doctor.pk
    last = first + timedelta(days=6)
    is_now = first <= week.today <= last

    def other(on: date) -> str:
        return week_url(doctor, on, hides_freed=hides_freed)

    return {
        "week": week,
        "last": week.columns[-1].on,
        "is_now": is_now,
        "grid": drawn.html,
        "url": other(first),
        "previous": other(first - timedelta(days=7)),
        "next": other(last + timedelta(days=1)),
        "today": other(week.today),
        "switched": week_url(doctor, first, hides_freed=not hides_freed),
        "day_address": reverse("web:agenda-day", args=[(week.today if is_now else first).isoformat()]),
        "week_address": other(first),
        "month_address": reverse("web:agenda-month", args=[f"{first:%Y-%m}"], query={"medico": doctor}),
        "hides_freed": hides_freed,
        "choices": week.choices,
        "acts": booking.forward_verbs(),
        "book": reverse("web:appointment-book"),
        "iso": first.isoformat(),
        "bookable": max(first, week.today).isoformat(),
    }


def _doctor_id(request: ClinicRequest) -> int | None:
    """Return the doctor of this clinic who was asked for, or else the first one shown; None without any."""
    text = request.GET.get("medico", "")
    asked = {int(text)} if is_short_number(text) else my_doctors(request)
    active = list(Doctor.objects.of(request.clinic).filter(active=True).values_list("pk", flat=True))
    if asked and (known := Doctor.objects.of(request.clinic).filter(pk__in=asked).values_list("pk", flat=True).first()):
        return known
    return active[0] if active else None


def _hides_freed(request: ClinicRequest) -> bool:
    return request.GET.get("cancelados") == "nao"


def _today(request: ClinicRequest) -> date:
    return request.clinic.local(timezone.now()).date()


def _monday(on: date) -> date:
    return on - timedelta(days=on.weekday())
