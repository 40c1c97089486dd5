"""The stored lines of an appointment: loaded, kept in an event, written, and written back."""

from collections.abc import Iterable, Sequence
from copy import copy
from decimal import Decimal
from operator import attrgetter
from typing import Any

from clinic.booking.pricing import PricedLine, price_lines
from clinic.booking.proposal import LineRequest
from clinic.models import AppliedDiscount, Appointment, AppointmentProcedure, Discount, Procedure


def load(appointment: Appointment) -> list[AppointmentProcedure]:
    """Return the lines in order, with procedure and discounts. Two queries."""
    return list(appointment.lines.select_related("procedure").prefetch_related("discounts"))


def requested_lines(appointment: Appointment) -> tuple[list[LineRequest], int | None]:
    """Return the lines in order, as they were requested, and the id of the discount on the whole. Three queries.

    It is not stored which of a line's discounts is the one on the whole: the amounts tell. Where they do not, because
    the discount has changed since, one that all of several lines have is on the whole.
    """
    stored = list(appointment.lines.select_related("procedure").prefetch_related("discounts__discount"))
    applied = [[row.discount for row in sorted(line.discounts.all(), key=attrgetter("pk"))] for line in stored]
    possible = _possible_wholes(applied)
    whole = next((whole for whole in possible if _gives(stored, applied, whole)), possible[0])
    own = [_own(discounts, whole) for discounts in applied]
    requests = [
        LineRequest(line.procedure_id, discount.pk if discount else None)
        for line, discount in zip(stored, own, strict=True)
    ]
    return requests, whole.pk if whole else None


def _possible_wholes(applied: Sequence[Sequence[Discount]]) -> list[Discount | None]:
    """Return what the discount on the whole may have been, the likely one first, given the discounts of each line."""
    could_be_own = all(len(line) <= 1 for line in applied)
    if len(applied) <= 1 and could_be_own:
        return [None]
    on_all = [discount for discount in reversed(applied[0]) if all(discount in line for line in applied)]
    return [*on_all, *([None] if could_be_own or not on_all else [])]


def _own(discounts: Sequence[Discount], whole: Discount | None) -> Discount | None:
    return next((discount for discount in discounts if discount != whole), None)


def _gives(
    stored: Sequence[AppointmentProcedure], applied: Sequence[Sequence[Discount]], whole: Discount | None
) -> bool:
    """Return whether this discount on the whole leads to the stored amounts."""
    own = [_own(discounts, whole) for discounts in applied]
    chosen = [(as_booked(line), discount) for line, discount in zip(stored, own, strict=True)]
    return [line.discount_total for line in price_lines(chosen, whole)] == [
        sum(_amounts(line).values(), Decimal(0)) for line in stored
    ]


def as_booked(line: AppointmentProcedure) -> Procedure:
    """Return the procedure of a line with the name and price that the line has."""
    procedure = copy(line.procedure)
    procedure.name, procedure.price = line.procedure_name, line.price
    return procedure


def discount_ids(line: AppointmentProcedure) -> set[int]:
    return {applied.discount_id for applied in line.discounts.all()}


def snapshot(appointment: Appointment, stored: Sequence[AppointmentProcedure]) -> dict[str, Any]:
    """Return the end, as ISO 8601, and the lines as an event keeps them."""
    return {"ends_at": appointment.ends_at.isoformat(), "lines": line_snapshots(stored)}


def line_snapshots(stored: Iterable[AppointmentProcedure]) -> list[dict[str, Any]]:
    """Return the lines as an event keeps them: as at booking, and with ids."""
    return [
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
    ]


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
    _write_prices(wanted)
    changed = [(line, priced) for priced, line in wanted if line and _amounts(line) != _wanted_amounts(priced)]
    AppliedDiscount.objects.of(appointment.clinic).filter(line__in=[line for line, _ in changed]).delete()
    AppliedDiscount.objects.bulk_create(
        _applied(line, discount.pk, discount.name, amount)
        for line, priced in [*changed, *zip(new, added, strict=True)]
        for discount, amount in priced.discounts
    )


def _write_prices(wanted: Sequence[tuple[PricedLine, AppointmentProcedure | None]]) -> None:
    """Store the prices of kept lines that are others than they were. One statement, none where all are the same."""
    repriced = []
    for priced, line in wanted:
        if line and line.price != priced.price:
            line.price = priced.price
            repriced.append(line)
    AppointmentProcedure.objects.bulk_update(repriced, ["price"])


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
