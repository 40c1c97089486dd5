"""The rules that a clinic may set for a doctor or for a procedure: notice, furthest day, number a day.

The notice is for programs alone: the patient of a person at the desk stands or telephones now. How far ahead the agenda
is open holds for everybody, and so does the number a day, beyond which a manager may approve an encaixe.
"""

from collections.abc import Iterator
from datetime import timedelta

from clinic.booking.slots import Candidate, ScheduleContext, Slot, clock, local_date
from clinic.models import Doctor, Procedure
from clinic.refusals import Reason, Refusal
from clinic.schedule import Booked, Limits, bookable_dates


def notice_is_given(candidate: Candidate) -> Iterator[Refusal]:
    """A start that has passed is refused by another rule. What stays where it is was in time."""
    if candidate.doctor is None or candidate.starts_at is None or candidate.starts_at <= candidate.now:
        return
    if candidate.starts_at == candidate.present_start:
        return
    earliest = _limits(candidate).earliest(candidate.doctor, candidate.now)
    if candidate.starts_at < earliest:
        clinic, hours = candidate.clinic, (earliest - candidate.now) // timedelta(hours=1)
        first = f"{clinic.local(earliest):%d/%m} {clock(clinic, earliest)}"
        yield Refusal(Reason.NOTICE_TOO_SHORT, {"hours": hours, "first": first})


def agenda_is_open_then(candidate: Candidate) -> Iterator[Refusal]:
    """A date beyond those of every doctor is refused by another rule. What stays on its date was booked before it was
    closed."""
    doctor, clinic, now = candidate.doctor, candidate.clinic, candidate.now
    if doctor is None or candidate.starts_at is None:
        return
    day, present = local_date(clinic, candidate.starts_at), candidate.present_start
    if day > bookable_dates(clinic, now)[1] or (present and day == local_date(clinic, present)):
        return
    last = Limits().last_date(clinic, doctor, now)
    if day > last:
        yield Refusal(Reason.AGENDA_NOT_OPEN, {**doctor.in_sentence, "date": f"{last:%d/%m/%Y}"})
    for procedure in _known(candidate):
        if day > (of_it := Limits([procedure]).last_date(clinic, doctor, now)) and of_it < last:
            yield Refusal(Reason.PROCEDURE_NOT_OPEN, {"procedure": procedure.name, "date": f"{of_it:%d/%m/%Y}"})


def day_has_room(slot: Slot, context: ScheduleContext) -> Iterator[Refusal]:
    """What stays with its doctor on its date takes no more room: there `booked` counts nothing for it."""
    if not slot.is_approved:
        yield from full_day(slot, context.booked)


def full_day(slot: Slot, booked: Booked) -> Iterator[Refusal]:
    """Refuse what admits no more on the slot's local date: its doctor, and each of its procedures."""
    for restricted, number in booked.full(slot.doctor, slot.procedures, slot.local_date):
        params = {"count": number, "limit": restricted.per_day, "date": f"{slot.local_date:%d/%m/%Y}"}
        params |= slot.doctor.in_sentence
        if isinstance(restricted, Doctor):
            yield Refusal(Reason.DAY_FULL, params)
        elif isinstance(restricted, Procedure):
            yield Refusal(Reason.DAY_FULL_OF_PROCEDURE, params | {"procedure": restricted.name})


def _known(candidate: Candidate) -> list[Procedure]:
    return [procedure for procedure in dict.fromkeys(candidate.procedures) if procedure]


def _limits(candidate: Candidate) -> Limits:
    return Limits(_known(candidate), with_notice=candidate.with_notice)
