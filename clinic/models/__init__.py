"""The stored data, and the constraints by which PostgreSQL refuses invalid rows."""

from clinic.models.accesses import PatientAccess, SignIn
from clinic.models.appointment import AppliedDiscount, Appointment, AppointmentProcedure
from clinic.models.calendar_feed import CalendarFeed
from clinic.models.clinic import END_OF_DAY, Clinic, NonexistentTime
from clinic.models.confirmation_call import ConfirmationCall
from clinic.models.consent import Consent
from clinic.models.credentials import AccessToken, ApiKey, CredentialEvent, RequestCount, StoredAnswer
from clinic.models.data_request import DataRequest, PrivacySettings
from clinic.models.delay import Delay
from clinic.models.display_link import DisplayLink
from clinic.models.doctor import Absence, CeasedProcedure, Closure, Doctor, WorkingHours
from clinic.models.former_name import FormerName
from clinic.models.history import AppointmentEvent, ClinicEvent
from clinic.models.holiday import ClinicHoliday
from clinic.models.import_run import ImportRow, ImportRun
from clinic.models.incident import Incident, RetentionRun
from clinic.models.installation import KeyCheck
from clinic.models.memo import Memo
from clinic.models.patient import Patient
from clinic.models.patient_history import PatientEvent
from clinic.models.patient_merge import PatientMerge
from clinic.models.payer import Payer
from clinic.models.payer_doctor import PayerDoctor
from clinic.models.price import PriceRise, ProcedurePrice
from clinic.models.priority_mark import PriorityMark
from clinic.models.procedure import Discount, Procedure
from clinic.models.recall import Recall, RecallEvent
from clinic.models.receipt import Receipt
from clinic.models.room_call import RoomCall
from clinic.models.row_change import RowChange
from clinic.models.series import Series
from clinic.models.staff import StaffSession, StaffUser
from clinic.models.staff_link import StaffLink
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
    "CalendarFeed",
    "CeasedProcedure",
    "Clinic",
    "ClinicEvent",
    "ClinicHoliday",
    "Closure",
    "ConfirmationCall",
    "Consent",
    "CredentialEvent",
    "DataRequest",
    "Delay",
    "Discount",
    "DisplayLink",
    "Doctor",
    "FormerName",
    "Incident",
    "ImportRow",
    "ImportRun",
    "KeyCheck",
    "Memo",
    "NonexistentTime",
    "Patient",
    "PatientAccess",
    "PatientEvent",
    "PatientMerge",
    "Payer",
    "PayerDoctor",
    "PriceRise",
    "PriorityMark",
    "PrivacySettings",
    "Procedure",
    "ProcedurePrice",
    "Recall",
    "RecallEvent",
    "Receipt",
    "RequestCount",
    "RetentionRun",
    "RoomCall",
    "RowChange",
    "Series",
    "SignIn",
    "StaffLink",
    "StaffSession",
    "StaffUser",
    "StoredAnswer",
    "WaitingEvent",
    "WaitingEntry",
    "WorkingHours",
]
