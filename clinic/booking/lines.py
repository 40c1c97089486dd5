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
    """Store the wanted lines, each with the stored line that it keeps or None; the other stored lines are deleted.

    The number of statements does not depend on that of the lines."""
    kept = {line.pk for _, line in wanted if line}
    appointment.lines.exclude(pk__in=kept).delete()
    first = max((line.position for line in stored), default=-1) + 1
    added = [priced for priced, line in wanted if line is None]
    new = AppointmentProcedure.objects.bulk_create(
        _line(appointment, position, priced.procedure.pk, priced.procedure.name, priced.price)
        for position, priced in enumerate(added, first)
    )
    changed = [(line, priced) for priced, line in wanted if line and _amounts(line) != _wanted_amounts(priced)]
    AppliedDiscount.objects.of(appointment.clinic).filter(line__in=[line for line, _ in changed]).delete()
    AppliedDiscount.objects.bulk_create(
        _applied(line, discount.pk, discount.name, amount)
        for line, priced in [*changed, *zip(new, added, strict=True)]
        for discount, amount in priced.discounts
    )


def write_back(appointment: Appointment, kept: Sequence[dict[str, Any]]) -> list[str]:
    """Replace the lines by those of a snapshot; return the names of discounts that no longer exist.

    The procedures exist, as `missing_procedures` says; one that is deleted at this very moment ends the transaction,
    like a conflict."""
    ids = {applied["discount"] for line in kept for applied in line["discounts"]}
    existing = set(Discount.objects.of(appointment.clinic).filter(pk__in=ids).values_list("pk", flat=True))
    appointment.lines.all().delete()
    new = AppointmentProcedure.objects.bulk_create(
        _line(appointment, position, line["procedure_id"], line["procedure"], Decimal(line["price"]))
        for position, line in enumerate(kept)
    )
    discounts = [(line, applied) for line, values in zip(new, kept, strict=True) for applied in values["discounts"]]
    AppliedDiscount.objects.bulk_create(
        _applied(line, applied["discount"], applied["name"], Decimal(applied["value"]))
        for line, applied in discounts
        if applied["discount"] in existing
    )
    return list(dict.fromkeys(applied["name"] for _, applied in discounts if applied["discount"] not in existing))


def missing_procedures(appointment: Appointment, kept: Sequence[dict[str, Any]]) -> bool:
    """Return whether a procedure of a snapshot's lines no longer exists."""
    ids = {line["procedure_id"] for line in kept}
    return Procedure.objects.of(appointment.clinic).filter(pk__in=ids).count() < len(ids)


def _amounts(line: AppointmentProcedure) -> dict[int, Decimal]:
    return {applied.discount_id: applied.value for applied in line.discounts.all()}


def _wanted_amounts(priced: PricedLine) -> dict[int, Decimal]:
    return {discount.pk: amount for discount, amount in priced.discounts}


def _line(appointment: Appointment, position: int, procedure: int, name: str, price: Decimal) -> AppointmentProcedure:
    return AppointmentProcedure(
        clinic=appointment.clinic,
        appointment=appointment,
        position=position,
        procedure_id=procedure,
        procedure_name=name,
        price=price,
    )


def _applied(line: AppointmentProcedure, discount: int, name: str, value: Decimal) -> AppliedDiscount:
    return AppliedDiscount(clinic_id=line.clinic_id, line=line, discount_id=discount, discount_name=name, value=value)
