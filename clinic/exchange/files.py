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

from clinic.exchange.csv_files import LONGEST_CELL, read_csv
from clinic.exchange.faults import UNREADABLE_ZIP, ImportRefused, damaged, empty, no_table, with_password
from clinic.exchange.ods_files import read_ods
from clinic.exchange.xlsx_files import read_xlsx

MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED = 512 * 1024 * 1024
MAX_TIMES_PACKED = 200  # of a part larger than SMALL_PART; sheets of real clinics pack 10 to 30 times
SMALL_PART = 4 * 1024 * 1024
MAX_ROWS = 200_000
MAX_LINES = 1_048_576  # blank ones included: as many as a sheet of Excel has
MAX_COLUMNS = 60
PIECE = 1024 * 1024
# The name of the part that Excel wraps a whole workbook with a password in.
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
ODS_LIST = "META-INF/manifest.xml"
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
        raise empty()
    if size > MAX_BYTES:
        raise ImportRefused(too_large())
    if start.startswith(OLD_EXCEL):
        if _holds(file, ENCRYPTED):
            raise with_password()
        raise ImportRefused(_("É uma planilha do Excel antigo (.xls). Abra-a no Excel e exporte como .xlsx ou CSV."))
    if start.startswith(ZIPPED):
        return _open_zipped(file)
    table = read_csv(file)
    return Sheet("csv", table.encoding, table.separator, "", _bounded(table.rows))


def too_large() -> str:
    """Return the sentence about a file of more than MAX_BYTES."""
    return _("O arquivo passa de %(limit)s MB. Divida a planilha em partes.") % {"limit": MAX_BYTES // 1024**2}


def _open_zipped(file: IO[bytes]) -> Sheet:
    try:
        with zipfile.ZipFile(file) as archive:
            _refuse_bomb(archive)
            names = set(archive.namelist())
    except (*UNREADABLE_ZIP, ValueError) as error:
        raise damaged() from error
    file.seek(0)
    if "xl/workbook.xml" in names:
        sheet, rows = read_xlsx(file)
        return Sheet("xlsx", "", "", sheet, _bounded(rows))
    if "content.xml" in names:
        sheet, rows = read_ods(file, MAX_COLUMNS, MAX_LINES)
        return Sheet("ods", "", "", sheet, _bounded(rows))
    raise no_table()


def _holds(file: IO[bytes], wanted: bytes) -> bool:
    """Return whether the file has these bytes somewhere."""
    rest = b""
    while piece := file.read(PIECE):
        if wanted in rest + piece:
            return True
        rest = piece[-len(wanted) :]
    return False


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    """Refuse a file that is harmless packed and fills the memory unpacked, before anything of it is unpacked.

    zipfile itself stops where a part is longer than the archive's list says."""
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED or any(map(packs_too_well, parts)):
        raise ImportRefused(_("Ao abrir, este arquivo ocuparia memória demais. Exporte a planilha como CSV."))
    if any(part.flag_bits & 1 for part in parts) or _is_encrypted_ods(archive):
        raise with_password()


def _is_encrypted_ods(archive: zipfile.ZipFile) -> bool:
    """Return whether the list of parts of an OpenDocument says how they are encrypted, of which zip knows nothing."""
    if ODS_LIST not in archive.namelist():
        return False
    with archive.open(ODS_LIST) as part:
        return b"encryption-data" in part.read(PIECE)


def packs_too_well(part: zipfile.ZipInfo) -> bool:
    """Return whether a part is larger unpacked than any that people make."""
    return part.file_size > SMALL_PART and part.file_size > MAX_TIMES_PACKED * max(part.compress_size, 1)


def _bounded(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold anything, without their blank ends, up to the bounds."""
    found = 0
    for number, cells in rows:
        if number > MAX_LINES:
            raise ImportRefused(_too_long(MAX_LINES))
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        found += 1
        if len(cells) > MAX_COLUMNS:
            raise ImportRefused(
                _("A linha %(row)s tem %(count)s colunas; são lidas no máximo %(limit)s. Apague as que não usa.")
                % {"row": number, "count": len(cells), "limit": MAX_COLUMNS}
            )
        if found > MAX_ROWS:
            raise ImportRefused(_too_long(MAX_ROWS))
        if any(len(cell) > LONGEST_CELL for cell in cells):
            sentence = _("Na linha %(row)s há um texto de mais de %(limit)s letras. Encurte-o e envie de novo.")
            limit = number_format(LONGEST_CELL, force_grouping=True)
            raise ImportRefused(sentence % {"row": number, "limit": limit})
        yield number, cells


def _too_long(limit: int) -> str:
    limits = {"limit": number_format(limit, force_grouping=True)}
    return _("A planilha passa de %(limit)s linhas. Divida-a em partes.") % limits
