"""A table's column as bars: an SVG without scripts and without styles of its own.

It is as wide as the page and is not scaled, so that its letters stay readable on a phone: widths are percentages,
heights are pixels. The table beside it says the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

from clinic.queries.reports import Table, Unit
from clinic.web.report.words import Writer

ROW_HEIGHT, LABEL_AT, BAR_AT = 36, 13, 19  # pixels from the top of a row
MAX_BARS = 20  # of more rows, those with the largest values are drawn
LONGEST_LABEL = 36
FULL = 100  # the width of a bar of percentages; of other numbers the largest value is


@dataclass(frozen=True)
class Bar:
    """A row: its name and its value as they are written, where both stand, and how wide the bar is, in percent."""

    label: str
    value: str
    label_at: int
    bar_at: int
    width: str


@dataclass(frozen=True)
class Chart:
    """Bars from the top down; `title` says what is drawn and that rows are left out, `height` is in pixels."""

    title: str
    bars: Sequence[Bar]
    height: int


def chart_of(table: Table, writer: Writer) -> Chart | None:
    """Return the chart of a table; None for a table without one, or with nothing to draw."""
    place = table.charted
    if place is None:
        return None
    drawn = [(str(row[0]), row[place]) for row in table.rows if isinstance(row[place], int | float | Decimal)]
    values = {number: float(value or 0) for number, (_label, value) in enumerate(drawn)}
    largest = max(values.values(), default=0)
    if largest <= 0:
        return None
    column = table.columns[place]
    whole = max(largest, FULL) if column.unit is Unit.PERCENT else largest
    kept = sorted(sorted(values, key=lambda number: -values[number])[:MAX_BARS])
    bars = [
        Bar(
            _shortened(drawn[number][0]),
            writer.written(drawn[number][1], column.unit),
            row * ROW_HEIGHT + LABEL_AT,
            row * ROW_HEIGHT + BAR_AT,
            f"{max(100 * values[number] / whole, 0):.2f}%",
        )
        for row, number in enumerate(kept)
    ]
    title = f"{table.title}: {column.label}"
    if len(bars) < len(drawn):
        title += " · " + gettext("os %(n)s maiores; os outros estão na tabela") % {"n": len(bars)}
    return Chart(title, bars, len(bars) * ROW_HEIGHT)


def _shortened(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1].rstrip()}…"
