"""What the card and the list of patients show beside a patient's data: visits, former names, what is missing. Reads
only."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from clinic.models import Appointment, Clinic, FormerName, Patient
from clinic.models.appointment import STANDING, AppointmentQuerySet


class ListedPatient(NamedTuple):
    """A patient of a list, and their next appointment."""

    patient: Patient
    next_appointment: Appointment | None


def with_next_appointment(clinic: Clinic, patients: Iterable[Patient], now: datetime) -> list[ListedPatient]:
    """Return the same patients, each with the next appointment that is standing and not over at `now`. One query."""
    patients = list(patients)
    coming = Appointment.objects.of(clinic).standing().filter(patient__in=patients, ends_at__gt=now)
    following = first_of_each(coming.order_by("patient_id", "starts_at", "pk"))
    return [ListedPatient(patient, following.get(patient.pk)) for patient in patients]


def on_day(clinic: Clinic, day: date, limit: int) -> QuerySet[Patient]:
    """Return at most `limit` patients with a standing appointment on a local date, by name; none who is blocked."""
    midnight, next_midnight = clinic.day(day)
    standing = Appointment.objects.of(clinic).in_use().standing()
    visits = standing.filter(starts_at__gte=midnight, starts_at__lt=next_midnight)
    return Patient.objects.of(clinic).filter(pk__in=visits.values("patient"))[:limit]


def coming_visits(patient: Patient, now: datetime) -> AppointmentQuerySet:
    """Return the appointments that are standing and not over at `now`, the next one first."""
    return _visits(patient).standing().filter(ends_at__gt=now)


def past_visits(patient: Patient, now: datetime) -> AppointmentQuerySet:
    """Return the other appointments, over at `now`, cancelled or missed, the last one first."""
    return _visits(patient).filter(~STANDING | Q(ends_at__lte=now)).order_by("-starts_at", "-pk")


def former_names(patient: Patient) -> list[str]:
    """Return the names that the patient had, the last one first. One query."""
    return list(FormerName.objects.of(patient.clinic_id).filter(patient=patient).values_list("name", flat=True))


def missing(patient: Patient) -> list[str]:
    """Return the labels of the fields that make the patient's data incomplete."""
    labels = {field.name: str(field.verbose_name) for field in Patient._meta.fields}
    return [labels[name] for name in patient.missing]


def first_of_each(visits: AppointmentQuerySet) -> dict[int, Appointment]:
    """Return the first appointment of each patient, by the patient's id; `visits` are ordered by that id."""
    return {visit.patient_id: visit for visit in visits.distinct("patient_id")}


def _visits(patient: Patient) -> AppointmentQuerySet:
    kept = Appointment.objects.of(patient.clinic_id).kept().filter(patient=patient)
    return kept.prefetch_related("lines")
