"""The stored data, and the constraints by which PostgreSQL refuses invalid rows."""

from clinic.models.accesses import PatientAccess, SignIn
from clinic.models.appointment import AppliedDiscount, Appointment, AppointmentProcedure
from clinic.models.clinic import END_OF_DAY, Clinic, NonexistentTime
from clinic.models.confirmation_call import ConfirmationCall
from clinic.models.credentials import AccessToken, ApiKey, CredentialEvent, RequestCount, StoredAnswer
from clinic.models.delay import Delay
from clinic.models.doctor import Absence, CeasedProcedure, Closure, Doctor, WorkingHours
from clinic.models.history import AppointmentEvent, ClinicEvent
from clinic.models.holiday import ClinicHoliday
from clinic.models.installation import KeyCheck
from clinic.models.patient import Patient
from clinic.models.patient_history import PatientEvent
from clinic.models.payer import Payer
from clinic.models.procedure import Discount, Procedure
from clinic.models.receipt import Receipt
from clinic.models.staff import StaffSession, StaffUser
from clinic.models.waiting import WaitingEntry, WaitingEvent

__all__ = [
    "END_OF_DAY",
    "Absence",
    "AccessToken",
    "ApiKey",
    "AppliedDiscount",
    "Appointment",
    "AppointmentEvent",
    "AppointmentProcedure",
    "CeasedProcedure",
    "Clinic",
    "ClinicEvent",
    "ClinicHoliday",
    "Closure",
    "ConfirmationCall",
    "CredentialEvent",
    "Delay",
    "Discount",
    "Doctor",
    "KeyCheck",
    "NonexistentTime",
    "Patient",
    "PatientAccess",
    "PatientEvent",
    "Payer",
    "Procedure",
    "Receipt",
    "RequestCount",
    "SignIn",
    "StaffSession",
    "StaffUser",
    "StoredAnswer",
    "WaitingEvent",
    "WaitingEntry",
    "WorkingHours",
]
