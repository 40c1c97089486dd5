"""After a leak: whose data a user, a session or a program was shown; and the book of incidents."""

import csv
from collections.abc import Iterator
from io import StringIO
from itertools import islice

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import manager_required
from clinic.models import Clinic, Incident, phones
from clinic.queries import breach
from clinic.registry import write_incident
from clinic.web.htmx import redirect
from clinic.web.privacy.forms import BreachForm, IncidentForm
from clinic.web.responses import CSV, attachment
from clinic.web.spreadsheet_files import BYTE_ORDER_MARK, harmless

BOOK = 100  # newest entries that the page shows


@manager_required
@require_safe
@never_cache
def listed(request: ClinicRequest) -> HttpResponse:
    """Ask who and when, and list the patients who were shown."""
    form = BreachForm(request.GET or None, clinic=request.clinic)
    now = timezone.now()
    context = {
        "form": form,
        "rule": breach.rule(request.clinic),
        "deadline": breach.deadline(request.clinic, now),
        "limit": breach.MAX_SHOWN,
    }
    if form.is_bound and form.is_valid():
        asked = form.asked
        found = list(islice(breach.exposed(request.clinic, asked), breach.MAX_SHOWN + 1))
        context |= {
            "is_asked": True,
            "found": found[: breach.MAX_SHOWN],
            "has_more": len(found) > breach.MAX_SHOWN,
            "sessions": breach.sessions(request.clinic, asked.since, asked.until),
            "query": request.GET.urlencode(),
        }
    return render(request, "privacy/breach.html", context, status=422 if form.errors else None)


@manager_required
@require_safe
@never_cache
def file(request: ClinicRequest) -> HttpResponseBase:
    """Answer the whole list as CSV for spreadsheets; wrong dates lead back to the page."""
    form = BreachForm(request.GET, clinic=request.clinic)
    if not form.is_valid():
        return listed(request)
    rows = list(breach.exposed(request.clinic, form.asked))
    return attachment(StreamingHttpResponse(_csv(rows, request.clinic), content_type=CSV), "incidente.csv")


def _csv(rows: list[breach.Exposed], clinic: Clinic) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _line([_("Paciente"), _("Telefone"), _("E-mail"), _("De"), _("Até"), _("Onde")])
    for row in rows:
        phone = phones.written(row.patient.phone, clinic.country) if row.patient.phone else ""
        moments = [f"{clinic.local(at):%d/%m/%Y %H:%M}" for at in (row.first, row.last)]
        yield _line([row.patient.display_name, phone, row.patient.email, *moments, ", ".join(row.places)])


def _line(cells: list[str]) -> str:
    text = StringIO()
    csv.writer(text, delimiter=";").writerow(map(harmless, cells))
    return text.getvalue()


@manager_required
@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def incidents(request: ClinicRequest) -> HttpResponse:
    """Show the book of incidents, and add an entry to it."""
    form = IncidentForm(request.POST if request.method == "POST" else take(request), clinic=request.clinic)
    if request.method == "POST" and form.is_valid():
        write_incident(request.clinic, by=request.user, **form.entry)
        messages.success(request, _("Anotado no livro de incidentes."))
        return redirect(request, "web:privacy-incidents")
    entries = Incident.objects.of(request.clinic).filter(about=None).select_related("written_by")
    rows = list(entries.prefetch_related("follow_ups__written_by").order_by("-known_at", "-pk")[:BOOK])
    context = {
        "form": form,
        "rule": breach.rule(request.clinic),
        "entries": [(row, breach.deadline(request.clinic, row.known_at)) for row in rows],
    }
    return render(request, "privacy/incidents.html", context, status=422 if form.errors else None)
