"""CSV as programs of both countries write it: which alphabet and which separator it has is found out."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext as _

from clinic.exchange.faults import ImportRefused, no_table

# As they are shown. Of a file that is no UTF-8, Windows' alphabet of Western Europe is the only usual one left.
UTF_8, UTF_8_MARKED, UTF_16, WINDOWS = "UTF-8", "UTF-8 (BOM)", "UTF-16", "Windows-1252"
CODECS = {UTF_8: "utf-8", UTF_8_MARKED: "utf-8-sig", UTF_16: "utf-16", WINDOWS: "cp1252"}
SEPARATORS = ";,\t|"
LOOKED_AT = 64 * 1024  # bytes, for the separator
PIECE = 1024 * 1024
LONGEST_CELL = 20_000  # characters: the longest notes, and what stands between a quote and a forgotten one
LONGEST_LINE = 60 * LONGEST_CELL  # characters that are read at once
OF_DOCUMENTS = ("%pdf-", "{\\rtf", "<?xml")  # that begin as texts
OF_WEB_PAGES = ("<!doctype", "<html", "<head", "<meta", "<table")
A_FEW = 10  # control characters that a damaged table may have, and one of 32 besides; of an image three of 32 are
LOST = "\N{REPLACEMENT CHARACTER}"  # in the place of NUL, which PostgreSQL cannot hold; the rules refuse it


@dataclass(frozen=True)
class CsvTable:
    """The rows with the number of the line on which they begin, counted from 1."""

    encoding: str
    separator: str
    rows: Iterator[tuple[int, list[str]]]


def read_csv(file: IO[bytes]) -> CsvTable:
    """Return the table of a file that stays open. Raises ImportRefused."""
    encoding = _encoding_of(file)
    file.seek(0)
    start = file.read(LOOKED_AT)
    text = codecs.getincrementaldecoder(_codec(encoding, start))(errors="replace").decode(start)
    begins = text.lstrip("\ufeff \t\r\n").lower()
    if begins.startswith(OF_DOCUMENTS) or sum(map(_is_control, text)) > A_FEW + len(text) // 32:
        raise no_table()
    if begins.startswith(OF_WEB_PAGES):
        raise ImportRefused(_("É uma página da web com nome de planilha. Abra-a no Excel e exporte como .xlsx ou CSV."))
    separator = separator_of(text)
    file.seek(0)
    return CsvTable(encoding, separator, _rows(file, _codec(encoding, start), separator))


def separator_of(text: str) -> str:
    """Return the separator that stands most evenly in the first rows: as often in most of them, there most often."""
    lines = [line for line in _without_quoted(text).splitlines() if line.strip()][:50]

    def evenness(separator: str) -> tuple[int, int]:
        counts = Counter(line.count(separator) for line in lines)
        counts.pop(0, None)
        return max(((rows, times) for times, rows in counts.items()), default=(0, 0))

    return max(SEPARATORS, key=evenness)


def _is_control(char: str) -> bool:
    return char < " " and char not in "\t\n\r"


def _encoding_of(file: IO[bytes]) -> str:
    file.seek(0)
    start = file.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return UTF_8_MARKED if _is_readable(file, "utf-8-sig") else WINDOWS
    is_utf_16 = start[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} or _zeros(start) in {(0, 2), (2, 0)}
    if is_utf_16:
        if not _is_readable(file, _codec(UTF_16, start)):
            raise ImportRefused(_("O arquivo parece estar em UTF-16, mas tem letras quebradas. Exporte-o de novo."))
        return UTF_16
    return UTF_8 if _is_readable(file, "utf-8") else WINDOWS


def _zeros(start: bytes) -> tuple[int, int]:
    """Return how many of the first bytes at even and at odd places are zero: of UTF-16 all of one kind."""
    return start[::2].count(0), start[1::2].count(0)


def _codec(encoding: str, start: bytes) -> str:
    """Return Python's name of the encoding; of UTF-16 without a mark with its order of bytes."""
    if encoding != UTF_16 or start[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return CODECS[encoding]
    return "utf-16-be" if start[0] == 0 else "utf-16-le"


def _is_readable(file: IO[bytes], codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    file.seek(0)
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _without_quoted(text: str) -> str:
    """Return the text without what stands between quotes, where separators are only letters."""
    return "".join(text.split('"')[::2])


def _rows(file: IO[bytes], codec: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_CELL)
    # Bytes that Windows' alphabet does not have are shown as lost, and refused in their row.
    text = io.TextIOWrapper(file, encoding=codec, errors="replace", newline="")
    try:
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=separator)
        begins = 1
        for cells in reader:
            if lines.are_torn(separator):
                sentence = _(
                    "Na linha %(row)s começa um texto com aspas no meio ou que não fecham. Apague-as e envie de novo."
                )
                raise ImportRefused(sentence % {"row": begins})
            yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
            lines.of_row.clear()
    except csv.Error as error:
        sentence = _("Na linha %(row)s há um texto longo demais: talvez aspas que não fecham. Corrija e envie de novo.")
        raise ImportRefused(sentence % {"row": begins}) from error
    finally:
        with suppress(ValueError):  # the file is closed by now where nobody has read to the end
            text.detach()


class _Lines:
    """The lines of a text, and those of them that are one row."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.of_row, self.is_at_end = text, list[str](), False

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(LONGEST_LINE):
            self.of_row.append(line.replace("\0", LOST))
            yield self.of_row[-1]
        self.is_at_end = True

    def are_torn(self, separator: str) -> bool:
        """Return whether quotes have made one row of lines that were several: in the middle of the file such a row is
        no good CSV, at its end another line would be taken in too."""
        if self.is_at_end:
            return sum(1 for _row in csv.reader([*self.of_row, "\n", "x"], delimiter=separator)) == 1
        if len(self.of_row) == 1:
            return False
        try:
            return not list(csv.reader(self.of_row, delimiter=separator, strict=True))
        except csv.Error:
            return True
