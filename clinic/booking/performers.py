"""Which doctors perform a procedure, or why none does."""

from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db.models import F

from clinic.booking import rules, sql
from clinic.booking.acts import refuse
from clinic.models import Clinic, Doctor
from clinic.refusals import Reason, Refusal

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class ServiceMinutes(TypedDict):
    """The duration of the procedure, added to each doctor."""

    minutes: int


def doctors_performing(
    clinic: Clinic, procedure: UUID, doctor: UUID | None = None
) -> "list[WithAnnotations[Doctor, ServiceMinutes]]":
    """Return the active doctors who perform this active procedure, with its `minutes`; with `doctor` that one.

    Raises Refused for an unknown or inactive doctor or procedure, and for a doctor who does not perform it, as a
    booking would; without `doctor`, a procedure that nobody performs is an empty list."""
    performing = Doctor.objects.of(clinic).filter(active=True, procedures__uuid=procedure, procedures__active=True)
    performing = performing.annotate(minutes=F("procedures__duration_minutes"))
    if doctors := list(performing.filter(uuid=doctor) if doctor else performing):
        return doctors
    asked = sql.found(clinic, doctor=doctor, procedures=[procedure])
    refuse(rules.doctor_refusals(doctor, asked.doctor) if doctor else [])
    refuse([Refusal(Reason.PROCEDURE_UNKNOWN)] if None in asked.procedures else [])
    refuse(list(rules.not_performed(asked.doctor, asked.procedures)))
    return []
