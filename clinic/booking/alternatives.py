"""What is free instead, when it was the time that was refused."""

from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from clinic.booking.openings import nearest_of, openings_near
from clinic.booking.rules import Case
from clinic.refusals import Reason, Refusal, Refused
from clinic.schedule import Opening

COUNT = 3
TIME_REASONS = {
    Reason.TIME_PAST,
    Reason.OUTSIDE_HOURS,
    Reason.ENDS_AFTER_HOURS,
    Reason.DOCTOR_ABSENT,
    Reason.CLINIC_CLOSED,
    Reason.HOLIDAY,
    Reason.DOCTOR_TAKEN,
    Reason.PATIENT_ELSEWHERE,
}


class BookingRefused(Refused):
    """`case` is what the rules have examined, where free times may be sought instead.

    They are sought when `alternatives` or `following` is first read. Read them after the transaction, when the doctor's
    row is no longer locked.
    """

    def __init__(self, refusals: Iterable[Refusal], case: Case | None = None) -> None:
        super().__init__(refusals)
        self.case = case

    @property
    def alternatives(self) -> list[Opening]:
        return self._found.nearest

    @property
    def following(self) -> list[Opening]:
        return self._found.following

    @cached_property
    def _found(self) -> "Alternatives":
        if self.case and self.reasons & TIME_REASONS:
            return alternatives_to(self.case)
        return Alternatives([], [])


class Alternatives(NamedTuple):
    nearest: list[Opening]
    following: list[Opening]


def alternatives_to(case: Case) -> Alternatives:
    """Return the three free times nearest to the one wanted, and the three from it on, for this doctor and patient.

    None when either end is unknown."""
    if case.doctor is None or not case.has_readable_time:
        return Alternatives([], [])
    found = openings_near(
        case.clinic,
        doctor=case.doctor,
        minutes=(case.ends_at - case.starts_at) // timedelta(minutes=1),
        wanted=case.starts_at,
        now=case.now,
        patient=case.patient and case.patient.pk,
        moving=case.moving,
    )
    following = [opening for opening in found if opening.starts_at >= case.starts_at]
    return Alternatives(nearest_of(case.clinic, found, case.starts_at, COUNT), following[:COUNT])
