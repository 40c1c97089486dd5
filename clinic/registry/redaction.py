"""Blanking what people wrote about a patient, in the patient's row, memos, their appointments, the waiting list,
recalls, rows of spreadsheets, stored answers of the APIs and the histories.

The one place that may alter a history: PostgreSQL lets it through because the transaction asks for it (the function
`clinic_redactable`, migrations 0039 and 0041). Who changed what and when stays; what was written does not. Law: LGPD
art. 16 and 18, RGPD art. 17.
"""

from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, Clinic, FormerName, Patient, PatientEvent
from clinic.models.limits import max_length
from clinic.models.locks import get_locked
from clinic.models.unverified import UNVERIFIED
from clinic.refusals import Reason, Refusal, refuse
from clinic.registry.imported_patients import folded_letters, keys_of
from clinic.registry.merged import current_id, record_ids
from clinic.registry.patient_events import Author
from clinic.registry.patients import details_of
from clinic.transactions import run_in_transaction

# The keys of `before` and `after` of AppointmentEvents, WaitingEvents and RecallEvents that hold what people wrote.
WRITTEN = [
    "notes",
    "note",
    "metadata",
    "reason",
    "encaixe_reason",
    "authorization_number",
    "authorization_password",
    "flag",
    "protocol",
    *UNVERIFIED.values(),
]
MAX_REASON_LENGTH = max_length(PatientEvent, "reason")
BLANK = "—"  # in a column that may not be empty
PATIENT_EVENTS_SQL = """
    UPDATE clinic_patientevent SET changes = (
        SELECT coalesce(jsonb_object_agg(key, '[null, null]'::jsonb), '{}'::jsonb) FROM jsonb_each(changes)
    )
    WHERE clinic_id = %(clinic)s AND patient_id = ANY(%(patients)s) OR id IN (
        SELECT event.id FROM clinic_patientmerge AS merge JOIN clinic_patientevent AS event ON patient_id = kept_id
        WHERE merge.clinic_id = %(clinic)s AND merged_id = ANY(%(patients)s) AND kind IN ('merged', 'separated')
    )
"""
PATIENTS_SQL = """
    UPDATE clinic_patient SET notes = '', alert = '', card_number = '', card_expires_on = NULL, updated_at = now()
    WHERE clinic_id = %(clinic)s AND id = ANY(%(patients)s)
"""
MERGES_SQL = """
    UPDATE clinic_patientmerge SET changes = '{}', numbers = '{}'
    WHERE clinic_id = %(clinic)s AND (kept_id = ANY(%(patients)s) OR merged_id = ANY(%(patients)s))
"""
APPOINTMENTS_SQL = """
    UPDATE clinic_appointment SET notes = '', cancel_reason = '', metadata = '{}', updated_at = now(),
        authorization_number = '', authorization_password = '',
        unverified_name = '', unverified_phone = '', unverified_birth_date = NULL,
        encaixe_reason = CASE encaixe_reason WHEN '' THEN '' ELSE %(blank)s END
    WHERE clinic_id = %(clinic)s AND id = ANY(%(appointments)s)
"""
UNVERIFIED_NUMBERS_SQL = """
    UPDATE clinic_appointment SET typed_cpf = '', updated_at = now()
    WHERE clinic_id = %(clinic)s AND id = ANY(%(appointments)s) AND typed_cpf <> ''
"""
RECEIPTS_SQL = """
    UPDATE clinic_receipt SET flag = '', protocol = ''
    WHERE clinic_id = %(clinic)s AND appointment_id = ANY(%(appointments)s)
"""
IMPORT_ROWS_SQL = """
    UPDATE clinic_importrow SET cells = '[]', changes = '{}', sentences = '[]', keys = '{}'
    WHERE clinic_id = %(clinic)s AND (patient_id = ANY(%(patients)s) OR keys && %(keys)s::text[])
"""
PRIORITY_MARKS_SQL = """
    DELETE FROM clinic_prioritymark WHERE clinic_id = %(clinic)s AND appointment_id = ANY(%(appointments)s)
"""
# ImageMais names rows by their ids, in an object of the patient; MiviCall by uuids, which are nobody else's.
STORED_ANSWERS_SQL = """
    UPDATE clinic_storedanswer SET body = '' WHERE clinic_id = %(clinic)s AND body <> '' AND CASE credential
        WHEN 'imagemais' THEN body ~ '^[[{]' AND jsonb_path_exists(
            body::jsonb,
            '$.** ? (@.patient.id == $patients[*] || (exists(@.cpf) && @.id == $patients[*]))',
            jsonb_build_object('patients', %(patients)s::bigint[])
        )
        ELSE EXISTS (
            SELECT FROM clinic_patient WHERE id = ANY(%(patients)s) AND strpos(body, uuid::text) > 0
            UNION ALL
            SELECT FROM clinic_appointment WHERE id = ANY(%(appointments)s) AND strpos(body, uuid::text) > 0
        )
    END
"""
MEMOS_SQL = """
    UPDATE clinic_memo SET name = CASE name WHEN '' THEN '' ELSE %(blank)s END, phone = '', text = %(blank)s
    WHERE clinic_id = %(clinic)s AND (patient_id = ANY(%(patients)s) OR appointment_id = ANY(%(appointments)s))
"""
WAITING_ENTRIES_SQL = """
    UPDATE clinic_waitingentry SET note = '' WHERE clinic_id = %(clinic)s AND patient_id = ANY(%(patients)s)
"""
WAITING_EVENTS_SQL = """
    UPDATE clinic_waitingevent SET before = before || {before}, after = after || {after}
    WHERE entry_id IN (
        SELECT id FROM clinic_waitingentry WHERE clinic_id = %(clinic)s AND patient_id = ANY(%(patients)s)
    ) AND (before ?| %(written)s OR after ?| %(written)s)
"""
RECALLS_SQL = """
    UPDATE clinic_recall SET note = '' WHERE clinic_id = %(clinic)s AND patient_id = ANY(%(patients)s)
"""
RECALL_EVENTS_SQL = """
    UPDATE clinic_recallevent SET before = before || {before}, after = after || {after}
    WHERE recall_id IN (
        SELECT id FROM clinic_recall WHERE clinic_id = %(clinic)s AND patient_id = ANY(%(patients)s)
    ) AND (before ?| %(written)s OR after ?| %(written)s)
"""
APPOINTMENT_EVENTS_SQL = """
    UPDATE clinic_appointmentevent SET before = before || {before}, after = after || {after}
    WHERE clinic_id = %(clinic)s AND appointment_id = ANY(%(appointments)s)
        AND (before ?| %(written)s OR after ?| %(written)s)
"""
BLANKED_SQL = """(
    SELECT coalesce(jsonb_object_agg(key, '""'::jsonb), '{{}}'::jsonb) FROM jsonb_each({column})
    WHERE key = ANY(%(written)s)
)"""


