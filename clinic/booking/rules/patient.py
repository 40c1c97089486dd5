"""The rule about the patient of a booking."""

from collections.abc import Iterator

from clinic.booking.slots import Candidate
from clinic.models import Patient
from clinic.refusals import Reason, Refusal


def patient_is_alive(candidate: Candidate) -> Iterator[Refusal]:
    yield from deceased_refusals(candidate.patient)


def deceased_refusals(patient: Patient | None) -> list[Refusal]:
    """Refuse a patient who is marked as deceased."""
    if patient is None or not patient.died:
        return []
    return [Refusal(Reason.PATIENT_DIED, {"patient": patient.display_name})]
