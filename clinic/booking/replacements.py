"""Other free times for appointments that have to move, for many of them at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache

from django.db.models import Q

from clinic.booking.openings import NOON, spread
from clinic.models import Appointment, AppointmentProcedure, Clinic, Doctor
from clinic.models.appointment import OCCUPIES_DOCTOR, STANDING, overlap
from clinic.schedule import Opening, Schedules, Span, bookable_dates, load_schedules, openings_on

SEARCHED_DAYS = 21
COUNT = 3


@dataclass(frozen=True)
class _Taken:
    """The taken time by id of the doctor and of the patient, each with the appointment that takes it."""

    doctors: dict[int, list[Span]] = field(default_factory=lambda: defaultdict(list))
    patients: dict[int, list[tuple[int, Span]]] = field(default_factory=lambda: defaultdict(list))


def replacement_times(
    clinic: Clinic, appointments: Sequence[Appointment], *, now: datetime
) -> dict[int, list[Opening]]:
    """Return up to COUNT free times for each appointment, by its id, in order of preference.

    Two of its own doctor, in the same half of the day where there are such; then of others who perform all of it; on
    different half-days. They lie in the three weeks from the appointment's day on, and no time is proposed to two
    appointments unless nothing else is free. Five queries, however many appointments.
    """
    if not appointments:
        return {}
    needed = _needed_procedures(clinic, appointments)
    performing = _performing(clinic, set().union(*needed.values()))
    days = {appointment.pk: _days(clinic, appointment, now) for appointment in appointments}
    first, last = min(span[0] for span in days.values()), max(span[-1] for span in days.values())
    search = _Search(
        clinic,
        now,
        performing,
        load_schedules(clinic, performing, first, last),
        _load_taken(clinic, performing, appointments, {day for span in days.values() for day in span}),
    )
    return {
        appointment.pk: search.times(appointment, needed[appointment.pk], days[appointment.pk])
        for appointment in appointments
    }


class _Search:
    """Free times of the loaded doctors; remembers which ones it has proposed."""

    def __init__(
        self,
        clinic: Clinic,
        now: datetime,
        performing: dict[Doctor, set[int]],
        schedules: Schedules,
        taken: _Taken,
    ) -> None:
        self.clinic, self.now, self.performing, self.schedules, self.taken = clinic, now, performing, schedules, taken
        self.proposed: dict[int, list[Span]] = defaultdict(list)
        self._of_day = cache(self._openings_of_day)

    def times(self, appointment: Appointment, needed: set[int], days: Sequence[date]) -> list[Opening]:
        found = self._chosen(appointment, needed, days, spared=True)
        found = found or self._chosen(appointment, needed, days, spared=False)
        for opening in found:
            self.proposed[opening.doctor_id].append(Span(opening.starts_at, opening.ends_at))
        return found

    def _chosen(
        self, appointment: Appointment, needed: set[int], days: Sequence[date], *, spared: bool
    ) -> list[Opening]:
        able = [doctor for doctor, performed in self.performing.items() if needed <= performed]
        own = [doctor for doctor in able if doctor.pk == appointment.doctor_id]
        others = [doctor for doctor in able if doctor.pk != appointment.doctor_id]
        of_own = self._best(appointment, own, days, spared=spared)
        of_others = self._best(appointment, others, days, spared=spared)
        return [*of_own[:2], *of_others, *of_own[2:]][:COUNT]

    def _best(
        self, appointment: Appointment, doctors: Sequence[Doctor], days: Sequence[date], *, spared: bool
    ) -> list[Opening]:
        """Return up to COUNT times of these doctors: in the same half of the day first, the nearest day first, and on a
        day the one nearest to the hour of the appointment."""
        is_morning = self._is_morning(appointment.starts_at)
        found: list[tuple[bool, date, timedelta, Opening]] = []
        days_in_same_half = 0
        for day in days:
            of_day = [opening for doctor in doctors for opening in self._free(appointment, doctor, day, spared=spared)]
            halves = [self._is_morning(opening.starts_at) != is_morning for opening in of_day]
            hours = [abs(self._hour(opening.starts_at) - self._hour(appointment.starts_at)) for opening in of_day]
            found += [(half, day, hour, opening) for half, hour, opening in zip(halves, hours, of_day, strict=True)]
            days_in_same_half += False in halves
            if days_in_same_half == COUNT:
                break
        return spread(self.clinic, [opening for *_, opening in sorted(found)], COUNT)

    def _free(self, appointment: Appointment, doctor: Doctor, day: date, *, spared: bool) -> Iterator[Opening]:
        elsewhere = [span for pk, span in self.taken.patients[appointment.patient_id] if pk != appointment.pk]
        taken = elsewhere + (self.proposed[doctor.pk] if spared else [])
        for opening in self._of_day(doctor, appointment.ends_at - appointment.starts_at, day):
            if not any(span.overlaps(opening.starts_at, opening.ends_at) for span in taken):
                yield opening

    def _openings_of_day(self, doctor: Doctor, length: timedelta, day: date) -> list[Opening]:
        # What begins on the day may end on the next one.
        since, until = self.clinic.day(day)[0], self.clinic.day(day + timedelta(days=1))[1]
        taken = [span for span in self.taken.doctors[doctor.pk] if span.overlaps(since, until)]
        return list(openings_on(day, doctor, schedules=self.schedules, taken=taken, length=length, now=self.now))

    def _is_morning(self, instant: datetime) -> bool:
        return self.clinic.local(instant).hour < NOON

    def _hour(self, instant: datetime) -> timedelta:
        local = self.clinic.local(instant)
        return timedelta(hours=local.hour, minutes=local.minute)


def _days(clinic: Clinic, appointment: Appointment, now: datetime) -> list[date]:
    """Return the local dates that are searched, in order: the appointment's, or today, and the three weeks after."""
    first = clinic.local(max(appointment.starts_at, now)).date()
    last = min(first + timedelta(days=SEARCHED_DAYS), bookable_dates(clinic, now)[1])
    return [first + timedelta(days=number) for number in range(max((last - first).days, 0) + 1)]


