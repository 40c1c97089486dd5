"""The version of a day as it is drawn."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from clinic.queries.agenda.page import Card, Cell, Day, Folded, Slot


def version(day: Day, cells: Mapping[int, Sequence[Cell]]) -> str:
    """Return a short hash of everything drawn, the order of the cells included."""
    content: list[object] = [
        day.day,
        day.today,
        day.booked,
        day.missed,
        day.off_duty,
        day.closure,
        day.next_working,
        day.holiday,
        day.memos,
    ]
    content += [
        (column.doctor_id, column.name, column.specialty, column.fullness, column.performs_nothing, column.delay)
        for column in day.columns
    ]
    content += [(choice.id, choice.chosen) for choice in day.choices]
    content += [day.all_rows_class, day.scale, *(hour.time for hour in day.hours)]
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
