"""The version of a day, or of a week, as it is drawn."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from clinic.queries.agenda.page import Card, Cell, Folded, Grid, Slot


def version(grid: Grid, cells: Mapping[int, Sequence[Cell]], about: Iterable[object]) -> str:
    """Return a short hash of everything drawn, the order of the cells included; `about` is what a page has besides."""
    content: list[object] = [*about, grid.today, grid.booked, grid.missed]
    content += [
        (column.doctor_id, column.name, column.subheading, column.fullness, column.performs_nothing, column.delay)
        for column in grid.columns
    ]
    content += [(choice.id, choice.chosen) for choice in grid.choices]
    content += [grid.all_rows_class, grid.scale, *(hour.time for hour in grid.hours)]
    for minute in sorted(cells):
        for cell in cells[minute]:
            if isinstance(cell, Card):
                content.append((cell.css_class, cell.label, cell.since))
            elif isinstance(cell, Slot):
                content.append((cell.css_class, cell.procedure, cell.fits))
            elif isinstance(cell, Folded):
                content.append((cell.css_class, *(card.label for card in cell.cards)))
            else:
                content.append((cell.css_class, cell.reason))
    return blake2b(repr(content).encode(), digest_size=12).hexdigest()
