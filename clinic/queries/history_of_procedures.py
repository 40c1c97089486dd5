"""Put a change of procedures, discounts or length into a sentence. Reads nothing."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from clinic.models import Clinic

type _Snapshot = dict[str, Any]


def procedures_changed(before: _Snapshot, after: _Snapshot, clinic: Clinic, zone: ZoneInfo) -> str:
    """Return "Procedimentos alterados: + ECG (R$ 95,00), fim de 09:30 para 09:50", with what changed."""
    parts = lines_changed(before, after, clinic)
    if before["ends_at"] != after["ends_at"]:
        parts.append(_("fim de %(before)s para %(after)s") % {"before": _end(before, zone), "after": _end(after, zone)})
    what = ", ".join(parts)
    if _are_only_repriced(before, after):
        return _("Preço alterado: %(what)s") % {"what": what}
    if _lines(before) != _lines(after):
        return _("Procedimentos alterados: %(what)s") % {"what": what}
    return _("Alterado: %(what)s") % {"what": what}


def lines_changed(before: _Snapshot, after: _Snapshot, clinic: Clinic) -> list[str]:
    """Return what has another price, what was added and taken away, and the totals where other discounts change
    them."""
    was, now = _lines(before), _lines(after)
    added, removed = now - was, was - now
    parts = [
        _("%(name)s de %(before)s para %(after)s")
        % {"name": name, "before": clinic.money(old), "after": clinic.money(new)}
        for name, old, new in _repriced(before, after)
    ]
    if not parts:
        parts = [f"{sign} {name} ({clinic.money(price)})" for sign, name, price in _signed(added, removed)]
    if _total(after) - _total(before) != _sum(added) - _sum(removed):
        amounts = {"before": clinic.money(_total(before)), "after": clinic.money(_total(after))}
        parts.append(_("total de %(before)s para %(after)s") % amounts)
    return parts


def _lines(snapshot: _Snapshot) -> Counter[tuple[str, Decimal]]:
    return Counter((line["procedure"], Decimal(line["price"])) for line in snapshot["lines"])


def _are_only_repriced(before: _Snapshot, after: _Snapshot) -> bool:
    return before["ends_at"] == after["ends_at"] and bool(_repriced(before, after))


def _repriced(before: _Snapshot, after: _Snapshot) -> list[tuple[str, Decimal, Decimal]]:
    """Return name, old and new price of the lines that have another price, where the lines are the same ones; else
    none."""
    pairs = list(zip(before["lines"], after["lines"], strict=False))
    is_same = len(before["lines"]) == len(after["lines"])
    if not is_same or any(was["procedure_id"] != now["procedure_id"] for was, now in pairs):
        return []
    priced = [(now["procedure"], Decimal(was["price"]), Decimal(now["price"])) for was, now in pairs]
    return [(name, old, new) for name, old, new in priced if old != new]


def _signed(
    added: Counter[tuple[str, Decimal]], removed: Counter[tuple[str, Decimal]]
) -> list[tuple[str, str, Decimal]]:
    signed = [("+", line) for line in added.elements()] + [("−", line) for line in removed.elements()]
    return [(sign, name, price) for sign, (name, price) in signed]


def _sum(chosen: Counter[tuple[str, Decimal]]) -> Decimal:
    return sum((price for _name, price in chosen.elements()), Decimal(0))


def _total(snapshot: _Snapshot) -> Decimal:
    """Return the prices less their discounts."""
    off = (Decimal(discount["value"]) for line in snapshot["lines"] for discount in line["discounts"])
    return _sum(_lines(snapshot)) - sum(off, Decimal(0))


def _end(snapshot: _Snapshot, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(snapshot['ends_at']).astimezone(zone):%H:%M}"
