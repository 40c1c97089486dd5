"""The private price of a procedure, as it is read and set for today."""

from decimal import Decimal

from django.utils import timezone

from clinic.models import Procedure, ProcedurePrice
from clinic.models.price import PriceOn


def price_today(procedure: Procedure) -> Decimal:
    """Return what the procedure costs a private patient on the clinic's local date. One query."""
    today = procedure.clinic.local(timezone.now()).date()
    priced = Procedure.objects.of(procedure.clinic_id).filter(pk=procedure.pk).annotate(price_now=PriceOn(today))
    price: Decimal = priced.values_list("price_now", flat=True).get()
    return price


def set_price(procedure: Procedure, price: Decimal) -> None:
    """Have the procedure, whose row is locked, cost this from today on, until the next price that begins on a date.

    While no such price has begun it is the one before all dates; after that it begins today, so that past days keep
    theirs. The price of today writes nothing."""
    if price == price_today(procedure):
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
