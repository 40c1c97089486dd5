"""Writing absences and closures, with the event that says who did: for the admin and for the desk."""

from typing import Any

from clinic.models import Absence, AppointmentEvent, Clinic, ClinicEvent, Doctor, StaffUser
from clinic.models.locks import get_locked
from clinic.registry.clinic_events import record_change
from clinic.registry.patient_events import Author


def record_absence(absence: Absence, by: StaffUser) -> None:
    """Store a new absence of a doctor, and its event; one that is stored already (a double click, a colleague who was
    quicker) is not stored again.

    Runs in the caller's transaction; locks the doctor's row."""
    if absence.doctor:
        get_locked(Doctor.objects.of(absence.clinic_id).filter(pk=absence.doctor.pk))
    same = {"doctor": absence.doctor, "starts_at": absence.starts_at, "ends_at": absence.ends_at}
    if not Absence.objects.of(absence.clinic_id).filter(**same, reason=absence.reason).exists():
        save_absence(absence, by)


def save_absence(absence: Absence, by: StaffUser) -> None:
    """Store a new or changed absence or closure, and its event. Runs in the caller's transaction."""
    before = stored(absence)
    absence.save()
    note(absence.clinic, before, snapshot(absence), by)


def delete_absence(absence: Absence, by: StaffUser) -> None:
    """Delete an absence or closure, and store the event. Runs in the caller's transaction."""
    before = stored(absence)
    absence.delete()
    note(absence.clinic, before, {}, by)


def absence_was_deleted(clinic: Clinic, absence_id: int) -> bool:
    """Return whether the clinic had an absence with this id that was deleted. One query."""
    events = ClinicEvent.objects.of(clinic).filter(kind=ClinicEvent.Kind.ABSENCE, after={})
    return events.filter(before__absence=absence_id).exists()


def stored(absence: Absence) -> dict[str, Any]:
    """Return the snapshot of the row as it is in the database, {} without one. A query for one that has an id."""
    row = Absence.objects.of(absence.clinic_id).filter(pk=absence.pk).first() if absence.pk else None
    return snapshot(row) if row else {}


def snapshot(absence: Absence) -> dict[str, Any]:
    """Return what an event keeps of an absence, a closure if `doctor` is None; instants as ISO 8601."""
    return {
        "absence": absence.pk,
        "doctor": absence.doctor_id,
        "doctor_name": absence.doctor.full_name if absence.doctor else "",
        "starts_at": absence.starts_at.isoformat(),
        "ends_at": absence.ends_at.isoformat(),
        "reason": absence.reason,
    }


def note(clinic: Clinic, before: dict[str, Any], after: dict[str, Any], by: StaffUser) -> None:
    """Store the event of a change in the browser, none without a change."""
    author = Author(channel=AppointmentEvent.Channel.BROWSER, user=by)
    record_change(clinic, ClinicEvent.Kind.ABSENCE, before, after, author)
