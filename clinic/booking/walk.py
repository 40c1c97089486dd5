"""Walks over the free times of doctors, day by day: every search for a time takes them from here.

Searches differ in how they read what is taken: `load_taken` loads it for many appointments at once, while for one wish
PostgreSQL joins it first (`possible_days`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db.models import Q

from clinic.models import Appointment, Clinic, Doctor
from clinic.models.appointment import FREES_THE_TIME, overlap
from clinic.schedule import NO_LIMITS, Limits, Opening, Schedules, Span, openings_on

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Walk:
    """`taken` returns the taken spans of a doctor, by id, that may meet a local date; `schedules` and what `limits`
    count are loaded for all doctors and dates that are walked over."""

    schedules: Schedules
    taken: Callable[[int, date], Iterable[Span]]
    now: datetime
    limits: Limits = NO_LIMITS

    def of_day(self, day: date, doctors: Iterable[Doctor], length: timedelta) -> Iterator[Opening]:
        """Yield the free times of `length` on a local date, doctor by doctor, each doctor's in order."""
        for doctor in doctors:
            yield from openings_on(
                day,
                doctor,
                schedules=self.schedules,
                taken=self.taken(doctor.pk, day),
                length=length,
                now=self.now,
                limits=self.limits,
            )

    def admitting(self, doctor: Doctor, day: date) -> "Walk":
        """Return the walk for a doctor's date that the limits of an appointment are known to admit."""
        return replace(self, limits=Limits(present=(doctor.pk, day)))


@dataclass(frozen=True)
class TakenTime:
    """Taken time by (doctor's id, local date), and by the patient's id with the appointment that takes it."""

    doctors: dict[tuple[int, date], list[Span]] = field(default_factory=lambda: defaultdict(list))
    patients: dict[int, list[tuple[int, Span]]] = field(default_factory=lambda: defaultdict(list))

    def of_doctor(self, doctor: int, day: date) -> list[Span]:
        # What begins on the day may end on the next one.
        return self.doctors[doctor, day] + self.doctors[doctor, day + ONE_DAY]

    def of_patient(self, patient: int, besides: int | None = None) -> list[Span]:
        """Return the patient's, without that of the appointment with the id `besides`."""
        return [span for pk, span in self.patients[patient] if pk != besides]


def present_day(appointment: Appointment | None) -> tuple[int, date] | None:
    """Return the doctor's id and the local date of an appointment that stands, None for another and for None."""
    if appointment is None or appointment.status in FREES_THE_TIME:
        return None
    return appointment.doctor_id, appointment.clinic.local(appointment.starts_at).date()


def load_taken(
    clinic: Clinic,
    doctors: Collection[int],
    patients: Collection[int],
    days: Collection[date],
    moving: Appointment | None = None,
) -> TakenTime:
    """Load what these doctors and patients, given by ids, have on these local dates and on the days that follow them.

    The time of `moving` is left out. One query."""
    rows = Appointment.objects.of(clinic).occupying(doctors, patients).filter(_on(clinic, days)).order_by("starts_at")
    if moving:
        rows = rows.exclude(pk=moving.pk)
    wanted, taken = set(patients), TakenTime()
    for row in rows.values_list("pk", "doctor", "patient", "starts_at", "ends_at", "encaixe_by"):
        pk, doctor, patient, starts_at, ends_at, encaixe_by = row
        span = Span(starts_at, ends_at)
        if encaixe_by is None:
            for day in {clinic.local(starts_at).date(), clinic.local(ends_at).date()}:
                taken.doctors[doctor, day].append(span)
        if patient in wanted:
            taken.patients[patient].append((pk, span))
    return taken


def _on(clinic: Clinic, days: Collection[date]) -> Q:
    """Return the condition of what overlaps these dates, one span for each run of them."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] <= ONE_DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    spans = [overlap(clinic.day(run[0])[0], clinic.day(run[-1] + ONE_DAY)[1]) for run in runs]
    return Q.create([*spans], connector=Q.OR)
