"""What is to be confirmed of an appointment's patient, for a person to decide. Reads only."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic.models import Appointment, phones
from clinic.models.unverified import UNVERIFIED, unverified_fields

LABELS = {
    "cpf": _("CPF a confirmar"),
    "name": _("nome a confirmar"),
    "phone": _("telefone a confirmar"),
    "birth_date": _("nascimento a confirmar"),
}
SEVERAL = _("dados a confirmar")


@dataclass(frozen=True)
class Unverified:
    """A field of the patient, its words, and what was sent: as people write it, and as text (a date as ISO 8601)."""

    field: str
    label: str
    written: str
    value: str


def unverified(appointment: Appointment) -> list[Unverified]:
    """Return what was sent and differs from the patient's data as they are now. At most one query.

    The appointment comes with its clinic."""
    if not any(getattr(appointment, column) for column in UNVERIFIED.values()):
        return []
    rows = Appointment.objects.of(appointment.clinic).filter(pk=appointment.pk)
    fields = rows.values_list(unverified_fields(), flat=True).get().split(",")
    return [_unverified(appointment, field) for field in UNVERIFIED if field in fields]


def label_of(fields: str) -> str:
    """Return the words for `unverified_fields` of an appointment that has some."""
    return str(SEVERAL if "," in fields else LABELS[fields])


def written_value(field: str, value: str, country: str) -> str:
    """Format a value that is kept as text."""
    if field == "phone":
        return phones.written(PhoneNumber.from_string(value), country)
    return f"{date.fromisoformat(value):%d/%m/%Y}" if field == "birth_date" else value


def _unverified(appointment: Appointment, field: str) -> Unverified:
    stored = getattr(appointment, UNVERIFIED[field])
    value = stored.isoformat() if isinstance(stored, date) else stored
    written = written_value(field, value, appointment.clinic.country)
    return Unverified(field, str(LABELS[field]), written, value)
