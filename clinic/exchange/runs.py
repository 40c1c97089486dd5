"""A spreadsheet on its way into the clinic: read, checked, imported, taken back, each in batches.

No job in the background is needed: what wants a run to go on, its page or a command, calls `advance` until it
is no longer under way. A batch, and the number of the row after which the next one begins, are one transaction, so a
process that is killed in the middle leaves a run that goes on where it stood: nothing twice, nothing lost.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import IO

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.exchange.columns import is_month_first
from clinic.exchange.faults import ImportRefused, empty
from clinic.exchange.files import open_sheet
from clinic.exchange.kinds import kind_of
from clinic.models import Clinic, ClinicEvent, ImportRow, ImportRun, shown
from clinic.models.import_run import ROWS_KEPT
from clinic.models.limits import max_length
from clinic.models.locks import get_locked
from clinic.registry import Author, record_change
from clinic.transactions import run_in_transaction

BATCH = 500
LOOKED_AT = 60  # rows, for the headings and for what the columns are
MAX_NAME_LENGTH, MAX_SHEET_LENGTH = max_length(ImportRun, "file_name"), max_length(ImportRun, "sheet")
State = ImportRun.State
NOT_IMPORTED = {State.READ, State.CHECKING, State.CHECKED}
WRITING = [State.IMPORTING, State.TAKING_BACK]
RECORDED = [*WRITING, State.IMPORTED, State.TAKEN_BACK]
COPY_SQL = "COPY clinic_importrow (clinic_id, run_id, number, cells) FROM STDIN"
RESET_SQL = """
    UPDATE clinic_importrow SET fate = '', changes = '{}', sentences = '[]', keys = '{}', patient_id = NULL,
        doctor_id = NULL, starts_at = NULL, ends_at = NULL, procedure_id = NULL
    WHERE run_id = %s AND fate <> ''
"""
STORE_SQL = """
    UPDATE clinic_importrow AS stored SET fate = row.fate, changes = row.changes, sentences = row.sentences,
        keys = row.keys, patient_id = row.patient_id, version = row.version, doctor_id = row.doctor_id,
        starts_at = row.starts_at, ends_at = row.ends_at, appointment_id = row.appointment_id,
        procedure_id = row.procedure_id
    FROM jsonb_to_recordset(%s::jsonb) AS row (
        id bigint, fate text, changes jsonb, sentences jsonb, keys text[], patient_id bigint, version text,
        doctor_id bigint, starts_at timestamptz, ends_at timestamptz, appointment_id bigint,
        procedure_id bigint
    ) WHERE stored.id = row.id
