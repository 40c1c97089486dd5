"""The demo's appointments: which patient has which time of which doctor, and how it ended."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from random import Random

from clinic.management.demo.clinics import DemoClinic
from clinic.management.demo.people import Person
from clinic.models import Clinic, Discount, Doctor, Patient, Procedure
from clinic.schedule import Schedules, Span, load_schedules


class Fate(Enum):
    """The outcome of a visit whose time has come."""

    ATTENDED = "attended"
    CANCELLED = "cancelled"
    MISSED = "missed"


@dataclass(eq=False)
class Visit:
    """One appointment of the demo. Instants are UTC; `first_time` is its time before it was moved."""

    doctor: Doctor
    patient: Patient
    procedures: tuple[Procedure, ...]
    starts_at: datetime
    ends_at: datetime
    fate: Fate = Fate.ATTENDED
    discount: Discount | None = None
    first_time: Span | None = None
    appointment_id: int | None = None

    @property
    def booked_id(self) -> int:
        """The appointment's id. Raises ValueError before the visit is booked."""
        if self.appointment_id is None:
            raise ValueError(self)
        return self.appointment_id


@dataclass
class Registry:
    """The rows of one demo clinic from which visits are made."""

    clinic: Clinic
    demo: DemoClinic
    doctors: list[Doctor]
    procedures: dict[int, list[Procedure]]  # by the id of the doctor who performs them
    weights: dict[int, int]  # by the id of the procedure
    discounts: list[Discount]
    patients: list[tuple[Person, Patient]]


@dataclass
class Book:
    """The appointment book while it is filled: visits, the gaps between them, and the patients of each day."""

    registry: Registry
    today: date
    rng: Random
    visits: list[Visit] = field(default_factory=list)
    gaps: dict[int, list[Span]] = field(default_factory=lambda: defaultdict(list))
    present: dict[date, set[int]] = field(default_factory=lambda: defaultdict(set))

    def fill(self, first: date, last: date) -> list[Visit]:
        """Plan the local dates from `first` to `last`, in order; no patient has two visits on one day."""
        schedules = load_schedules(self.registry.clinic, self.registry.doctors, first, last)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        for day in days:
            visits = self._visits_of(day, schedules)
            self._decide_fates(visits)
            self.visits += visits
        for visit in self.visits:
            if self.rng.random() < 0.07:
                self._move_from_elsewhere(visit)
        return self.visits

    def _visits_of(self, day: date, schedules: Schedules) -> list[Visit]:
        fullness = self._fullness((day - self.today).days)
        visits = []
        for doctor in self.registry.doctors:
            for span in schedules.open(doctor.pk, day):
                visits += self._visits_in(span, doctor, day, fullness)
        return sorted(visits, key=lambda visit: visit.starts_at)

    def _fullness(self, days_ahead: int) -> float:
        """Return the share of the day that is booked: near days are nearly full; few old visits, because they take time
        to replay."""
        if -5 <= days_ahead <= 7:
            return self.rng.uniform(0.80, 0.92)
        return {-3: 0.40, -2: 0.45, -1: 0.50, 1: 0.55, 2: 0.38, 3: 0.22}.get(days_ahead // 7, 0.12)

    def _visits_in(self, span: Span, doctor: Doctor, day: date, fullness: float) -> list[Visit]:
        """Fill one span of open time with visits, and note the gaps between them."""
        start = span.starts_at
        visits: list[Visit] = []
        while procedures := self._procedures(doctor, span.ends_at - start):
            end = start + sum((duration(procedure) for procedure in procedures), timedelta())
            patient = self._patient(doctor, day) if self.rng.random() < fullness else None
            if patient:
                visits.append(Visit(doctor, patient, procedures, start, end, discount=self._discount(patient, day)))
            else:
                self.gaps[doctor.pk].append(Span(start, end))
            start = _on_grid(end, span.starts_at, doctor.interval_minutes)
        return visits

    def _procedures(self, doctor: Doctor, room: timedelta) -> tuple[Procedure, ...]:
        """Return one or two procedures that fit into `room`, or none."""
        fitting = [procedure for procedure in self.registry.procedures[doctor.pk] if duration(procedure) <= room]
        if not fitting:
            return ()
        weights = [self.registry.weights[procedure.pk] for procedure in fitting]
        first = self.rng.choices(fitting, weights)[0]
        second = self.rng.choice(fitting)
        if self.rng.random() < 0.08 and second != first and duration(first) + duration(second) <= room:
            return first, second
        return (first,)

    def _patient(self, doctor: Doctor, day: date) -> Patient | None:
        """Return a patient that this doctor sees, without a visit on the day."""
        sees = next(plan.sees for plan in self.registry.demo.doctors if plan.council_number == doctor.council_number)
        patients = [
            patient
            for person, patient in self.registry.patients
            if person.is_seen_by(sees, self.today) and patient.pk not in self.present[day]
        ]
        if not patients:
            return None
        patient = self.rng.choice(patients)
        self.present[day].add(patient.pk)
        return patient

    def _discount(self, patient: Patient, day: date) -> Discount | None:
        """Return a discount that is meant for the patient's age, for some of the visits; of an unknown age one for
        all."""
        if self.rng.random() >= 0.15:
            return None
        discount = self.rng.choice(self.registry.discounts)
        born = patient.birth_date
        fits = discount.is_for_age(born, day) if born else discount.minimum_age is None
        return discount if fits else None

    def _decide_fates(self, visits: list[Visit]) -> None:
        """Mark some visits of a day as missed and some as cancelled; one of the first is missed, so that today shows it
        early."""
        if len(visits) < 8:
            return
        self.rng.choice(visits[:4]).fate = Fate.MISSED
        few = max(1, len(visits) // 14)
        chosen = self.rng.sample([visit for visit in visits if visit.fate is Fate.ATTENDED], 2 * few - 1)
        for visit in chosen:
            visit.fate = Fate.CANCELLED if visit in chosen[:few] else Fate.MISSED

    def _move_from_elsewhere(self, visit: Visit) -> None:
        """Give the visit an earlier booking at a free time of the same doctor."""
        clinic = self.registry.clinic
        for gap in self.gaps[visit.doctor.pk]:
            day = clinic.local(gap.starts_at).date()
            near = timedelta(days=1) <= abs(gap.starts_at - visit.starts_at) <= timedelta(days=9)
            ends_at = gap.starts_at + (visit.ends_at - visit.starts_at)
            if near and ends_at <= gap.ends_at and visit.patient.pk not in self.present[day]:
                self.gaps[visit.doctor.pk].remove(gap)
                self.present[day].add(visit.patient.pk)
                visit.first_time = Span(gap.starts_at, ends_at)
                return


def duration(procedure: Procedure) -> timedelta:
    return timedelta(minutes=procedure.duration_minutes)


def _on_grid(instant: datetime, origin: datetime, interval_minutes: int) -> datetime:
    """Return the first instant of the doctor's grid at or after this one."""
    interval = timedelta(minutes=interval_minutes)
    return origin + -(-(instant - origin) // interval) * interval
