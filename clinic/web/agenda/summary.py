"""What a day comes to, in one line."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.queries import agenda


class Part(NamedTuple):
    """A part of the line; `hint` explains it, "" for none."""

    text: str
    hint: str = ""


def summary(day: agenda.Day) -> list[Part]:
    """Return the name of the day, and how much is booked, free and missed. A past day has nothing free."""
    parts = [Part(day.holiday)] if day.holiday else []
    parts.append(Part(ngettext("%(n)s agendado", "%(n)s agendados", day.booked) % {"n": day.booked}))
    if not day.is_past:
        parts.append(Part(ngettext("%(n)s livre", "%(n)s livres", day.free) % {"n": day.free}))
    if day.short and not day.is_past:
        words = ngettext("%(n)s curto", "%(n)s curtos", day.short)
        parts.append(Part(words % {"n": day.short}, _("Só cabe um procedimento mais curto que o habitual")))
    if day.missed:
        parts.append(Part(ngettext("%(n)s falta", "%(n)s faltas", day.missed) % {"n": day.missed}))
    return parts
