"""Changing the notes and the metadata of an appointment."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from clinic.booking.acts import refuse, write
from clinic.booking.audit import record
from clinic.booking.rules.notes import too_long_notes
from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.registry.patient_details import tidy_notes, unstorable_metadata, unstorable_notes
from clinic.transactions import run_in_transaction


def edit_notes(
    appointment_id: int,
    *,
    clinic: Clinic,
    by: Author,
    notes: str | None = None,
    seen: str | None = None,
    metadata: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> Appointment:
    """Replace notes or metadata; None leaves them. Locks the appointment. Raises Refused, DoesNotExist.

    `seen` are the notes that the author began from: with them, notes that were changed since are not replaced
    (CHANGED_MEANWHILE), and notes that the author left unchanged replace nothing.
    """
    now = now or timezone.now()
    notes = None if notes is None else tidy_notes(notes)
    seen = None if seen is None else tidy_notes(seen)
    changes: dict[str, Any] = {
        name: value for name, value in (("notes", notes), ("metadata", metadata)) if value is not None
    }

    def work() -> Appointment:
        appointment = get_locked(Appointment.objects.of(clinic).in_use().filter(pk=appointment_id), of=("self",))
        refuse(_annotation_refusals(notes, metadata))
        before = {name: getattr(appointment, name) for name in changes}
        if before == changes or changes == {"notes": seen}:
            return appointment
        if notes is not None and seen is not None and seen != appointment.notes != notes:
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        write(appointment, now, **changes)
        record(appointment, AppointmentEvent.Kind.ANNOTATED, by, now, before, changes)
        return appointment

    return run_in_transaction(work)


def _annotation_refusals(notes: str | None, metadata: dict[str, Any] | None) -> list[Refusal]:
    refusals = unstorable_metadata(metadata)
    if notes is not None:
        refusals += unstorable_notes(notes) + too_long_notes(notes)
    return refusals
