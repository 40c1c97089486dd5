from collections.abc import Iterable, Set
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinic import booking
from clinic.access.middleware import referring_page
from clinic.access.requests import ClinicRequest
from clinic.access.roles import doctors_too
from clinic.access.sessions import snapshot_of
from clinic.form_fields import TypedDateField, is_short_number
from clinic.models import shown
from clinic.models.appointment import Status
from clinic.queries import agenda
from clinic.web.agenda.drawn import Drawn, polled_drawing
from clinic.web.agenda.grid import day_html
from clinic.web.agenda.summary import summary
from clinic.web.htmx import partial_or_page, wants_partial
from clinic.web.reading import read_date

MY_DOCTORS = "my_doctors"  # cookie with the ids that this computer shows without a filter
YEAR_SECONDS = 365 * 24 * 3600
HIDDEN = [("cancelados", "nao")]  # of an address that leaves out cancelled and missed appointments


class Filters(NamedTuple):
    """Ids of doctors and codes of statuses; an empty set shows all.

    `hides_freed` leaves out cancelled and missed appointments; `shows_all` overrides the doctors of this computer."""

    doctors: Set[int] = frozenset()
    statuses: Set[str] = frozenset()
    hides_freed: bool = False
    shows_all: bool = False

    @property
    def query(self) -> str:
        doctors = [("medico", str(doctor)) for doctor in sorted(self.doctors)]
        statuses = [("situacao", status) for status in sorted(self.statuses)]
        switches = HIDDEN * self.hides_freed + [("todos", "1")] * self.shows_all
        return urlencode(doctors + statuses + switches)


@doctors_too
@require_safe
def today(request: ClinicRequest) -> HttpResponse:
    """Show today in the clinic's zone, or redirect to the date typed in `data`; a doctor's user to the own day."""
    if request.user.is_doctor:
        return redirect("web:own-day")
    try:
        typed = TypedDateField(required=False).clean(request.GET.get("data", ""))
    except ValidationError as error:
        return unreadable_date_response(request, error)
    if typed:
        return redirect(_day_url(typed, _filters(request)))
    return day(request, request.clinic.local(timezone.now()).date())


def unreadable_date_response(request: ClinicRequest, error: ValidationError) -> HttpResponse:
    """Leave the day on the page as it is and show the message beside it."""
    messages.error(request, error.messages[0])
    if not wants_partial(request):
        return redirect(referring_page(request))
    response = render(request, "_messages.html", {"oob": True}, status=422)
    response["HX-Reswap"] = "none"
    response["HX-Push-Url"] = "false"
    return response


@require_safe
def day(request: ClinicRequest, date: date | str) -> HttpResponse:
    """Show one day of all doctors. When htmx asks with the version it has, an unchanged day is a 304 without a body."""
    on = read_date(date) if isinstance(date, str) else date
    if on is None:
        raise Http404
    filters = _filters(request)
    about = request.clinic.pk, "day", on, filters.query, request.user.records_absences

    def answer(drawn: Drawn[agenda.Day]) -> HttpResponse:
        context = _context(request, drawn, filters)
        response = partial_or_page(request, "agenda/day.html", "day", context)
        if "lembrar" in request.GET:
            _keep_doctors(response, filters.doctors & _known(drawn.grid))
        return response

    return polled_drawing(
        request,
        about,
        lambda: agenda.rows_version(request.clinic, on, on, filters.query, snapshot=snapshot_of(request)),
        lambda: _draw(request, on, filters),
        answer,
    )


def day_context(request: ClinicRequest, on: date) -> dict[str, Any]:
    """Return the context of the page of a local date, for pages that have a panel beside it."""
    filters = Filters(doctors=my_doctors(request))
    return _context(request, _draw(request, on, filters), filters)


