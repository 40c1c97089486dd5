"""Finding the patient that a merged one has become, and all records of one person. Reads only."""

from clinic.models import Clinic, Patient
from clinic.models.patient import NOT_BLOCKED


def current_patient(clinic: Clinic, patient_id: int) -> Patient | None:
    """Return the patient with this id, or of a merged one the patient that was kept; None for an unknown id and for a
    patient who is blocked.

    One query, and one more for each merge on the way."""
    patients = Patient.objects.of(clinic).filter(NOT_BLOCKED).select_related("clinic", "payer")
    patient = patients.filter(pk=patient_id).first()
    while patient and patient.merged_into_id:
        patient = patients.filter(pk=patient.merged_into_id).first()
    return patient


def current_id(clinic: Clinic, patient_id: int) -> int:
    """Return the id of `current_patient`, and an unknown one as it is."""
    patients = Patient.objects.of(clinic)
    while kept := patients.filter(pk=patient_id).values_list("merged_into", flat=True).first():
        patient_id = kept
    return patient_id


def record_ids(patient: Patient) -> list[int]:
    """Return the id of a patient, and those of all that were merged into this one. One query more than merges in a
    row."""
    patients = Patient.objects.of(patient.clinic_id)
    ids, newest = [patient.pk], [patient.pk]
    while newest := list(patients.filter(merged_into__in=newest).order_by("pk").values_list("pk", flat=True)):
        ids += newest
    return ids
