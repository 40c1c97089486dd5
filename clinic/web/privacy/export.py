"""The data of one patient, for the patient who asks for them: a page, a PDF, and a file for programs."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.models import Patient
from clinic.queries import patient_export
from clinic.web.patient.lookup import patient_or_404
from clinic.web.printed.pdf import pdf_response
from clinic.web.responses import attachment


@manager_required
@require_safe
@never_cache
def page(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show all that is stored about the patient, for reading and for paper."""
    return render(request, "privacy/export.html", _context(request, pk))


@manager_required
@require_safe
@never_cache
def pdf(request: ClinicRequest, pk: int) -> HttpResponse:
    """Answer the same as a PDF."""
    return pdf_response("privacy/export_pdf.html", _context(request, pk), f"dados-{pk}.pdf")


@manager_required
@require_safe
@never_cache
def file(request: ClinicRequest, pk: int) -> StreamingHttpResponse:
    """Stream the same as JSON; the access is recorded before the first byte leaves."""
    return json_file(patient_or_404(request, pk))


def json_file(patient: Patient, kept: dict[str, Any] | None = None) -> StreamingHttpResponse:
    """Return the file of a patient who comes with their clinic; `kept` is what a request keeps of a sealed one."""
    parts = patient_export.as_json(patient, timezone.now(), kept)
    response = StreamingHttpResponse(parts, content_type="application/json; charset=utf-8")
    return attachment(response, f"dados-{patient.pk}.json")


def _context(request: ClinicRequest, pk: int) -> dict[str, Any]:
    patient = patient_or_404(request, pk)
    return {
        "clinic": request.clinic,
        "patient": patient,
        "data": patient_export.readable(patient),
        "made_at": timezone.now(),
        "made_by": request.user,
    }
