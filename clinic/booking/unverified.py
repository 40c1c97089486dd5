"""Deciding what was sent of a patient with a booking and differs from the stored data: using or discarding it."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone

from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.audit import record
from clinic.models import Appointment, AppointmentEvent, Clinic, Patient, phones
from clinic.models.unverified import UNVERIFIED
from clinic.refusals import Reason, Refusal
from clinic.registry import Author, change_patient
from clinic.transactions import run_in_transaction

EMPTY = {UNVERIFIED["birth_date"]: None}  # all others are texts


def use_unverified(
    appointment_id: int,
    field: str,
    *,
    clinic: Clinic,
    value: str,
    seen: str | None,
    by: Author,
) -> Appointment:
    """Write what was sent as this field of the patient, by the rules of the patient's form.

    `value` is the text of what the author has seen (`unverified_text`): with another one, or none left, nothing is done
    (CHANGED_MEANWHILE). `seen` is the `patient_version` that the author began from. A phone becomes the one that is
    rung; the present one becomes the second phone, where there is none.

    Locks the doctor's row, the patient's, then the appointment's. Raises Refused, Appointment.DoesNotExist.
    """

    def work() -> Appointment:
        appointment = _lock_as_seen(clinic, appointment_id, field, value)
        patient = Patient.objects.of(clinic).get(pk=appointment.patient_id)
        changes = _changes(patient, field, getattr(appointment, UNVERIFIED[field]))
        change_patient(patient.pk, changes, clinic=clinic, seen=seen, by=by)
        return _decide(appointment, field, by, timezone.now(), used=True)

    return run_in_transaction(work)


def discard_unverified(appointment_id: int, field: str, *, clinic: Clinic, value: str, by: Author) -> Appointment:
    """Forget what was sent as this field of the patient; undoing brings it back. `value`, locks and refusals are as for
    `use_unverified`."""

    def work() -> Appointment:
        appointment = _lock_as_seen(clinic, appointment_id, field, value)
        return _decide(appointment, field, by, timezone.now(), used=False)

    return run_in_transaction(work)


def unverified_text(appointment: Appointment, field: str) -> str:
    """Return what is to be confirmed of this field as text, a date as ISO 8601; "" for nothing."""
    return _text(getattr(appointment, UNVERIFIED[field]))


def bring_back(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    """Write again what an event discarded, of a locked appointment."""
    present = {column: _text(getattr(appointment, column)) for column in event.before}
    write(appointment, now, **{column: text or EMPTY.get(column, "") for column, text in event.before.items()})
    record(appointment, AppointmentEvent.Kind.UNVERIFIED, by, now, present, event.before | {"undo": True})
    return appointment


def _lock_as_seen(clinic: Clinic, appointment_id: int, field: str, value: str) -> Appointment:
    appointment = lock_appointment(clinic, appointment_id)
    stored = unverified_text(appointment, field)
    refuse([Refusal(Reason.CHANGED_MEANWHILE)] if not stored or stored != value else [])
    return appointment


def _changes(patient: Patient, field: str, value: Any) -> dict[str, Any]:
    if field != "phone":
        return {field: value}
    changes = {"phone": value, "phone_of": ""}
    if patient.second_phone or not patient.phone or not phones.is_certain(patient.phone):
        return changes
    return changes | {"second_phone": patient.phone.as_e164, "second_phone_of": patient.phone_of}


def _decide(appointment: Appointment, field: str, by: Author, now: datetime, *, used: bool) -> Appointment:
    column = UNVERIFIED[field]
    before = {column: unverified_text(appointment, field)}
    write(appointment, now, **{column: EMPTY.get(column, "")})
    record(appointment, AppointmentEvent.Kind.UNVERIFIED, by, now, before, {column: "", "used": used})
    return appointment


def _text(value: str | date | None) -> str:
    return value.isoformat() if isinstance(value, date) else value or ""
