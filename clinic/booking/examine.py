"""Ask the rules about a booking or a move; the one place that loads what they need to know about a slot."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from clinic.booking import rules, sql
from clinic.booking.alternatives import BookingRefused
from clinic.booking.booked import booked_that_day, with_procedures
from clinic.booking.encaixe import TIME_FIELDS, encaixes_that_day
from clinic.booking.rules import INPUT_RULES, InputRule
from clinic.booking.rules.encaixe import LIFTED
from clinic.booking.rules.limits import full_day
from clinic.booking.rules.patient import deceased_refusals
from clinic.booking.slots import Candidate, ScheduleContext, Slot, slot_of
from clinic.models import Procedure
from clinic.refusals import Reason, Refusal


def require_slot(
    candidate: Candidate, refusals: Iterable[Refusal], *, input_rules: Sequence[InputRule] = INPUT_RULES
) -> Slot:
    """Return the slot of a candidate that breaks no rule.

    With an `encaixe_reason` it is that of an encaixe where the doctor is not free, and an ordinary one where nothing is
    in the way.

    Raises BookingRefused with `refusals`, those of loading the candidate, and one for every broken rule. Call it after
    the locks: at most one statement, for an encaixe three, and one more where doctor or procedures have a number a day.
    """
    slot = slot_of(candidate)
    violations = _violations(candidate, slot, input_rules)
    if slot and candidate.encaixe_reason is not None and {refusal.reason for refusal in violations} & LIFTED:
        slot = replace(slot, is_encaixe=True, is_approved=candidate.is_approved)
        violations = _violations(candidate, slot, input_rules)
    refusals = [*refusals, *violations]
    # Without a slot there are refusals: of the doctor, or of the time by an input rule.
    if slot is None or refusals:
        raise BookingRefused(refusals, slot)
    return slot


def free_violations(slot: Slot) -> list[Refusal]:
    """Return why doctor or patient are not free in the slot of an appointment that exists, however many a day are
    booked. One statement, for an encaixe two."""
    applicable = rules.ENCAIXE_FREE_TIME_RULES if slot.is_encaixe else rules.FREE_TIME_RULES
    return rules.availability_violations(slot, _load_context(slot), applicable)


def retake_violations(slot: Slot) -> list[Refusal]:
    """Return why an appointment that gave its time up cannot take this slot: the rules of a booking, but that the time
    may have begun. Two statements, for an encaixe three, and one more where doctor or procedures have a number a
    day."""
    if not slot.doctor.active:
        return [Refusal(Reason.DOCTOR_UNKNOWN)]
    return [*deceased_refusals(slot.patient), *_availability_violations(with_procedures(slot))]


def added_violations(slot: Slot, procedures: Iterable[Procedure]) -> list[Refusal]:
    """Return which of these procedures, which the appointment of the slot has not yet, admit no more on its date. At
    most one query."""
    added = replace(slot, procedures=tuple(procedures))
    if slot.is_approved or not added.procedures:
        return []
    full = full_day(added, booked_that_day(added))
    return [refusal for refusal in full if refusal.reason == Reason.DAY_FULL_OF_PROCEDURE]


def _violations(candidate: Candidate, slot: Slot | None, input_rules: Sequence[InputRule]) -> list[Refusal]:
    """Return a refusal for every broken rule; of availability only for a time that no input rule refuses."""
    refusals = rules.input_violations(candidate, input_rules)
    if slot and not any(refusal.field in TIME_FIELDS for refusal in refusals):
        refusals += _availability_violations(slot)
    return refusals


def _availability_violations(slot: Slot) -> list[Refusal]:
    applicable = rules.ENCAIXE_RULES if slot.is_encaixe else rules.AVAILABILITY_RULES
    context = replace(_load_context(slot), booked=booked_that_day(slot))
    return rules.availability_violations(slot, context, applicable)


def _load_context(slot: Slot) -> ScheduleContext:
    context = sql.load_context(slot)
    return replace(context, encaixes=encaixes_that_day(slot)) if slot.is_encaixe else context
