"""The free times that are offered instead of a refused one."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from clinic.booking.booked import with_procedures
from clinic.booking.openings import NEAREST_DAYS, nearest_of, openings_near
from clinic.booking.slots import Slot
from clinic.refusals import Reason, Refusal, Refused
from clinic.schedule import Opening

COUNT = 3
TIME_REASONS = {
    Reason.TIME_PAST,
    Reason.NOTICE_TOO_SHORT,
    Reason.DAY_FULL,
    Reason.DAY_FULL_OF_PROCEDURE,
    Reason.OUTSIDE_HOURS,
    Reason.ENDS_AFTER_HOURS,
    Reason.DOCTOR_ABSENT,
    Reason.CLINIC_CLOSED,
    Reason.HOLIDAY,
    Reason.DOCTOR_TAKEN,
    Reason.PATIENT_ELSEWHERE,
    Reason.ENCAIXE_TAKEN,
    Reason.ENCAIXE_LIMIT,
}


class BookingRefused(Refused):
    """`slot` is the one that was refused, None while doctor, start or end are unknown: then nothing is offered instead.

    Free times are sought when `alternatives` or `following` is first read. Read them after the transaction, when the
    doctor's row is no longer locked.
    """

    def __init__(self, refusals: Iterable[Refusal], slot: Slot | None = None) -> None:
        super().__init__(refusals)
        self.slot = slot

    @property
    def is_about_time(self) -> bool:
        """Whether another time would be free of what was refused."""
        return bool(self.reasons & TIME_REASONS)

    @property
    def alternatives(self) -> list[Opening]:
        return self._alternatives.nearest

    @property
    def following(self) -> list[Opening]:
        return self._alternatives.following

    @cached_property
    def _alternatives(self) -> "Alternatives":
        if self.slot and self.is_about_time:
            return alternatives_to(self.slot)
        return Alternatives([], [])


class Alternatives(NamedTuple):
    """Free times in order of time: the nearest ones, and the next ones."""

    nearest: list[Opening]
    following: list[Opening]


def alternatives_to(slot: Slot) -> Alternatives:
    """Return the three free times nearest to the slot, and the three from it on, for its doctor and patient. At
    most four queries."""
    openings = openings_near_slot(slot)
    following = [opening for opening in openings if opening.starts_at >= slot.starts_at]
    return Alternatives(nearest_of(slot.clinic, openings, slot.starts_at, COUNT), following[:COUNT])


def openings_near_slot(slot: Slot, days: int = NEAREST_DAYS) -> list[Opening]:
    """Return the free times of the slot's length, for its doctor and patient, on its day and so many `days` after, in
    order of time; the limits of an appointment's procedures hold where the slot names none. At most four queries."""
    slot = with_procedures(slot)
    return openings_near(
        slot.clinic,
        doctor=slot.doctor,
        minutes=(slot.ends_at - slot.starts_at) // timedelta(minutes=1),
        wanted=slot.starts_at,
        now=slot.now,
        patient=slot.patient.pk if slot.patient else None,
        moving=slot.moving,
        days=days,
        procedures=slot.procedures,
        with_notice=slot.with_notice,
    )