class Redacted(NamedTuple):
    """How many appointments were redacted, and how many were left because they are still to take place."""

    appointments: int
    left: int


def redact_patient(patient_id: int, *, clinic: Clinic, by: Author, reason: str) -> Redacted:
    """Blank the patient's notes, alert and payer's card, the values in the history of their data, what was written
    about their appointments, recalls and on the waiting list, and memos; forget their former names and the marks of
    priority; store the event that says who did and why.

    Appointments that stand and are not over keep their texts, which the desk needs until then: another redaction takes
    them later. Name, documents and phone stay. All that was merged into one person is redacted together, and undoing
    such a merge brings no data back. Locks the patients' rows in the order of their ids. Raises ValueError for a reason
    that is blank or longer than its column, Patient.DoesNotExist, and Refused (TRY_AGAIN) where a merge, or its
    undoing, for which this waited, has changed whose records these are.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON_LENGTH:
        raise ValueError("the reason is blank or too long")

    def work() -> Redacted:
        patient = Patient.objects.of(clinic).get(pk=current_id(clinic, patient_id))
        locked = sorted(record_ids(patient))
        for pk in locked:
            get_locked(Patient.objects.of(clinic).filter(pk=pk))
        records = record_ids(patient)
        is_another_by_now = current_id(clinic, patient_id) != patient.pk or not set(records).issubset(locked)
        refuse([Refusal(Reason.TRY_AGAIN)] if is_another_by_now else [])
        over, ahead = _appointments(patient)
        blank_spreadsheets(patient, records, spreadsheet_keys(patient, records))
        blank_texts(patient, records, over)
        PatientEvent.objects.create(
            clinic=clinic,
            patient=patient,
            kind=PatientEvent.Kind.REDACTED,
            channel=by.channel,
            user=by.user,
            credential=by.credential,
            reason=reason,
        )
        return Redacted(len(over), len(ahead))

    return run_in_transaction(work)


def redactable(patient: Patient) -> Redacted:
    """Return what a redaction of the patient would answer now."""
    over, ahead = _appointments(patient)
    return Redacted(len(over), len(ahead))


def _appointments(patient: Patient) -> tuple[list[int], list[int]]:
    """Return the ids of the patient's appointments: those whose texts may be blanked, and those still to take place."""
    every = Appointment.objects.of(patient.clinic).filter(patient=patient)
    ahead = set(every.standing().filter(ends_at__gt=timezone.now()).values_list("pk", flat=True))
    return [pk for pk in every.values_list("pk", flat=True) if pk not in ahead], sorted(ahead)


