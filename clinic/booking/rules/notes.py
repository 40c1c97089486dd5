"""The rules about the notes of an appointment."""

from collections.abc import Iterator

from clinic.booking.slots import Candidate
from clinic.models import Appointment
from clinic.models.limits import max_length
from clinic.refusals import Reason, Refusal
from clinic.registry.patient_details import unstorable_notes

MAX_NOTES_LENGTH = max_length(Appointment, "notes")


def notes_can_be_stored(candidate: Candidate) -> Iterator[Refusal]:
    yield from unstorable_notes(candidate.notes)


def notes_are_not_too_long(candidate: Candidate) -> Iterator[Refusal]:
    yield from too_long_notes(candidate.notes)


def too_long_notes(notes: str) -> list[Refusal]:
    """Refuse notes that are longer than the column."""
    if len(notes) <= MAX_NOTES_LENGTH:
        return []
    return [Refusal(Reason.NOTES_TOO_LONG, {"length": len(notes), "limit": MAX_NOTES_LENGTH})]
