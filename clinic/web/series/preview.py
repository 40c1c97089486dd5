"""Wanted times as rows with a box each: what can be had, what is in the way of the others, what is free instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import booking
from clinic.models import Clinic, NonexistentTime
from clinic.schedule import Opening
from clinic.spoken import label
from clinic.web.pending.context import when
from clinic.web.reading import read_instant


class Wanted(NamedTuple):
    """A local date and time that is wanted; `key` names it in the form, `present` says where a session is now."""

    key: str
    day: date
    starts: time
    present: str = ""


class Choice(NamedTuple):
    """A free time that can be taken instead: `value` is the instant that is posted."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Row:
    """`value` is the instant that its box posts, "" where it cannot be had: then `sentences` say why, and `choices` are
    free. `is_chosen` says that the box is ticked, or one of the choices."""

    wanted: Wanted
    value: str = ""
    is_chosen: bool = False
    sentences: Sequence[str] = ()
    choices: Sequence[Choice] = ()

    @property
    def key(self) -> str:
        return self.wanted.key

    @property
    def label(self) -> str:
        return label(datetime.combine(self.wanted.day, self.wanted.starts))


def instant_of(clinic: Clinic, wanted: Wanted) -> datetime | None:
    """Return the instant of a wanted time, None where the clocks skip it."""
    try:
        return clinic.instant(wanted.day, wanted.starts)
    except NonexistentTime:
        return None


def row_of(clinic: Clinic, wanted: Wanted, checked: booking.CheckedSession | None, data: QueryDict) -> Row:
    """Return the row of a time that was asked about; None for one that the clocks skip. What can be had is ticked,
    unless the form was sent with its box unticked."""
    posted = data.get(f"when-{wanted.key}", "")
    if checked is None:
        return Row(wanted, sentences=[_("Este horário não existe nesse dia: os relógios adiantam. Escolha outro.")])
    if checked.is_free:
        is_chosen = bool(posted) or wanted.key not in data.getlist("shown")
        return Row(wanted, checked.starts_at.isoformat(), is_chosen)
    choices = [_choice(clinic, opening, posted) for opening in checked.alternatives]
    sentences = [refusal.message for refusal in checked.refusals]
    return Row(wanted, "", any(each.is_chosen for each in choices), sentences, choices)


def are_as_shown(wanted: Sequence[Wanted], data: QueryDict) -> bool:
    """Return whether the form was sent with these times: with none that its author has not seen."""
    return [each.key for each in wanted] == data.getlist("shown")


def sent_starts(data: QueryDict) -> dict[str, datetime]:
    """Return the instants that were ticked, or chosen instead, by the keys of their rows. One that can no longer be had
    is among them: the rules say so by its date."""
    sent = {key: read_instant(data.get(f"when-{key}", "")) for key in data.getlist("shown")}
    return {key: starts_at for key, starts_at in sent.items() if starts_at}


def in_words(rows: Sequence[Row]) -> str:
    """Return "9 datas: 7 livres, 2 não", or "9 datas, todas livres"; "" without rows."""
    total, free = len(rows), sum(bool(row.value) for row in rows)
    if not rows:
        return ""
    dates = ngettext("%(number)s data", "%(number)s datas", total) % {"number": total}
    if free == total:
        return ngettext("%(dates)s, livre", "%(dates)s, todas livres", total) % {"dates": dates}
    free_words = ngettext("%(number)s livre", "%(number)s livres", free) % {"number": free}
    return _("%(dates)s: %(free)s, %(refused)s não") % {"dates": dates, "free": free_words, "refused": total - free}


def refused_in_words(clinic: Clinic, refused: booking.SessionRefused) -> str:
    """Return the date that was refused, with the reasons."""
    return f"{label(clinic.local(refused.starts_at))}: {refused.message}"


def _choice(clinic: Clinic, opening: Opening, posted: str) -> Choice:
    value = opening.starts_at.isoformat()
    return Choice(value, when(clinic, opening.starts_at), value == posted)
