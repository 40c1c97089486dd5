"""XLSX row by row, by openpyxl's reader that keeps no more than a row, and the texts that cells share."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import IO, Any, Literal, Protocol

from openpyxl import load_workbook

from clinic.exchange.csv_files import LOST
from clinic.exchange.faults import UNREADABLE_ZIP, damaged, empty

PIECE = 1024 * 1024
LONGEST_ROW = 16 * PIECE
VALUES = (b"<v>", b"<v ", b"<is>", b"<is ", b"<t>", b"<t ")
NUMBER_OF_ROW = re.compile(rb'<row [^>]*?\br="(\d{1,11})"')
# What openpyxl and the parsers of XML below it raise for a file that is not as it should be.
BROKEN = (*UNREADABLE_ZIP, KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError)


class Sheet(Protocol):
    """What is used of a sheet that openpyxl reads row by row. The stubs of openpyxl lack the class of such a sheet."""

    def iter_rows(self, *, max_row: int | None, values_only: Literal[True]) -> Iterator[tuple[object, ...]]: ...


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
        raise empty()
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


def _last_row(sheet: Any) -> int | None:
    """Return the number of the last row with a value, None where rows are not written as usual. Many books have a
    million rows after it that only have a format, and openpyxl makes every one of their cells: a minute.

    The stubs of openpyxl lack `_get_source`, which is private to it."""
    found, rest = None, b""
    with sheet._get_source() as part:
        while piece := part.read(PIECE):
            piece = rest + piece
            if (place := max(map(piece.rfind, VALUES))) >= 0:
                number = NUMBER_OF_ROW.match(piece, max(piece.rfind(b"<row ", 0, place), 0))
                if number is None or b"<row>" in piece:
                    return None
                found = max(int(number[1]), found or 0)
            # A row that is cut in two is looked at as a whole with the next piece.
            rest = piece[max(piece.rfind(b"<row "), 0) :]
            if len(rest) > LONGEST_ROW:
                return None
    return found


def _has_cells(sheet: Sheet) -> bool:
    return any(value is not None for row in sheet.iter_rows(max_row=20, values_only=True) for value in row)


def _rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, values in enumerate(sheet.iter_rows(max_row=_last_row(sheet), values_only=True), start=1):
            yield number, [text_of(value) for value in values]
    except BROKEN as error:
        raise damaged() from error
