"""All that is stored about one person, for a patient who asks for a copy of their data. Reads only.

Law: LGPD art. 18 and 19, RGPD art. 15 and 20. What has a way to the patient is in SECTIONS and CHILDREN, or in
NOT_EXPORTED with the reason (`tests/test_patient_export.py`).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import ForeignKey, GeneratedField, Model, Prefetch, Q, QuerySet
from django.db.transaction import atomic
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from phonenumber_field.phonenumber import PhoneNumber

from clinic.models import (
    AppliedDiscount,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    ConfirmationCall,
    Consent,
    DataRequest,
    Discount,
    Doctor,
    FormerName,
    ImportRow,
    Memo,
    Patient,
    PatientAccess,
    PatientEvent,
    PatientMerge,
    Payer,
    PriorityMark,
    Procedure,
    Recall,
    RecallEvent,
    Receipt,
    RoomCall,
    Series,
    StaffUser,
    WaitingEntry,
    WaitingEvent,
)
from clinic.queries import accesses, history, patient_card, patient_changes
from clinic.queries.receipts import in_words
from clinic.registry import record_ids

FORMAT, VERSION = "clinic-patient-export", 1  # a key that is renamed or leaves makes another version
CHUNK = 200  # rows in memory at a time


class Section(NamedTuple):
    """A key of the file: what it is about, for people, and the rows of which model."""

    about: Any
    model: type[Model]


SECTIONS = {
    "records": Section(gettext_lazy("ficha, e as que foram juntadas a ela"), Patient),
    "former_names": Section(gettext_lazy("nomes anteriores"), FormerName),
    "changes": Section(gettext_lazy("alterações da ficha: quem, quando, de que valor a que valor"), PatientEvent),
    "merges": Section(gettext_lazy("junções de fichas"), PatientMerge),
    "consents": Section(gettext_lazy("consentimentos: canal, para quê, resposta, o que foi perguntado"), Consent),
    "data_requests": Section(gettext_lazy("pedidos sobre os próprios dados"), DataRequest),
    "appointments": Section(gettext_lazy("agendamentos, com procedimentos, pagamentos e histórico"), Appointment),
    "series": Section(gettext_lazy("séries de sessões"), Series),
    "memos": Section(gettext_lazy("recados"), Memo),
    "waiting_list": Section(gettext_lazy("pedidos na fila de espera, com histórico"), WaitingEntry),
    "recalls": Section(gettext_lazy("retornos a lembrar, com histórico"), Recall),
    "spreadsheets": Section(
        gettext_lazy("linhas de planilhas importadas, como vieram; são apagadas depois de 30 dias"), ImportRow
    ),
    "accesses": Section(gettext_lazy("quem viu os dados, quando e em que página"), PatientAccess),
}
# What hangs on a row and stands inside it, by the name of the relation.
CHILDREN: dict[type[Model], dict[str, type[Model]]] = {
    Appointment: {
        "lines": AppointmentProcedure,
        "events": AppointmentEvent,
        "receipts": Receipt,
        "priority_marks": PriorityMark,
        "room_calls": RoomCall,
        "confirmation_call": ConfirmationCall,
    },
    AppointmentProcedure: {"discounts": AppliedDiscount},
    WaitingEntry: {"procedures": Procedure, "doctors": Doctor, "events": WaitingEvent},
    Recall: {"events": RecallEvent},
}
# What a row names by a word, not by an id.
NAMED: tuple[type[Model], ...] = (StaffUser, Doctor, Procedure, Payer, Discount)
# Models with a way to a patient that are in no file, with the reason.
NOT_EXPORTED: dict[str, str] = {
    "StoredAnswer": "repeats an answer to a program for thirty days; its contents are the rows above",
}
# Columns that say nothing of the person: the clinic, a digest that only we can compare, an internal hash, what
# rows of a file are compared by.
LEFT_OUT = {"clinic", "session", "phone_hash", "kept", "keys"}
PROGRAMS_SQL = """
    SELECT credential, count(DISTINCT at), min(at), max(at) FROM clinic_patientaccess
    WHERE patient_id = ANY(%s) AND clinic_id = %s AND credential <> '' GROUP BY credential ORDER BY credential
