"""What all tables have in common that are sent as files for spreadsheets."""

import csv
from collections.abc import Iterable
from io import StringIO

BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for its own alphabet
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Return text of a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_of_cells(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV as spreadsheets of both countries read it, with semicolons; texts are `harmless` already."""
    text = StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    return BYTE_ORDER_MARK + text.getvalue()


def csv_of_texts(rows: Iterable[Iterable[str]]) -> str:
    """Return rows of texts that people wrote as CSV."""
    return csv_of_cells(map(harmless, row) for row in rows)
