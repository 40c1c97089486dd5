"""The panel of integrity for managers: how many of each fault there are, and which."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.queries import integrity


@require_safe
@never_cache
@manager_required
def index(request: ClinicRequest) -> HttpResponse:
    """Show the number of every check, computed now, and what it means."""
    now = timezone.now()
    counts = integrity.counts(integrity.faults(request.clinic, now=now))
    context = {"counts": counts, "now": now, "days": integrity.PAST_DAYS, "is_sound": not any(n for _, n in counts)}
    return render(request, "integrity/index.html", context)


@require_safe
@never_cache
@manager_required
def show(request: ClinicRequest, name: str) -> HttpResponse:
    """Show the appointments that a check finds now."""
    if name not in integrity.CHECKS:
        raise Http404
    now = timezone.now()
    found = integrity.faults(request.clinic, now=now)[name]
    rows = integrity.with_appointments(request.clinic, found)
    context = {"check": integrity.CHECKS[name], "rows": rows, "now": now, "more": len(found) - len(rows)}
    return render(request, "integrity/show.html", context)
