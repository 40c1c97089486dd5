"""What everybody did in a clinic: the events of appointments, patients, the waiting list, recalls and the clinic, and
the noted changes of memos and of the set-up, in one list by time. Reads only.

Each source is read by an index of (clinic, what is filtered by, at), newest first and never further than a page; one
statement merges them. One table for all would have to be written by every booking besides the event that undo reads.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, F, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic.models import (
    AppointmentEvent,
    Clinic,
    ClinicEvent,
    Memo,
    PatientEvent,
    RecallEvent,
    RowChange,
    StaffLink,
    WaitingEvent,
)
from clinic.models.row_change import IN_WORDS, PROGRAMS
from clinic.models.titles import with_title
from clinic.queries import list_changes, patient_changes, row_changes
from clinic.queries.history import sentence, sentence_of_clinic
from clinic.queries.patient_changes import Change

ROWS = 50  # of a page
# The sources, numbered by the order of what happened at one instant.
NUMBERS = {"espera": 7, "retorno": 6, "recado": 5, "visita": 4, "ficha": 3, "clinica": 2, "dados": 1}
# Their clinic is what the access log takes.
PATIENT_IN_WORDS = ("clinic", "name", "social_name", "blocked_at")
WITHOUT_DOCTOR = {"ficha", "espera", "retorno", "recado"}
# A memo that went over to the patient who was kept of two: nothing of it that is shown is another.
WITHOUT_WORDS = Q(act=RowChange.Act.CHANGED, before__day=F("after__day")) & ~Q(
    after__has_any_keys=["done_at", *(column for column in list_changes.SHOWN_OF_MEMO if column != "day")]
)
# What people change of the directory is in its rows.
DIRECTORY_BY_PEOPLE = Q(kind=ClinicEvent.Kind.DIRECTORY) & ~Q(channel__in=PROGRAMS)
# Links that had opened nothing for a month (`staff_links.forget`); no page deletes one, and of an open invitation it is
# shown.
PURGED = Q(table="stafflink", act=RowChange.Act.REMOVED) & ~Q(
    before__contains={"kind": StaffLink.Kind.INVITATION, "used_at": None, "revoked_at": None}
)
# In the orders in which lists show them; a user without a name is shown by the user name.
CHOICES_SQL = """
    SELECT what, id, title, name FROM (
        SELECT 'doctors', id, title, name, sort_name FROM clinic_doctor WHERE clinic_id = %(clinic)s
        UNION ALL
        SELECT 'users', id, '', coalesce(nullif(name, ''), username), name FROM clinic_staffuser
        WHERE clinic_id = %(clinic)s
        UNION ALL
        SELECT 'keys', id, '', name, name FROM clinic_apikey WHERE clinic_id = %(clinic)s
    ) AS choice (what, id, title, name, place)
    ORDER BY place, id
