"""What is written of a row that is refused, or taken back."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy

from clinic.models import ImportRow
from clinic.refusals import Reason, Refused

Fate = ImportRow.Fate
CHANGED_SINCE = gettext_lazy("O cadastro mudou depois da conferência. Confira a planilha de novo.")


def refuse_row(row: ImportRow, sentences: Iterable[str]) -> None:
    """Refuse a row with these sentences, each once."""
    row.fate, row.sentences, row.changes = Fate.REFUSED, list(dict.fromkeys(sentences)), {}


def raise_if_held(refused: Refused) -> None:
    """Raise the refusal again where another transaction held a row: the batch is rolled back, and the next try does
    it. Nothing was refused for good."""
    if Reason.TRY_AGAIN in refused.reasons:
        raise refused


def row_taken_back(row: ImportRow, is_done: bool, otherwise: str) -> None:
    """Say that a row was taken back or, with the sentence `otherwise`, that it stays."""
    row.fate = Fate.TAKEN_BACK if is_done else Fate.KEPT
    row.sentences = [] if is_done else [otherwise]
