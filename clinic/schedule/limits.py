"""How long an appointment may last and how far ahead it may begin: a typo in the year should not become a booking; and
what a clinic restricts besides, of a doctor or of a procedure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, Protocol

from django.db.models import Q

from clinic.models import Clinic, Doctor
from clinic.models.booking_limits import MAX_DAYS_AHEAD
from clinic.models.procedure import LONGEST_DURATION

MAX_DURATION = timedelta(minutes=LONGEST_DURATION)
NOON = time(12)  # local; what begins before it is of the morning


def bookable_dates(clinic: Clinic, now: datetime) -> tuple[date, date]:
    """Return the first and the last local date on which something may be booked: today and two years later."""
    today = clinic.local(now).date()
    return today, today + timedelta(days=MAX_DAYS_AHEAD)


class Restricted(Protocol):
    """A doctor or a procedure as it restricts bookings: the columns of BookingLimits."""

    @property
    def pk(self) -> int: ...
    @property
    def notice_hours(self) -> int | None: ...
    @property
    def days_ahead(self) -> int | None: ...
    @property
    def per_day(self) -> int | None: ...


# The same as `is_restricted`, of rows that are not loaded.
RESTRICTED = Q(notice_hours__isnull=False) | Q(days_ahead__isnull=False) | Q(per_day__isnull=False)


def is_restricted(one: Restricted) -> bool:
    """Return whether a doctor or a procedure restricts bookings at all."""
    return one.notice_hours is not None or one.days_ahead is not None or one.per_day is not None


class ProcedureLimits(NamedTuple):
    """The limits of a procedure where it is not loaded itself."""

    pk: int
    days_ahead: int | None
    per_day: int | None
    notice_hours: int | None = None


class Full(NamedTuple):
    """What admits no more on a date, the doctor or a procedure, and how many appointments it has there."""

    restricted: Restricted
    booked: int


@dataclass(frozen=True)
class Booked:
    """How many standing appointments begin on local dates: by the doctor's id and the date, and of procedures by the
    doctor's id, the procedure's id and the date. Only what a number a day restricts is counted."""

    of_doctors: Mapping[tuple[int, date], int] = field(default_factory=dict)
    of_procedures: Mapping[tuple[int, int, date], int] = field(default_factory=dict)

    def full(self, doctor: Doctor, procedures: Sequence[Restricted], day: date) -> Iterator[Full]:
        """Yield what admits no more with this doctor on a local date, the doctor before the procedures."""
        numbers: list[tuple[Restricted, int]] = [(doctor, self.of_doctors.get((doctor.pk, day), 0))]
        numbers += [(each, self.of_procedures.get((doctor.pk, each.pk, day), 0)) for each in procedures]
        for restricted, number in numbers:
            if restricted.per_day is not None and number >= restricted.per_day:
                yield Full(restricted, number)

    def besides(self, doctor: int, procedures: Sequence[Restricted], day: date) -> "Booked":
        """Return the same for an appointment of these procedures that is on that date with that doctor: it may be
        there, even where the number was lowered since."""
        of_procedures = {(doctor, each.pk, day) for each in procedures}
        return Booked(
            {key: number for key, number in self.of_doctors.items() if key != (doctor, day)},
            {key: number for key, number in self.of_procedures.items() if key not in of_procedures},
        )

    def beside(self, doctor: int, procedures: Sequence[Restricted], day: date) -> "Booked":
        """Return the same with one more appointment of these procedures, on that date with that doctor."""
        of_procedures = {(doctor, each.pk, day): 1 for each in procedures}
        return Booked(_added(self.of_doctors, {(doctor, day): 1}), _added(self.of_procedures, of_procedures))


def _added[Key](numbers: Mapping[Key, int], more: Mapping[Key, int]) -> Mapping[Key, int]:
    return {**numbers, **{key: numbers.get(key, 0) + number for key, number in more.items()}}


@dataclass(frozen=True)
class Limits:
    """What restricts an appointment of these procedures beside hours and taken time; that of its doctor is asked with
    them. Programs are held to the notice, a person is not, who knows why. `present` is the doctor's id and the local
    date of an appointment that is to be moved: there it may stay, although it is too far ahead by now."""

    procedures: Sequence[Restricted] = ()
    booked: Booked = field(default_factory=Booked)
    with_notice: bool = False
    present: tuple[int, date] | None = None

    def last_date(self, clinic: Clinic, doctor: Doctor, now: datetime) -> date:
        """Return the last local date on which it may begin."""
        today, last = bookable_dates(clinic, now)
        days = [each.days_ahead for each in (doctor, *self.procedures) if each.days_ahead is not None]
        return min([last, *(today + timedelta(days=number) for number in days)])

    def earliest(self, doctor: Doctor, now: datetime) -> datetime:
        """Return the instant from which on it may begin, as far as the notice goes."""
        hours = [each.notice_hours or 0 for each in (doctor, *self.procedures)] if self.with_notice else [0]
        return now + timedelta(hours=max(hours))

    def admit(self, clinic: Clinic, doctor: Doctor, day: date, now: datetime) -> bool:
        """Return whether it may begin on a local date at all: today at the earliest, not too far ahead, on a date that
        is not full."""
        last = day if self.present == (doctor.pk, day) else self.last_date(clinic, doctor, now)
        return clinic.local(now).date() <= day <= last and not any(self.booked.full(doctor, self.procedures, day))


NO_LIMITS = Limits()
