"""The history of a patient's data, for the card. Reads only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic.models import Clinic, Patient, PatientEvent, PatientMerge, Payer, documents, phones
from clinic.models.patient import DATES
from clinic.registry import details_of, record_ids

PAYER = "payer_id"
PHONES = {"phone", "second_phone"}
CHOICES = {field.name: dict(field.flatchoices) for field in Patient._meta.fields if field.choices}
LABELS = {field.attname: field.verbose_name for field in Patient._meta.fields}
MAX_SHOWN = 50  # the newest changes that a card shows


@dataclass(frozen=True)
class Change:
    """One field of a change in words, as people of the clinic's country write the values."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """One event in words; `at` is an instant, `who` the person or the name of the token, key or command, `of` the name
    of a merged patient whose event it is."""

    at: datetime
    who: str
    channel: str
    what: str
    reason: str
    of: str
    changes: list[Change]


def story(patient: Patient, *, most: int | None = MAX_SHOWN, undone: Collection[datetime] = ()) -> list[Entry]:
    """Return at most `most` events, None for all, newest first, those of merged patients among them: their `of` is the
    name. Of merges that were `undone` no values. Two queries, three where a payer was changed; the patient comes with
    their clinic."""
    events = list(
        PatientEvent.objects.of(patient.clinic_id)
        .filter(patient__in=record_ids(patient))
        .select_related("user", "patient")
        .order_by("-at", "-pk")[:most]
    )
    names = names_of_payers(patient.clinic, events)
    return [
        Entry(
            at=event.at,
            who=str(event.user or event.credential),
            channel=event.get_channel_display(),
            what=event.get_kind_display(),
            reason=event.reason,
            of=event.patient.display_name if event.patient_id != patient.pk else "",
            changes=[] if is_of_undone_merge(event, undone) else in_words(event, patient.clinic, names),
        )
        for event in events
    ]


def undone_merges(clinic: Clinic, records: Collection[int]) -> set[datetime]:
    """Return when these records were merged with others, and when that was undone: those are other people. One
    query."""
    of_records = Q(kept__in=records) | Q(merged__in=records)
    rows = PatientMerge.objects.of(clinic).filter(of_records, undone_at__isnull=False).order_by("pk")
    return {at for pair in rows.values_list("at", "undone_at") for at in pair if at}


def is_of_undone_merge(event: PatientEvent, undone: Collection[datetime]) -> bool:
    """Return whether the event is one of the moments of `undone_merges`: its values are another person's too."""
    return event.kind in {PatientEvent.Kind.MERGED, PatientEvent.Kind.SEPARATED} and event.at in undone


def in_words(event: PatientEvent, clinic: Clinic, payers: Mapping[int, str]) -> list[Change]:
    """Return what the event changed; `payers` are `names_of_payers`."""
    return [
        Change(
            str(LABELS.get(name, name)),
            *(_written(name, payers.get(value) if name == PAYER else value, clinic) for value in pair),
        )
        for name, pair in event.changes.items()
    ]


def filled(patient: Patient) -> list[tuple[str, str]]:
    """Return the labels and values of a patient's data that are not empty, in the order of PatientDetails. No query;
    the patient comes with their clinic and payer."""
    values = asdict(details_of(patient)) | {"died": patient.died or None}
    if patient.payer:
        values[PAYER] = patient.payer.name
    return labelled(values, patient.clinic)


def labelled(values: Mapping[str, Any], clinic: Clinic) -> list[tuple[str, str]]:
    """Return labels and texts of values, by the names of PatientDetails, that are not empty; of a payer the name."""
    given = {name: value for name, value in values.items() if value not in ("", None)}
    texts = {name: str(value) if isinstance(value, date) else value for name, value in given.items()}
    return [(str(LABELS[name]), _written(name, value, clinic)) for name, value in texts.items()]


def names_of_payers(clinic: Clinic, events: Iterable[PatientEvent]) -> dict[int, str]:
    """Return the names by the ids of the payers that the events name."""
    ids = {pk for event in events for pk in event.changes.get(PAYER, ()) if pk}
    return dict(Payer.objects.of(clinic).filter(pk__in=ids).values_list("pk", "name")) if ids else {}


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
    return f"{date.fromisoformat(value):%d/%m/%Y}" if name in DATES else str(value)