def spreadsheet_keys(patient: Patient, records: list[int]) -> list[str]:
    """Return what tells that a row of a spreadsheet is one of these records, by their data as it is stored: it is to be
    asked before these are made blank. Two queries."""
    several = [details_of(each) for each in Patient.objects.of(patient.clinic_id).filter(pk__in=records).order_by("pk")]
    letters = folded_letters([details.name for details in several])
    pairs = zip(several, letters, strict=True)
    return sorted({key for details, folded in pairs for key in keys_of(details, folded)})


def blank_spreadsheets(patient: Patient, records: list[int], keys: list[str]) -> None:
    """Blank the rows of spreadsheets that are of these records, or have one of the `spreadsheet_keys`. Runs in the
    caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(IMPORT_ROWS_SQL, {"clinic": patient.clinic_id, "patients": records, "keys": keys})


def blank_answers(patient: Patient, records: list[int]) -> None:
    """Blank the answers to programs that are kept about these records and their appointments. Runs in the caller's
    transaction."""
    visits = Appointment.objects.of(patient.clinic_id).filter(patient__in=records).values_list("pk", flat=True)
    parameters: dict[str, Any] = {"clinic": patient.clinic_id, "patients": records, "appointments": list(visits)}
    with connection.cursor() as cursor:
        cursor.execute(STORED_ANSWERS_SQL, parameters)


def blank_texts(patient: Patient, records: list[int], appointments: list[int]) -> None:
    """Blank what was written about a patient, all of whose `records` the caller's transaction has locked, and of these
    appointments; forget the former names. The event is the caller's, and the rows of spreadsheets too
    (`blank_spreadsheets`)."""
    FormerName.objects.of(patient.clinic_id).filter(patient__in=records).delete()
    parameters: dict[str, Any] = {
        "clinic": patient.clinic_id,
        "patients": records,
        "appointments": appointments,
        "written": WRITTEN,
        "blank": BLANK,
    }
    blanked = {column: BLANKED_SQL.format(column=column) for column in ("before", "after")}
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('clinic.redacting', 'on', true)")
        cursor.execute(PATIENT_EVENTS_SQL, parameters)
        cursor.execute(PATIENTS_SQL, parameters)
        cursor.execute(MERGES_SQL, parameters)
        cursor.execute(APPOINTMENTS_SQL, parameters)
        cursor.execute(RECEIPTS_SQL, parameters)
        cursor.execute(PRIORITY_MARKS_SQL, parameters)
        cursor.execute(MEMOS_SQL, parameters)
        cursor.execute(STORED_ANSWERS_SQL, parameters)
        cursor.execute(APPOINTMENT_EVENTS_SQL.format(**blanked), parameters)
        cursor.execute(WAITING_ENTRIES_SQL, parameters)
        cursor.execute(WAITING_EVENTS_SQL.format(**blanked), parameters)
        cursor.execute(RECALLS_SQL, parameters)
        cursor.execute(RECALL_EVENTS_SQL.format(**blanked), parameters)
        cursor.execute("SELECT set_config('clinic.redacting', 'off', true)")


def blank_numbers(clinic: Clinic, appointments: list[int]) -> None:
    """Blank the CPFs that were sent with these appointments and are not confirmed. Runs in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(UNVERIFIED_NUMBERS_SQL, {"clinic": clinic.pk, "appointments": appointments})
