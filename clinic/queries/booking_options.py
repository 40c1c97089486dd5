"""The choices of the booking panel, besides the free times: reads only."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from clinic.models import Clinic, Discount, Doctor, Patient, Procedure
from clinic.models.price import PriceOn
from clinic.models.procedure import performed_by
from clinic.queries.performed_procedures import performed_procedures
from clinic.registry import current_patient
from clinic.schedule import load_schedules

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class PerformsSomething(TypedDict):
    """Whether the doctor performs any active procedure."""

    performs: bool


type ListedDoctor = WithAnnotations[Doctor, PerformsSomething]


def doctors(clinic: Clinic) -> "list[ListedDoctor]":
    """Return the active doctors by name. One query."""
    performed = Doctor.procedures.through.objects.filter(doctor=OuterRef("pk"), procedure__active=True)
    return list(Doctor.objects.of(clinic).filter(active=True).annotate(performs=Exists(performed)))


def works_on(doctor: Doctor, day: date) -> bool:
    """Return whether the doctor has working hours on this date, those of the night before included. One query."""
    return bool(load_schedules(doctor.clinic, [doctor], day, day).blocks(doctor.pk, day))


def split_by_performing(
    clinic: Clinic, doctors: Sequence[Doctor], needed: Collection[int], besides: int | None
) -> tuple[list[Doctor], list[Doctor]]:
    """Return the doctors who perform all the `needed` procedures, given by ids, and the others. One query.

    A procedure that is no longer offered counts like the others. The doctor with the id `besides` is among the first in
    any case.
    """
    pairs = Doctor.procedures.through.objects.filter(doctor__clinic=clinic, procedure__in=needed)
    performed: dict[int, set[int]] = defaultdict(set)
    for doctor_id, procedure_id in pairs.values_list("doctor", "procedure"):
        performed[doctor_id].add(procedure_id)
    possible = {doctor.pk for doctor in doctors if performed[doctor.pk] == set(needed)} | {besides}
    return (
        [doctor for doctor in doctors if doctor.pk in possible],
        [doctor for doctor in doctors if doctor.pk not in possible],
    )


class HasPriceThen(TypedDict):
    """What a procedure costs on the day that was asked for."""

    price_then: Decimal


type PricedProcedure = WithAnnotations[Procedure, HasPriceThen]


def procedures(clinic: Clinic, doctor_id: int | None, chosen: list[int]) -> QuerySet[Procedure]:
    """Return the active procedures that the doctor performs, or all without a doctor; and the `chosen` ids."""
    offered = Q(performed_by(doctor_id), active=True) if doctor_id else Q(active=True)
    return Procedure.objects.of(clinic).filter(offered | Q(pk__in=chosen))


def priced_procedures(
    clinic: Clinic, doctor_id: int | None, chosen: list[int], *, day: date, payer: int | None = None
) -> "list[PricedProcedure]":
    """Return the same, each with its price on that local date for patients of this payer. One query."""
    return list(procedures(clinic, doctor_id, chosen).annotate(price_then=PriceOn(day, payer)))


def is_performed_by_any(clinic: Clinic, doctors: Collection[int], procedure_id: int) -> bool:
    """Return whether one of these doctors performs this procedure, and it is active. One query."""
    return Procedure.objects.of(clinic).filter(pk=procedure_id, active=True, doctors__in=doctors).exists()


def discounts(clinic: Clinic, day: date, chosen: Collection[int] = ()) -> QuerySet[Discount]:
    """Return the discounts that are valid on that local date, and the `chosen` ids."""
    discounts = Discount.objects.of(clinic)
    return discounts.valid_on(day) | discounts.filter(pk__in=chosen) if chosen else discounts.valid_on(day)


def usual_procedure(clinic: Clinic, doctors: Collection[int]) -> int | None:
    """Return the id of the procedure that the panel begins with: the usual one of most of these doctors, given by ids.

    None where they perform none."""
    performed = performed_procedures(clinic, doctors, timezone.now())
    usual = Counter(procedures[0].id for procedures in performed.values())
    return usual.most_common(1)[0][0] if usual else None


def patient(clinic: Clinic, patient_id: int) -> Patient | None:
    """Return the patient with this id, of a merged one the patient that was kept; None for an unknown id."""
    return current_patient(clinic, patient_id)
