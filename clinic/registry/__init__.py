"""Patients and doctors: who is the same person, what their data must look like, adding and changing them."""

from clinic.registry.absences import delete_absence, save_absence
from clinic.registry.delays import record_delay
from clinic.registry.doctors import DoctorFault, DoctorRefused, Hours, check_doctor, register_doctor
from clinic.registry.owners import nif_owner
from clinic.registry.patient_details import PHONE_FAULTS, PatientDetails, Policy, unstorable, unstorable_in_json
from clinic.registry.patient_events import Author
from clinic.registry.patients import (
    change_patient,
    check_patient,
    details_of,
    keep_plan,
    patient_version,
    register_patient,
    same_patients,
)
from clinic.registry.plans import Plan, clean_plan, payer_refusals
from clinic.registry.redaction import Redacted, redact_patient, redactable

__all__ = [
    "PHONE_FAULTS",
    "Author",
    "DoctorFault",
    "DoctorRefused",
    "Hours",
    "PatientDetails",
    "Plan",
    "Policy",
    "Redacted",
    "change_patient",
    "check_doctor",
    "check_patient",
    "clean_plan",
    "delete_absence",
    "details_of",
    "keep_plan",
    "nif_owner",
    "patient_version",
    "payer_refusals",
    "record_delay",
    "redact_patient",
    "redactable",
    "register_doctor",
    "register_patient",
    "same_patients",
    "save_absence",
    "unstorable",
    "unstorable_in_json",
]
