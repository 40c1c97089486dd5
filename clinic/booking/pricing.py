"""Price lines and discounts, in the clinic's currency, to the cent."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from clinic.models import Discount, Procedure

CENT = Decimal("0.01")


@dataclass(frozen=True)
class PricedLine:
    procedure: Procedure
    price: Decimal
    discounts: tuple[tuple[Discount, Decimal], ...]

    @property
    def off(self) -> Decimal:
        return sum((value for _, value in self.discounts), Decimal(0))

    @property
    def total(self) -> Decimal:
        return self.price - self.off


def cents(amount: Decimal) -> Decimal:
    """Rounded half-up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def priced(chosen: list[tuple[Procedure, Discount | None]], whole: Discount | None = None) -> list[PricedLine]:
    """Each procedure with its price and what comes off it.

    A line's own discount comes first, then the one for the whole booking, unless it is the same one. A fixed amount for
    the whole is spread in proportion to price, its cents settled on the last line that has room for them. No line goes
    below zero.
    """
    shares = _shares([procedure.price for procedure, _ in chosen], whole)
    lines = []
    for (procedure, own), share in zip(chosen, shares, strict=True):
        off = []
        left = procedure.price
        if own is not None:
            off.append((own, min(left, _amount(own, procedure.price))))
            left -= off[0][1]
        if whole is not None and whole != own:
            off.append((whole, min(left, share)))
        lines.append(PricedLine(procedure, procedure.price, tuple(off)))
    return lines


def _amount(discount, price):
    if discount.percentage is not None:
        return cents(price * discount.percentage / 100)
    return discount.fixed


def _shares(prices, whole):
    if whole is None:
        return [Decimal(0)] * len(prices)
    if whole.percentage is not None:
        return [_amount(whole, price) for price in prices]
    total = sum(prices)
    if total == 0:
        return [Decimal(0)] * len(prices)
    amount = min(whole.fixed, total)
    return _settled([cents(amount * price / total) for price in prices], prices, amount)


def _settled(shares, prices, amount):
    """The shares with the cents that rounding lost or won put on the last line, or before it where it has no room."""
    settled = []
    over = amount - sum(shares)
    for share, price in zip(reversed(shares), reversed(prices), strict=True):
        settled.append(min(max(share + over, Decimal(0)), price))
        over += share - settled[-1]
    return settled[::-1]
