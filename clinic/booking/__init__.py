"""What may happen to an appointment: the one rule set, and the only writer of Appointment. This is its door."""

from clinic.booking.book import book, check
from clinic.booking.openings import openings, openings_of_any
from clinic.booking.pricing import PricedLine, priced
from clinic.booking.reschedule import check_reschedule, is_movable, place, reschedule
from clinic.booking.rules import MOST_PROCEDURES, LineRequest, Proposal, day_of_end
from clinic.booking.status import annotate, change_status, next_statuses, state
from clinic.booking.time_zone import Ahead, AskHowToKeep, Clash, Keep, TimesClash, change_time_zone, look_ahead
from clinic.booking.undo import undo, undoable
from clinic.refusals import BookingRefused, Reason, Refusal
from clinic.registry.doctors import DoctorFault, DoctorRefused, Hours, check_doctor, register_doctor
from clinic.registry.patient_details import PHONE_FAULTS, PatientDetails, Policy, unstorable, unstorable_in_json
from clinic.registry.patients import (
    change_patient,
    check_patient,
    details_of,
    patient_version,
    register_patient,
    same_patients,
)
from clinic.transactions import Author, disk_is_full, is_transient, run_in_transaction, try_again_when_held

__all__ = [
    "TimesClash",
    "Keep",
    "Clash",
    "AskHowToKeep",
    "Ahead",
    "MOST_PROCEDURES",
    "PHONE_FAULTS",
    "Author",
    "BookingRefused",
    "DoctorFault",
    "DoctorRefused",
    "Hours",
    "LineRequest",
    "PatientDetails",
    "Policy",
    "PricedLine",
    "Proposal",
    "Reason",
    "Refusal",
    "annotate",
    "book",
    "change_patient",
    "change_status",
    "change_time_zone",
    "check",
    "check_doctor",
    "check_patient",
    "check_reschedule",
    "day_of_end",
    "details_of",
    "disk_is_full",
    "is_movable",
    "is_transient",
    "look_ahead",
    "next_statuses",
    "openings",
    "openings_of_any",
    "patient_version",
    "place",
    "priced",
    "register_doctor",
    "register_patient",
    "reschedule",
    "run_in_transaction",
    "same_patients",
    "state",
    "try_again_when_held",
    "undo",
    "undoable",
    "unstorable",
    "unstorable_in_json",
]
