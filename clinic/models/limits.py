"""How much a stored field holds, for rules, forms and published documents."""

from decimal import Decimal

from django.db import models

CENT = Decimal("0.01")
# As the columns of money hold it: ten digits, two of them cents.
MONEY_LIMIT = Decimal(10) ** 8
MAX_RETURN_DAYS = 365  # of a procedure, and of a payer


def max_length(model: type[models.Model], name: str) -> int:
    """Return the most characters that this field of the model holds."""
    length = getattr(model._meta.get_field(name), "max_length", None)
    if length is None:
        raise ValueError(f"{model.__name__}.{name} has no length")
    return int(length)


def is_in_cents(amount: Decimal) -> bool:
    """Return whether an amount below MONEY_LIMIT has no part of a cent."""
    return amount == amount.quantize(CENT)
