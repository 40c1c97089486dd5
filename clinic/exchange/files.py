"""A spreadsheet file as rows of texts: CSV, XLSX or ODS, by its first bytes, read row by row.

Nothing of a file is believed: how large it is once it is unpacked, how many rows and columns it has, and that what is
between two quotes ends somewhere.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from clinic.exchange.csv_files import read_csv
from clinic.exchange.faults import ImportRefused, damaged
from clinic.exchange.ods_files import read_ods
from clinic.exchange.xlsx_files import read_xlsx

MOST_BYTES = 64 * 1024 * 1024
MOST_UNPACKED = 512 * 1024 * 1024
MOST_TIMES_PACKED = 200  # of a part larger than SMALL_PART; sheets of real clinics pack 10 to 30 times
SMALL_PART = 4 * 1024 * 1024
MOST_ROWS = 200_000
MOST_LINES = 1_048_576  # blank ones included: as many as a sheet of Excel has
MOST_COLUMNS = 60
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
ZIPPED = b"PK\x03\x04"


@dataclass(frozen=True)
class Sheet:
    """A table as it was found: `encoding` and `separator` of a CSV, `sheet` the name of a sheet, "" for none.
    `rows` yields (line, texts) once, blank rows left out; it raises ImportRefused in the middle of a broken file."""

    file_format: str
    encoding: str
    separator: str
    sheet: str
    rows: Iterator[tuple[int, list[str]]]


def open_sheet(file: IO[bytes]) -> Sheet:
    """Return the first sheet with anything in it. `file` is seekable and stays open. Raises ImportRefused."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    if size == 0:
        raise ImportRefused(_("O arquivo está vazio."))
    if size > MOST_BYTES:
        raise ImportRefused(too_large())
    if start.startswith(OLD_EXCEL):
        raise ImportRefused(_("É uma planilha do Excel antigo (.xls) ou com senha. Abra-a e grave como .xlsx ou CSV."))
    if start.startswith(ZIPPED):
        return _open_zipped(file)
    table = read_csv(file)
    return Sheet("csv", table.encoding, table.separator, "", _bounded(table.rows))


def too_large() -> str:
    """Return the sentence about a file of more than MOST_BYTES."""
    return _("O arquivo passa de %(limit)s MB. Divida a planilha em partes.") % {"limit": MOST_BYTES // 1024**2}


def _open_zipped(file: IO[bytes]) -> Sheet:
    try:
        with zipfile.ZipFile(file) as archive:
            _refuse_bomb(archive)
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise damaged() from error
    file.seek(0)
    if "xl/workbook.xml" in names:
        sheet, rows = read_xlsx(file)
        return Sheet("xlsx", "", "", sheet, _bounded(rows))
    if "content.xml" in names:
        sheet, rows = read_ods(file, MOST_COLUMNS, MOST_LINES)
        return Sheet("ods", "", "", sheet, _bounded(rows))
    raise ImportRefused(_("Não é uma planilha. Envie um arquivo CSV, XLSX ou ODS."))


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    """Refuse a file that is harmless packed and fills the memory unpacked, before anything of it is unpacked.

    zipfile itself stops where a part is longer than the archive's list says."""
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED or any(map(packs_too_well, parts)):
        raise ImportRefused(_("Ao abrir, este arquivo ocuparia memória demais. Exporte a planilha como CSV."))
    if any(part.flag_bits & 1 for part in parts):
        raise ImportRefused(_("A planilha tem senha. Tire a senha e envie de novo."))


def packs_too_well(part: zipfile.ZipInfo) -> bool:
    """Return whether a part is larger unpacked than any that people make."""
    return part.file_size > SMALL_PART and part.file_size > MOST_TIMES_PACKED * max(part.compress_size, 1)


def _bounded(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold anything, without their blank ends, up to the bounds."""
    found = 0
    for number, cells in rows:
        if number > MOST_LINES:
            raise ImportRefused(_too_long(MOST_LINES))
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        found += 1
        if len(cells) > MOST_COLUMNS:
            raise ImportRefused(
                _("A linha %(row)s tem %(count)s colunas; são lidas no máximo %(limit)s. Apague as que não usa.")
                % {"row": number, "count": len(cells), "limit": MOST_COLUMNS}
            )
        if found > MOST_ROWS:
            raise ImportRefused(_too_long(MOST_ROWS))
        yield number, cells


def _too_long(limit: int) -> str:
    limits = {"limit": number_format(limit, force_grouping=True)}
    return _("A planilha passa de %(limit)s linhas. Divida-a em partes.") % limits
