"""The rules about doctor and procedures."""

from collections.abc import Iterator, Sequence

from clinic.booking.proposal import DoctorKey
from clinic.booking.slots import Candidate
from clinic.models import Doctor, Procedure
from clinic.refusals import Reason, Refusal

MAX_PROCEDURES = 20  # thousands of lines locked a doctor's row for seconds


def procedures_are_chosen(candidate: Candidate) -> Iterator[Refusal]:
    if not candidate.procedures:
        yield Refusal(Reason.PROCEDURES_MISSING)
    if len(candidate.procedures) > MAX_PROCEDURES:
        params = {"count": len(candidate.procedures), "limit": MAX_PROCEDURES}
        yield Refusal(Reason.PROCEDURES_TOO_MANY, params)
    if None in candidate.procedures:
        yield Refusal(Reason.PROCEDURE_UNKNOWN)


def doctor_performs_them(candidate: Candidate) -> Iterator[Refusal]:
    if candidate.doctor:
        yield from not_performed(candidate.doctor, candidate.procedures, candidate.performed)


def not_performed(
    doctor: Doctor, procedures: Sequence[Procedure | None], performed: frozenset[int]
) -> Iterator[Refusal]:
    """Refuse each known procedure whose id is not among `performed`, those that this doctor performs."""
    for procedure in procedures:
        if procedure and procedure.pk not in performed:
            yield Refusal(Reason.PROCEDURE_NOT_OFFERED, {**doctor.in_sentence, "procedure": procedure.name})


def doctor_refusals(wanted: DoctorKey | None, loaded: Doctor | None) -> list[Refusal]:
    """Refuse when no doctor was chosen, or when no row of that doctor was loaded."""
    if wanted is None:
        return [Refusal(Reason.DOCTOR_MISSING)]
    return [] if loaded else [Refusal(Reason.DOCTOR_UNKNOWN)]
