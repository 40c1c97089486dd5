"""Spreadsheets that were brought into a clinic, and the fate of their rows. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Model
from django.utils.translation import gettext as _

from clinic.models import Clinic, Doctor, ImportRow, ImportRun, Patient, Procedure

ROWS = 50
SAMPLES = 3  # values of a column that are shown where it is chosen
LOOKED_AT = 30  # rows from which they come
REASONS = 6
Fate = ImportRow.Fate
REASONS_SQL = """
    SELECT sentence, count(*) FROM clinic_importrow CROSS JOIN jsonb_array_elements_text(sentences) AS sentence
    WHERE run_id = %s AND fate = %s GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC, 1 LIMIT %s
"""


@dataclass(frozen=True)
class FateCount:
    """How many rows of a run have this fate."""

    fate: str
    label: str
    count: int


@dataclass(frozen=True)
class ImportColumn:
    """A column of a spreadsheet: its place, heading, first values, the field that it is, whether some of its dates can
    only be month/day, and whether it was chosen that all are."""

    place: int
    heading: str
    samples: list[str]
    field: str
    is_mixed: bool
    is_month_first: bool


def imports(clinic: Clinic) -> list[ImportRun]:
    """Return the newest runs of a clinic, at most ROWS. One query."""
    return list(ImportRun.objects.of(clinic).select_related("user")[:ROWS])


def counts(run: ImportRun) -> list[FateCount]:
    """Return how many rows have which fate, in the order of the choices, without those that no row has. One query."""
    found = dict(run.rows.order_by().values_list("fate").annotate(Count("pk")))
    return [FateCount(fate, str(label), found[fate]) for fate, label in Fate.choices if fate in found]


def reasons(run: ImportRun) -> list[tuple[str, int]]:
    """Return the sentences that several refused rows share, with how many do, the most frequent first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(REASONS_SQL, [run.pk, Fate.REFUSED, REASONS])
        return [*cursor.fetchall()]


def percent_done(run: ImportRun) -> int:
    """Return how far the work of the present state is, 0 to 100. One query."""
    last = run.rows.order_by().aggregate(last=Max("number"))["last"]
    return round(100 * run.number / last) if last else 100


def columns(run: ImportRun) -> list[ImportColumn]:
    """Return the columns of a run, with values of its first rows. One query."""
    rows = list(run.rows.order_by("number").values_list("cells", flat=True)[:LOOKED_AT])
    return [
        ImportColumn(
            place=place,
            heading=heading,
            samples=list(dict.fromkeys(row[place] for row in rows if place < len(row) and row[place]))[:SAMPLES],
            field=field,
            is_mixed=place in run.mixed,
            is_month_first=place in run.month_first,
        )
        for place, (heading, field) in enumerate(zip(run.headings, run.columns, strict=True))
    ]


def rows_page(run: ImportRun, fate: str, after: int) -> tuple[list[ImportRow], int | None]:
    """Return the rows of one fate, "" for all, after that line of the file; at most ROWS, and the line after which the
    next ones come, None without any. With `known`, the patient who is meant or was made, None for none. Two queries."""
    rows = run.rows.filter(number__gt=after).order_by("number")
    found: list[Any] = list((rows.filter(fate=fate) if fate else rows)[: ROWS + 1])
    shown = found[:ROWS]
    ids = {row.patient_id for row in shown if row.patient_id}
    patients = {patient.pk: patient for patient in Patient.objects.of(run.clinic_id).filter(pk__in=ids)}
    for row in shown:
        row.known = patients.get(row.patient_id)
    return shown, shown[-1].number if len(found) > ROWS else None


def refused_rows(run: ImportRun) -> Iterator[ImportRow]:
    """Yield the rows that were refused, are there twice, or were not taken back. One query."""
    fates = [Fate.REFUSED, Fate.DUPLICATE, Fate.KEPT]
    return run.rows.filter(fate__in=fates).order_by("number").iterator(chunk_size=1000)


def changed_labels(row: ImportRow, kind: str) -> list[tuple[str, str, str]]:
    """Return the changes of a row of a kind of run as (label, before, after)."""
    columns = _CHANGED[kind]._meta.fields if kind in _CHANGED else ()
    labels = {field.attname: str(field.verbose_name) for field in columns}
    return [
        (labels[name], _written(name, pair[0]), _written(name, pair[1]))
        for name, pair in row.changes.items()
        if name in labels
    ]


# Whose columns the changes of a row are; an appointment is only made.
_CHANGED: dict[str, type[Model]] = {
    ImportRun.Kind.PATIENTS: Patient,
    ImportRun.Kind.PROCEDURES: Procedure,
    ImportRun.Kind.DOCTORS: Doctor,
}


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("sim") if value else (_("não") if name == "accepts_whatsapp" else "")
    return "" if value is None else str(value)
