"""Raising prices from a date on, private ones and those of payers, and taking a rise back whole.

A rise writes prices that begin on its date, and raises those that begin later by the same rule: no price that was
planned goes below what is raised now. A price of a payer keeps its end; where the payer has none that day the private
one holds, and nothing is written for it. It stores, for every price that it looked at, what was there and what is there
now. It is taken back while that is still so; a price that something else has changed since stays as it is. What it left
as it was, and procedures that are no more, are let alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum, auto
from typing import Any, NamedTuple

from django.utils import timezone

from clinic.models import Clinic, Payer, PriceRise, Procedure, ProcedurePrice, StaffUser
from clinic.models.limits import CENT, MONEY_LIMIT
from clinic.models.locks import get_locked
from clinic.models.price import PriceOn
from clinic.transactions import run_in_transaction


class RiseFault(Enum):
    """Why prices cannot be raised so, or a rise not be taken back."""

    NOTHING_CHANGES = auto()
    NO_PRICES = auto()
    BELOW_ZERO = auto()
    TOO_HIGH = auto()
    CHANGED_MEANWHILE = auto()
    CHANGED_SINCE = auto()
    TAKEN_BACK = auto()


class RiseRefused(Exception):
    """Raised when nothing was written; `names` are those of the procedures at fault, with the payers whose
    prices they are."""

    def __init__(self, fault: RiseFault, names: Iterable[str] = ()) -> None:
        super().__init__(fault.name)
        self.fault, self.names = fault, list(dict.fromkeys(names))


@dataclass(frozen=True, kw_only=True)
class Rise:
    """A percentage or an amount, one of them None, to be added to prices from a local date on, rounded to a multiple
    of `rounding`, 0 for the cent: to private prices, with `is_private`, and to those of the payers with these ids."""

    first: date
    percentage: Decimal | None = None
    amount: Decimal | None = None
    rounding: Decimal = Decimal(0)
    is_private: bool = True
    payers: tuple[int, ...] = ()

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


class _Key(NamedTuple):
    """Which price: the ids of procedure and payer, None for the private one, and the date on which it begins."""

    procedure: int
    payer: int | None
    first: date


class _Begun(NamedTuple):
    """A price and its last date, None where it has no end."""

    price: Decimal
    until: date | None = None


type _Begins = dict[_Key, _Begun]
type _Whose = tuple[int, int | None]


@dataclass(frozen=True)
class NewPrice:
    """What a rise makes of the price of a procedure that holds from `first` on, and until `until` if it ends: of the
    payer, or the private one without; `stored` is the price that begins on that date already, None for none. `is_least`
    where rounding would have made it free."""

    procedure: Procedure
    first: date
    old: Decimal
    new: Decimal
    stored: Decimal | None
    is_least: bool = False
    payer: Payer | None = None
    until: date | None = None

    @property
    def key(self) -> _Key:
        return _Key(self.procedure.pk, self.payer.pk if self.payer else None, self.first)

    @property
    def name(self) -> str:
        """Of the procedure, with the payer if it is one's price."""
        return _named(self.procedure.name, self.payer.name if self.payer else None)

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
    """Return what the rise makes of the active procedures, of those with these ids or all: by name, of each the private
    price, then those of payers by name, and by date. Two queries, four with payers."""
    rows = Procedure.objects.of(clinic).filter(active=True)
    rows = rows if procedures is None else rows.filter(pk__in=procedures)
    priced = list(rows.annotate(price_then=PriceOn(rise.first)))
    ids = [procedure.pk for procedure in priced]
    payers: list[Payer | None] = [None] if rise.is_private else []
    held: dict[_Whose, _Begun] = {(procedure.pk, None): _Begun(procedure.price_then) for procedure in priced}
    if rise.payers:
        payers += Payer.objects.of(clinic).filter(pk__in=rise.payers)
        held |= _held(clinic, ids, rise.payers, rise.first)
    begins = _begins(clinic, ids, rise.first)
    dated: dict[_Whose, dict[date, _Begun]] = {whose: {rise.first: price} for whose, price in held.items()}
    for key, price in begins.items():
        dated.setdefault(key[:2], {})[key.first] = price
    return [
        NewPrice(
            procedure,
            first,
            old.price,
            rise.raised(old.price),
            stored.price if (stored := begins.get(_Key(*whose, first))) else None,
            rise.is_least(old.price),
            payer,
            old.until,
        )
        for procedure in priced
        for payer in payers
        for whose in [(procedure.pk, payer.pk if payer else None)]
        for first, old in sorted(dated.get(whose, {}).items())
    ]