"""
STORED = (
    "id", "fate", "changes", "sentences", "keys", "patient_id", "version", "doctor_id", "starts_at", "ends_at",
    "appointment_id", "procedure_id",
)  # fmt: skip


def stage(
    file: IO[bytes], file_name: str, *, clinic: Clinic, by: Author, kind: str = ImportRun.Kind.PATIENTS
) -> ImportRun:
    """Read a file of this kind into the database and return its run, with the columns guessed. One transaction; the
    file stays open and is not kept. Raises ImportRefused."""
    columns = kind_of(kind).columns
    sheet = open_sheet(file)
    rows = iter(sheet.rows)
    first = list(islice(rows, LOOKED_AT))
    if not first:
        raise empty()
    place = columns.heading_row([cells for _number, cells in first], clinic.country)
    body = first[place + 1 :]
    width = max(len(cells) for _number, cells in first[place:])
    headings = first[place][1] + [""] * (width - len(first[place][1]))
    with transaction.atomic():
        run = ImportRun.objects.create(
            clinic=clinic,
            kind=kind,
            channel=by.channel,
            user=by.user,
            credential=by.credential,
            file_name=_short(file_name, MAX_NAME_LENGTH),
            file_format=sheet.file_format,
            encoding=sheet.encoding,
            separator=sheet.separator,
            sheet=_short(sheet.sheet, MAX_SHEET_LENGTH),
            headings=headings,
            columns=columns.guess(headings, [cells for _number, cells in body], clinic.country),
        )
        mixed: set[int] = set()
        run.total = _copy(run, chain(body, rows), mixed)
        if not run.total:
            raise ImportRefused(_("O arquivo só tem a linha dos títulos. Exporte a planilha de novo, com os dados."))
        run.mixed = sorted(mixed)
        run.save(update_fields=["total", "mixed"])
    return run


def choose_columns(
    run_id: int, columns: Sequence[str], *, month_first: Sequence[int], overwrites: bool, clinic: Clinic
) -> ImportRun:
    """Choose the columns of a run that is not imported yet, and have it checked anew from its first row on.

    Locks the run. Raises ImportRefused, Refused (TRY_AGAIN) and ImportRun.DoesNotExist."""

    def work() -> ImportRun:
        run = _locked(run_id, clinic)
        if run.state not in NOT_IMPORTED:
            raise ImportRefused(_("Esta planilha já foi importada."))
        if fault := kind_of(run.kind).columns.fault(columns):
            raise ImportRefused(fault)
        with connection.cursor() as cursor:
            cursor.execute(RESET_SQL, [run.pk])
        run.columns, run.month_first, run.overwrites = list(columns), list(month_first), overwrites
        run.state, run.number = State.CHECKING, 0
        run.save()
        return run

    return run_in_transaction(work)


def begin(run_id: int, *, clinic: Clinic, by: Author, seen: str | None = None) -> ImportRun:
    """Begin to import a run that was checked. Of a clinic one run writes at a time. `seen` is the `choices` of the run
    whose check a person has looked at: with it, what was checked another way since is not imported.

    Locks the run. Raises ImportRefused, Refused (TRY_AGAIN) and ImportRun.DoesNotExist."""

    def change(run: ImportRun) -> None:
        if run.state != State.CHECKED:
            raise ImportRefused(_("Esta planilha ainda não foi conferida, ou já foi importada."))
        if seen not in (None, run.choices):
            raise ImportRefused(_("As colunas mudaram em outra janela. Veja de novo o que acontece com cada linha."))
        run.state, run.imported_at = State.IMPORTING, timezone.now()
        run.channel, run.user, run.credential = by.channel, by.user, by.credential

    return _change_writing(run_id, clinic, change, by)


def take_back(run_id: int, *, clinic: Clinic, by: Author) -> ImportRun:
    """Begin to take back a run that was imported, as a whole or until it was interrupted.

    Locks the run. Raises ImportRefused, Refused (TRY_AGAIN) and ImportRun.DoesNotExist."""

    def change(run: ImportRun) -> None:
        if run.state != State.IMPORTING and not run.can_be_taken_back(timezone.now()):
            raise ImportRefused(_("Uma importação só se desfaz até %(days)s dias depois.") % {"days": ROWS_KEPT.days})
        run.state, run.taken_back_at, run.taken_back_by = State.TAKING_BACK, timezone.now(), by.user

    return _change_writing(run_id, clinic, change, by)


def discard(run_id: int, *, clinic: Clinic) -> None:
    """Delete a run that was not imported, with its rows. Raises ImportRefused and ImportRun.DoesNotExist."""

    def work() -> None:
        run = _locked(run_id, clinic)
        if run.state not in NOT_IMPORTED:
            raise ImportRefused(_("Esta planilha já foi importada."))
        ImportRow.objects.of(clinic).filter(run=run).delete()
        run.delete()

    run_in_transaction(work)


def advance(run_id: int, *, clinic: Clinic, by: Author, seconds: float = 0.0) -> ImportRun:
    """Work through one batch of a run, and through more until so many seconds are over; return the run.

    Each batch is a transaction, which locks the run and the patients that it writes. A run that is not under way is
    returned as it is. What is read here is shown to nobody. Raises Refused (TRY_AGAIN) and ImportRun.DoesNotExist."""
    until = time.monotonic() + seconds
    with shown.choosing():
        run = run_in_transaction(lambda: _one_batch(run_id, clinic, by))
        while run.is_under_way and time.monotonic() < until:
            run = run_in_transaction(lambda: _one_batch(run_id, clinic, by))
    return run


def forget_rows(now: datetime) -> int:
    """Delete the rows of the runs, of all clinics, that can no longer be taken back at `now`, and whole runs that were
    not imported for so long; return how many runs lost rows. Who imported which file, and when, stays.

    A run that is being written keeps its rows until it is at its end, however long that takes. Each run is locked in a
    transaction of its own; one that another transaction holds is left for the next time."""
    with_rows = Exists(ImportRow.objects.filter(run=OuterRef("pk")))
    found = _forgettable(now).order_by("pk").values_list("pk", with_rows, "imported_at")
    wanted = [pk for pk, has_rows, imported_at in found if has_rows or imported_at is None]
    return sum(_forget(pk, now) for pk in wanted)


def _forgettable(now: datetime) -> QuerySet[ImportRun]:
    old = ImportRun.objects.filter(at__lt=now - ROWS_KEPT).exclude(state__in=WRITING)
    return old.exclude(state=State.IMPORTED, imported_at__gte=now - ROWS_KEPT)


def _forget(run_id: int, now: datetime) -> bool:
    """Return whether there were rows."""
    with transaction.atomic():
        run = _forgettable(now).filter(pk=run_id).select_for_update(skip_locked=True).first()
        if run is None:
            return False
        deleted, _by_model = ImportRow.objects.filter(run=run).delete()
        if run.imported_at is None:
            run.delete()
    return deleted > 0


def _one_batch(run_id: int, clinic: Clinic, by: Author) -> ImportRun:
    run = _locked(run_id, clinic)
    if not run.is_under_way:
        return run
    rows = list(run.rows.filter(number__gt=run.number).order_by("number")[:BATCH])
    if not rows:
        run.state, run.number = _NEXT[run.state], 0
        _record(run, by)
    else:
        rows = _work(run, rows, clinic, by)
        _store(rows)
        run.number = rows[-1].number
    run.save(update_fields=["state", "number"])
    return run


def _work(run: ImportRun, rows: list[ImportRow], clinic: Clinic, by: Author) -> list[ImportRow]:
    """Do with the rows what the state of the run is about, or with the first of them; return those."""
    kind = kind_of(run.kind)
    if run.state == State.CHECKING:
        kind.check(run, rows, clinic, by)
    elif run.state == State.TAKING_BACK:
        kind.take_back(run, rows, clinic, by)
    else:
        rows = kind.portion(rows)
        kind.import_rows(run, rows, clinic, by)
    return rows


_NEXT: dict[str, str] = {
    State.CHECKING: State.CHECKED,
    State.IMPORTING: State.IMPORTED,
    State.TAKING_BACK: State.TAKEN_BACK,
}


def _locked(run_id: int, clinic: Clinic) -> ImportRun:
    return get_locked(ImportRun.objects.of(clinic).filter(pk=run_id))


def _record(run: ImportRun, by: Author) -> None:
    """Store in the history of the clinic what a run has come to, but for a check, which changes nothing."""
    if run.state not in RECORDED:
        return
    counts = dict(run.rows.order_by().exclude(fate="").values_list("fate").annotate(Count("pk")))
    after = {"run": run.pk, "file": run.file_name, "state": run.state, "counts": counts}
    record_change(run.clinic, ClinicEvent.Kind.IMPORT, {}, after, by)


def _change_writing(run_id: int, clinic: Clinic, change: Callable[[ImportRun], None], by: Author) -> ImportRun:
    """Store what `change` makes of the locked run; of two that would write at once the second is refused."""

    def work() -> ImportRun:
        run = _locked(run_id, clinic)
        change(run)
        run.number = 0
        other = ImportRun.objects.of(clinic).filter(state__in=WRITING).exclude(pk=run.pk)
        if under_way := other.select_related("user").first():
            raise ImportRefused(_other_writes(under_way))
        with transaction.atomic():
            run.save()
        _record(run, by)
        return run

    try:
        return run_in_transaction(work)
    except IntegrityError as error:
        raise ImportRefused(_("Outra importação desta clínica acabou de começar. Espere até que termine.")) from error


def _other_writes(run: ImportRun) -> str:
    return _("A importação de “%(file)s”, de %(who)s, ainda não terminou. Termine-a primeiro.") % {
        "file": run.file_name,
        "who": run.user or run.credential,
    }


def _copy(run: ImportRun, rows: Iterator[tuple[int, list[str]]], mixed: set[int]) -> int:
    """Store the rows, and return how many there are; places of columns with dates that are month/day go to `mixed`."""
    count = 0
    with connection.cursor() as cursor, cursor.copy(COPY_SQL) as stream:
        for number, cells in rows:
            mixed |= {place for place, cell in enumerate(cells) if place not in mixed and is_month_first(cell)}
            stream.write_row((run.clinic_id, run.pk, number, json.dumps(cells)))
            count += 1
    return count


def _store(rows: Sequence[ImportRow]) -> None:
    values = [{name: getattr(row, name) for name in STORED} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(STORE_SQL, [json.dumps(values, cls=DjangoJSONEncoder)])


def _short(text: str, limit: int) -> str:
    return "".join(char for char in text if char.isprintable())[-limit:]
