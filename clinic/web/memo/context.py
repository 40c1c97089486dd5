"""What the page of memos shows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import Clinic, Memo, Patient, StaffUser
from clinic.queries import memos
from clinic.spoken import day_in_brief, duration
from clinic.web.responses import version_of


@dataclass(frozen=True)
class Row:
    """A memo as it is drawn at the clinic's local time `local_now`, without a zone."""

    memo: Memo
    local_now: datetime

    @property
    def is_call(self) -> bool:
        return self.memo.kind == Memo.Kind.CALL

    @property
    def patient(self) -> Patient | None:
        """The patient of the memo, or of its appointment; None for neither."""
        return self.memo.appointment.patient if self.memo.appointment else self.memo.patient

    @property
    def when(self) -> str:
        """The agreed day and hour, as "hoje às 16:00"; "" for none."""
        if self.memo.day is None:
            return ""
        words = in_words(self.memo.day, self.local_now.date())
        return _("%(day)s às %(hour)s") % {"day": words, "hour": f"{self.memo.hour:%H:%M}"} if self.memo.hour else words

    @property
    def is_ahead(self) -> bool:
        """Whether it is for a later date than today."""
        return self.memo.day is not None and self.memo.day > self.local_now.date()

    @property
    def late(self) -> str:
        """By how much the agreed moment is over, as "atrasado 2 h 10 min"; "" before it, and once it is done."""
        day, today = self.memo.day, self.local_now.date()
        if self.memo.done_at or day is None or day > today:
            return ""
        if day < today:
            days = (today - day).days
            return ngettext("atrasado %(n)s dia", "atrasado %(n)s dias", days) % {"n": days}
        if self.memo.hour is None:
            return ""
        minutes = (self.local_now - datetime.combine(day, self.memo.hour)) // timedelta(minutes=1)
        return _late_today(minutes) if minutes > 0 else ""

    @property
    def drawn(self) -> tuple[object, ...]:
        """Everything on which the row's look depends."""
        memo, patient = self.memo, self.patient
        about = memo.appointment and memo.appointment.starts_at
        words = memo.text, memo.name, str(memo.phone), self.when, self.late, str(patient) if patient else ""
        return memo.pk, memo.done_at, memo.recipient_id, about, *words


@dataclass(frozen=True)
class Board:
    """The memos of a clinic at the instant `now`: those to be done, or with `is_done` those that were done lately; with
    `is_mine` those for the reader or for anybody."""

    clinic: Clinic
    now: datetime
    reader: StaffUser
    is_done: bool = False
    is_mine: bool = False

    @cached_property
    def rows(self) -> list[Row]:
        find = memos.done if self.is_done else memos.to_do
        found = find(self.clinic, self.now, user=self.reader if self.is_mine else None)
        return [self.row(memo) for memo in found]

    def row(self, memo: Memo) -> Row:
        return Row(memo, self.clinic.local(self.now).replace(tzinfo=None))

    @property
    def due(self) -> list[Row]:
        """Those of today, of a day before it, and of no day; all of those that were done."""
        return [row for row in self.rows if self.is_done or not row.is_ahead]

    @property
    def ahead(self) -> list[Row]:
        return [row for row in self.rows if not self.is_done and row.is_ahead]

    @property
    def query(self) -> str:
        """What the address of this list ends with."""
        chosen = [("feitos", "1")] * self.is_done + [("meus", "1")] * self.is_mine
        return f"?{urlencode(chosen)}" if chosen else ""

    @property
    def version(self) -> str:
        """A short hash of everything drawn, the order of the rows included."""
        content = [self.is_done, self.is_mine, *(row.drawn for row in self.rows)]
        return version_of(content)


def in_words(day: date, today: date) -> str:
    """Return the date as people at a desk say it: hoje, amanhã, ontem, else "ter 01/12"."""
    words = {0: _("hoje"), 1: _("amanhã"), -1: _("ontem")}
    return words.get((day - today).days) or day_in_brief(day)


def _late_today(minutes: int) -> str:
    return _("atrasado %(duration)s") % {"duration": duration(minutes)}
