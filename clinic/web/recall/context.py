"""What the page of recalls shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import Clinic, Patient, Recall
from clinic.models.appointment import FREES_THE_TIME
from clinic.queries import recalls
from clinic.queries.recall_texts import recall_text
from clinic.registry import patient_version
from clinic.spoken import day_in_brief
from clinic.web.pending.context import when
from clinic.web.responses import version_of
from clinic.web.whatsapp import conversation

COMING = timedelta(days=30)  # so far ahead the list looks where no date is asked for


@dataclass(frozen=True)
class Row:
    """A recall of the list, open or closed a moment ago, on the clinic's local date `today`."""

    recall: Recall
    today: date

    @property
    def clinic(self) -> Clinic:
        return self.recall.clinic

    @property
    def patient(self) -> Patient:
        return self.recall.patient

    @property
    def is_open(self) -> bool:
        return self.recall.closed_at is None

    @property
    def is_due(self) -> bool:
        return self.is_open and self.recall.due_on <= self.today

    @property
    def late(self) -> str:
        """Since when it is due, as "vencido há 12 dias"; "" for one that is not overdue."""
        days = (self.today - self.recall.due_on).days
        return ngettext("vencido há %(n)s dia", "vencido há %(n)s dias", days) % {"n": days} if days > 0 else ""

    @property
    def doctor(self) -> str:
        return self.recall.doctor.full_name if self.recall.doctor else _("qualquer profissional")

    @property
    def last_visit(self) -> str:
        """The visit at which it was written, as "anotado na visita de 30/11/2026, Dra. Ana"."""
        visit = self.recall.appointment
        words = {"day": f"{self.clinic.local(visit.starts_at):%d/%m/%Y}", "doctor": visit.doctor_name}
        return _("anotado na visita de %(day)s, %(doctor)s") % words

    @property
    def fallen(self) -> str:
        """How the appointment ended that was booked of it, as "cancelado: ter 01/12 14:00"; "" where none has."""
        booked = self.recall.booked
        if booked is None or not self.is_open or booked.status not in FREES_THE_TIME:
            return ""
        return f"{booked.get_status_display().lower()}: {when(self.clinic, booked.starts_at)}"

    @property
    def sentence(self) -> str:
        """How it ended."""
        booked = self.recall.booked
        if self.recall.outcome == Recall.Outcome.BOOKED and booked:
            words = {"time": when(self.clinic, booked.starts_at), **booked.doctor.in_sentence}
            return _("Agendado para %(time)s com %(the_doctor)s.") % words
        sentences = {Recall.Outcome.DECLINED: _("Não quer o retorno."), Recall.Outcome.ELSEWHERE: _("Já tem horário.")}
        return sentences[Recall.Outcome(self.recall.outcome)]

    @property
    def may_undo(self) -> bool:
        """Whether it can be opened again here: one that was booked is opened by cancelling the appointment."""
        return self.recall.outcome in Recall.CHOSEN

    @property
    def whatsapp(self) -> str:
        """The address that opens a conversation with the patient, who is reminded; "" for none."""
        return conversation(self.patient, recall_text(self.recall)) if self.is_open else ""

    @property
    def drawn(self) -> tuple[object, ...]:
        """Everything on which the row's look depends."""
        recall = self.recall
        end = "" if self.is_open else self.sentence
        words = recall.procedure.name, self.doctor, self.late, self.last_visit, self.fallen, self.whatsapp, end
        return recall.pk, recall.version, self.is_due, patient_version(self.patient), *words


class Part(NamedTuple):
    """A part of the list: its id, its heading, its rows."""

    name: str
    heading: str
    rows: Sequence[Row]


@dataclass
class Board:
    """The recalls of a clinic at the instant `now`, those that are due until the local date `until`; with `doctor`, an
    id, those that this doctor could see. The rows are read when first asked for."""

    clinic: Clinic
    now: datetime
    until: date
    doctor: int | None = None
    page: int = 1

    @property
    def today(self) -> date:
        return self.clinic.local(self.now).date()

    @cached_property
    def listed(self) -> recalls.Listed:
        return recalls.listed(self.clinic, until=self.until, doctor=self.doctor, page=self.page, now=self.now)

    @cached_property
    def rows(self) -> list[Row]:
        """The open ones, then those that were closed a moment ago."""
        return [self.row(recall) for recall in [*self.listed.open, *self.listed.closed]]

    def row(self, recall: Recall) -> Row:
        return Row(recall, self.today)

    @property
    def parts(self) -> list[Part]:
        """What is due, what is coming, and what was closed a moment ago; without those that have no row."""
        opened = [row for row in self.rows if row.is_open]
        every = [
            Part("recalls-due", _("Para chamar"), [row for row in opened if row.is_due]),
            Part("recalls-coming", _("Por vir"), [row for row in opened if not row.is_due]),
            Part("recalls-done", _("Há pouco"), [row for row in self.rows if not row.is_open]),
        ]
        return [part for part in every if part.rows]

    @property
    def progress(self) -> str:
        """As "5 para chamar · 12 até qua 30/12"; "" where nobody is to be called."""
        listed = self.listed
        if not listed.total:
            return ""
        until = {"n": listed.total, "day": day_in_brief(self.until)}
        return " · ".join([_("%(n)s para chamar") % {"n": listed.due}, _("%(n)s até %(day)s") % until])

    @property
    def query(self) -> dict[str, str | int]:
        """The parameters of the address of this list."""
        return self._address(self.listed.page)

    @property
    def asked(self) -> dict[str, str | int]:
        """The same as they were asked for: an act on a row is posted with them."""
        return self._address(self.page)

    def _address(self, page: int) -> dict[str, str | int]:
        doctor: dict[str, str | int] = {"medico": self.doctor} if self.doctor else {}
        return {"ate": f"{self.until:%d/%m/%Y}"} | doctor | ({"pagina": page} if page > 1 else {})

    @property
    def next_page(self) -> int | None:
        return self.listed.page + 1 if self.listed.has_more else None

    @property
    def previous_page(self) -> int | None:
        return self.listed.page - 1 if self.listed.page > 1 else None

    @property
    def version(self) -> str:
        """A short hash of everything drawn, the order of the rows included."""
        content = [self.today, self.progress, self.listed.page, *(row.drawn for row in self.rows)]
        return version_of(content)
