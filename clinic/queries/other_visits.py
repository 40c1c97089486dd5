"""What else a patient has booked, and how often one was missed: to be seen beside a booking. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Self

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from clinic.models import Appointment, Clinic, Patient
from clinic.models.appointment import AppointmentQuerySet, Status

COUNTED = timedelta(days=730)


class Missed(NamedTuple):
    """How many visits were missed, of all those missed or finished."""

    missed: int
    total: int

    @classmethod
    def of(cls, numbers: dict[str, int] | None) -> Self:
        return cls(**numbers) if numbers else cls(0, 0)


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
        return Missed.of(next(iter(_missed(self._visits, self.now)), None))

    @property
    def _on_the_day(self) -> Q:
        midnight, next_midnight = self.clinic.day(self.day)
        return Q(starts_at__gte=midnight, starts_at__lt=next_midnight)

    @property
    def _visits(self) -> AppointmentQuerySet:
        return Appointment.objects.of(self.clinic).filter(patient=self.patient)


def missed_numbers(clinic: Clinic, *, now: datetime) -> Subquery:
    """Return the expression of what `Missed.of` reads, of an appointment's patient."""
    return Subquery(_missed(Appointment.objects.of(clinic).filter(patient=OuterRef("patient")), now))


def _missed(visits: AppointmentQuerySet, now: datetime) -> QuerySet[Any]:
    """Return the numbers of the last two years, of these visits of one patient: no row without a visit."""
    over = visits.kept().filter(starts_at__gt=now - COUNTED, starts_at__lte=now)
    counted = over.filter(status__in=[Status.NO_SHOW, Status.FINISHED]).order_by().values("patient")
    numbers = JSONObject(missed=Count("pk", filter=Q(status=Status.NO_SHOW)), total=Count("pk"))
    return counted.annotate(numbers=numbers).values_list("numbers", flat=True)
