"""What is checked of several appointments that are wanted at once: a series, or a family."""

from collections.abc import Sequence

from clinic.booking.alternatives import COUNT, BookingRefused, openings_near_slot
from clinic.booking.openings import nearest_of
from clinic.booking.rules.availability import doctor_taken, patient_taken
from clinic.booking.rules.encaixe import OVER_A_NUMBER
from clinic.booking.slots import OverlappingAppointment, Slot
from clinic.schedule import Opening, Span

# A free time is proposed on the day itself or so many days after: three weeks for each of sixty dates took 2.9 s.
DAYS_NEAR = 6


def overlapping(slot: Slot, pk: int, patient_id: int) -> OverlappingAppointment:
    """Return the appointment with that id, and of the patient with that one, as it overlaps others once it is in the
    slot."""
    doctor = slot.doctor
    return OverlappingAppointment(
        pk,
        doctor.pk,
        doctor.full_name,
        doctor.title,
        patient_id,
        slot.starts_at,
        slot.ends_at,
        is_encaixe=False,
    )


def refused_by(accepted: Sequence[OverlappingAppointment], slot: Slot) -> BookingRefused | None:
    """Return why a slot cannot be had beside those that are accepted before it, None where it can."""
    span = Span(slot.starts_at, slot.ends_at)
    met = [other for other in accepted if span.overlaps(other.starts_at, other.ends_at)]
    refusals = [*doctor_taken(slot, met), *patient_taken(slot, met)]
    return BookingRefused(refusals, slot) if refusals else None


def alternatives_for_each(
    wanted: Sequence[Opening | None],
    outcomes: Sequence[BookingRefused | None],
    *,
    of_one_patient: bool,
    same_day: bool = False,
) -> list[list[Opening]]:
    """Return up to COUNT free times for each that is refused because of its time, none for the others. None of them
    would be taken by another of those that are `wanted`, or be proposed to two: with `of_one_patient` at all, else with
    the same doctor. With `same_day` all are on the local date that is wanted, none where that is full. Two queries for
    each that is refused."""
    spoken_for = [time for time, refused in zip(wanted, outcomes, strict=True) if time and refused is None]
    found = []
    for refused in outcomes:
        free = _alternatives(refused, spoken_for, of_one_patient, same_day) if refused else []
        spoken_for += free
        found.append(free)
    return found


def _alternatives(
    refused: BookingRefused, spoken_for: Sequence[Opening], of_one_patient: bool, same_day: bool
) -> list[Opening]:
    """Return what `BookingRefused.alternatives` would, but of that week or day only, without what is spoken for."""
    slot = refused.slot
    if slot is None or not refused.is_about_time:
        return []
    if same_day and refused.reasons & OVER_A_NUMBER:
        return []

    def is_taken(opening: Opening) -> bool:
        return any(
            Span(other.starts_at, other.ends_at).overlaps(opening.starts_at, opening.ends_at)
            for other in spoken_for
            if of_one_patient or other.doctor_id == opening.doctor_id
        )

    found = openings_near_slot(slot, 0 if same_day else DAYS_NEAR)
    if same_day:  # of a past date what is found is today's
        found = [each for each in found if slot.clinic.local(each.starts_at).date() == slot.local_date]
    left = [opening for opening in found if not is_taken(opening)]
    return nearest_of(slot.clinic, left, slot.starts_at, COUNT)
