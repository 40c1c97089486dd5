"""The rules about discounts and the total."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from clinic.booking.slots import Candidate, local_date
from clinic.models import Discount
from clinic.refusals import Reason, Refusal


def discounts_are_valid_that_day(candidate: Candidate) -> Iterator[Refusal]:
    """The day of the appointment counts, not the day of the call, because money changes hands on it."""
    if None in candidate.discounts:
        yield Refusal(Reason.DISCOUNT_UNKNOWN)
    for discount in _expired(candidate):
        params = {"discount": discount.name, "date": f"{discount.expires_on:%d/%m/%Y}"}
        yield Refusal(Reason.DISCOUNT_LEFT_BEHIND if candidate.moving else Reason.DISCOUNT_EXPIRED, params)


def total_is_the_one_shown(candidate: Candidate) -> Iterator[Refusal]:
    """Prices and discounts may change while a panel is open; nobody books another total than the one they have seen.

    The APIs show no total, so they send none."""
    if candidate.shown_total is None or not candidate.lines or _expired(candidate):
        return
    total = sum((line.total for line in candidate.lines), Decimal(0))
    if candidate.shown_total != total:
        money = candidate.clinic.money
        yield Refusal(Reason.TOTAL_CHANGED, {"shown": money(candidate.shown_total), "total": money(total)})


def expired_discounts(discounts: Iterable[Discount | None], day: date) -> list[Discount]:
    """Return the known discounts that are not valid on that local date, each once."""
    known = dict.fromkeys(discount for discount in discounts if discount)
    return [discount for discount in known if not discount.is_valid_on(day)]


def _expired(candidate: Candidate) -> list[Discount]:
    if not candidate.discounts:
        return []
    return expired_discounts(candidate.discounts, local_date(candidate.clinic, candidate.starts_at or candidate.now))
