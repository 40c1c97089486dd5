"""The history of a patient's data, for the card. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import DateField
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic.models import Clinic, Patient, PatientEvent, documents, phones

PHONES = {"phone", "second_phone"}
CHOICES = {field.name: dict(field.flatchoices) for field in Patient._meta.fields if field.choices}
DAYS = {field.name for field in Patient._meta.fields if type(field) is DateField}
MOST = 50  # the newest changes that a card shows


@dataclass(frozen=True)
class Change:
    """One field of a change in words, as people of the clinic's country write the values."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One event in words; `at` is an instant, `who` the person or the name of the token, key or command."""

    at: datetime
    who: str
    channel: str
    what: str
    reason: str
    changes: list[Change]


def story(patient: Patient) -> list[Entry]:
    """Return at most MOST events, newest first. One query; the patient comes with their clinic."""
    labels = {field.name: str(field.verbose_name) for field in Patient._meta.fields}
    return [
        Entry(
            at=event.at,
            who=str(event.user or event.credential),
            channel=event.get_channel_display(),
            what=event.get_kind_display(),
            reason=event.reason,
            changes=[
                Change(labels.get(name, name), *(_written(name, value, patient.clinic) for value in pair))
                for name, pair in event.changes.items()
            ],
        )
        for event in PatientEvent.objects.of(patient.clinic_id)
        .filter(patient=patient)
        .select_related("user")
        .order_by("-at", "-pk")[:MOST]
    ]


def _written(name: str, value: Any, clinic: Clinic) -> str:
    """Return a stored value for people; a value that a redaction has blanked is None on both sides."""
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    if not value:
        return _("vazio")
    if name in PHONES:
        return phones.written(PhoneNumber.from_string(value), clinic.country)
    if name == "cpf":
        return documents.written_cpf(value)
    if name in CHOICES:
        return str(CHOICES[name].get(value, value))
    return f"{date.fromisoformat(value):%d/%m/%Y}" if name in DAYS else str(value)
