"""Raising private prices from a date on, and taking a rise back whole.

A rise writes prices that begin on its date, and raises those that begin later by the same rule: no price that was
planned goes below what is raised now. It stores, for every price that it looked at, what was there and what is there
now. It is taken back while that is still so; a price that something else has changed since stays as it is. What it left
as it was, and procedures that are no more, are let alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum, auto
from typing import Any

from django.utils import timezone

from clinic.models import Clinic, PriceRise, Procedure, ProcedurePrice, StaffUser
from clinic.models.limits import CENT, MONEY_LIMIT
from clinic.models.locks import get_locked
from clinic.models.price import PriceOn
from clinic.transactions import run_in_transaction


class RiseFault(Enum):
    """Why prices cannot be raised so, or a rise not be taken back."""

    NOTHING_CHANGES = auto()
    BELOW_ZERO = auto()
    TOO_HIGH = auto()
    CHANGED_MEANWHILE = auto()
    CHANGED_SINCE = auto()
    TAKEN_BACK = auto()


class RiseRefused(Exception):
    """Raised when nothing was written; `names` are those of the procedures at fault."""

    def __init__(self, fault: RiseFault, names: Iterable[str] = ()) -> None:
        super().__init__(fault.name)
        self.fault, self.names = fault, list(dict.fromkeys(names))


@dataclass(frozen=True, kw_only=True)
class Rise:
    """A percentage or an amount, one of them None, to be added to prices from a local date on, rounded to a multiple
    of `rounding`, 0 for the cent."""

    first: date
    percentage: Decimal | None = None
    amount: Decimal | None = None
    rounding: Decimal = Decimal(0)

    def raised(self, price: Decimal) -> Decimal:
        """Return the new price, half rounded up. What is free stays free, and nothing else is rounded to 0."""
        exact = self._exact(price)
        if self.is_least(price):
            return self._step.quantize(CENT)
        rounded = ((exact / self._step).quantize(Decimal(1), ROUND_HALF_UP) * self._step).quantize(CENT)
        return rounded if rounded or exact >= 0 else -self._step.quantize(CENT)

    def is_least(self, price: Decimal) -> bool:
        """Return whether the new price is the least that is not free, since rounding would make it free."""
        return 0 < self._exact(price) < self._step / 2

    @property
    def _step(self) -> Decimal:
        return self.rounding or CENT

    def _exact(self, price: Decimal) -> Decimal:
        if not price:
            return price
        return price * (100 + self.percentage) / 100 if self.percentage is not None else price + (self.amount or 0)


@dataclass(frozen=True)
class NewPrice:
    """What a rise makes of the private price of a procedure that holds from `first` on; `stored` is the price that
    begins on that date already, None for none. `is_least` where rounding would have made it free."""

    procedure: Procedure
    first: date
    old: Decimal
    new: Decimal
    stored: Decimal | None
    is_least: bool = False

    @property
    def is_free(self) -> bool:
        return not self.old

    @property
    def difference(self) -> Decimal:
        return self.new - self.old

    @property
    def kept(self) -> Decimal | None:
        """The price that begins on the date after the rise, None for none."""
        return self.stored if self.new == self.old else self.new


def new_prices(clinic: Clinic, rise: Rise, procedures: Sequence[int] | None = None) -> list[NewPrice]:
    """Return what the rise makes of the active procedures, of those with these ids or all, by name and date. Two
    queries."""
    rows = Procedure.objects.of(clinic).filter(active=True)
    rows = rows if procedures is None else rows.filter(pk__in=procedures)
    priced = list(rows.annotate(price_then=PriceOn(rise.first)))
    dated: dict[int, dict[date, Decimal]] = {procedure.pk: {} for procedure in priced}
    for pk, first, price in _begins(clinic, dated, rise.first):
        dated[pk][first] = price
    return [
        NewPrice(procedure, first, old, rise.raised(old), dated[procedure.pk].get(first), rise.is_least(old))
        for procedure in priced
        for first, old in sorted(({rise.first: procedure.price_then} | dated[procedure.pk]).items())
    ]


def raise_prices(
    clinic: Clinic, rise: Rise, seen: Sequence[NewPrice], procedures: Sequence[int] | None = None, *, by: StaffUser
) -> PriceRise:
    """Write the prices that the author has `seen`. Locks the procedures' rows in order of id. Raises RiseRefused."""

    def work() -> PriceRise:
        _lock(clinic, sorted({price.procedure.pk for price in seen}))
        prices = new_prices(clinic, rise, procedures)
        if prices != list(seen):
            raise RiseRefused(RiseFault.CHANGED_MEANWHILE)
        check_new_prices(prices)
        _write(clinic, {(price.procedure.pk, price.first): price.kept for price in prices})
        return PriceRise.objects.create(
            clinic=clinic,
            valid_from=rise.first,
            percentage=rise.percentage,
            amount=rise.amount,
            rounding=rise.rounding,
            changes=[_change(price) for price in prices],
            made_by=by,
        )

    return run_in_transaction(work)


