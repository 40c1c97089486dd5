"""What the pages of an import show."""

from typing import Any

from django.utils import timezone

from clinic.exchange import MAX_BYTES, PARTS_OF_NAME, Reader, kind_of
from clinic.models import ImportRow, ImportRun
from clinic.models.patient import DATES
from clinic.queries import imports
from clinic.web.importing.forms import KNOWN, fate_in, line_in

SEPARATOR_NAMES = {"\t": "tab"}
MAX_MEGABYTES = MAX_BYTES // 1024**2


def columns_context(run: ImportRun, sentence: str) -> dict[str, Any]:
    kind = kind_of(run.kind)
    return {
        "run": run,
        "found": found(run),
        "columns": imports.columns(run),
        "fields": kind.columns.fields,
        "dates": kind.columns.dates,
        "known": {} if run.kind == ImportRun.Kind.APPOINTMENTS else KNOWN,
        "sentences": [sentence] if sentence else [],
    }


def run_context(run: ImportRun, asked: dict[str, str]) -> dict[str, Any]:
    counts = imports.counts(run)
    fate = fate_in(asked, [each.fate for each in counts])
    rows, following = imports.rows_page(run, fate, line_in(asked))
    by_fate = {each.fate: each.count for each in counts}
    return {
        "run": run,
        "found": found(run),
        "counts": counts,
        "fate": fate,
        "rows": [_shown(row, run) for row in rows],
        "following": following,
        "reasons": imports.reasons(run) if by_fate.get(ImportRow.Fate.REFUSED, 0) > 1 else [],
        "wanted": by_fate.get(ImportRow.Fate.NEW, 0) + by_fate.get(ImportRow.Fate.CHANGED, 0),
        "has_refused": bool({ImportRow.Fate.REFUSED, ImportRow.Fate.DUPLICATE, ImportRow.Fate.KEPT} & by_fate.keys()),
        "can_be_taken_back": run.can_be_taken_back(timezone.now()),
    }


def found(run: ImportRun) -> str:
    """Return what the file was found to be: CSV · UTF-8 · ;"""
    separator = SEPARATOR_NAMES.get(run.separator, run.separator)
    return " · ".join(filter(None, [run.file_format.upper(), run.encoding, separator, run.sheet]))


def _shown(row: ImportRow, run: ImportRun) -> dict[str, Any]:
    cells = dict(zip(run.columns, row.cells, strict=False))
    name = " ".join(filter(None, (cells.get(part, "") for part in PARTS_OF_NAME)))
    reader = Reader(run.columns, run.month_first, run.mixed, payers={})
    others = [
        reader.shown_date(field, text, place) if field in DATES else text
        for place, (field, text) in enumerate(zip(run.columns, row.cells, strict=False))
        if field and field not in PARTS_OF_NAME and text
    ]
    return {"row": row, "name": name, "others": others, "changes": imports.changed_labels(row, run.kind)}