"""

# In groups: (label, [(value, label)]).
type Kinds = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class Position:
    """The last row of a page: its instant, the number of its source in NUMBERS, and its id."""

    at: datetime
    table: int
    pk: int


@dataclass(frozen=True)
class Wanted:
    """What is asked of the list; None and "" are no filter. `kind` is a key of NUMBERS, alone or with a kind after a
    dot: `visita.booked`, `dados.procedure`. `status` is what an appointment became. `doctor` is that
    of the appointment before or after, or of the set-up that was changed. `since` and `until` are instants,
    half-open."""

    clinic: Clinic
    kind: str = ""
    status: str = ""
    doctor: int | None = None
    user: int | None = None
    credential: str = ""
    channel: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass
class Entry:
    """One act in words. `about` is what it was done to, and `page` the route and id to look at it, None for none. Of a
    blocked patient there is nothing but who did an act of which kind.
    `rows` are further rows of the set-up that the same transaction changed."""

    at: datetime
    kind: str
    about: str
    page: tuple[str, int] | None
    what: str
    changes: list[Change]
    who: str
    channel: str
    request_id: str = ""
    rows: "list[Entry]" = field(default_factory=list)


def entries(
    wanted: Wanted, *, before: Position | None = None, limit: int = ROWS
) -> tuple[list[Entry], Position | None]:
    """Return at most `limit` rows, newest first, as entries, those after the position `before`; and the position to ask
    for older ones by, None without any. Only rows of the page are loaded, and of them what their words need. At most 15
    queries, whatever `limit` is."""
    found = _newest(wanted, before, limit + 1)
    of_page = found[:limit]
    return _in_words(wanted.clinic, _loaded(wanted.clinic, of_page)), of_page[-1] if len(found) > limit else None


def _newest(wanted: Wanted, before: Position | None, limit: int) -> list[Position]:
    """Return where the newest rows are that the filters let through, at most `limit`. One query."""
    rows = _positions(wanted, before, limit)
    return [] if rows is None else [Position(*row) for row in rows]


def _positions(wanted: Wanted, before: Position | None, limit: int) -> QuerySet[Any, Any] | None:
    """Return instant, source and id of the newest rows, at most `limit`; None where no source has any. Of each part no
    more than `limit` rows are read, by an index of its own, and a row that two parts have is one."""
    parts = [
        _after(rows, number, before)
        .order_by("-at", "-pk")
        .annotate(source=Value(number))
        .values_list("at", "source", "pk")[:limit]
        for name, number in NUMBERS.items()
        for rows in _rows(wanted, name)
    ]
    if not parts:
        return None
    first, *others = parts
    rows: QuerySet[Any, Any] = first
    return rows.union(*others).order_by("-at", "-source", "-pk")[:limit] if others else rows


def _loaded(clinic: Clinic, positions: Sequence[Position]) -> list[Any]:
    """Return the rows at these positions with what their words need. A query a source."""
    loaded: dict[int, dict[int, Any]] = {}
    for name, number in NUMBERS.items():
        ids = [position.pk for position in positions if position.table == number]
        loaded[number] = _ROWS[name].of(clinic).in_bulk(ids) if ids else {}
    rows = (loaded[position.table].get(position.pk) for position in positions)
    return [row for row in rows if row is not None]


def _after(rows: QuerySet[Any], number: int, before: Position | None) -> QuerySet[Any]:
    if before is None:
        return rows
    if number == before.table:
        return rows.filter(at__lte=before.at).filter(Q(at__lt=before.at) | Q(pk__lt=before.pk))
    return rows.filter(at__lte=before.at) if number < before.table else rows.filter(at__lt=before.at)


def _rows(wanted: Wanted, name: str) -> list[QuerySet[Any]]:
    """Return the filtered rows of a source; those of a doctor in parts, each with an index of its own."""
    asked, _dot, kind = wanted.kind.partition(".")
    only_appointments = bool(wanted.status) and name != "visita"
    if only_appointments or (asked and asked != name):
        return []
    rows = _of_author(_SOURCES[name](wanted, kind), wanted)
    if wanted.doctor is None:
        return [rows]
    if name in WITHOUT_DOCTOR:
        return []
    if name == "visita":
        return [rows.filter(doctor=wanted.doctor), _moved_from(rows, wanted.doctor)]
    key = "doctor" if name == "clinica" else "doctor_id"
    named = [
        _where(rows.filter(**{f"{side}__has_key": key}), KeyTextTransform(key, side), str(wanted.doctor))
        for side in ("before", "after")
    ]
    return named if name == "clinica" else [*named, rows.filter(table="doctor", row=wanted.doctor)]


def _of_author(rows: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    chosen: dict[str, Any] = {
        "user": wanted.user,
        "credential": wanted.credential or None,
        "channel": wanted.channel or None,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
    }
    return rows.filter(**{name: value for name, value in chosen.items() if value is not None})


def _of_appointments(wanted: Wanted, kind: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = AppointmentEvent.objects.of(wanted.clinic)
    if wanted.status:
        changed = rows.filter(kind=AppointmentEvent.Kind.STATUS_CHANGED)
        rows = _where(changed, KeyTextTransform("status", "after"), wanted.status)
    return rows.filter(kind=kind) if kind else rows


def _moved_from(rows: QuerySet[Any], doctor: int) -> QuerySet[Any]:
    moved = rows.filter(kind=AppointmentEvent.Kind.RESCHEDULED)
    return _where(moved, Cast(KeyTextTransform("doctor", "before"), BigIntegerField()), doctor)


def _where(rows: QuerySet[Any], expression: Any, value: Any) -> QuerySet[Any]:
    """Return the rows of which the expression has that value: written as in the index of it."""
    return rows.filter(Exact(expression, value))


def _of_patients(wanted: Wanted, kind: str) -> QuerySet[Any]:
    rows = PatientEvent.objects.of(wanted.clinic)
    return rows.filter(kind=kind) if kind else rows


def _of_clinic(wanted: Wanted, kind: str) -> QuerySet[Any]:
    rows = ClinicEvent.objects.of(wanted.clinic).exclude(DIRECTORY_BY_PEOPLE)
    return rows.filter(kind=kind) if kind else rows


def _of_waiting_list(wanted: Wanted, kind: str) -> QuerySet[Any]:
    rows = WaitingEvent.objects.of(wanted.clinic)
    return rows.filter(kind=kind) if kind else rows


def _of_recalls(wanted: Wanted, kind: str) -> QuerySet[Any]:
    rows = RecallEvent.objects.of(wanted.clinic)
    return rows.filter(kind=kind) if kind else rows


def _of_memos(wanted: Wanted, kind: str) -> QuerySet[Any]:
    rows = RowChange.objects.of(wanted.clinic).filter(table=list_changes.MEMO).exclude(WITHOUT_WORDS)
    return rows.filter(act=kind) if kind else rows


def _of_set_up(wanted: Wanted, kind: str) -> QuerySet[Any]:
    rows = RowChange.objects.of(wanted.clinic).exclude(PURGED)
    if kind:
        return rows.filter(table=kind)
    return rows.exclude(table=list_changes.MEMO).exclude(IN_WORDS)


_SOURCES: dict[str, Callable[[Wanted, str], QuerySet[Any]]] = {
    "visita": _of_appointments,
    "ficha": _of_patients,
    "clinica": _of_clinic,
    "dados": _of_set_up,
    "espera": _of_waiting_list,
    "retorno": _of_recalls,
    "recado": _of_memos,
}


def _with_words(model: Any, *columns: str, patient: str = "") -> Any:
    """Return a model's rows with only what their words need: these columns and who did it, and of the patient, whose
    place is `patient`, the name and whether they are blocked."""
    who = ("at", "channel", "credential", "user__name", "user__username")
    of_patient = [f"{patient}__{column}" for column in PATIENT_IN_WORDS] if patient else []
    related = ["user", patient] if patient else ["user"]
    return model.objects.select_related(*related).only(*columns, *who, *of_patient).order_by()


_NOTED = _with_words(RowChange, "table", "row", "act", "request_id", "transaction", "before", "after")
_ROWS: dict[str, Any] = {
    "visita": _with_words(
        AppointmentEvent,
        *("kind", "before", "after"),
        *("appointment__starts_at", "appointment__doctor_name", "appointment__deleted_at"),
        patient="appointment__patient",
    ),
    "ficha": _with_words(PatientEvent, "kind", "changes", "reason", patient="patient"),
    "clinica": _with_words(ClinicEvent, "kind", "before", "after"),
    "dados": _NOTED,
    "espera": _with_words(WaitingEvent, "kind", "before", "after", patient="entry__patient"),
    "retorno": _with_words(RecallEvent, "kind", "before", "after", patient="recall__patient"),
    "recado": _NOTED,
}


def _in_words(clinic: Clinic, rows: Sequence[Any]) -> list[Entry]:
    """Return an entry for each row, and one for all rows of the set-up that one transaction changed."""
    noted = [row for row in rows if isinstance(row, RowChange)]
    names = row_changes.names_for(clinic, noted, list_changes.referred(rows))
    memos = _memos(clinic, [row for row in noted if row.table == list_changes.MEMO])
    payers = patient_changes.names_of_payers(clinic, [row for row in rows if isinstance(row, PatientEvent)])
    written: list[Entry] = []
    acts: dict[int, Entry] = {}
    for row in rows:
        row.clinic = clinic
        if isinstance(row, RowChange) and row.table == list_changes.MEMO:
            entry = _of_memo(row, clinic, names, memos.get(row.row or 0))
        elif isinstance(row, RowChange):
            entry = _of_row(row, clinic, names)
            if first := acts.get(row.transaction):
                first.rows.append(entry)
                continue
            acts[row.transaction] = entry
        elif isinstance(row, PatientEvent):
            entry = _of_patient(row, clinic, payers)
        elif isinstance(row, WaitingEvent | RecallEvent):
            entry = _of_list(row, clinic, names)
        else:
            entry = _of_appointment(row, clinic) if isinstance(row, AppointmentEvent) else _of_clinic_event(row)
        written.append(entry)
    return written


def _entry(row: Any, **values: Any) -> Entry:
    who = str(row.user or row.credential)
    blank: dict[str, Any] = {"about": "", "page": None, "what": "", "changes": []}
    # `get_channel_display` and `get_kind_display` translate all choices for each row.
    return Entry(at=row.at, who=who, channel=str(RowChange.Channel(row.channel).label), **blank | values)


def _kind(row: Any) -> str:
    return str(row.Kind(row.kind).label)


def _of_appointment(row: AppointmentEvent, clinic: Clinic) -> Entry:
    appointment = row.appointment
    when, is_blocked = clinic.local(appointment.starts_at), appointment.patient.blocked_at is not None
    about = f"{appointment.patient.display_name}, {when:%d/%m/%Y %H:%M}, {appointment.doctor_name}"
    words: dict[str, Any] = {}
    if not is_blocked:
        page = None if appointment.deleted_at else ("web:appointment-detail", appointment.pk)
        words = {"page": page, "what": sentence(row, clinic.zone)}
    return _entry(row, kind=_kind(row), about=about, **words)


def _of_patient(row: PatientEvent, clinic: Clinic, payers: dict[int, str]) -> Entry:
    kind = _("Paciente: %(what)s") % {"what": _kind(row).lower()}
    words: dict[str, Any] = {}
    if row.patient.blocked_at is None:
        changes = patient_changes.in_words(row, clinic, payers)
        words = {"page": ("web:patient-detail", row.patient_id), "what": row.reason, "changes": changes}
    return _entry(row, kind=kind, about=row.patient.display_name, **words)


def _of_list(row: WaitingEvent | RecallEvent, clinic: Clinic, names: row_changes.Names) -> Entry:
    """Return what was done with a request of the waiting list or with a recall."""
    if isinstance(row, WaitingEvent):
        kind, patient, changes = (
            _("Fila de espera: %(what)s"),
            row.entry.patient,
            list_changes.of_waiting(row, clinic, names),
        )
    else:
        kind, patient, changes = _("Retorno: %(what)s"), row.recall.patient, list_changes.of_recall(row, names)
    words: dict[str, Any] = {}
    if patient.blocked_at is None:
        booked = row.after.get("appointment") if row.kind == row.Kind.BOOKED else None
        page = ("web:appointment-detail", booked) if booked else ("web:patient-detail", patient.pk)
        words = {"page": page, "changes": changes}
    return _entry(row, kind=kind % {"what": _kind(row).lower()}, about=patient.display_name, **words)


def _memos(clinic: Clinic, rows: Sequence[RowChange]) -> dict[int, Memo]:
    """Return the memos that these rows changed, by id, but for deleted ones, with the patient that they are about."""
    of_patient = [f"{place}__{column}" for place in ("patient", "appointment__patient") for column in PATIENT_IN_WORDS]
    found = Memo.objects.of(clinic).select_related("patient", "appointment__patient").only("name", *of_patient)
    return found.in_bulk({row.row for row in rows if row.row}) if rows else {}


def _of_memo(row: RowChange, clinic: Clinic, names: row_changes.Names, memo: Memo | None) -> Entry:
    """Return what was done with a memo. What people wrote in it is noted nowhere: a redaction blanks it."""
    patient = None if memo is None else memo.appointment.patient if memo.appointment else memo.patient
    about = patient.display_name if patient else memo.name if memo else ""
    kind = _("Recado: %(what)s") % {"what": list_changes.act_of_memo(row)}
    words: dict[str, Any] = {}
    if patient is None or patient.blocked_at is None:
        page = ("web:patient-detail", patient.pk) if patient else None
        words = {"page": page, "changes": _changes_of(row, clinic, names, only=list_changes.SHOWN_OF_MEMO)}
    return _entry(row, kind=kind, about=about, request_id=str(row.request_id or ""), **words)


def _of_clinic_event(row: ClinicEvent) -> Entry:
    return _entry(row, kind=_kind(row), what=sentence_of_clinic(row))


def _of_row(row: RowChange, clinic: Clinic, names: row_changes.Names) -> Entry:
    label = row_changes.label_of(row.table)
    changes = _changes_of(row, clinic, names)
    act = row_changes.ACTS[RowChange.Act(row.act)]
    kind = _("%(what)s: %(act)s") % {"what": label[:1].upper() + label[1:], "act": act}
    return _entry(
        row, kind=kind, about=row_changes.subject(row, names), changes=changes, request_id=str(row.request_id or "")
    )


def _changes_of(
    row: RowChange, clinic: Clinic, names: row_changes.Names, only: Collection[str] | None = None
) -> list[Change]:
    """Return from what to what, `only` of these columns if given; of a row that was added or removed, what it was."""
    changes = row_changes.in_words(row, clinic, names, only)
    if row.act == RowChange.Act.CHANGED:
        return changes
    side = "after" if row.act == RowChange.Act.ADDED else "before"
    return [replace(change, before="", after=getattr(change, side)) for change in changes]


def as_text(entry: Entry) -> str:
    """Return from what to what as one line, for files."""
    parts = [entry.what] if entry.what else []
    for change in entry.changes:
        values = f"{change.before} → {change.after}" if change.before else change.after
        parts.append(f"{change.label}: {values}")
    for row in entry.rows:
        parts.append(f"{row.kind} {row.about}: {as_text(row)}")
    return "; ".join(parts)


@dataclass(frozen=True)
class Choices:
    """What the filters offer: the names of the doctors, the users and the keys of the clinic, by id."""

    doctors: dict[int, str]
    users: dict[int, str]
    keys: dict[int, str]


def choices_of(clinic: Clinic) -> Choices:
    """Return what the filters offer, those that have left among them. One query."""
    found: dict[str, dict[int, str]] = {"doctors": {}, "users": {}, "keys": {}}
    with connection.cursor() as cursor:
        cursor.execute(CHOICES_SQL, {"clinic": clinic.pk})
        for what, pk, title, name in cursor.fetchall():
            found[what][pk] = with_title(title, name)
    return Choices(**found)


def kinds() -> Kinds:
    """Return what can be asked for as `kind`, in the active language."""
    return _kinds(get_language())


@cache
def _kinds(_language: str | None) -> Kinds:
    """Translate more than a hundred names once in a process for each language, instead of on every page."""
    tables = sorted((row_changes.label_of(table), table) for table in row_changes.MODELS if table != list_changes.MEMO)
    of_memos = [(RowChange.Act.ADDED, _("Escrito")), (RowChange.Act.CHANGED, _("Feito, reaberto ou alterado"))]
    return (
        (_("Agendamentos"), _group("visita", _("Todos os agendamentos"), AppointmentEvent.Kind.choices)),
        (_("Pacientes"), _group("ficha", _("Todas as fichas"), PatientEvent.Kind.choices)),
        (_("Fila de espera"), _group("espera", _("Toda a fila de espera"), WaitingEvent.Kind.choices)),
        (_("Retornos"), _group("retorno", _("Todos os retornos"), RecallEvent.Kind.choices)),
        (_("Recados"), _group("recado", _("Todos os recados"), of_memos)),
        (_("Clínica"), _group("clinica", _("Tudo da clínica"), ClinicEvent.Kind.choices)),
        (
            _("Configuração, linha por linha"),
            _group("dados", _("Toda a configuração"), [(table, label) for label, table in tables]),
        ),
    )


def _group(name: str, whole: str, choices: Iterable[tuple[Any, Any]]) -> tuple[tuple[str, str], ...]:
    return (name, whole), *((f"{name}.{value}", str(label)) for value, label in choices)
