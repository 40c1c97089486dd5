"""Price lines and discounts, in the clinic's currency, to the cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from clinic.models import Discount, Procedure
from clinic.models.limits import CENT


@dataclass(frozen=True)
class PricedLine:
    """A procedure, its price, and each discount on it with the amount that it takes off."""

    procedure: Procedure
    price: Decimal
    discounts: tuple[tuple[Discount, Decimal], ...]

    @property
    def discount_total(self) -> Decimal:
        return sum((amount for _, amount in self.discounts), Decimal(0))

    @property
    def total(self) -> Decimal:
        return self.price - self.discount_total


def cents(amount: Decimal) -> Decimal:
    """Return the amount rounded half-up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def price_lines(
    chosen: Sequence[tuple[Procedure, Discount | None]],
    whole_discount: Discount | None = None,
    prices: Sequence[Decimal] | None = None,
) -> list[PricedLine]:
    """Return a line for each chosen procedure: its price, and what its discounts take off.

    `prices` are those of the chosen ones on the day, in order; None for the `price` that each has. A line's own
    discount comes first, then the one for the whole booking, unless it is the same one. A fixed amount for the whole is
    spread in proportion to price, its cents settled on the last line that has room for them. No line goes below zero.
    """
    prices = [procedure.price for procedure, _ in chosen] if prices is None else prices
    shares = _shares(prices, whole_discount)
    lines = []
    for (procedure, own_discount), price, share in zip(chosen, prices, shares, strict=True):
        discounts = []
        remaining = price
        if own_discount is not None:
            amount = min(remaining, _amount(own_discount, price))
            discounts.append((own_discount, amount))
            remaining -= amount
        if whole_discount is not None and whole_discount != own_discount:
            discounts.append((whole_discount, min(remaining, share)))
        lines.append(PricedLine(procedure, price, tuple(discounts)))
    return lines


def _amount(discount: Discount, price: Decimal) -> Decimal:
    if discount.percentage is not None:
        return cents(price * discount.percentage / 100)
    return _fixed(discount)


def _fixed(discount: Discount) -> Decimal:
    # A constraint: a discount without a percentage has a fixed amount.
    return discount.fixed or Decimal(0)


def _shares(prices: Sequence[Decimal], discount: Discount | None) -> list[Decimal]:
    """Return how much of a discount for the whole booking falls to each line."""
    if discount is None:
        return [Decimal(0)] * len(prices)
    if discount.percentage is not None:
        return [_amount(discount, price) for price in prices]
    total = sum(prices, Decimal(0))
    if total == 0:
        return [Decimal(0)] * len(prices)
    amount = min(_fixed(discount), total)
    return _settle_cents([cents(amount * price / total) for price in prices], prices, amount)


def _settle_cents(shares: Sequence[Decimal], prices: Sequence[Decimal], amount: Decimal) -> list[Decimal]:
    """Return shares whose sum is `amount`: the cents that rounding lost or gained go to the last line, or to the line
    before it where it has no room."""
    settled: list[Decimal] = []
    difference = amount - sum(shares)
    for share, price in zip(reversed(shares), reversed(prices), strict=True):
        settled.append(min(max(share + difference, Decimal(0)), price))
        difference += share - settled[-1]
    return settled[::-1]
