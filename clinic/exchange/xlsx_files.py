"""XLSX row by row, by openpyxl's reader that keeps no more than a row, and the texts that cells share."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import IO, Any
from zipfile import BadZipFile

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from clinic.exchange.csv_files import LOST
from clinic.exchange.faults import ImportRefused, damaged

# What openpyxl and the parsers of XML below it raise for a file that is not as it should be.
BROKEN = (KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError, BadZipFile, OSError, EOFError)


def read_xlsx(file: IO[bytes]) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Return the name of the first sheet with anything in it, and its rows with their numbers. Formulas are what they
    have come to. Raises ImportRefused."""
    try:
        # The book stays open while its rows are read, and closes with the file.
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # some writers say A1 and mean all
        sheets = [sheet for sheet in book.worksheets if _has_cells(sheet)]
    except BROKEN as error:
        raise damaged() from error
    if not sheets:
        raise ImportRefused(_("A planilha não tem nenhuma célula preenchida."))
    return str(sheets[0].title), _rows(sheets[0])


def text_of(value: object) -> str:
    """Return a cell's value as text: dates as ISO writes them, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "sim" if value else "não"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).replace("\0", LOST).replace("_x0000_", LOST).strip()


def _has_cells(sheet: Any) -> bool:
    return any(value is not None for row in sheet.iter_rows(max_row=20, values_only=True) for value in row)


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield number, [text_of(value) for value in values]
    except BROKEN as error:
        raise damaged() from error
