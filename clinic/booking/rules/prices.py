"""The rules about discounts and the total."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from clinic.booking.pricing import cents
from clinic.booking.slots import Candidate, local_date
from clinic.models import AppointmentEvent, Discount
from clinic.refusals import Reason, Refusal
from clinic.registry import Author


def discounts_are_valid_that_day(candidate: Candidate) -> Iterator[Refusal]:
    """The day of the appointment counts, not the day of the call, because money changes hands on it."""
    if None in candidate.discounts:
        yield Refusal(Reason.DISCOUNT_UNKNOWN)
    for discount in _expired(candidate):
        params = {"discount": discount.name, "date": f"{discount.expires_on:%d/%m/%Y}"}
        yield Refusal(Reason.DISCOUNT_LEFT_BEHIND if candidate.moving else Reason.DISCOUNT_EXPIRED, params)


def discounts_are_within_limit(candidate: Candidate) -> Iterator[Refusal]:
    """What a receptionist may take off is limited by the switch on the staff row; what is taken off already stays."""
    if candidate.discount_limit is None or not candidate.lines:
        return
    limit = candidate.discount_limit
    given = sum((line.discount_total for line in candidate.lines), Decimal(0))
    # To the cent of each line, as a discount of that percentage is.
    allowed = sum((cents(line.price * limit / 100) for line in candidate.lines), Decimal(0))
    most = max(allowed, candidate.given_before)
    if given > most:
        money = candidate.clinic.money
        params = {"limit": limit, "most": money(most), "given": money(given)}
        yield Refusal(Reason.DISCOUNT_ABOVE_LIMIT, params)


def discount_limit(by: Author | None) -> int | None:
    """Return the most that this author may take off, in percent; only a person on the screen has a limit."""
    if by is None or by.user is None or by.channel != AppointmentEvent.Channel.BROWSER:
        return None
    return by.user.discount_limit


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
