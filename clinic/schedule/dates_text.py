"""Exceptions of single dates as people write them, a line each: "05/12 8-12", "24/12 fechado 12-18 (reunião)".

Asks no database. What cannot be read is named at its place; the rest is read all the same."""

from collections.abc import Callable, Iterator
from datetime import date, time
from typing import NamedTuple

from django.utils.translation import gettext as _

from clinic.models import Absence
from clinic.models.limits import max_length
from clinic.schedule.hours_text import ClockSpan, Mistake, Token, TokenReader


class OpenDay(NamedTuple):
    """Hours of a single local date."""

    day: date
    starts: time
    ends: time


class ClosedDay(NamedTuple):
    """Time of a single local date that is closed, the whole day where `starts` and `ends` are None."""

    day: date
    starts: time | None
    ends: time | None
    reason: str


class Exceptions(NamedTuple):
    """What was understood of the text, in its order, and what was not."""

    days: list[OpenDay | ClosedDay]
    mistakes: list[Mistake]


def read_exceptions(text: str, read_date: Callable[[str], date | None]) -> Exceptions:
    """Read the exceptions of a doctor; `read_date` reads a date, and returns None for one that does not exist."""
    reader = _Reader(text, read_date)
    days = [exception for line in reader.lines() for exception in reader.read(line)]
    return Exceptions(days, sorted(reader.mistakes))


class _Reader(TokenReader):
    """Reads a text line by line."""

    def __init__(self, text: str, read_date: Callable[[str], date | None]) -> None:
        super().__init__(text)
        self._read_date = read_date

    def lines(self) -> Iterator[list[Token]]:
        """Yield the words of each line that has some."""
        line: list[Token] = []
        for token in [*self.tokens, Token("end", "", len(self.text), len(self.text))]:
            if token.kind != "end":
                line.append(token)
            elif line:
                yield line
                line = []

    def read(self, line: list[Token]) -> Iterator[OpenDay | ClosedDay]:
        """Yield what a line says: a date, then hours or "fechado", and a reason in parentheses."""
        first, *rest = line
        if (day := self._day(first)) is None and first.kind != "date":
            return
        mistakes = len(self.mistakes)
        self.tokens, self.at = [token for token in rest if token.kind != "reason"], 0
        spans = list(self.spans())
        for token in self.tokens[self.at :]:
            self.add_mistake(token.start, token.end, _("“%(word)s”: não entendi."))
        if day is None or len(self.mistakes) > mistakes:
            return
        if not self._is_one_act(rest):
            return
        is_closed = any(token.kind == "closed" for token in rest)
        yield from self._exceptions(line, day, spans, self._reason(rest), is_closed=is_closed)

    def _is_one_act(self, line: list[Token]) -> bool:
        """Whether a line opens or closes, and a reason belongs to time that is closed; a mistake is noted if not."""
        kinds = [token.kind for token in line]
        if "closed" not in kinds:
            for token in line:
                if token.kind == "reason":
                    self.add_mistake(token.start, token.end, _("“%(word)s”: só o que fecha tem motivo."))
            return "reason" not in kinds
        before = [token for token in line[: kinds.index("closed")] if token.kind == "time"]
        if before:
            self.add_mistake(
                before[0].start,
                before[-1].end,
                _("“%(word)s”: escreva em duas linhas o que abre e o que fecha, com as horas depois de “fechado”."),
            )
        return not before

    def _reason(self, line: list[Token]) -> str:
        """Return what stands in parentheses."""
        for token in line:
            reason = self.text[token.start + 1 : token.end - 1].strip()
            if token.kind == "reason" and len(reason) > max_length(Absence, "reason"):
                self.add_mistake(token.start, token.end, _("“%(word)s”: o motivo é longo demais."))
            elif token.kind == "reason":
                return reason
        return ""

    def _exceptions(
        self, line: list[Token], day: date, spans: list[ClockSpan], reason: str, *, is_closed: bool
    ) -> Iterator[OpenDay | ClosedDay]:
        if is_closed:
            yield from (ClosedDay(day, span.starts, span.ends, reason) for span in spans)
            if not spans:
                yield ClosedDay(day, None, None, reason)
        elif spans:
            yield from (OpenDay(day, span.starts, span.ends) for span in spans)
        else:
            sentence = _("“%(word)s”: faltam as horas, ou “fechado”.")
            self.add_mistake(line[0].start, line[-1].end, sentence)

    def _day(self, token: Token) -> date | None:
        if token.kind != "date":
            self.add_mistake(token.start, token.end, _("“%(word)s”: falta a data antes, por exemplo 05/12 8-12."))
            return None
        day = self._read_date(token.word)
        if day is None:
            self.add_mistake(token.start, token.end, _("“%(word)s”: essa data não existe ou já passou."))
        return day
