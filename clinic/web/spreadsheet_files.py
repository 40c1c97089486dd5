"""What all tables have in common that are sent as files for spreadsheets."""

import csv
from collections.abc import Iterable
from io import BytesIO, StringIO

import xlsxwriter

BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for its own alphabet
FORMULAS = ("=", "@")
FORMULA_STARTS = (*FORMULAS, "+", "-", "\t", "\r")


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


def workbook_of_texts(title: str, rows: Iterable[Iterable[str]]) -> bytes:
    """Return rows of texts as a workbook of one sheet, the first row bold. Rows leave memory as they are written, and
    no cell is a formula, nor becomes one where the workbook is saved as CSV."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(title)
        sheet.set_column(0, 0, 32)
        sheet.set_column(1, 30, 16)
        for number, row in enumerate(rows):
            for place, text in enumerate(row):
                sheet.write_string(
                    number, place, f"'{text}" if text.startswith(FORMULAS) else text, None if number else bold
                )
    return file.getvalue()
