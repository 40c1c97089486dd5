"""Which appointments fit a filter, and with what they are shown to programs. Reads only."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Prefetch, Q

from clinic.models import AppliedDiscount, Appointment, AppointmentProcedure, Clinic
from clinic.models.appointment import AppointmentQuerySet, overlap
from clinic.schedule import Span


def listed(
    clinic: Clinic,
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    doctor: int | None = None,
    patient: int | None = None,
    statuses: Collection[str] | None = None,
) -> AppointmentQuerySet:
    """Those that start in [since, before), by start and then id; None asks for nothing. With doctor and patient."""
    filters = {
        "starts_at__gte": since,
        "starts_at__lt": before,
        "doctor": doctor,
        "patient": patient,
        "status__in": statuses,
    }
    asked = {name: value for name, value in filters.items() if value is not None}
    found = Appointment.objects.of(clinic).kept().filter(**asked).select_related("doctor", "patient")
    return found.order_by("starts_at", "pk")


def lying_in(
    clinic: Clinic, spans: Iterable[Span], *, now: datetime, besides: Iterable[Span] = ()
) -> AppointmentQuerySet:
    """Those that take time within one of these spans, and have not ended, by start and then id.

    Left out are those within one of the spans `besides`."""
    touching, apart = (
        Q.create([overlap(span.starts_at, span.ends_at) for span in part], connector=Q.OR) for part in (spans, besides)
    )
    if not touching:
        return Appointment.objects.none()
    found = Appointment.objects.of(clinic).standing().filter(touching, ends_at__gt=now).order_by("starts_at", "pk")
    return found.exclude(apart) if apart else found


def with_lines(appointments: AppointmentQuerySet) -> AppointmentQuerySet:
    """The same with `lines`, each with its procedure and discounts: two more queries, however many."""
    discounts = AppliedDiscount.objects.select_related("discount").order_by("pk")
    lines = AppointmentProcedure.objects.select_related("procedure").order_by("position")
    return appointments.prefetch_related(Prefetch("lines", lines.prefetch_related(Prefetch("discounts", discounts))))
