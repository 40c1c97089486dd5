"""Recording that an appointment was paid for, by a program of the reception."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.audit import record
from clinic.booking.status import set_status
from clinic.models import Appointment, AppointmentEvent, Clinic, Receipt
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.models.limits import MONEY_LIMIT, is_in_cents, max_length
from clinic.models.receipt import MAX_INSTALMENTS
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_in_transaction

# A word or a number, no sentence. A redaction blanks both; what was received, how and when outlives it, as the law of
# taxes asks.
FLAG = re.compile(rf"[^\W_][\w ./+-]{{0,{max_length(Receipt, 'flag') - 1}}}|")
CARD_NUMBER = re.compile(r"(?:\d\D*){12}")  # the shortest numbers of cards have 12 digits
PROTOCOL = re.compile(rf"[0-9A-Za-z][0-9A-Za-z./:_-]{{0,{max_length(Receipt, 'protocol') - 1}}}|")


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A payment as sent: `method` is a Receipt.Method, `value` in the clinic's currency."""

    method: str
    value: Decimal
    flag: str = ""
    instalments: int = 1
    protocol: str = ""


def receive_payment(
    appointment_id: int, payment: Payment, *, clinic: Clinic, by: Author, now: datetime | None = None
) -> Appointment:
    """Store the payment and its event; a visit that is Em atendimento becomes Finalizado, with an event of its own.

    Locks like `change_status`. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        appointment = lock_appointment(clinic, appointment_id)
        refuse(payment_refusals(payment) + _status_refusals(appointment))
        Receipt.objects.create(clinic=clinic, appointment=appointment, at=now, **asdict(payment))
        write(appointment, now)
        record(appointment, AppointmentEvent.Kind.RECEIVED, by, now, {}, _snapshot(payment))
        if appointment.status == Status.IN_SERVICE:
            return set_status(appointment, Status.FINISHED, by, now, cancelled_by="", cancel_reason="")
        return appointment

    return run_in_transaction(work)


def payment_refusals(payment: Payment) -> list[Refusal]:
    """Return why the payment cannot be stored as it was sent."""
    value = payment.value
    is_amount = 0 < value < MONEY_LIMIT and is_in_cents(value)
    is_broken = {
        Reason.PAYMENT_METHOD_UNKNOWN: payment.method not in Receipt.Method.values,
        Reason.PAYMENT_VALUE_IMPOSSIBLE: not is_amount,
        Reason.PAYMENT_FLAG_SHAPE: not FLAG.fullmatch(payment.flag) or bool(CARD_NUMBER.search(payment.flag)),
        Reason.PAYMENT_INSTALMENTS: not 1 <= payment.instalments <= MAX_INSTALMENTS,
        Reason.PAYMENT_PROTOCOL_SHAPE: not PROTOCOL.fullmatch(payment.protocol),
    }
    params = {"limit": MAX_INSTALMENTS}
    return [Refusal(reason, params) for reason, broken in is_broken.items() if broken]


def _status_refusals(appointment: Appointment) -> list[Refusal]:
    if appointment.status not in FREES_THE_TIME:
        return []
    return [Refusal(Reason.NOT_PAYABLE, {"current": appointment.get_status_display()})]


def _snapshot(payment: Payment) -> dict[str, Any]:
    return asdict(payment) | {"value": str(payment.value)}
