"""Taking back what rows of a run have made or changed."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from clinic.exchange.fates import raise_if_held, row_taken_back
from clinic.models import ImportRow
from clinic.refusals import Refused

Fate = ImportRow.Fate
type Changes = dict[str, list[Any]]


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


def take_back_changed(rows: Sequence[ImportRow], column: str, restore: Callable[[int, Changes], bool]) -> None:
    """Take back the rows that have changed something, whose id is in this column of theirs.

    `restore` gets the id and the changes. It returns False where one of these was changed again, or what had them is
    gone, and raises Refused where a rule forbids the values from before: the row stays, and says so. Raises Refused
    (TRY_AGAIN) for what another transaction holds: this one is then rolled back, and the batch can be tried again."""
    for row in rows:
        pk = getattr(row, column)
        if row.fate != Fate.CHANGED or not row.version or pk is None:
            continue
        otherwise = _("Não foi desfeito: mudou de novo depois da importação.")
        try:
            is_restored = restore(pk, row.changes)
        except Refused as refused:
            raise_if_held(refused)
            is_restored, otherwise = False, refused.message
        row_taken_back(row, is_restored, otherwise)
