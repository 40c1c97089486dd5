"""Which doctors perform a procedure, or why none does."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID

from django.db.models import Count, F, Func, JSONField

from clinic.booking import sql
from clinic.booking.acts import refuse
from clinic.booking.rules.procedures import doctor_refusals, not_performed
from clinic.models import Clinic, Doctor, Procedure
from clinic.refusals import Reason, Refusal

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class HasMinutes(TypedDict):
    """How long the doctor's procedure takes, and what restricts it: the fields of ProcedureLimits."""

    minutes: int
    limits: list[Any]


LIMITS = "pk", "days_ahead", "per_day", "notice_hours"

type PerformingDoctor = WithAnnotations[Doctor, HasMinutes]


def doctors_performing(clinic: Clinic, procedure: UUID, doctor: UUID | None = None) -> "list[PerformingDoctor]":
    """Return the active doctors who perform this active procedure, with its `minutes` and `limits`; with `doctor` that
    one.

    Raises Refused for an unknown or inactive doctor or procedure, and for a doctor who does not perform it, as a
    booking would; without `doctor`, a procedure that nobody performs is an empty list."""
    performing = Doctor.objects.of(clinic).filter(active=True, procedures__uuid=procedure, procedures__active=True)
    limits = Func(*(f"procedures__{name}" for name in LIMITS), function="jsonb_build_array", output_field=JSONField())
    with_minutes = performing.annotate(minutes=F("procedures__duration_minutes"), limits=limits)
    if doctors := list(with_minutes.filter(uuid=doctor) if doctor else with_minutes):
        return doctors
    rows = sql.load_rows(clinic, doctor=doctor, procedures=[procedure])
    refuse(doctor_refusals(doctor, rows.doctor) if doctor else [])
    refuse([Refusal(Reason.PROCEDURE_UNKNOWN)] if None in rows.procedures else [])
    if rows.doctor:
        refuse(list(not_performed(rows.doctor, rows.procedures, rows.performed)))
    return []


def active_procedures(clinic: Clinic, procedures: Sequence[int | UUID]) -> list[Procedure]:
    """Return these active procedures. One statement. Raises Refused (PROCEDURE_UNKNOWN)."""
    rows = sql.load_rows(clinic, doctor=None, procedures=procedures)
    found = [procedure for procedure in rows.procedures if procedure]
    refuse([Refusal(Reason.PROCEDURE_UNKNOWN)] if len(found) < len(procedures) else [])
    return found


def doctors_performing_all(clinic: Clinic, procedures: Collection[int]) -> list[Doctor]:
    """Return the active doctors who perform every one of these procedures, by ids, all of them active, in the order of
    their names. One query."""
    needed = set(procedures)
    performing = Doctor.objects.of(clinic).filter(active=True, procedures__in=needed, procedures__active=True)
    # A grouped query leaves the model's own order out.
    able = performing.annotate(count=Count("procedures")).filter(count=len(needed))
    return list(able.order_by("sort_name", "pk"))
