"""The patient that an address or a form names."""

from django.http import Http404

from clinic.access.requests import ClinicRequest
from clinic.models import Patient
from clinic.registry import current_patient


def patient_or_404(request: ClinicRequest, pk: int) -> Patient:
    """Return the patient, of a merged one the patient that was kept. Raises Http404 where there is none."""
    patient = current_patient(request.clinic, pk)
    if patient is None:
        raise Http404
    return patient
