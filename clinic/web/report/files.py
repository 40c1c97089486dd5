"""A report as files for spreadsheets."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from io import BytesIO
from itertools import chain
from re import sub

import xlsxwriter
from django.utils.translation import gettext as _

from clinic.queries.reports import Report, Table, Unit, Value
from clinic.web.spreadsheet_files import csv_of_cells, harmless

NOT_IN_SHEET_NAMES = r"[\[\]:*?/\\']"
LONGEST_SHEET_NAME = 31
NUMBER_FORMATS = {Unit.COUNT: "0", Unit.MINUTES: "0.0", Unit.PERCENT: "0.0", Unit.MONEY: "0.00"}


def csv_of(table: Table) -> str:
    """Return a table as CSV as spreadsheets of both countries read it: semicolons, decimal commas."""
    units = [column.unit for column in table.columns]
    headings = [harmless(column.label) for column in table.columns]
    rows = ([_as_text(value, unit) for value, unit in zip(row, units, strict=True)] for row in _rows(table))
    return csv_of_cells(chain([headings], rows))


def _rows(table: Table) -> Iterator[tuple[Value, ...]]:
    yield from table.rows
    if table.total and table.rows:
        yield table.total


def _as_text(value: Value, unit: Unit) -> str:
    if value is None:
        return ""
    if unit is Unit.WORDS:
        return harmless(str(value))
    return str(value).replace(".", ",")


def xlsx_of(
    report: Report, title: str, first: date | None, last: date | None, filters: Iterable[tuple[str, str]] = ()
) -> bytes:
    """Return a report as a workbook: a sheet for each table, and one that says what was counted, on which local dates,
    None for an open end, and by which filters, (label, name) each.

    Rows leave memory as they are written. Text is written as text: no cell is a formula."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True})
        formats = {unit: book.add_format({"num_format": code}) for unit, code in NUMBER_FORMATS.items()}
        for table in report.tables:
            sheet = book.add_worksheet(_sheet_name(table.title))
            sheet.set_column(0, 0, 32)
            sheet.set_column(1, max(len(table.columns) - 1, 1), 16)
            for place, column in enumerate(table.columns):
                sheet.write_string(0, place, column.label, bold)
            for number, row in enumerate(_rows(table), start=1):
                for place, (value, column) in enumerate(zip(row, table.columns, strict=True)):
                    if isinstance(value, str):
                        sheet.write_string(number, place, value)
                    elif value is not None:
                        sheet.write_number(number, place, _as_number(value), formats[column.unit])
        sheet = book.add_worksheet(_sheet_name(_("O que foi contado")))
        sheet.set_column(0, 0, 32)
        sheet.set_column(1, 1, 100)
        for number, (name, text) in enumerate(_explained(report, title, first, last, filters)):
            sheet.write_string(number, 0, name, bold)
            sheet.write_string(number, 1, text)
    return file.getvalue()


def _as_number(value: int | float | Decimal) -> float:
    return float(value)


def _explained(
    report: Report, title: str, first: date | None, last: date | None, filters: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    yield title, _dates(first, last)
    yield from filters
    for table in report.tables:
        for column in table.columns:
            if column.definition:
                yield f"{table.title}: {column.label}", column.definition
    for note in report.notes:
        yield "", note


def _dates(first: date | None, last: date | None) -> str:
    if first and last:
        return f"{first:%d/%m/%Y} – {last:%d/%m/%Y}"
    if first:
        return _("Desde %(date)s") % {"date": f"{first:%d/%m/%Y}"}
    return _("Até %(date)s") % {"date": f"{last:%d/%m/%Y}"} if last else _("Todas as datas")


def _sheet_name(title: str) -> str:
    return sub(NOT_IN_SHEET_NAMES, " ", title)[:LONGEST_SHEET_NAME].strip()