def check_new_prices(prices: Sequence[NewPrice]) -> None:
    """Raise RiseRefused unless the prices can be stored, and one of them is another."""
    if below := [price.procedure.name for price in prices if price.new < 0]:
        raise RiseRefused(RiseFault.BELOW_ZERO, below)
    if high := [price.procedure.name for price in prices if price.new >= MONEY_LIMIT]:
        raise RiseRefused(RiseFault.TOO_HIGH, high)
    if not any(price.difference for price in prices):
        raise RiseRefused(RiseFault.NOTHING_CHANGES)


def take_back(pk: int, *, clinic: Clinic, by: StaffUser) -> PriceRise:
    """Give every price that a rise has changed back as it was before; those that begin later too.

    Locks the rise's row, then the procedures' in order of id. Raises RiseRefused where something else has changed one
    of these prices since, or PriceRise.DoesNotExist.
    """

    def work() -> PriceRise:
        rise = get_locked(PriceRise.objects.of(clinic).filter(pk=pk))
        if rise.taken_back_at is not None:
            raise RiseRefused(RiseFault.TAKEN_BACK)
        existing = _lock(clinic, sorted({change["procedure"] for change in rise.changes}))
        changes = [change for change in _changed_by(rise) if change["procedure"] in existing]
        if names := _changed_since(clinic, rise, changes):
            raise RiseRefused(RiseFault.CHANGED_SINCE, names)
        _write(clinic, {_key(change): _amount(change["stored"]) for change in changes})
        rise.taken_back_by, rise.taken_back_at = by, timezone.now()
        rise.save(update_fields=["taken_back_by", "taken_back_at"])
        return rise

    return run_in_transaction(work)


def _changed_by(rise: PriceRise) -> list[dict[str, Any]]:
    """Return of the `changes` of a rise those that changed a price."""
    return [change for change in rise.changes if change["old"] != change["new"]]


def prices_to_give_back(rise: PriceRise) -> list[NewPrice]:
    """Return the prices that a rise has changed, of the procedures that are still there. One query."""
    changes = _changed_by(rise)
    procedures = Procedure.objects.of(rise.clinic_id).in_bulk([change["procedure"] for change in changes])
    return [
        NewPrice(
            procedures[change["procedure"]],
            date.fromisoformat(change["first"]),
            Decimal(change["old"]),
            Decimal(change["new"]),
            _amount(change["stored"]),
        )
        for change in changes
        if change["procedure"] in procedures
    ]


def _changed_since(clinic: Clinic, rise: PriceRise, changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the procedures of these changes whose prices from the date on are not those that the rise
    left; those that it did not change may be others."""
    names = {change["procedure"]: change["name"] for change in changes}
    changed = {_key(change) for change in changes}
    unchanged = {_key(change) for change in rise.changes} - changed
    left = {_key(change): kept for change in changes if (kept := _amount(change["kept"])) is not None}
    begun = {(pk, first): price for pk, first, price in _begins(clinic, names, rise.valid_from)}
    now = {key: price for key, price in begun.items() if key not in unchanged}
    return [name for pk, name in names.items() if _of(left, pk) != _of(now, pk)]


def _of(prices: Mapping[tuple[int, date], Decimal], pk: int) -> dict[date, Decimal]:
    return {first: price for (procedure, first), price in prices.items() if procedure == pk}


def _begins(clinic: Clinic, procedures: Iterable[int], first: date) -> Iterable[tuple[int, date, Decimal]]:
    """Return the private prices that begin on this date or later: procedure, date, price. One query."""
    private = ProcedurePrice.objects.of(clinic).filter(payer=None, procedure__in=list(procedures))
    return private.filter(valid_from__gte=first).values_list("procedure", "valid_from", "price")


def _lock(clinic: Clinic, procedures: Iterable[int]) -> set[int]:
    """Lock the rows of these procedures, in their order, and return the ids of those that there are."""
    locked = set()
    for pk in procedures:
        with suppress(Procedure.DoesNotExist):
            locked.add(get_locked(Procedure.objects.of(clinic).filter(pk=pk)).pk)
    return locked


def _write(clinic: Clinic, prices: Mapping[tuple[int, date], Decimal | None]) -> None:
    """Have these private prices begin on their dates, None for none. At most three statements."""
    private = ProcedurePrice.objects.of(clinic).filter(payer=None)
    dates = {first for _pk, first in prices}
    stored = {(row.procedure_id, row.valid_from): row for row in private.filter(valid_from__in=dates)}
    changed = [row for key, row in stored.items() if key in prices and prices[key] != row.price]
    private.filter(pk__in=[row.pk for row in changed]).delete()
    gone = {(row.procedure_id, row.valid_from) for row in changed}
    ProcedurePrice.objects.bulk_create(
        ProcedurePrice(clinic=clinic, procedure_id=pk, price=price, valid_from=first)
        for (pk, first), price in prices.items()
        if price is not None and ((pk, first) in gone or (pk, first) not in stored)
    )


def _change(price: NewPrice) -> dict[str, Any]:
    return {
        "procedure": price.procedure.pk,
        "name": price.procedure.name,
        "first": f"{price.first}",
        "old": str(price.old),
        "new": str(price.new),
        "stored": None if price.stored is None else str(price.stored),
        "kept": None if price.kept is None else str(price.kept),
    }


def _key(change: Mapping[str, Any]) -> tuple[int, date]:
    return change["procedure"], date.fromisoformat(change["first"])


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
