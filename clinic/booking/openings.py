"""Free times of the clinic's doctors, read from the database and computed by `clinic.schedule`."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from operator import attrgetter, ne

from django.utils import timezone

from clinic.booking.booked import load_booked
from clinic.booking.walk import Walk, load_taken, present_day
from clinic.models import Appointment, Clinic, Doctor
from clinic.models.procedure import LONGEST_DURATION
from clinic.schedule import (
    NOON,
    FreeStart,
    Limits,
    Opening,
    Restricted,
    bookable_dates,
    free_starts_on,
    load_schedules,
)

NEAREST_DAYS = 21


def openings(
    clinic: Clinic,
    *,
    doctor: Doctor,
    minutes: int,
    first: date,
    last: date,
    now: datetime | None = None,
    limit: int | None = None,
    patient: int | None = None,
    moving: Appointment | None = None,
    procedures: Sequence[Restricted] = (),
    with_notice: bool = False,
) -> list[Opening]:
    """Return the free times of `minutes` on the doctor's grid, later than `now`, on the dates from `first` to `last`.

    With `patient`, an id, the times at which that patient is elsewhere are left out. The time of `moving`, an
    appointment about to be moved, counts as free. The doctor's own limits hold, and those of `procedures`; the notice
    only for a program, `with_notice`. Two queries, three where there is a number a day.
    """
    all_openings = openings_of_any(
        clinic,
        doctors=[doctor],
        minutes=minutes,
        first=first,
        last=last,
        now=now,
        patient=patient,
        moving=moving,
        procedures=procedures,
        with_notice=with_notice,
    )
    return list(islice(all_openings, limit))


def openings_of_any(
    clinic: Clinic,
    *,
    doctors: Collection[Doctor],
    minutes: int,
    first: date,
    last: date,
    now: datetime | None = None,
    patient: int | None = None,
    moving: Appointment | None = None,
    procedures: Sequence[Restricted] = (),
    with_notice: bool = False,
) -> Iterator[Opening]:
    """Yield the `openings` of several doctors, in order of time and then of the doctors' ids, computed as they are
    read. Two queries, three where there is a number a day, however many doctors."""
    now = now or timezone.now()
    earliest, latest = bookable_dates(clinic, now)
    first, last = max(first, earliest), min(last, latest)
    active = [doctor for doctor in doctors if doctor.active]
    if first > last or not active or not 0 < minutes <= LONGEST_DURATION:
        return
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    schedules = load_schedules(clinic, active, first, last)
    patients = [] if patient is None else [patient]
    taken = load_taken(clinic, [doctor.pk for doctor in active], patients, days, moving)
    elsewhere = [span for pk in patients for span in taken.of_patient(pk)]
    booked = load_booked(clinic, active, procedures, first, last, besides=moving)
    limits = Limits(procedures, booked, with_notice=with_notice, present=present_day(moving))
    walk = Walk(schedules, lambda doctor, day: taken.of_doctor(doctor, day) + elsewhere, now, limits)
    for day in days:
        yield from sorted(
            walk.of_day(day, active, timedelta(minutes=minutes)), key=attrgetter("starts_at", "doctor_id")
        )


def free_starts(clinic: Clinic, *, doctor: Doctor, day: date, with_notice: bool) -> list[FreeStart]:
    """Return every later start on the doctor's grid at which the doctor is free on the local date. Two queries, three
    where the doctor has a number a day."""
    now = timezone.now()
    first, last = bookable_dates(clinic, now)
    if not first <= day <= last:
        return []
    schedules = load_schedules(clinic, [doctor], day, day)
    taken = load_taken(clinic, [doctor.pk], [], [day]).of_doctor(doctor.pk, day)
    limits = Limits(booked=load_booked(clinic, [doctor], [], day, day), with_notice=with_notice)
    return list(free_starts_on(day, doctor, schedules=schedules, taken=taken, now=now, limits=limits))


def openings_near(
    clinic: Clinic,
    *,
    doctor: Doctor,
    minutes: int,
    wanted: datetime,
    now: datetime,
    patient: int | None = None,
    moving: Appointment | None = None,
    days: int = NEAREST_DAYS,
    procedures: Sequence[Restricted] = (),
    with_notice: bool = False,
) -> list[Opening]:
    """Return the openings of the day of the instant `wanted` and of so many `days` after, in order of time.

    The time that `moving` has already is not among them. As many queries as `openings`.
    """
    day = clinic.local(max(wanted, now)).date()
    last = day + timedelta(days=days)
    near = openings(
        clinic,
        doctor=doctor,
        minutes=minutes,
        first=day,
        last=last,
        now=now,
        patient=patient,
        moving=moving,
        procedures=procedures,
        with_notice=with_notice,
    )
    present = Opening(moving.starts_at, moving.ends_at, moving.doctor_id) if moving else None
    return [opening for opening in near if opening != present]


def nearest_of(clinic: Clinic, found: Iterable[Opening], wanted: datetime, count: int) -> list[Opening]:
    """Return `count` of them in order of time: the one nearest to the instant `wanted`, then spread over half-days."""
    return spread(clinic, sorted(found, key=lambda opening: abs(opening.starts_at - wanted)), count)


def spread(clinic: Clinic, openings: Sequence[Opening], count: int) -> list[Opening]:
    """Return at most `count` of the openings, in order of time: one a half-day as far as there are as many.

    `openings` are in order of preference. Those that must share a half-day are an hour apart where possible."""

    def is_on_another_half_day(one: Opening, other: Opening) -> bool:
        return half_day(clinic, one) != half_day(clinic, other)

    chosen: list[Opening] = []
    for is_apart in (is_on_another_half_day, _is_an_hour_apart, ne):
        for opening in openings:
            if len(chosen) == count:
                return sorted(chosen)
            if all(is_apart(opening, other) for other in chosen):
                chosen.append(opening)
    return sorted(chosen)


def half_day(clinic: Clinic, opening: Opening) -> tuple[date, bool]:
    """Return the local date on which it begins, and whether before noon."""
    local = clinic.local(opening.starts_at)
    return local.date(), local.time() < NOON


def _is_an_hour_apart(one: Opening, other: Opening) -> bool:
    return abs(one.starts_at - other.starts_at) >= timedelta(hours=1)
