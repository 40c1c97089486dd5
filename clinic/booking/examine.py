"""Ask the rules about a booking or a move; the one place that loads what they need to know about a slot."""

from collections.abc import Iterable, Sequence

from clinic.booking import rules, sql
from clinic.booking.alternatives import BookingRefused
from clinic.booking.rules import INPUT_RULES, InputRule
from clinic.booking.rules.patient import deceased_refusals
from clinic.booking.slots import Candidate, Slot, slot_of
from clinic.models import Appointment
from clinic.refusals import Reason, Refusal

TIME_FIELDS = {"date", "starts_at", "ends_at"}


def require_slot(
    candidate: Candidate, refusals: Iterable[Refusal] = (), *, input_rules: Sequence[InputRule] = INPUT_RULES
) -> Slot:
    """Return the slot of a candidate that breaks no rule.

    Raises BookingRefused with `refusals`, those of loading the candidate, and one for every broken rule. Call it after
    the locks: at most one statement.
    """
    slot = slot_of(candidate)
    refusals = [*refusals, *_violations(candidate, slot, input_rules)]
    # Without a slot there are refusals: of the doctor, or of the time by an input rule.
    if slot is None or refusals:
        raise BookingRefused(refusals, slot)
    return slot


def free_violations(slot: Slot) -> list[Refusal]:
    """Return why doctor or patient are not free in the slot. One statement."""
    return rules.availability_violations(slot, sql.load_context(slot), rules.FREE_TIME_RULES)


def retake_violations(slot: Slot, appointment: Appointment) -> list[Refusal]:
    """Return why an appointment that gave its time up cannot take this slot: the rules of a booking, but that the time
    may have begun. An encaixe may also lie outside the hours of work. At most one statement."""
    if not slot.doctor.active:
        return [Refusal(Reason.DOCTOR_UNKNOWN)]
    applicable = rules.FREE_TIME_RULES if appointment.is_encaixe else rules.AVAILABILITY_RULES
    context = sql.load_context(slot)
    return [*deceased_refusals(slot.patient), *rules.availability_violations(slot, context, applicable)]


def _violations(candidate: Candidate, slot: Slot | None, input_rules: Sequence[InputRule]) -> list[Refusal]:
    """Return a refusal for every broken rule; of availability only for a time that no input rule refuses."""
    refusals = rules.input_violations(candidate, input_rules)
    if slot and not any(refusal.field in TIME_FIELDS for refusal in refusals):
        refusals += rules.availability_violations(slot, sql.load_context(slot))
    return refusals
