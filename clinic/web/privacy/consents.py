"""What a patient agrees to: the page with every answer, and one click that takes one back."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.models import Patient
from clinic.queries import consents
from clinic.refusals import Refused
from clinic.registry import question, record_consent
from clinic.web.htmx import partial_or_page, redirect
from clinic.web.panel import author
from clinic.web.patient.lookup import patient_or_404
from clinic.web.privacy.forms import ConsentForm


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show every answer of a patient, and store a posted one."""
    patient = patient_or_404(request, pk)
    form = ConsentForm(request.POST if request.method == "POST" else take(request))
    sentences: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            _record(request, patient, form)
        except Refused as refused:
            sentences = [refusal.message for refusal in refused.refusals]
        else:
            messages.success(request, _("Consentimento registrado."))
            return redirect(request, "web:patient-detail", patient.pk)
    context = {
        "patient": patient,
        "form": form,
        "sentences": sentences,
        "consents": consents.states(patient),
        "history": consents.history(patient),
    }
    status = 409 if sentences else 422 if form.errors else None
    return partial_or_page(request, "privacy/consents.html", "form", context, status)


def _record(request: ClinicRequest, patient: Patient, form: ConsentForm) -> None:
    answer = form.cleaned_data
    text = answer["text"] or question(answer["channel"], answer["purpose"])
    try:
        record_consent(patient.pk, **answer | {"text": text}, clinic=request.clinic, by=author(request))
    except Patient.DoesNotExist as missing:
        raise Http404 from missing