def raise_prices(
    clinic: Clinic, rise: Rise, seen: Sequence[NewPrice], procedures: Sequence[int] | None = None, *, by: StaffUser
) -> PriceRise:
    """Write the prices that the author has `seen`. Locks the rows of the procedures, then of the payers, in order of
    id. Raises RiseRefused."""

    def work() -> PriceRise:
        _lock(clinic, {price.key[:2] for price in seen})
        prices = new_prices(clinic, rise, procedures)
        if prices != list(seen):
            raise RiseRefused(RiseFault.CHANGED_MEANWHILE)
        check_new_prices(rise, prices)
        _write(clinic, {price.key: _begun(price.kept, price.until) for price in prices})
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


def check_new_prices(rise: Rise, prices: Sequence[NewPrice]) -> None:
    """Raise RiseRefused unless the prices that the rise makes can be stored, and one of them is another."""
    if not prices and not rise.is_private:
        raise RiseRefused(RiseFault.NO_PRICES)
    if below := [price.name for price in prices if price.new < 0]:
        raise RiseRefused(RiseFault.BELOW_ZERO, below)
    if high := [price.name for price in prices if price.new >= MONEY_LIMIT]:
        raise RiseRefused(RiseFault.TOO_HIGH, high)
    if not any(price.difference for price in prices):
        raise RiseRefused(RiseFault.NOTHING_CHANGES)


def take_back(pk: int, *, clinic: Clinic, by: StaffUser) -> PriceRise:
    """Give every price that a rise has changed back as it was before; those that begin later too.

    Locks the rise's row, then like `raise_prices`. Raises RiseRefused where something else has changed one
    of these prices since, or PriceRise.DoesNotExist.
    """

    def work() -> PriceRise:
        rise = get_locked(PriceRise.objects.of(clinic).filter(pk=pk))
        if rise.taken_back_at is not None:
            raise RiseRefused(RiseFault.TAKEN_BACK)
        existing = _lock(clinic, {_key(change)[:2] for change in rise.changes})
        changes = [change for change in _changed_by(rise) if _key(change)[:2] in existing]
        if names := _changed_since(clinic, rise, changes):
            raise RiseRefused(RiseFault.CHANGED_SINCE, names)
        _write(clinic, {_key(change): _stored(change, "stored") for change in changes})
        rise.taken_back_by, rise.taken_back_at = by, timezone.now()
        rise.save(update_fields=["taken_back_by", "taken_back_at"])
        return rise

    return run_in_transaction(work)


def _changed_by(rise: PriceRise) -> list[dict[str, Any]]:
    """Return of the `changes` of a rise those that changed a price."""
    return [change for change in rise.changes if change["old"] != change["new"]]


def prices_to_give_back(rise: PriceRise) -> list[NewPrice]:
    """Return the prices that a rise has changed, of the procedures and payers that are still there. One query, two
    where it changed those of payers."""
    changes = _changed_by(rise)
    keys = [_key(change) for change in changes]
    procedures = Procedure.objects.of(rise.clinic_id).in_bulk([key.procedure for key in keys])
    payers: dict[int | None, Payer | None] = {None: None}
    payers |= Payer.objects.of(rise.clinic_id).in_bulk([key.payer for key in keys if key.payer])
    return [
        NewPrice(
            procedures[key.procedure],
            key.first,
            Decimal(change["old"]),
            Decimal(change["new"]),
            _amount(change["stored"]),
            payer=payers[key.payer],
            until=_until(change),
        )
        for key, change in zip(keys, changes, strict=True)
        if key.procedure in procedures and key.payer in payers
    ]


def raised_payers(rise: PriceRise) -> list[str | None]:
    """Return whose prices a rise looked at: None for the private ones, and payers by the names that they had then."""
    return list(dict.fromkeys(change.get("payer_name") for change in rise.changes))


