"""Rows of doctors, or of procedures, written one by one as the check has left them."""

from collections.abc import Callable, Iterable

from clinic.exchange.directory_cells import ReadRow
from clinic.exchange.fates import CHANGED_SINCE, refuse_row
from clinic.models import ImportRow

Fate = ImportRow.Fate
type Step = Callable[[ImportRow, ReadRow], None]


def write_as_checked(rows: Iterable[tuple[ImportRow, ReadRow]], examine: Step, write: Step) -> None:
    """Have each row examined again, with what it says, and write it if nothing has changed since the check. Where the
    second look finds something else, the row says so."""
    for row, read in rows:
        before = row.fate, row.changes
        examine(row, read)
        if row.fate in {Fate.REFUSED, Fate.SAME}:
            continue
        if (row.fate, row.changes) == before:
            write(row, read)
        else:
            refuse_row(row, [str(CHANGED_SINCE)])
