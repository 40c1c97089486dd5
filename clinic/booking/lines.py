"""The stored lines of an appointment: loaded, kept in an event, written, and written back."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from clinic.booking.pricing import PricedLine
from clinic.models import AppliedDiscount, Appointment, AppointmentProcedure, Discount, Procedure


def load(appointment: Appointment) -> list[AppointmentProcedure]:
    """Return the lines in order, with procedure and discounts. Two queries."""
    return list(appointment.lines.select_related("procedure").prefetch_related("discounts"))


def discount_ids(line: AppointmentProcedure) -> set[int]:
    return {applied.discount_id for applied in line.discounts.all()}


def snapshot(appointment: Appointment, stored: Sequence[AppointmentProcedure]) -> dict[str, Any]:
    """Return the end, as ISO 8601, and the lines as an event keeps them: as at booking, and with ids."""
    return {
        "ends_at": appointment.ends_at.isoformat(),
        "lines": [
            {
                "procedure_id": line.procedure_id,
                "procedure": line.procedure_name,
                "price": str(line.price),
                "discounts": [
                    {"discount": applied.discount_id, "name": applied.discount_name, "value": str(applied.value)}
                    for applied in line.discounts.all()
                ],
            }
            for line in stored
        ],
    }


def write(
    appointment: Appointment,
    stored: Sequence[AppointmentProcedure],
    wanted: Sequence[tuple[PricedLine, AppointmentProcedure | None]],
) -> None:
    """Store the wanted lines, each with the stored line that it keeps or None; the other stored lines are deleted."""
    kept = {line.pk for _, line in wanted if line}
    appointment.lines.exclude(pk__in=kept).delete()
    position = max((line.position for line in stored), default=-1)
    for priced, line in wanted:
        if line is None:
            position += 1
            _apply(_add(appointment, position, priced), priced)
        elif _amounts(line) != {discount.pk: amount for discount, amount in priced.discounts}:
            line.discounts.all().delete()
            _apply(line, priced)


def write_back(appointment: Appointment, kept: Sequence[dict[str, Any]]) -> list[str]:
    """Replace the lines by those of a snapshot; return the names of discounts that no longer exist.

    The procedures exist, as `missing_procedures` says; one that is deleted at this very moment ends the transaction,
    like a conflict."""
    ids = {applied["discount"] for line in kept for applied in line["discounts"]}
    existing = set(Discount.objects.of(appointment.clinic).filter(pk__in=ids).values_list("pk", flat=True))
    appointment.lines.all().delete()
    gone = []
    for position, values in enumerate(kept):
        line = AppointmentProcedure.objects.create(
            clinic=appointment.clinic,
            appointment=appointment,
            position=position,
            procedure_id=values["procedure_id"],
            procedure_name=values["procedure"],
            price=Decimal(values["price"]),
        )
        AppliedDiscount.objects.bulk_create(
            AppliedDiscount(
                clinic=appointment.clinic,
                line=line,
                discount_id=applied["discount"],
                discount_name=applied["name"],
                value=Decimal(applied["value"]),
            )
            for applied in values["discounts"]
            if applied["discount"] in existing
        )
        gone += [applied["name"] for applied in values["discounts"] if applied["discount"] not in existing]
    return list(dict.fromkeys(gone))


def missing_procedures(appointment: Appointment, kept: Sequence[dict[str, Any]]) -> bool:
    """Return whether a procedure of a snapshot's lines no longer exists."""
    ids = {line["procedure_id"] for line in kept}
    return Procedure.objects.of(appointment.clinic).filter(pk__in=ids).count() < len(ids)


def _amounts(line: AppointmentProcedure) -> dict[int, Decimal]:
    return {applied.discount_id: applied.value for applied in line.discounts.all()}


def _add(appointment: Appointment, position: int, priced: PricedLine) -> AppointmentProcedure:
    return AppointmentProcedure.objects.create(
        clinic=appointment.clinic,
        appointment=appointment,
        position=position,
        procedure=priced.procedure,
        procedure_name=priced.procedure.name,
        price=priced.price,
    )


def _apply(line: AppointmentProcedure, priced: PricedLine) -> None:
    AppliedDiscount.objects.bulk_create(
        AppliedDiscount(
            clinic_id=line.clinic_id, line=line, discount=discount, discount_name=discount.name, value=amount
        )
        for discount, amount in priced.discounts
    )