def _changed_since(clinic: Clinic, rise: PriceRise, changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names, with their payers, of the procedures of these changes whose prices from the date on are not
    those that the rise left; those that it did not change may be others."""
    names = {_key(change)[:2]: _named(change["name"], change.get("payer_name")) for change in changes}
    changed = {_key(change) for change in changes}
    unchanged = {_key(change) for change in rise.changes} - changed
    left = {_key(change): kept for change in changes if (kept := _stored(change, "kept"))}
    begun = _begins(clinic, [procedure for procedure, _payer in names], rise.valid_from)
    now = {key: price for key, price in begun.items() if key not in unchanged}
    return [name for whose, name in names.items() if _of(left, whose) != _of(now, whose)]


def _named(procedure: str, payer: str | None) -> str:
    return f"{procedure} ({payer})" if payer else procedure


def _of(prices: _Begins, whose: _Whose) -> _Begins:
    return {key: price for key, price in prices.items() if key[:2] == whose}


def _begins(clinic: Clinic, procedures: Iterable[int], first: date) -> _Begins:
    """Return the prices of these procedures that begin on this date or later. One query."""
    rows = ProcedurePrice.objects.of(clinic).filter(procedure__in=list(procedures), valid_from__gte=first)
    columns = rows.values_list("procedure", "payer", "valid_from", "price", "valid_until")
    return {_Key(*row[:3]): _Begun(*row[3:]) for row in columns}


def _held(clinic: Clinic, procedures: Iterable[int], payers: Iterable[int], day: date) -> dict[_Whose, _Begun]:
    """Return the prices of these payers that are in force on this date. One query."""
    rows = ProcedurePrice.objects.of(clinic).filter(procedure__in=procedures, payer__in=payers, valid_from__lte=day)
    last = rows.order_by("procedure_id", "payer_id", "-valid_from").distinct("procedure_id", "payer_id")
    return {
        (row.procedure_id, row.payer_id): _Begun(row.price, row.valid_until)
        for row in last
        if row.valid_until is None or row.valid_until >= day
    }


def _lock(clinic: Clinic, wanted: Iterable[_Whose]) -> set[_Whose]:
    """Lock the rows of these procedures, then of the payers, each in order of id; return the pairs that are there."""
    pairs = set(wanted)
    procedures = _lock_each(Procedure, clinic, {procedure for procedure, _payer in pairs})
    payers = {None} | _lock_each(Payer, clinic, {payer for _procedure, payer in pairs if payer})
    return {(procedure, payer) for procedure, payer in pairs if procedure in procedures and payer in payers}


def _lock_each(model: type[Procedure] | type[Payer], clinic: Clinic, ids: Iterable[int]) -> set[int]:
    locked = set()
    for pk in sorted(ids):
        with suppress(model.DoesNotExist):
            locked.add(get_locked(model.objects.of(clinic).filter(pk=pk)).pk)
    return locked


def _write(clinic: Clinic, prices: Mapping[_Key, _Begun | None]) -> None:
    """Have these prices begin on their dates, None for none. At most three statements."""
    rows = ProcedurePrice.objects.of(clinic).filter(valid_from__in={key.first for key in prices})
    stored = {_Key(row.procedure_id, row.payer_id, row.valid_from): row for row in rows}
    same = {key for key, row in stored.items() if prices.get(key) == _Begun(row.price, row.valid_until)}
    changed = [row.pk for key, row in stored.items() if key in prices and key not in same]
    rows.filter(pk__in=changed).delete()
    ProcedurePrice.objects.bulk_create(
        ProcedurePrice(
            clinic=clinic,
            procedure_id=key.procedure,
            payer_id=key.payer,
            price=begun.price,
            valid_from=key.first,
            valid_until=begun.until,
        )
        for key, begun in prices.items()
        if begun is not None and key not in same
    )


def _change(price: NewPrice) -> dict[str, Any]:
    change = {
        "procedure": price.procedure.pk,
        "name": price.procedure.name,
        "first": f"{price.first}",
        "old": str(price.old),
        "new": str(price.new),
        "stored": None if price.stored is None else str(price.stored),
        "kept": None if price.kept is None else str(price.kept),
    }
    if price.payer:
        until = f"{price.until}" if price.until else None
        change |= {"payer": price.payer.pk, "payer_name": price.payer.name, "until": until}
    return change


def _key(change: Mapping[str, Any]) -> _Key:
    return _Key(change["procedure"], change.get("payer"), date.fromisoformat(change["first"]))


def _stored(change: Mapping[str, Any], name: str) -> _Begun | None:
    """Return the price `stored` before a rise, or `kept` after it, of a change; None for none."""
    return _begun(_amount(change[name]), _until(change))


def _begun(price: Decimal | None, until: date | None) -> _Begun | None:
    return None if price is None else _Begun(price, until)


def _until(change: Mapping[str, Any]) -> date | None:
    until = change.get("until")
    return date.fromisoformat(until) if until else None


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
