"""Patients, doctors, procedures and clinics: what their data must look like, adding and changing them."""

from clinic.registry.absences import delete_absence, save_absence
from clinic.registry.clinics import ClinicFault, ClinicRefused, change_clinic, clean_clinic_phone
from clinic.registry.delays import record_delay
from clinic.registry.doctors import (
    DoctorFault,
    DoctorRefused,
    change_doctor,
    check_doctor,
    register_doctor,
    switch_off_doctor,
)
from clinic.registry.hours import HoursOverlap, add_exceptions, save_hours, set_week
from clinic.registry.imported_patients import (
    change_imported,
    cleaned_row,
    delete_registered,
    examine_row,
    folded_letters,
    keys_of,
    perhaps_known,
    register_imported,
    restore_changed,
    same_in_file,
)
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
from clinic.registry.patient_details import (
    PHONE_FAULTS,
    CleanedDetails,
    PatientDetails,
    Policy,
    unstorable,
    unstorable_in_json,
)
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
    "Author",
    "CHOICES",
    "CleanedDetails",
    "ClinicFault",
    "ClinicRefused",
    "DoctorFault",
    "DoctorRefused",
    "Hours",
    "HoursOverlap",
    "INVENTED_PATIENTS",
    "MemoDetails",
    "MemoDone",
    "PHONE_FAULTS",
    "PatientDetails",
    "Plan",
    "Policy",
    "ProcedureDetails",
    "ProcedureFault",
    "ProcedureRefused",
    "Redacted",
    "Side",
    "accepted_plan",
    "add_exceptions",
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
    "delete_absence",
    "differing",
    "empty_sandbox",
    "details_of",
    "finish_memo",
    "forget_merged_values",
    "keep_plan",
    "merged_details",
    "nif_owner",
    "patient_version",
    "payer_refusals",
    "record_delay",
    "record_ids",
    "redact_patient",
    "redactable",
    "register_doctor",
    "reopen_memo",
    "register_patient",
    "register_procedure",
    "same_patients",
    "save_hours",
    "set_week",
    "sandbox_of",
    "save_absence",
    "side_without_choice",
    "sides_of",
    "switch_off_doctor",
    "switch_off_procedure",
    "unstorable",
    "unstorable_in_json",
    "change_imported",
    "cleaned_row",
    "delete_registered",
    "examine_row",
    "folded_letters",
    "keys_of",
    "perhaps_known",
    "register_imported",
    "restore_changed",
    "same_in_file",
    "write_memo",
]
