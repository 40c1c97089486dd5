"""Other free times for appointments that have to move, for many of them at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from django.contrib.postgres.aggregates import ArrayAgg

from clinic.booking.booked import load_booked
from clinic.booking.openings import spread
from clinic.booking.walk import TakenTime, Walk, load_taken, present_day
from clinic.models import Appointment, AppointmentProcedure, Clinic, Doctor
from clinic.schedule import NOON, Booked, Limits, Opening, ProcedureLimits, Span, bookable_dates, load_schedules

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

SEARCHED_DAYS = 21
COUNT = 3


class HasPerformed(TypedDict):
    """Those of the needed procedures, by ids, that the doctor performs."""

    performed: list[int]


type AbleDoctor = WithAnnotations[Doctor, HasPerformed]


class _Time(NamedTuple):
    """A free time, in which half of the day it begins, and after how many minutes of the clinic's clock."""

    opening: Opening
    is_morning: bool
    minute: int


def replacement_times(
    clinic: Clinic, appointments: Sequence[Appointment], *, now: datetime
) -> dict[int, list[Opening]]:
    """Return up to COUNT free times for each appointment, by its id, in order of preference.

    Two of its own doctor, in the same half of the day where there are such; then of others who perform all of it, of
    colleagues of the same speciality where they have such times; on different half-days. They lie in the three weeks
    from the appointment's day on. No time, and no last place of a date, is proposed to two appointments unless nothing
    else is free: where some of a long list would share theirs, each has one first, then more of what is left.
    Four queries, five where there is a number a day, however many appointments.
    """
    if not appointments:
        return {}
    needed = _needed_procedures(clinic, appointments)
    able = able_doctors(clinic, {procedure.pk for procedures in needed.values() for procedure in procedures})
    days = {appointment.pk: _days(clinic, appointment, now) for appointment in appointments}
    first, last = min(span[0] for span in days.values()), max(span[-1] for span in days.values())
    schedules = load_schedules(clinic, able, first, last)
    patients = {appointment.patient_id for appointment in appointments}
    searched = {day for span in days.values() for day in span}
    taken = load_taken(clinic, [doctor.pk for doctor in able], patients, searched)
    procedures = {procedure.pk: procedure for some in needed.values() for procedure in some}.values()
    booked = load_booked(clinic, able, procedures, first, last)
    search = _Search(clinic, Walk(schedules, taken.of_doctor, now), taken, able, booked)
    sought = [_Sought(appointment, needed[appointment.pk], days[appointment.pk]) for appointment in appointments]
    return search.times_of_all(sought)


class _Sought(NamedTuple):
    """An appointment that has to move, its procedures, and the dates that are searched."""

    appointment: Appointment
    needed: Sequence[ProcedureLimits]
    days: Sequence[date]


