"""What was received for an appointment, in words. Reads only."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Appointment, Clinic, Receipt


def receipts(appointment: Appointment) -> list[str]:
    """Return each receipt in words, the oldest first. One query; the appointment comes with its clinic."""
    rows = Receipt.objects.of(appointment.clinic).filter(appointment=appointment)
    columns = ("method", "value", "flag", "instalments", "protocol")
    return [in_words(row, appointment.clinic) for row in rows.values(*columns)]


def in_words(receipt: dict[str, Any], clinic: Clinic) -> str:
    """Return a receipt as “Recebido R$ 252,00 · cartão de crédito · Visa · 3× · protocolo 123”."""
    parts = [
        _("Recebido %(amount)s") % {"amount": clinic.money(Decimal(receipt["value"]))},
        str(Receipt.Method(receipt["method"]).label),
        receipt["flag"],
        f"{receipt['instalments']}×" if receipt["instalments"] > 1 else "",
        _("protocolo %(number)s") % {"number": receipt["protocol"]} if receipt["protocol"] else "",
    ]
    return " · ".join(part for part in parts if part)
