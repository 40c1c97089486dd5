"""What is wrong with a file or a run as a whole, in one sentence for who sent it."""

from django.utils.translation import gettext as _


class ImportRefused(Exception):
    """Raised when nothing was written; `str()` is the sentence, in the active language."""


def damaged() -> ImportRefused:
    """Return the refusal of a file that is not what its name or its beginning says."""
    return ImportRefused(_("O arquivo está danificado e não pôde ser aberto. Exporte-o de novo."))