"""


@dataclass(frozen=True)
class Program:
    """A token or key of an API that was answered with the patient: how often, first and last."""

    name: str
    times: int
    first: datetime
    last: datetime


# As a file ------------------------------------------------------------------------------------------------------------


def as_json(patient: Patient, now: datetime, kept: dict[str, Any] | None = None) -> Iterator[str]:
    """Return the file of a patient in parts, CHUNK rows in memory at a time; the patient comes with their clinic.

    One object: `format`, `version`, `made_at`, `clinic`, `about` (what each section is), then a list for each of
    SECTIONS, and `programs`, the credentials of APIs that read the patient. A row has the names of its columns as keys:
    instants are ISO 8601 in UTC, amounts texts with two decimals in the clinic's currency, phones E.164; of a member of
    the staff, a doctor, a procedure, a payer the name, of another row the id. Of a blocked patient `kept` is what the
    request keeps, under that key. Words are in the clinic's language, whenever the parts are asked for, and all rows
    are of one snapshot, where no transaction runs yet.
    """
    parts, clinic = _parts(patient, now, kept), patient.clinic
    with atomic() if connection.in_atomic_block else _snapshot():
        while True:
            with override(clinic.language):
                part = next(parts, None)
            if part is None:
                return
            yield part


@contextmanager
def _snapshot() -> Iterator[None]:
    with atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _parts(patient: Patient, now: datetime, kept: dict[str, Any] | None) -> Iterator[str]:
    clinic, records = patient.clinic, record_ids(patient)
    undone = patient_changes.undone_merges(clinic, records)
    head: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": now,
        "clinic": {"name": clinic.name, "country": clinic.country, "currency": clinic.currency},
        "about": {key: str(section.about) for key, section in SECTIONS.items()}
        | {"programs": _("programas que leram os dados pelas APIs")},
    }
    if kept is not None:
        head["kept"] = kept
        head["about"] |= {"kept": _("o que o pedido guarda de quem está bloqueado")}
    yield _dumped(head)[:-1]
    for key in SECTIONS:
        yield f", {json.dumps(key)}: ["
        for number, row in enumerate(_rows(key, clinic, records)):
            values = _as_dict(row)
            if isinstance(row, PatientEvent) and patient_changes.is_of_undone_merge(row, undone):
                values["changes"] = {}
            yield (",\n" if number else "\n") + _dumped(values)
        yield "]"
    yield f', "programs": {_dumped([vars(program) for program in programs(patient)])}}}\n'


def _dumped(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _rows(key: str, clinic: Clinic, records: list[int]) -> Iterator[Any]:
    model = SECTIONS[key].model
    rows = _in_full(model).filter(_condition(key, clinic, records), clinic=clinic)
    return rows.order_by("pk").iterator(chunk_size=CHUNK)


def _condition(key: str, clinic: Clinic, records: list[int]) -> Q:
    """Return which rows of a section belong to these records of one person."""
    visits = Appointment.objects.of(clinic).filter(patient__in=records)
    if key == "appointments":
        return Q(patient__in=records, deleted_at=None)
    if key == "records":
        return Q(pk__in=records)
    if key == "merges":
        return Q(kept__in=records, undone_at=None) | Q(merged__in=records, undone_at=None)
    if key == "memos":
        return Q(patient__in=records) | Q(appointment__in=list(visits.values_list("pk", flat=True)))
    if key == "series":
        return Q(pk__in=list(visits.exclude(series=None).order_by().values_list("series", flat=True).distinct()))
    if key == "spreadsheets":
        return Q(patient_id__in=records)
    return Q(patient__in=records)


def _in_full(model: type[Model]) -> QuerySet[Any]:
    """Return all rows with what `_as_dict` reads of them: one query for each kind of children."""
    rows: QuerySet[Any] = model._default_manager.all()
    if named := _named(model):
        rows = rows.select_related(*named)
    children = CHILDREN.get(model, {}).items()
    return rows.prefetch_related(*(Prefetch(name, _in_full(child).order_by("pk")) for name, child in children))


@cache
def _named(model: type[Model]) -> tuple[str, ...]:
    """Return the columns of rows that are given by name."""
    keys = (field for field in model._meta.concrete_fields if isinstance(field, ForeignKey))
    return tuple(field.name for field in keys if issubclass(field.related_model, NAMED))


def _as_dict(row: Model) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        if field.name in LEFT_OUT or isinstance(field, GeneratedField):
            continue
        if field.name in _named(type(row)):
            related = getattr(row, field.name)
            values[field.name] = str(related) if related else None
        else:
            values[field.name] = _plain(field.value_from_object(row))
    for name, model in CHILDREN.get(type(row), {}).items():
        values[name] = _children(row, name, model)
    return values


def _children(row: Model, name: str, model: type[Model]) -> Any:
    if row._meta.get_field(name).one_to_one:
        child = getattr(row, name, None)
        return _as_dict(child) if child else None
    children = getattr(row, name).all()
    return [str(child) if issubclass(model, NAMED) else _as_dict(child) for child in children]


def _plain(value: Any) -> Any:
    return value.as_e164 if isinstance(value, PhoneNumber) else value


# For people -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """An appointment with its receipts and its history in words, newest first."""

    appointment: Appointment
    receipts: list[str]
    events: list[history.Entry]


@dataclass(frozen=True)
class Readable:
    """The same in words, each list the newest first; `records` are the labels and values of each record that is not
    empty."""

    records: list[list[tuple[str, str]]]
    former_names: list[str]
    visits: list[Visit]
    changes: list[patient_changes.Entry]
    consents: list[Consent]
    memos: list[Memo]
    waiting: list[WaitingEntry]
    recalls: list[Recall]
    seen: list[accesses.Seen]
    programs: list[Program]


def readable(patient: Patient) -> Readable:
    """Return what is stored of a patient in words. A fixed number of queries, but one for each ROWS rows of who looked;
    the patient comes with their clinic and their payer."""
    clinic, ids = patient.clinic, record_ids(patient)

    def rows(key: str) -> list[Any]:
        return sorted(_rows(key, clinic, ids), key=lambda row: -row.pk)

    return Readable(
        records=[patient_changes.filled(record) for record in _rows("records", clinic, ids)],
        former_names=patient_card.former_names(patient),
        visits=[_visit(row, clinic) for row in sorted(rows("appointments"), key=lambda row: row.starts_at)[::-1]],
        changes=patient_changes.story(patient, most=None, undone=patient_changes.undone_merges(clinic, ids)),
        consents=rows("consents"),
        memos=rows("memos"),
        waiting=rows("waiting_list"),
        recalls=rows("recalls"),
        seen=list(_everyone_who_saw(patient)),
        programs=programs(patient),
    )


def _visit(appointment: Appointment, clinic: Clinic) -> Visit:
    appointment.clinic = clinic
    events = sorted(appointment.events.all(), key=lambda event: (event.at, event.pk), reverse=True)
    for event in events:
        event.clinic = clinic
    receipts = [in_words(vars(receipt), clinic) for receipt in appointment.receipts.all()]
    return Visit(appointment, receipts, history.entries(events, clinic.zone))


def _everyone_who_saw(patient: Patient) -> Iterator[accesses.Seen]:
    rows, before = accesses.seen_by(patient)
    yield from rows
    while before:
        rows, before = accesses.seen_by(patient, before=before)
        yield from rows


def programs(patient: Patient) -> list[Program]:
    """Return the credentials of APIs that were answered with the patient. At most three queries."""
    with connection.cursor() as cursor:
        cursor.execute(PROGRAMS_SQL, [record_ids(patient), patient.clinic_id])
        return [Program(*row) for row in cursor.fetchall()]
