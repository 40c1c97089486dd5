"""What the database holds of the appointments of a page, without models: those cost too much for a page of hundreds."""

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, JSONField, OuterRef, Q, QuerySet, StringAgg, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf

from clinic.models import Appointment, AppointmentProcedure, Clinic
from clinic.models.appointment import NOT_BEGUN, AppointmentQuerySet, Status
from clinic.models.patient import incomplete
from clinic.models.unverified import unverified_fields
from clinic.queries.moved_from import last_move
from clinic.queries.pending import unperformed_procedures
from clinic.queries.short_visits import needed_minutes


def stored_values(
    appointments: AppointmentQuerySet, clinic: Clinic, now: datetime
) -> "QuerySet[Appointment, tuple[Any, ...]]":
    """Return tuples in the order of AppointmentRow's fields, by their start. One query."""
    procedures = (
        AppointmentProcedure.objects.of(clinic)
        .filter(appointment=OuterRef("pk"))
        .order_by()
        .values("appointment")
        .annotate(names=StringAgg("procedure_name", delimiter=Value(", "), order_by="position"))
        .values("names")
    )
    return (
        appointments.annotate(
            patient_name=Coalesce(NullIf("patient__social_name", Value("")), "patient__name"),
            procedures=Coalesce(Subquery(procedures), Value(""), output_field=CharField()),
            arrived_at=Case(When(status=Status.CHECKED_IN, then="status_since")),
            incomplete=Case(When(incomplete("patient__"), then=Value(True)), default=Value(False)),
            has_notes=Case(When(notes="", then=Value(False)), default=Value(True)),
            card_expires_on=Case(When(payer=F("patient__payer"), then="patient__card_expires_on")),
            unperformed=_unperformed(now),
            unverified=unverified_fields(),
            needed=needed_minutes(clinic),
            move=Case(When(status=Status.RESCHEDULED, then=last_move()), output_field=JSONField()),
        )
        .order_by("starts_at", "pk")
        .values_list(
            "pk", "doctor_id", "starts_at", "ends_at", "status", "source", "patient_name", "procedures", "arrived_at",
            "incomplete", "unverified", "encaixe_by_id", "has_notes", "patient__alert",
            "card_expires_on", "unperformed", "needed", "move",
        )
    )  # fmt: skip


def _unperformed(now: datetime) -> Case:
    """Return the expression of the procedures that the doctor does not perform; "" where nothing hangs on it."""
    is_ahead = Q(status__in=NOT_BEGUN, ends_at__gt=now)
    return Case(When(is_ahead, then=unperformed_procedures()), default=Value(""), output_field=CharField())
