"""Patients, doctors, procedures and clinics: what their data must look like, adding and changing them."""

from clinic.registry.absences import delete_absence, save_absence
from clinic.registry.clinics import ClinicFault, ClinicRefused, change_clinic, clean_clinic_phone, place_clinic
from clinic.registry.consents import ANSWERS, OF_COLUMN, question, record_consent
from clinic.registry.data_requests import (
    Proposal,
    RequestFault,
    RequestRefused,
    anonymise,
    appointment_ahead,
    decide,
    due_for_anonymising,
    needs_second_person,
    open_identity,
    proposal,
    records_kept_years,
    release,
    request_deletion,
    restrict,
)
from clinic.registry.delays import record_delay
from clinic.registry.doctors import (
    DoctorFault,
    DoctorRefused,
    change_doctor,
    check_doctor,
    register_doctor,
    switch_off_doctor,
)
from clinic.registry.holidays import add_town_holidays
from clinic.registry.hours import HoursOverlap, add_exceptions, new_hours, save_hours, set_week
from clinic.registry.incidents import write_incident
from clinic.registry.memos import MemoDetails, MemoDone, finish_memo, reopen_memo, write_memo
from clinic.registry.merged import current_id, current_patient, record_ids
from clinic.registry.merging import (
    CHOICES,
    Side,
    differing,
    forget_merged_values,
    merged_details,
    side_without_choice,
    sides_of,
)
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
from clinic.registry.plans import Plan, accepted_plan, clean_plan, payer_refusals
from clinic.registry.procedures import (
    ProcedureDetails,
    ProcedureFault,
    ProcedureRefused,
    change_procedure,
    register_procedure,
    switch_off_procedure,
)
from clinic.registry.redaction import Redacted, redact_patient, redactable
from clinic.registry.sandbox import INVENTED_PATIENTS, empty_sandbox, sandbox_of
from clinic.schedule import Hours

__all__ = [
    "ANSWERS",
    "Author",
    "CHOICES",
    "ClinicFault",
    "ClinicRefused",
    "DoctorFault",
    "DoctorRefused",
    "Hours",
    "HoursOverlap",
    "INVENTED_PATIENTS",
    "MemoDetails",
    "MemoDone",
    "OF_COLUMN",
    "PHONE_FAULTS",
    "PatientDetails",
    "Plan",
    "Policy",
    "ProcedureDetails",
    "ProcedureFault",
    "ProcedureRefused",
    "Proposal",
    "Redacted",
    "RequestFault",
    "RequestRefused",
    "Side",
    "accepted_plan",
    "add_exceptions",
    "add_town_holidays",
    "anonymise",
    "appointment_ahead",
    "change_clinic",
    "change_doctor",
    "change_patient",
    "change_procedure",
    "check_doctor",
    "check_patient",
    "clean_clinic_phone",
    "clean_plan",
    "current_id",
    "current_patient",
    "decide",
    "delete_absence",
    "details_of",
    "differing",
    "due_for_anonymising",
    "empty_sandbox",
    "finish_memo",
    "forget_merged_values",
    "keep_plan",
    "merged_details",
    "needs_second_person",
    "new_hours",
    "nif_owner",
    "open_identity",
    "patient_version",
    "payer_refusals",
    "place_clinic",
    "proposal",
    "question",
    "record_consent",
    "record_delay",
    "record_ids",
    "records_kept_years",
    "redact_patient",
    "redactable",
    "register_doctor",
    "register_patient",
    "register_procedure",
    "release",
    "reopen_memo",
    "request_deletion",
    "restrict",
    "same_patients",
    "sandbox_of",
    "save_absence",
    "save_hours",
    "set_week",
    "side_without_choice",
    "sides_of",
    "switch_off_doctor",
    "switch_off_procedure",
    "unstorable",
    "unstorable_in_json",
    "write_incident",
    "write_memo",
]