class _Search:
    """Free times of the loaded doctors; remembers which ones it has proposed."""

    def __init__(
        self, clinic: Clinic, walk: Walk, taken: TakenTime, able: "Sequence[AbleDoctor]", booked: Booked
    ) -> None:
        self.clinic, self.walk, self.taken, self.booked = clinic, walk, taken, booked
        self.performed = {doctor: set(doctor.performed) for doctor in able}
        self._of_day = cache(self._times_of_day)
        self._begin()

    def _begin(self) -> None:
        self.booked_with_proposed = self.booked
        self.proposed: dict[tuple[int, date], list[Span]] = defaultdict(list)
        self.proposed_to: dict[int, list[Span]] = defaultdict(list)  # by the patient's id

    def times_of_all(self, sought: Sequence[_Sought]) -> dict[int, list[Opening]]:
        """Return the times by appointment. Where some would have none but those of others, each has one first, then
        more of what is left."""
        found = {each.appointment.pk: self._unshared(each, COUNT) for each in sought}
        if not any(self._shared(each) for each in sought if not found[each.appointment.pk]):
            return found
        self._begin()
        found = {each.appointment.pk: self._unshared(each, 1) for each in sought}
        for each in sought:
            times = found[each.appointment.pk]
            times += self._unshared(each, COUNT - 1) if times else self._shared(each)
        return found

    def _shared(self, sought: _Sought) -> list[Opening]:
        """Return free times without regard to what is proposed."""
        return self._chosen(*sought, spared=False)

    def _unshared(self, sought: _Sought, count: int) -> list[Opening]:
        """Return up to `count` free times that are proposed to no other appointment, and remember them."""
        appointment, needed, _days = sought
        found = self._chosen(*sought, spared=True)[:count]
        for opening in found:
            day = self.clinic.local(opening.starts_at).date()
            span = Span(opening.starts_at, opening.ends_at)
            self.proposed[opening.doctor_id, day].append(span)
            self.proposed_to[appointment.patient_id].append(span)
        # Of its times on a date with one doctor it takes one.
        for doctor, day in {(opening.doctor_id, self.clinic.local(opening.starts_at).date()) for opening in found}:
            self.booked_with_proposed = self.booked_with_proposed.beside(doctor, needed, day)
        return found

    def _chosen(
        self, appointment: Appointment, needed: Sequence[ProcedureLimits], days: Sequence[date], *, spared: bool
    ) -> list[Opening]:
        ids, limits = {procedure.pk for procedure in needed}, self._limits(appointment, needed, spared=spared)
        able = [doctor for doctor, performed in self.performed.items() if ids <= performed]
        own = [doctor for doctor in able if doctor.pk == appointment.doctor_id]
        others = [doctor for doctor in able if doctor.pk != appointment.doctor_id]
        of_own = self._best(appointment, limits, own, days, spared=spared)
        colleagues = [doctor for doctor in others if doctor.specialty == appointment.doctor.specialty]
        of_others = self._best(appointment, limits, colleagues, days, spared=spared)
        of_others = of_others or self._best(appointment, limits, others, days, spared=spared)
        return [*of_own[:2], *of_others, *of_own[2:]][:COUNT]

    def _limits(self, appointment: Appointment, needed: Sequence[ProcedureLimits], *, spared: bool) -> Limits:
        booked = self.booked_with_proposed if spared else self.booked
        present = present_day(appointment)
        if present is None:
            return Limits(needed, booked)
        doctor, day = present
        return Limits(needed, booked.besides(doctor, needed, day), present=present)

    def _best(
        self,
        appointment: Appointment,
        limits: Limits,
        doctors: Sequence[Doctor],
        days: Sequence[date],
        *,
        spared: bool,
    ) -> list[Opening]:
        """Return up to COUNT times of these doctors: in the same half of the day first, the nearest day first, and on a
        day the one nearest to the hour of the appointment."""
        present = self._timed(Opening(appointment.starts_at, appointment.ends_at, appointment.doctor_id))
        found: list[tuple[bool, date, int, Opening]] = []
        days_in_same_half = 0
        for day in days:
            of_day = [
                (time.is_morning != present.is_morning, day, abs(time.minute - present.minute), time.opening)
                for doctor in doctors
                if limits.admit(self.clinic, doctor, day, self.walk.now)
                for time in self._free(appointment, doctor, day, spared=spared)
            ]
            found += of_day
            days_in_same_half += any(not is_other_half for is_other_half, *_ in of_day)
            if days_in_same_half == COUNT:
                break
        return spread(self.clinic, [opening for *_, opening in sorted(found)], COUNT)

    def _free(self, appointment: Appointment, doctor: Doctor, day: date, *, spared: bool) -> Iterator[_Time]:
        taken = self.taken.of_patient(appointment.patient_id, besides=appointment.pk)
        taken += self.proposed[doctor.pk, day] + self.proposed_to[appointment.patient_id] if spared else []
        for time in self._of_day(doctor, appointment.ends_at - appointment.starts_at, day):
            if not any(span.overlaps(time.opening.starts_at, time.opening.ends_at) for span in taken):
                yield time

    def _times_of_day(self, doctor: Doctor, length: timedelta, day: date) -> list[_Time]:
        """Return the times of a doctor on a date that the limits of an appointment admit."""
        walk = self.walk.admitting(doctor, day)
        return [self._timed(opening) for opening in walk.of_day(day, [doctor], length)]

    def _timed(self, opening: Opening) -> _Time:
        local = self.clinic.local(opening.starts_at)
        return _Time(opening, local.time() < NOON, local.hour * 60 + local.minute)


def _days(clinic: Clinic, appointment: Appointment, now: datetime) -> list[date]:
    """Return the local dates that are searched, in order: the appointment's, or today, and the three weeks after."""
    first = clinic.local(max(appointment.starts_at, now)).date()
    last = min(first + timedelta(days=SEARCHED_DAYS), bookable_dates(clinic, now)[1])
    return [first + timedelta(days=number) for number in range(max((last - first).days, 0) + 1)]


def _needed_procedures(clinic: Clinic, appointments: Sequence[Appointment]) -> dict[int, list[ProcedureLimits]]:
    """Return the procedures of each appointment by its id, each once."""
    needed: dict[int, list[ProcedureLimits]] = {appointment.pk: [] for appointment in appointments}
    lines = AppointmentProcedure.objects.of(clinic).filter(appointment__in=list(needed)).order_by("position")
    columns = "procedure", "procedure__days_ahead", "procedure__per_day"
    for pk, *values in lines.values_list("appointment", *columns):
        procedure = ProcedureLimits(*values)
        if procedure not in needed[pk]:
            needed[pk].append(procedure)
    return needed


def able_doctors(clinic: Clinic, procedures: set[int]) -> "list[AbleDoctor]":
    """Return the active doctors who perform some of these procedures, with those."""
    performing = Doctor.objects.of(clinic).filter(active=True, procedures__in=procedures)
    return list(performing.annotate(performed=ArrayAgg("procedures")).order_by("sort_name", "pk"))
