"""The record of processing, the notice to patients, and the terms of retention: one page each, for managers."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from clinic import retention
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import manager_required
from clinic.models import RetentionRun
from clinic.queries import processing
from clinic.refusals import Refused
from clinic.web.htmx import redirect
from clinic.web.panel import author
from clinic.web.privacy.forms import SettingsForm

RUNS = 20


@manager_required
@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def record(request: ClinicRequest) -> HttpResponse:
    """Show the record of processing, and take what the clinic itself writes in it."""
    written = processing.settings_of(request.clinic)
    form = SettingsForm(request.POST if request.method == "POST" else take(request), instance=written)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Registro salvo."))
        return redirect(request, "web:privacy-record")
    context = {"form": form, "record": processing.record(request.clinic), "made_at": timezone.now()}
    return render(request, "privacy/record.html", context, status=422 if form.errors else None)


@manager_required
@require_safe
@never_cache
def notice(request: ClinicRequest) -> HttpResponse:
    """Show the notice to patients, for paper."""
    return render(request, "privacy/notice.html", {"record": processing.record(request.clinic)})


@manager_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def terms(request: ClinicRequest) -> HttpResponse:
    """Show what is due, and apply it when posted."""
    sentences: list[str] = []
    if request.method == "POST":
        try:
            retention.apply(request.clinic, author(request))
        except Refused as refused:
            sentences = [refused.message]
        else:
            messages.success(request, _("Prazos aplicados."))
            return redirect(request, "web:privacy-terms")
    runs = RetentionRun.objects.of(request.clinic).select_related("user").order_by("-at", "-pk")[:RUNS]
    context = {
        "terms": processing.terms(request.clinic),
        "due": _in_words(retention.preview(request.clinic)),
        "runs": [(run, _in_words(run.done)) for run in runs],
        "sentences": sentences,
    }
    return render(request, "privacy/terms.html", context, status=409 if sentences else None)


def _in_words(counts: dict[str, int]) -> list[tuple[Any, int]]:
    return [(words, counts.get(kind, 0)) for kind, (words, _due) in retention.KINDS.items()]
