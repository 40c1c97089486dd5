"""ODS row by row: the elements of content.xml as they come, forgotten once they are read.

No library reads ODS without the whole document in memory. OpenDocument 1.3, part 3, section 9.1: a cell may stand for
several (`number-columns-repeated`), a row too; what a merged cell covers is there as a cell of its own.
"""

import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from clinic.exchange.csv_files import LOST
from clinic.exchange.faults import UNREADABLE_ZIP, damaged, empty

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
CELLS = {f"{TABLE}table-cell", f"{TABLE}covered-table-cell"}
ROW = f"{TABLE}table-row"
MAX_DEPTH = 100  # elements inside each other; real documents have a dozen
MAX_IN_A_ROW = 100_000  # elements of one row, which is in the memory as a whole
MAX_REPEATED_ROWS = 1000  # of rows with anything in them; blank ones are repeated a million times, and skipped


def read_ods(file: IO[bytes], most_columns: int, most_lines: int) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """Return the name of the first sheet with anything in it, and its rows with their numbers; of a row one cell more
    than `most_columns` is read, so that it can be refused. A document with more than `most_lines` rows is damaged,
    however many of them are blank. Raises ImportRefused."""
    rows = _rows(file, most_columns, most_lines)
    first = next(rows, None)
    if first is None:
        raise empty()
    return first[0], _of_sheet(first, rows)


def _of_sheet(
    first: tuple[str, int, list[str]], rows: Iterator[tuple[str, int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield first[1], first[2]
    for sheet, number, cells in rows:
        if sheet != first[0]:
            return
        yield number, cells


def _rows(file: IO[bytes], most_columns: int, most_lines: int) -> Iterator[tuple[str, int, list[str]]]:
    """Yield (sheet, number, texts) of rows that hold anything."""
    sheet, number, found = "", 0, 0
    try:
        with zipfile.ZipFile(file) as archive, archive.open("content.xml") as content:
            for element in _outer(content):
                if element.tag == f"{TABLE}table":
                    sheet, number = element.get(f"{TABLE}name", ""), 0
                    continue
                found += 1
                if found > most_lines:
                    raise ValueError("too many rows")
                repeated = _repeated(element, "rows")
                cells = _cells(element, most_columns)
                if any(cells):
                    for place in range(1, min(repeated, MAX_REPEATED_ROWS) + 1):
                        yield sheet, number + place, list(cells)
                number += repeated
    except (*UNREADABLE_ZIP, ParseError, ValueError) as error:
        raise damaged() from error


def _outer(content: IO[bytes]) -> Iterator[Element]:
    """Yield each table as it begins and each row as it is complete. Everything else leaves the memory once it is read:
    an element that ends outside a row is taken out of the one that it stands in."""
    parents: list[Element] = []
    rows = inside = 0
    for event, element in iterparse(content, events=("start", "end")):
        if event == "start":
            rows += element.tag == ROW
            inside = inside + 1 if rows else 0
            if len(parents) >= MAX_DEPTH or inside > MAX_IN_A_ROW:
                raise ValueError("too deep, or a row too large")
            parents.append(element)
            if element.tag == f"{TABLE}table" and not rows:
                yield element
            continue
        parents.pop()
        rows -= element.tag == ROW
        if rows:
            continue
        if element.tag == ROW:
            yield element
        if parents:
            parents[-1].remove(element)


def _cells(row: Element, most: int) -> list[str]:
    cells: list[str] = []
    for element in row:
        if element.tag in CELLS:
            times = min(_repeated(element, "columns"), most + 1 - len(cells))
            cells += [_text(element)] * max(times, 0)
    return cells


def _repeated(element: Element, of: str) -> int:
    return max(int(element.get(f"{TABLE}number-{of}-repeated", "1")), 1)


def _text(cell: Element) -> str:
    """Return the value of a date or number, and else the text as it is shown."""
    kind = cell.get(f"{OFFICE}value-type")
    if kind == "date":
        return cell.get(f"{OFFICE}date-value", "").removesuffix("T00:00:00").replace("T", " ")
    if kind == "float":
        value = float(cell.get(f"{OFFICE}value", "nan"))
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    if kind == "boolean":
        return "sim" if cell.get(f"{OFFICE}boolean-value") == "true" else "não"
    lines = ["".join(_shown(line)) for line in cell.iterfind(f"{TEXT}p")]
    return "\n".join(lines).replace("\0", LOST).strip()


def _shown(element: Element) -> Iterator[str]:
    """Yield the pieces of a paragraph; spaces, tabs and line ends are elements."""
    yield element.text or ""
    for inner in element:
        if inner.tag == f"{TEXT}s":
            yield " " * min(int(inner.get(f"{TEXT}c", "1")), 100)
        elif inner.tag in {f"{TEXT}tab", f"{TEXT}line-break"}:
            yield " "
        else:
            yield from _shown(inner)
        yield inner.tail or ""
