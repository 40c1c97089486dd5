"""What is wrong with a file or a run as a whole, in one sentence for who sent it."""

import lzma
import zipfile
import zlib

from django.utils.translation import gettext as _

# What zipfile and its unpackers raise of a file that is damaged, cut, encrypted or packed in a way they do not know;
# that of bzip2 raises OSError.
UNREADABLE_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


class ImportRefused(Exception):
    """Raised when nothing was written; `str()` is the sentence, in the active language."""


def damaged() -> ImportRefused:
    """Return the refusal of a file that is not what its name or its beginning says."""
    return ImportRefused(_("O arquivo está danificado e não pôde ser aberto. Exporte-o de novo."))


def no_table() -> ImportRefused:
    """Return the refusal of a file that is something else, whatever its name."""
    return ImportRefused(_("Não é uma planilha. Envie um arquivo CSV, XLSX ou ODS."))


def with_password() -> ImportRefused:
    """Return the refusal of a file that only a password opens."""
    return ImportRefused(_("A planilha tem senha. Tire a senha e envie de novo."))


def empty() -> ImportRefused:
    """Return the refusal of a file without a single cell."""
    return ImportRefused(_("O arquivo está vazio. Exporte a planilha de novo, ou escolha outro arquivo."))
