"""The private price of a procedure, as it is read and set for today."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from clinic.cursors import prepared_cursor
from clinic.models import Procedure, ProcedurePrice
from clinic.models.price import PRICE_SQL

# Written out, since an import asks it three times a row: the ORM takes most of a millisecond to compose it.
PRICE_TODAY_SQL = f"""
    SELECT {PRICE_SQL.format(procedure="priced.id", payer="NULL", day="%(today)s::date", base="priced.price")}
    FROM clinic_procedure AS priced WHERE priced.clinic_id = %(clinic)s AND priced.id = %(procedure)s
"""  # noqa: S608 - the inserted text is our own expression


def price_today(procedure: Procedure) -> Decimal:
    """Return what the procedure, which is stored, costs a private patient on the clinic's local date. One query."""
    today = procedure.clinic.local(timezone.now()).date()
    parameters: dict[str, Any] = {"clinic": procedure.clinic_id, "procedure": procedure.pk, "today": today}
    with prepared_cursor() as cursor:
        cursor.execute(PRICE_TODAY_SQL, parameters)
        price: Decimal
        (price,) = cursor.fetchone()
    return price


def set_price(procedure: Procedure, price: Decimal, present: Decimal | None = None) -> None:
    """Have the procedure, whose row is locked, cost this from today on, until the next price that begins on a date;
    `present` is what it costs today, where that is known.

    While no such price has begun it is the one before all dates; after that it begins today, so that past days keep
    theirs. The price of today writes nothing."""
    if price == (price_today(procedure) if present is None else present):
        return
    today = procedure.clinic.local(timezone.now()).date()
    private = ProcedurePrice.objects.of(procedure.clinic_id).filter(procedure=procedure, payer=None)
    if not private.filter(valid_from__lte=today).exists():
        procedure.price = price
        procedure.save(update_fields=["price"])
        return
    ProcedurePrice.objects.update_or_create(
        clinic=procedure.clinic, procedure=procedure, payer=None, valid_from=today, defaults={"price": price}
    )


def coming_prices(procedure: Procedure) -> list[ProcedurePrice]:
    """Return the private prices that begin after today, in order. One query."""
    today = procedure.clinic.local(timezone.now()).date()
    private = ProcedurePrice.objects.of(procedure.clinic_id).filter(procedure=procedure, payer=None)
    return list(private.filter(valid_from__gt=today).order_by("valid_from"))
