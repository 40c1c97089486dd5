"""The prices of its day for an appointment that was booked at others.

Another payer, or another date, never changes what was agreed upon: the price of that day for that payer is offered
beside the booked one, and a person takes it or keeps what there is. Taking it is a change of the procedures like any
other, with its rules, its event and its undoing.
"""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from clinic.booking.acts import load
from clinic.booking.change_procedures import change_procedures, change_refusals
from clinic.booking.lines import requested_lines
from clinic.booking.slots import local_date
from clinic.booking.wished_lines import load_wished
from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.registry import Author


class PriceOffer(NamedTuple):
    """What an appointment costs in all, less its discounts: as booked, and at the prices of its day for its payer."""

    booked: Decimal
    of_day: Decimal


def price_offer(appointment: Appointment, last: AppointmentEvent | None, by: Author) -> PriceOffer | None:
    """Return the offer for an appointment whose `undoable` event is `last`: None unless that changed who pays, or on
    which local date it is, where the prices are the same, and where the author may not change its procedures. No query
    in the first case, else eight at most."""
    if last is None or not _changes_price(last, appointment.clinic) or change_refusals(appointment, by):
        return None
    requests, whole = requested_lines(appointment)
    wished = load_wished(appointment, requests, whole, doctor=appointment.doctor_id, at_day_prices=True)
    if wished.are_stored or not wished.complete_lines:
        return None
    booked = sum((line.total for line in appointment.lines.all()), Decimal(0))
    return PriceOffer(booked, sum((line.total for line in wished.complete_lines), Decimal(0)))


def _changes_price(event: AppointmentEvent, clinic: Clinic) -> bool:
    """Return whether another price may hold after the event: of another payer, or of another local date."""
    if event.kind == AppointmentEvent.Kind.PAYER:
        return bool(event.before["payer"] != event.after["payer"])
    if event.kind != AppointmentEvent.Kind.RESCHEDULED:
        return False
    starts = (datetime.fromisoformat(side["starts_at"]) for side in (event.before, event.after))
    return len({local_date(clinic, instant) for instant in starts}) > 1


def take_day_prices(
    appointment_id: int,
    *,
    clinic: Clinic,
    shown_total: Decimal | None,
    seen_event: int,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Give the lines of an appointment the prices of its day for its payer; discounts are computed on them anew.

    `shown_total` is the `of_day` that the author has seen: another one is refused (TOTAL_CHANGED). `seen_event` is the
    id of the event after which it was offered: where another one has followed, nothing is changed (CHANGED_MEANWHILE).
    What it has already writes nothing. Locks and raises like `change_procedures`.
    """
    appointment = load(clinic, appointment_id)
    requests, whole = requested_lines(appointment)
    return change_procedures(
        appointment_id,
        clinic=clinic,
        lines=tuple(requests),
        discount=whole,
        shown_total=shown_total,
        at_day_prices=True,
        seen_event=seen_event,
        by=by,
        now=now,
    )