def _needed_procedures(clinic: Clinic, appointments: Sequence[Appointment]) -> dict[int, set[int]]:
    needed: dict[int, set[int]] = {appointment.pk: set() for appointment in appointments}
    lines = AppointmentProcedure.objects.of(clinic).filter(appointment__in=list(needed))
    for pk, procedure in lines.order_by().values_list("appointment", "procedure"):
        needed[pk].add(procedure)
    return needed


def _performing(clinic: Clinic, procedures: set[int]) -> dict[Doctor, set[int]]:
    """Return the active doctors who perform some of these procedures, with those. Two queries."""
    doctors = {doctor.pk: doctor for doctor in Doctor.objects.of(clinic).filter(active=True)}
    pairs = Doctor.procedures.through.objects.filter(doctor__in=list(doctors), procedure__in=procedures)
    performing: dict[Doctor, set[int]] = defaultdict(set)
    for doctor_id, procedure_id in pairs.values_list("doctor", "procedure"):
        performing[doctors[doctor_id]].add(procedure_id)
    return dict(performing)


def _load_taken(
    clinic: Clinic, doctors: Iterable[Doctor], appointments: Sequence[Appointment], days: set[date]
) -> _Taken:
    """Load what these doctors and patients have on these local dates, and on the days that follow them."""
    patients = {appointment.patient_id for appointment in appointments}
    of_doctors = OCCUPIES_DOCTOR & Q(doctor__in=[doctor.pk for doctor in doctors])
    rows = Appointment.objects.of(clinic).filter(of_doctors | STANDING & Q(patient__in=patients))
    rows = rows.filter(_on(clinic, days)).order_by("starts_at")
    taken = _Taken()
    for row in rows.values_list("pk", "doctor", "patient", "starts_at", "ends_at", "encaixe_by"):
        pk, doctor, patient, starts_at, ends_at, encaixe_by = row
        span = Span(starts_at, ends_at)
        if encaixe_by is None:
            taken.doctors[doctor].append(span)
        if patient in patients:
            taken.patients[patient].append((pk, span))
    return taken


def _on(clinic: Clinic, days: set[date]) -> Q:
    """Return the condition of what overlaps these dates, one span for each run of them."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] <= timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    spans = [overlap(clinic.day(run[0])[0], clinic.day(run[-1] + timedelta(days=1))[1]) for run in runs]
    return Q.create([*spans], connector=Q.OR)
