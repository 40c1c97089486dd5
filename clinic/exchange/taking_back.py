"""Taking back what rows of a run have made or changed."""

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _

from clinic.exchange.fates import row_taken_back
from clinic.models import ImportRow
from clinic.refusals import Refused

Fate = ImportRow.Fate


def take_back_made(
    rows: Sequence[ImportRow], column: str, delete: Callable[[dict[int, str]], set[int]], otherwise: str
) -> None:
    """Take back the rows that have made something, whose id is in this column of theirs.

    `delete` gets the versions by id and returns the ids of what it has deleted. The other rows stay, with the sentence
    `otherwise`."""
    new = [(getattr(row, column), row) for row in rows if row.fate == Fate.NEW]
    made = {pk: row.version for pk, row in new if pk is not None}
    gone = delete(made) if made else set()
    for pk, row in new:
        if pk in made:
            row_taken_back(row, pk in gone, otherwise)


def take_back_changed(rows: Sequence[ImportRow], restore: Callable[[ImportRow], bool]) -> None:
    """Take back the rows that have changed something. `restore` returns False, or raises Refused, where it was changed
    again: the row stays, and says so."""
    for row in rows:
        if row.fate != Fate.CHANGED or not row.version:
            continue
        otherwise = _("Não foi desfeito: mudou de novo depois da importação.")
        try:
            is_restored = restore(row)
        except Refused as refused:
            is_restored, otherwise = False, " ".join(refusal.message for refusal in refused.refusals)
        row_taken_back(row, is_restored, otherwise)
