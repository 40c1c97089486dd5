"""Earlier rows of a run that name the same procedure or doctor."""

from collections.abc import Iterator, Sequence

from clinic.exchange.patient_cells import simplified
from clinic.models import ImportRow, ImportRun

Fate = ImportRow.Fate
NAME, NUMBER = "name:", "number:"


class EarlierRows:
    """The numbers of the first rows with each of the keys of a batch."""

    def __init__(self, run: ImportRun, rows: Sequence[ImportRow]) -> None:
        """One query; the rows have their `keys`."""
        self.numbers: dict[str, int] = {}
        self.beside: dict[str, set[str]] = {}  # by the key of a name the keys of the numbers that came with it
        wanted = [key for row in rows for key in row.keys]
        kept = [Fate.NEW, Fate.SAME, Fate.CHANGED]
        before = run.rows.filter(number__lt=rows[0].number, fate__in=kept, keys__overlap=wanted) if wanted else []
        for row in before:
            self.add(row)

    def add(self, row: ImportRow) -> None:
        for key in row.keys:
            self.numbers[key] = min(row.number, self.numbers.get(key, row.number))
            if key.startswith(NAME):
                self.beside.setdefault(key, set()).update(_number_keys(row))

    def find(self, row: ImportRow) -> int | None:
        """Return the number of the first row with the same name, None without one."""
        return self._first(key for key in row.keys if key.startswith(NAME))

    def has_another_number(self, row: ImportRow) -> bool:
        """Return whether the row has a number, and the rows with the same name all have another one."""
        own = set(_number_keys(row))
        others = set[str]().union(*(self.beside.get(key, set()) for key in row.keys))
        return bool(own and others) and not own & others

    def with_number(self, row: ImportRow) -> int | None:
        """Return the number of the first row with the same code or council number, None without one."""
        return self._first(_number_keys(row))

    def _first(self, keys: Iterator[str]) -> int | None:
        return min((self.numbers[key] for key in keys if key in self.numbers), default=None)


def _number_keys(row: ImportRow) -> Iterator[str]:
    return (key for key in row.keys if not key.startswith(NAME))


def write_keys(row: ImportRow, name: str, number: str) -> None:
    """Write into the row what tells it from others: its name, and the number that only one may have."""
    row.keys = [f"{kind}{simplified(text)}" for kind, text in ((NAME, name), (NUMBER, number)) if text]
