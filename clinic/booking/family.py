"""Several patients of a family booked in one act: all of them, or none.

Each becomes an appointment of its own, by the ordinary rules and with its own event, so each can be moved, cancelled
and undone by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import permutations
from typing import NamedTuple
from uuid import UUID, uuid5

from django.utils import timezone

from clinic.booking import sql
from clinic.booking.alternatives import BookingRefused
from clinic.booking.book import book, wanted_slot
from clinic.booking.booked import booked_that_day, load_booked
from clinic.booking.paid_visits import PaidBeside, paid_visit_refusals
from clinic.booking.payer import filled_in_payer
from clinic.booking.proposal import Proposal
from clinic.booking.rules.limits import full_day
from clinic.booking.slots import OverlappingAppointment, Slot, local_date
from clinic.booking.together import alternatives_for_each, overlapping, refused_by
from clinic.booking.walk import TakenTime, Walk, load_taken
from clinic.models import Appointment, Clinic, Doctor, Payer
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author, current_id, current_patient
from clinic.schedule import Booked, Limits, Opening, Restricted, Span, bookable_dates, load_schedules
from clinic.transactions import run_as_one

MAX_MEMBERS = 6
DATES_PROPOSED = 3


@dataclass(frozen=True)
class CheckedMember:
    """Why one of the family cannot be booked as proposed, and the nearest free times of that date; neither where it
    can. `is_day_full` where another time would do and the date has none."""

    refusals: Sequence[Refusal] = ()
    alternatives: Sequence[Opening] = ()
    is_day_full: bool = False


@dataclass(frozen=True)
class SoughtTime:
    """Who seeks a time: the doctors who could see them, the length in minutes, the patient's id, None for one who is
    new, and the procedures."""

    doctors: Sequence[Doctor]
    minutes: int
    patient: int | None = None
    procedures: Sequence[Restricted] = ()


class MemberRefused(Refused):
    """Nothing was booked, because of the one of the family at the place `number`, counted from 0."""

    def __init__(self, number: int, refused: Refused) -> None:
        super().__init__(refused.refusals)
        self.number = number


def check_family(proposals: Sequence[Proposal], *, now: datetime | None = None) -> list[CheckedMember]:
    """Ask the rules of a booking about all of these, in their order, as if those before each were booked already.
    Nothing is locked or written. Those before count for the numbers a day of doctor, procedures and payer.

    No free time is proposed that another of them would take. About four queries each, two more for one that is refused
    because of its time, three more for one whose payer pays for another of them, and one more for one who comes to the
    doctor of another of them on the same date, where there is a number a day.
    """
    now = now or timezone.now()
    accepted: list[OverlappingAppointment] = []
    slots: list[Slot] = []
    paid: list[PaidBeside] = []
    outcomes: list[BookingRefused | None] = []
    wanted: list[Opening | None] = []
    for number, proposal in enumerate(proposals):
        slot, outcome, payer = _looked_at(proposal, accepted, slots, paid, now)
        outcomes.append(outcome)
        wanted.append(Opening(slot.starts_at, slot.ends_at, slot.doctor.pk) if slot else None)
        if slot and outcome is None:
            accepted.append(overlapping(slot, -number, slot.patient.pk if slot.patient else -number))
            slots.append(slot)
            if payer is not None:
                paid.append(PaidBeside(payer, slot.doctor.pk, slot.local_date))
    alternatives = alternatives_for_each(wanted, outcomes, of_one_patient=False, same_day=True)
    return [_checked(outcome, free) for outcome, free in zip(outcomes, alternatives, strict=True)]


def book_family(
    proposals: Sequence[Proposal], *, key: UUID, by: Author, now: datetime | None = None
) -> list[Appointment]:
    """Book all of these or none, and return the appointments in their order. `key` is the form's: sent twice it books
    once.

    Locks the doctors' rows in order of id, the patients' in order of id, and then what each booking locks. Raises
    MemberRefused for the first one that is refused, another Refused where the database was busy.
    """
    now = now or timezone.now()

    def work() -> list[Appointment]:
        _lock(proposals)
        if there := booked_family(proposals, key):
            return there
        booked: list[Appointment] = []
        for number, proposal in enumerate(proposals):
            booked.append(_book_member(number, proposal, booked, key, by, now))
        return booked

    return run_as_one(work)


def booked_family(proposals: Sequence[Proposal], key: UUID) -> list[Appointment]:
    """Return the appointments that `book_family` has booked of these proposals with this key already; none unless all
    of them, and no more, still stand as they were booked. One query, and some for one whose patient was merged."""
    ids = [_uuid(key, number) for number in range(MAX_MEMBERS)]
    standing = Appointment.objects.of(proposals[0].clinic).standing().filter(uuid__in=ids).select_related("clinic")
    by_uuid = {appointment.uuid: appointment for appointment in standing}
    there = [by_uuid[each] for each in ids if each in by_uuid]
    are_there = [appointment.uuid for appointment in there] == ids[: len(proposals)]
    if are_there and all(_is_booked(*pair) for pair in zip(there, proposals, strict=True)):
        return there
    return []


def times_near_each_other(
    clinic: Clinic,
    sought: Sequence[SoughtTime],
    first: date,
    last: date | None = None,
    *,
    near: Span | None = None,
    now: datetime | None = None,
) -> list[list[Opening]]:
    """Return a free time for each of them on one local date, for up to DATES_PROPOSED dates from `first` to `last`,
    `first` alone without it: the nearest dates that have such times. Those of one doctor come one after another, those
    of several beside each other. They are placed in their order, each at the first free time, from the instant from
    which all are over in the shortest time, the earliest first; in another order only where this one leaves one of them
    without a time.

    `near` is the time of one of the family who is booked already, on one of the dates. Two queries, three where there
    is a number a day, for which those placed before count too.
    """
    now = now or timezone.now()
    found = []
    for free in _free_by_date(clinic, sought, first, last or first, now):
        times = _times_of_date(clinic, free, near)
        found += [times] if times else []
        if len(found) == DATES_PROPOSED:
            break
    return found


class _FreeOfDate:
    """The free times of each of them on a local date, in order of time, by what was `booked` without them."""

    def __init__(
        self,
        day: date,
        openings: Sequence[Sequence[Opening]],
        sought: Sequence[SoughtTime],
        doctors: Mapping[int, Doctor],
        booked: Booked,
    ) -> None:
        self.day, self.openings, self.sought, self.doctors, self.booked = day, openings, sought, doctors, booked
        self._has_room = cache(self._is_not_full)

    def admits(self, number: int, opening: Opening, chosen: Mapping[int, Opening]) -> bool:
        """Return whether this one can be there once the others have what is chosen for them."""
        if any(_meet(opening, other) for other in chosen.values()):
            return False
        with_doctor = (each for each, other in chosen.items() if other.doctor_id == opening.doctor_id)
        return self._has_room(number, opening.doctor_id, frozenset(with_doctor))

    def _is_not_full(self, number: int, doctor: int, with_doctor: frozenset[int]) -> bool:
        booked = self.booked
        for other in with_doctor:
            booked = booked.beside(doctor, self.sought[other].procedures, self.day)
        return not any(booked.full(self.doctors[doctor], self.sought[number].procedures, self.day))


def _times_of_date(clinic: Clinic, free: _FreeOfDate, near: Span | None) -> list[Opening] | None:
    starts = sorted({opening.starts_at for openings in free.openings for opening in openings})
    orders = _orders(free) if all(free.openings) else iter(())
    order = next((order for order in orders if _from(starts[0], free, order)), None)
    if order is None:
        return None
    found = [chosen for start in starts if (chosen := _from(start, free, order))]
    is_near = near is not None and local_date(clinic, near.starts_at) == local_date(clinic, starts[0])
    return min(found, key=lambda chosen: _span_of(chosen, near if is_near else None))


def _checked(outcome: BookingRefused | None, free: Sequence[Opening]) -> CheckedMember:
    if outcome is None:
        return CheckedMember()
    is_day_full = outcome.slot is not None and outcome.is_about_time and not free
    return CheckedMember(outcome.refusals, free, is_day_full)


class _LookedAt(NamedTuple):
    """The slot of a proposal, None where it has none; why it cannot be had; and the id of the payer, None for none."""

    slot: Slot | None
    outcome: BookingRefused | None
    payer: int | None = None


def _looked_at(
    proposal: Proposal,
    accepted: Sequence[OverlappingAppointment],
    slots: Sequence[Slot],
    paid: Sequence[PaidBeside],
    now: datetime,
) -> _LookedAt:
    """Look whether a proposal can be had beside the accepted ones, which are in these slots, and of which payers pay
    for these visits."""
    try:
        filled_in = _as_filled_in(proposal)
        slot = wanted_slot(filled_in, now=now)
    except BookingRefused as refused:
        return _LookedAt(refused.slot, refused)
    payer = filled_in.payer.payer
    if slot.patient and any(other.patient_id == slot.patient.pk for other in accepted):
        twice = Refusal(Reason.FAMILY_TWICE, {"patient": slot.patient.display_name})
        return _LookedAt(slot, BookingRefused([twice]), payer)
    outcome = _full_beside(slots, slot) or refused_by(accepted, slot) or _unpaid_beside(paid, slot, payer)
    return _LookedAt(slot, outcome, payer)


def _full_beside(slots: Sequence[Slot], slot: Slot) -> BookingRefused | None:
    """Return why the date admits the slot no more, once these are booked; None where it does."""
    place = slot.doctor.pk, slot.local_date
    there = [other for other in slots if (other.doctor.pk, other.local_date) == place]
    if not there:
        return None
    booked = booked_that_day(slot)
    for other in there:
        booked = booked.beside(other.doctor.pk, other.procedures, other.local_date)
    refusals = list(full_day(slot, booked))
    return BookingRefused(refusals, slot) if refusals else None


def _unpaid_beside(paid: Sequence[PaidBeside], slot: Slot, payer: int | None) -> BookingRefused | None:
    """Return why the payer does not pay for the slot too, once it pays for these visits; None where it does."""
    if payer is None or not any(visit.payer == payer for visit in paid):
        return None
    stored = Payer.objects.of(slot.clinic).get(pk=payer)
    refusals = paid_visit_refusals(slot.clinic, stored, slot.doctor, slot.starts_at, beside=paid)
    return BookingRefused(refusals, slot) if refusals else None


def _as_filled_in(proposal: Proposal) -> Proposal:
    """Return the proposal as the panel fills it in: with the payer of a patient who is known, and without cost where it
    is a free return. Raises BookingRefused (FAMILY_ASK_WHO_PAYS)."""
    patient = current_patient(proposal.clinic, proposal.patient) if proposal.patient is not None else None
    if patient is None:
        return proposal
    payer = filled_in_payer(proposal.clinic, patient, proposal.starts_at)
    if payer is None:
        raise BookingRefused([Refusal(Reason.FAMILY_ASK_WHO_PAYS, {"patient": patient.display_name})])
    return replace(proposal, payer=payer, as_return=True)


def _lock(proposals: Sequence[Proposal]) -> None:
    clinic = proposals[0].clinic
    doctors = {proposal.doctor for proposal in proposals if isinstance(proposal.doctor, int)}
    patients = {current_id(clinic, proposal.patient) for proposal in proposals if proposal.patient is not None}
    sql.lock_rows(clinic, doctors, *sorted(patients))


def _book_member(
    number: int, proposal: Proposal, booked: Sequence[Appointment], key: UUID, by: Author, now: datetime
) -> Appointment:
    try:
        appointment = book(replace(_as_filled_in(proposal), uuid=_uuid(key, number)), by=by, now=now)
    except Refused as refused:
        if Reason.TRY_AGAIN in refused.reasons:
            raise
        raise MemberRefused(number, refused) from refused
    if any(other.patient_id == appointment.patient_id for other in booked):
        twice = Refusal(Reason.FAMILY_TWICE, {"patient": appointment.patient.display_name})
        raise MemberRefused(number, Refused([twice]))
    return appointment


def _is_booked(appointment: Appointment, proposal: Proposal) -> bool:
    """Return whether the appointment is what was proposed; of a new patient any."""
    if (appointment.starts_at, appointment.doctor_id) != (proposal.starts_at, proposal.doctor):
        return False
    if proposal.patient in (None, appointment.patient_id):
        return True
    return current_id(proposal.clinic, proposal.patient) == appointment.patient_id


def _uuid(key: UUID, number: int) -> UUID:
    """Return the id of the appointment at this place, the same each time the form is sent."""
    return uuid5(key, str(number))


def _free_by_date(
    clinic: Clinic, sought: Sequence[SoughtTime], first: date, last: date, now: datetime
) -> Iterator[_FreeOfDate]:
    """Yield for each of the dates that can be booked the free times of each of them, in order of time."""
    doctors = {doctor.pk: doctor for each in sought for doctor in each.doctors}
    bookable = bookable_dates(clinic, now)
    first, last = max(first, bookable[0]), min(last, bookable[1])
    if first > last or not doctors:
        return
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    patients = {each.patient for each in sought if each.patient is not None}
    taken = load_taken(clinic, list(doctors), patients, days)
    walk = Walk(load_schedules(clinic, list(doctors.values()), first, last), taken.of_doctor, now)
    procedures = {procedure.pk: procedure for each in sought for procedure in each.procedures}.values()
    booked = load_booked(clinic, list(doctors.values()), procedures, first, last)
    walks = [replace(walk, limits=Limits(each.procedures, booked)) for each in sought]
    for day in days:
        free = [_free_of(each, walk, taken, day) for each, walk in zip(sought, walks, strict=True)]
        yield _FreeOfDate(day, free, sought, doctors, booked)


def _free_of(each: SoughtTime, walk: Walk, taken: TakenTime, day: date) -> list[Opening]:
    elsewhere = taken.of_patient(each.patient) if each.patient is not None else []
    found = walk.of_day(day, each.doctors, timedelta(minutes=each.minutes)) if each.minutes else iter(())
    return sorted(
        opening for opening in found if not any(span.overlaps(opening.starts_at, opening.ends_at) for span in elsewhere)
    )


def _orders(free: _FreeOfDate) -> Iterator[tuple[int, ...]]:
    """Return the orders in which they can be placed, as their numbers, their own order first; once those that differ
    only in who has the same free times for the same procedures. At most 720 for MAX_MEMBERS."""
    procedures = [{procedure.pk for procedure in each.procedures} for each in free.sought]
    wanted = list(zip(free.openings, procedures, strict=True))
    kinds = [wanted.index(each) for each in wanted]
    tried = set()
    for order in permutations(range(len(wanted))):
        kind = tuple(kinds[number] for number in order)
        if kind not in tried:
            tried.add(kind)
            yield order


def _from(start: datetime, free: _FreeOfDate, order: Sequence[int]) -> list[Opening]:
    """Return for each of them the first free time from an instant on that none placed before has; [] where one has
    none."""
    chosen: dict[int, Opening] = {}
    for number in order:
        following = (opening for opening in free.openings[number] if opening.starts_at >= start)
        fits = (opening for opening in following if free.admits(number, opening, chosen))
        if (opening := next(fits, None)) is None:
            return []
        chosen[number] = opening
    return [chosen[number] for number in range(len(free.openings))]


def _meet(one: Opening, other: Opening) -> bool:
    is_apart = one.ends_at <= other.starts_at or other.ends_at <= one.starts_at
    return one.doctor_id == other.doctor_id and not is_apart


def _span_of(chosen: Sequence[Opening], near: Span | None) -> tuple[timedelta, datetime]:
    """Return by what the choices are compared: how long all of it takes, with the time of who is booked already; and
    when it begins."""
    starts = [opening.starts_at for opening in chosen] + ([near.starts_at] if near else [])
    ends = [opening.ends_at for opening in chosen] + ([near.ends_at] if near else [])
    return max(ends) - min(starts), min(opening.starts_at for opening in chosen)