def _draw(request: ClinicRequest, on: date, filters: Filters) -> Drawn[agenda.Day]:
    # What is drawn is kept for a while, and the request is not.
    clinic, now, records_absences = request.clinic, timezone.now(), request.user.records_absences
    agenda_day = agenda.day(
        clinic,
        on,
        now=now,
        doctors=filters.doctors,
        statuses=filters.statuses,
        hides_freed=filters.hides_freed,
    )
    return Drawn(agenda_day, lambda day: day_html(day, clinic, now, records_absences=records_absences))


def _context(request: ClinicRequest, drawn: Drawn[agenda.Day], filters: Filters) -> dict[str, Any]:
    agenda_day = drawn.grid
    filters = filters._replace(doctors=filters.doctors & _known(agenda_day))
    shown.add_day(agenda_day.day)
    return {
        "day": agenda_day,
        "summary": summary(agenda_day),
        "grid": drawn.html,
        "url": _day_url(agenda_day.day, filters),
        "previous": _day_url(agenda_day.day - timedelta(days=1), filters),
        "next": _day_url(agenda_day.day + timedelta(days=1), filters),
        "today": _day_url(None, filters),
        "next_working": _day_url(agenda_day.next_working, filters) if agenda_day.next_working else "",
        "statuses": [(code, label, code in filters.statuses) for code, label in Status.choices],
        "filters": len(filters.doctors) + len(filters.statuses) + filters.hides_freed,
        "hides_freed": filters.hides_freed,
        "shows_all": filters.shows_all,
        "query": filters.query,
        "choices": agenda_day.choices,
        "day_address": _day_url(agenda_day.day, filters),
        "week_address": _week_address(agenda_day, filters),
        "month_address": _month_address(agenda_day, filters),
        "acts": booking.forward_verbs(),
        "book": reverse("web:appointment-book"),
        "iso": agenda_day.day.isoformat(),
    }


def _week_address(agenda_day: agenda.Day, filters: Filters) -> str:
    """Return the address of this week of the first doctor who is shown."""
    shown = [int(column.doctor_id) for column in agenda_day.columns] or sorted(filters.doctors)
    return reverse("web:agenda-week-choose", query={"data": agenda_day.day.isoformat(), "medico": shown[:1]})


def _month_address(agenda_day: agenda.Day, filters: Filters) -> str:
    query = {"medico": sorted(filters.doctors)} if filters.doctors else None
    return reverse("web:agenda-month", args=[f"{agenda_day.day:%Y-%m}"], query=query)


def _known(agenda_day: agenda.Day) -> Set[int]:
    """Return the ids of the doctors of this clinic who can be filtered by."""
    return {int(choice.id) for choice in agenda_day.choices}


def _filters(request: ClinicRequest) -> Filters:
    shows_all = "todos" in request.GET and "medico" not in request.GET
    chosen = _ids(request.GET.getlist("medico"))
    return Filters(
        doctors=chosen if chosen or shows_all or "lembrar" in request.GET else my_doctors(request),
        statuses={value for value in request.GET.getlist("situacao") if value in Status.values},
        hides_freed=request.GET.get("cancelados") == "nao",
        shows_all=shows_all,
    )


def my_doctors(request: ClinicRequest) -> Set[int]:
    """Return the ids of the doctors that this computer shows without a filter, empty for all."""
    return _ids(request.COOKIES.get(MY_DOCTORS, "").split("-"))


def _ids(texts: Iterable[str]) -> Set[int]:
    return {int(text) for text in texts if is_short_number(text)}


def _keep_doctors(response: HttpResponse, doctors: Set[int]) -> None:
    """Have this computer show these doctors from now on, or all again."""
    if doctors:
        ids = "-".join(str(doctor) for doctor in sorted(doctors))
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(MY_DOCTORS, ids, max_age=YEAR_SECONDS, secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(MY_DOCTORS, samesite="Lax")


def _day_url(on: date | None, filters: Filters) -> str:
    path = reverse("web:agenda-day", args=[on.isoformat()]) if on else reverse("web:agenda-today")
    return f"{path}?{filters.query}" if filters.query else path
