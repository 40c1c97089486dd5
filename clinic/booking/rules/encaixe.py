"""The rules of an encaixe: over another appointment of the doctor, or outside the hours of work, and nothing else.

An absence, a closure and a holiday stay in its way, and so does the patient's own time. Beside the appointments of a
doctor there is one lane for encaixes, so that at most two patients are promised the same minute: an encaixe over
another is refused, however many the doctor takes a day.

A manager's approval by their own PIN lifts the numbers a day, those of encaixes and those of all appointments or of a
kind, and the permission that the user at the desk has not; and nothing else. They are the clinic's own measure, which a
manager could change in the administration, and the patient stands at the desk now. It does not lift an absence, a
closure or a holiday, since nobody is there then; nor another encaixe at the same minute, nor the patient's own time,
since three patients cannot be seen at once and one cannot be in two places. The approval is kept with the appointment
and holds for its time: undoing brings it back, and another move has to be approved anew.
"""

from collections.abc import Iterator

from clinic.booking.rules.availability import REASONS_OF_CLOSED_TIME, patient_elsewhere
from clinic.booking.slots import Candidate, ScheduleContext, Slot, clock
from clinic.models import Appointment
from clinic.models.limits import max_length
from clinic.refusals import Reason, Refusal
from clinic.registry.patient_details import tidy, unstorable_line

# What a manager's approval lifts of an encaixe that was asked for.
OVER_A_NUMBER = {Reason.DAY_FULL, Reason.DAY_FULL_OF_PROCEDURE}
APPROVABLE = {Reason.ENCAIXE_LIMIT, Reason.ENCAIXE_NOT_PERMITTED} | OVER_A_NUMBER
# What an encaixe may be asked for instead of: of these the numbers of a day stay in its way until it is approved.
LIFTED = {Reason.DOCTOR_TAKEN, Reason.OUTSIDE_HOURS, Reason.ENDS_AFTER_HOURS} | OVER_A_NUMBER
MAX_REASON_LENGTH = max_length(Appointment, "encaixe_reason")


def encaixe_reason_is_given(candidate: Candidate) -> Iterator[Refusal]:
    if candidate.encaixe_reason is not None and not tidy(candidate.encaixe_reason):
        yield Refusal(Reason.ENCAIXE_REASON_MISSING)


def encaixe_reason_can_be_stored(candidate: Candidate) -> Iterator[Refusal]:
    reason = candidate.encaixe_reason or ""
    yield from unstorable_line(reason, Reason.ENCAIXE_REASON_UNSTORABLE)
    if (length := len(tidy(reason))) > MAX_REASON_LENGTH:
        yield Refusal(Reason.ENCAIXE_REASON_TOO_LONG, {"length": length, "limit": MAX_REASON_LENGTH})


def not_closed_then(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    span = context.schedules.closing(slot.doctor.pk, slot.starts_at, slot.ends_at)
    if span and span.closed_by in REASONS_OF_CLOSED_TIME:
        yield Refusal(REASONS_OF_CLOSED_TIME[span.closed_by], {**slot.doctor.in_sentence, "reason": span.reason})


def patient_is_nowhere_then(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    """Also not with the same doctor, whose own time is not asked about."""
    for other in context.overlapping:
        if slot.patient and other.patient_id == slot.patient.pk:
            yield patient_elsewhere(slot, slot.patient, other)
            return


def no_other_encaixe_then(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    for other in context.overlapping:
        if other.is_encaixe and other.doctor_id == slot.doctor.pk:
            time = clock(slot.clinic, other.starts_at)
            yield Refusal(Reason.ENCAIXE_TAKEN, {**slot.doctor.in_sentence, "time": time})
            return


def encaixes_are_few(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    limit = slot.doctor.encaixes_per_day
    if context.encaixes >= limit and not slot.is_approved:
        params = {**slot.doctor.in_sentence, "count": context.encaixes, "limit": limit}
        yield Refusal(Reason.ENCAIXE_LIMIT, params | {"date": f"{slot.local_date:%d/%m}"})
