"""What a report is made of. Its page, its chart and its exports are drawn from these values and compute nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Unit(Enum):
    """What the values of a column are: text, a whole number, minutes, a percentage, an amount in the clinic's
    currency."""

    WORDS = "words"
    COUNT = "count"
    MINUTES = "minutes"
    PERCENT = "percent"
    MONEY = "money"


type Value = str | int | float | Decimal | None
type Values = tuple[Value, ...]


@dataclass(frozen=True)
class Column:
    """A column; `definition` says how its values are counted, "" for one that only names the row."""

    label: str
    unit: Unit
    definition: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a report, whose first column names the row; None is a value that cannot be computed.

    `name` stands in the address of its export. `charted` is the place of the column that is drawn as bars, None for no
    chart. Of a heat table every column but the first is a percentage that is shaded by its size."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Values]
    total: Values | None = None
    charted: int | None = None
    is_heat: bool = False


@dataclass(frozen=True)
class Report:
    """The tables of a report, and what has to be known besides to read them."""

    tables: Sequence[Table]
    notes: Sequence[str] = ()


def percent[Number: (int, Decimal)](part: Number, whole: Number) -> float | None:
    """Return `part` of `whole` in percent with one decimal, None where there is no whole."""
    return round(float(100 * part / whole), 1) if whole else None
