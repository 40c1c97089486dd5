"""Filter appointments, and load what programs are shown of them. Reads only."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.utils import timezone

from clinic.models import AppliedDiscount, Appointment, AppointmentProcedure, Clinic, Procedure
from clinic.models.appointment import AppointmentQuerySet
from clinic.models.price import PriceOn
from clinic.registry import current_id


def listed(
    clinic: Clinic,
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    doctor: int | None = None,
    patient: int | None = None,
    statuses: Collection[str] | None = None,
    with_blocked: bool = False,
) -> AppointmentQuerySet:
    """Return the appointments that start in [since, before), with doctor and patient, by start and then id.

    None restricts nothing. A merged `patient` means the one that was kept. Those of blocked patients are left out,
    unless they are `with_blocked` for `lines_listed`.
    """
    filters = {
        "starts_at__gte": since,
        "starts_at__lt": before,
        "doctor": doctor,
        "patient": current_id(clinic, patient) if patient is not None else None,
        "status__in": statuses,
    }
    given = {name: value for name, value in filters.items() if value is not None}
    shown = Appointment.objects.of(clinic)
    shown = shown.kept() if with_blocked else shown.in_use()
    found = shown.filter(**given).select_related("doctor", "patient")
    return found.order_by("starts_at", "pk")


def lines_listed(clinic: Clinic, appointments: AppointmentQuerySet) -> QuerySet[AppointmentProcedure]:
    """Return the lines of these appointments with all that `with_lines` loads, by start, appointment and position.

    Those of blocked patients are left out here: in the subselect the condition would have PostgreSQL read them all."""
    lines = AppointmentProcedure.objects.of(clinic).filter(
        appointment__in=appointments.order_by(), appointment__patient__blocked_at__isnull=True
    )
    return _with_price_now(
        lines.select_related("procedure", "appointment__doctor", "appointment__patient")
        .prefetch_related(Prefetch("discounts", AppliedDiscount.objects.select_related("discount").order_by("pk")))
        .order_by("appointment__starts_at", "appointment", "position"),
        clinic,
    )


def with_lines(appointments: AppointmentQuerySet, clinic: Clinic) -> AppointmentQuerySet:
    """Return the same with their lines, the lines' procedures and discounts: two more queries, however many."""
    discounts = AppliedDiscount.objects.select_related("discount").order_by("pk")
    lines = _with_price_now(AppointmentProcedure.objects.select_related("procedure").order_by("position"), clinic)
    return appointments.prefetch_related(Prefetch("lines", lines.prefetch_related(Prefetch("discounts", discounts))))


def _with_price_now(lines: QuerySet[AppointmentProcedure], clinic: Clinic) -> QuerySet[AppointmentProcedure]:
    """Return the lines with `price_now`, what their procedures cost today; without a join, which would stay where lines
    are counted."""
    today = clinic.local(timezone.now()).date()
    base = Subquery(Procedure.objects.filter(pk=OuterRef("procedure")).values("price"))
    return lines.annotate(price_now=PriceOn(today, procedure="procedure_id", base=base))
