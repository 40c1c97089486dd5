"""What else a patient has booked, and how often one was missed: to be seen beside a booking. Reads only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.db.models import Count, Q

from clinic.models import Appointment, Clinic, Patient
from clinic.models.appointment import AppointmentQuerySet, Status

COUNTED = timedelta(days=730)


class Missed(NamedTuple):
    """How many visits were missed, of all those missed or finished."""

    missed: int
    total: int


@dataclass
class OtherVisits:
    """The other appointments of a patient than `moving`, which is about to be moved; each attribute is a query.
    Appointments come with their doctor.

    `day` is a local date, `now` an instant."""

    clinic: Clinic
    patient: Patient
    day: date
    now: datetime
    moving: Appointment | None = None

    @cached_property
    def that_day(self) -> list[Appointment]:
        """Those that are standing and begin on the day, in order of time."""
        standing = self._visits.standing()
        others = standing.exclude(pk=self.moving.pk) if self.moving else standing
        return list(others.filter(self._on_the_day).select_related("doctor").order_by("starts_at", "pk"))

    @cached_property
    def following(self) -> Appointment | None:
        """The next one that is standing, of another day: `that_day` has those of the day."""
        coming = self._visits.standing().filter(starts_at__gt=self.now).exclude(self._on_the_day)
        return coming.select_related("doctor").order_by("starts_at", "pk").first()

    @cached_property
    def last_finished(self) -> Appointment | None:
        """With its doctor."""
        finished = self._visits.kept().filter(status=Status.FINISHED).select_related("doctor")
        return finished.order_by("-starts_at", "-pk").first()

    @cached_property
    def missed(self) -> Missed:
        """Of the last two years."""
        return missed_visits(self.clinic, [self.patient.pk], now=self.now).get(self.patient.pk, Missed(0, 0))

    @property
    def _on_the_day(self) -> Q:
        midnight, next_midnight = self.clinic.day(self.day)
        return Q(starts_at__gte=midnight, starts_at__lt=next_midnight)

    @property
    def _visits(self) -> AppointmentQuerySet:
        return Appointment.objects.of(self.clinic).filter(patient=self.patient)


def missed_visits(clinic: Clinic, patients: Collection[int], *, now: datetime) -> dict[int, Missed]:
    """Return how many visits these patients missed in the last two years, by the patient's id; those without a visit
    are left out. One query."""
    over = Appointment.objects.of(clinic).kept().filter(starts_at__gt=now - COUNTED, starts_at__lte=now)
    counts = (
        over.filter(patient__in=patients, status__in=[Status.NO_SHOW, Status.FINISHED])
        .order_by()
        .values("patient")
        .annotate(missed=Count("pk", filter=Q(status=Status.NO_SHOW)), total=Count("pk"))
    )
    return {row["patient"]: Missed(row["missed"], row["total"]) for row in counts}
