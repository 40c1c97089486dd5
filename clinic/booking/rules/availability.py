"""The rules about a slot: the doctor works then, and neither doctor nor patient is taken."""

from collections.abc import Iterator, Sequence
from datetime import date

from django.utils.translation import gettext as _

from clinic.booking.slots import OverlappingAppointment, ScheduleContext, Slot, clock
from clinic.models import Clinic, Patient
from clinic.models.doctor import end_of_hours
from clinic.models.titles import in_sentence
from clinic.refusals import Reason, Refusal
from clinic.schedule import ClosedReason, Span

REASONS_OF_CLOSED_TIME = {
    ClosedReason.ABSENCE: Reason.DOCTOR_ABSENT,
    ClosedReason.CLINIC: Reason.CLINIC_CLOSED,
    ClosedReason.HOLIDAY: Reason.HOLIDAY,
}


def doctor_works_then(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    span = context.schedules.closing(slot.doctor.pk, slot.starts_at, slot.ends_at)
    if span is None:
        return
    if span.closed_by in REASONS_OF_CLOSED_TIME:
        yield Refusal(REASONS_OF_CLOSED_TIME[span.closed_by], {**slot.doctor.in_sentence, "reason": span.reason})
    else:
        yield _hours_refusal(slot, context.schedules.blocks(slot.doctor.pk, slot.local_date))


def _hours_refusal(slot: Slot, blocks: Sequence[Span]) -> Refusal:
    params = {**slot.doctor.in_sentence, "hours": hours_in_words(slot.clinic, blocks, slot.local_date)}
    if any(block.starts_at <= slot.starts_at < block.ends_at for block in blocks):
        return Refusal(Reason.ENDS_AFTER_HOURS, params | {"end": clock(slot.clinic, slot.ends_at)})
    return Refusal(Reason.OUTSIDE_HOURS, params)


def hours_in_words(clinic: Clinic, blocks: Sequence[Span], day: date) -> str:
    """Return "nesse dia atende das 08:00 às 12:00 e das 20:00 às 06:00", on the clinic's clock, or that there is no
    work without blocks. Hours that begin before `day` are written from its midnight on."""
    if not blocks:
        return str(_("não trabalha nesse dia"))
    midnight = clinic.day(day)[0]
    spans = [
        _("das %(starts)s às %(ends)s")
        % {
            "starts": clock(clinic, max(block.starts_at, midnight)),
            "ends": end_of_hours(clinic.local(block.ends_at).time()),
        }
        for block in blocks
    ]
    hours = str(_(" e ")).join([", ".join(spans[:-1]), spans[-1]] if spans[:-1] else spans)
    return _("nesse dia atende %(hours)s") % {"hours": hours}


def time_zone_is_unchanged(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    """The time was read by the zone of `slot.clinic`, which may have been changed while this waited for a lock."""
    if context.time_zone != slot.clinic.time_zone:
        yield Refusal(Reason.TRY_AGAIN)


def doctor_is_free(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    yield from doctor_taken(slot, context.overlapping)


def patient_is_in_one_place(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    yield from patient_taken(slot, context.overlapping)


def doctor_taken(slot: Slot, overlapping: Sequence[OverlappingAppointment]) -> Iterator[Refusal]:
    """`spans` in the refusal are the taken times, for the API that names each slot."""
    taken = [other for other in overlapping if other.occupies(slot.doctor)]
    if taken:
        spans = [(other.starts_at, other.ends_at) for other in taken]
        time = clock(slot.clinic, max(slot.starts_at, taken[0].starts_at))
        yield Refusal(Reason.DOCTOR_TAKEN, {**slot.doctor.in_sentence, "time": time, "spans": spans})


def patient_taken(slot: Slot, overlapping: Sequence[OverlappingAppointment]) -> Iterator[Refusal]:
    """Refuse a slot whose patient has an appointment with another doctor then."""
    for other in overlapping:
        if slot.patient and other.patient_id == slot.patient.pk and not other.occupies(slot.doctor):
            yield patient_elsewhere(slot, slot.patient, other)
            return


def patient_elsewhere(slot: Slot, patient: Patient, other: OverlappingAppointment) -> Refusal:
    """Return the refusal of a slot whose patient has another appointment then."""
    time = clock(slot.clinic, other.starts_at)
    params = {"patient": patient.display_name, "time": time}
    return Refusal(Reason.PATIENT_ELSEWHERE, params | in_sentence(other.doctor_name, other.doctor_title))
