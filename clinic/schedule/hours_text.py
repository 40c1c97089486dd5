"""Hours as people write them, "seg-sex 8-12 13:30-18; sáb 8-12": read into rows, and written from them.

Asks no database. What cannot be read is named at its place; the rest is read all the same."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, time
from typing import NamedTuple

from django.utils.translation import gettext as _

from clinic.models.doctor import written_validity
from clinic.models.names import without_accents
from clinic.schedule.hours import MAX_NIGHT_HOURS, Hours, WeeklyHours, are_valid_hours, overlapping_hours

DAY_NAMES = ("seg", "ter", "qua", "qui", "sex", "sáb", "dom")
WEEKDAYS = {name: number for number, name in enumerate(("seg", "ter", "qua", "qui", "sex", "sab", "dom"), 1)}
OF_WEEK = {"dias uteis": range(1, 6), "uteis": range(1, 6), "todos os dias": range(1, 8), "todo dia": range(1, 8)}
SHORTEST_RUN = 3  # of days that are written with a dash
TOKEN = re.compile(
    r"""
    (?P<date> \d{1,2}[/]\d{1,2}(?:[/]\d{4}|[/]\d{2})?(?![\d/]) )
    | (?P<reason> \([^()\n]*\) )
    | (?P<day>
        (?: (?:segunda|terca|quarta|quinta|sexta)s?(?:[ -]?feiras?)? | sabados? | domingos?
          | seg | ter | qua | qui | sex | sab | dom ) (?![a-z]) \.?
        | [2-6]\.?ª (?:[ -]?feiras?)?
    )
    | (?P<week> dias\ uteis | uteis | todos\ os\ dias | todo\ dia ) (?![a-z])
    | (?P<time>
        \d{1,2} (?: [:.]\d{2}(?!\d)\ ?h? | \ ?(?:horas?|hrs?|hs?)(?:\d{2}(?!\d)(?:\ ?min|\ ?m)?)? )? (?![\da-z])
        | meio[ -]dia | meia[ -]noite
    )
    | (?P<to> [-–—] | (?:a|as|ate)(?![a-z]) )
    | (?P<closed> (?:fechad[oa] | encerrad[oa] | folga)(?![a-z]) )
    | (?P<end> [;\n] )
    | (?P<between> (?:[^\S\n]|[,/:+])+ | (?:e|das?|de|na|no|nas|nos)(?![a-z]) )
    | (?P<unknown> [^\s;,]+ )
    """,
    re.VERBOSE,
)
CLOCK = re.compile(r"(\d{1,2})\D*(\d{2})?\D*")


class Mistake(NamedTuple):
    """A part of the text that cannot be read, from `start` to `end`, and why."""

    start: int
    end: int
    sentence: str


class Week(NamedTuple):
    """What was understood of a text, by weekday and start, and what was not, in the order of the text."""

    hours: list[Hours]
    mistakes: list[Mistake]


class Token(NamedTuple):
    """A word of the text by its kind, the name of a group of TOKEN; without accents and capitals."""

    kind: str
    word: str
    start: int
    end: int


class ClockSpan(NamedTuple):
    """Two times of the clock, and where they stand in the text."""

    starts: time
    ends: time
    start: int
    end: int


def read_week(text: str) -> Week:
    """Read the hours of a week. Days come before their times; `;`, a new line or another day begin anew."""
    reader = _WeekReader(text)
    reader.read()
    rows = sorted(reader.rows, key=lambda row: row[0])
    mistakes = [*reader.mistakes, *_crossings(text, rows)]
    return Week([row for row, _span in rows], sorted(mistakes))


def write_week(rows: Collection[WeeklyHours]) -> str:
    """Return what `read_week` reads as these hours: "seg-sex 8-12 13:30-18; sáb 8-12"; "" for none."""
    days_of: dict[str, list[int]] = defaultdict(list)
    for weekday in range(1, len(DAY_NAMES) + 1):
        spans = sorted((row.starts, row.ends) for row in rows if row.weekday == weekday)
        if spans:
            days_of[" ".join(f"{short_clock(starts)}-{_end_clock(ends)}" for starts, ends in spans)].append(weekday)
    return "; ".join(f"{_write_days(days)} {spans}" for spans, days in days_of.items())


def change_week(text: str, *, without: Hours | None, including: Hours | None) -> str | None:
    """Return the text of a week without some of its hours and with others, which may overlap the rest.

    None for a text that has mistakes, or in which the hours are not that are to be taken out."""
    week = read_week(text)
    if week.mistakes or (without and without not in week.hours):
        return None
    return write_week([*(row for row in week.hours if row != without), *filter(None, [including])])


def write_hours(rows: Iterable[WeeklyHours]) -> str:
    """Return hours of several validities as text: "seg-sex 8-12 (até 31/12/2026); seg 9-12 (de 01/01/2027)"."""
    groups: dict[tuple[date, date], list[WeeklyHours]] = defaultdict(list)
    for row in rows:
        groups[row.valid_from or date.min, row.valid_until or date.max].append(row)
    parts = []
    for key in sorted(groups):
        week, row = write_week(groups[key]), groups[key][0]
        validity = written_validity(row.valid_from, row.valid_until)
        parts.append(f"{week} ({validity})" if validity else week)
    return "; ".join(parts)


def short_clock(at: time) -> str:
    """Return 8 for 08:00 and 8:30 for 08:30."""
    return f"{at.hour}:{at:%M}" if at.minute else f"{at.hour}"


def _end_clock(ends: time) -> str:
    return short_clock(ends) if ends != time.min else "24"


def _write_days(days: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = [[DAY_NAMES[day - 1] for day in run] for run in runs]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) >= SHORTEST_RUN else ", ".join(run) for run in names)


class TokenReader:
    """Reads the words of a text one after the other; `at` is the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.mistakes: list[Mistake] = []
        self.tokens = _tokens_of(text)
        self.at = 0

    def kind(self, ahead: int = 0) -> str:
        """Return the kind of the next word, or of one further on; "" behind the last one."""
        number = self.at + ahead
        return self.tokens[number].kind if number < len(self.tokens) else ""

    def spans(self) -> Iterator[ClockSpan]:
        """Yield the pairs of times that stand here; words that are not understood are passed over."""
        while self.kind() in {"time", "closed", "unknown", "date", "reason"}:
            token = self.tokens[self.at]
            if token.kind == "time" and (self.kind(1), self.kind(2)) == ("to", "time"):
                if span := self._span(token, self.tokens[self.at + 2]):
                    yield span
                self.at += 2
            elif token.kind == "time":
                sentence = _("“%(word)s”: falta até que horas, por exemplo 8-12.")
                self.add_mistake(token.start, token.end, sentence)
            elif token.kind != "closed":
                self.add_mistake(token.start, token.end, _("“%(word)s”: não entendi."))
            self.at += 1

    def add_mistake(self, start: int, end: int, sentence: str) -> None:
        """Note a mistake between two places of the text; `word` and `hours` may stand in the sentence."""
        words = {"word": self.text[start:end], "hours": MAX_NIGHT_HOURS}
        self.mistakes.append(Mistake(start, end, sentence % words))

    def _span(self, first: Token, last: Token) -> ClockSpan | None:
        starts, ends = self._clock(first, is_end=False), self._clock(last, is_end=True)
        if starts is None or ends is None:
            return None
        if not are_valid_hours(starts, ends):
            sentence = _("“%(word)s”: o fim vem antes do início, ou mais de %(hours)s horas depois dele.")
            self.add_mistake(first.start, last.end, sentence)
            return None
        return ClockSpan(starts, ends, first.start, last.end)

    def _clock(self, token: Token, *, is_end: bool) -> time | None:
        at = _read_clock(token.word, is_end=is_end)
        if at is None:
            self.add_mistake(token.start, token.end, _("“%(word)s”: essa hora não existe."))
        return at


class _WeekReader(TokenReader):
    """Reads days of the week and the times behind them."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.rows: list[tuple[Hours, ClockSpan]] = []

    def read(self) -> None:
        while self.at < len(self.tokens):
            if self.kind() == "end":
                self.at += 1
            else:
                self._read_entry()

    def _read_entry(self) -> None:
        """Read some days and the times behind them."""
        first = self.at
        days = list(dict.fromkeys(self._days()))
        after_days = self.at
        if days and (self.kind(), self.kind(1)) == ("to", "time"):
            self.at += 1
        known = len(self.mistakes)
        spans = list(self.spans())
        if self.at == first:
            token = self.tokens[first]
            self.add_mistake(token.start, token.end, _("“%(word)s”: não entendi."))
            self.at += 1
        elif spans and not days:
            sentence = _("“%(word)s”: falta o dia antes, por exemplo seg-sex 8-12.")
            if len(self.mistakes) == known:
                self.add_mistake(spans[0].start, spans[-1].end, sentence)
        elif self.at == after_days:
            sentence = _("“%(word)s”: faltam as horas, por exemplo sáb 8-12.")
            self.add_mistake(self.tokens[first].start, self.tokens[after_days - 1].end, sentence)
        self.rows += [(Hours(day, span.starts, span.ends), span) for day in days for span in spans]

    def _days(self) -> Iterator[int]:
        """Yield the days that are named here, in the order of the text."""
        while self.kind() in {"day", "week"}:
            token = self.tokens[self.at]
            if token.kind == "week":
                yield from OF_WEEK[token.word]
            elif (self.kind(1), self.kind(2)) == ("to", "day"):
                first, last = _weekday(token.word), _weekday(self.tokens[self.at + 2].word)
                yield from ((first - 1 + number) % 7 + 1 for number in range((last - first) % 7 + 1))
                self.at += 2
            else:
                yield _weekday(token.word)
            self.at += 1


def _tokens_of(text: str) -> list[Token]:
    """Return the words of a text, without what only stands between others."""
    folded = without_accents("".join(letter.lower()[:1] or letter for letter in text))
    found = [Token(match.lastgroup or "", match[0], *match.span()) for match in TOKEN.finditer(folded)]
    return [token for token in found if token.kind != "between"]


def _weekday(word: str) -> int:
    return int(word[0]) - 1 if word[0].isdigit() else WEEKDAYS[word[:3]]


def _read_clock(word: str, *, is_end: bool) -> time | None:
    """Return the time of the clock, None for one that does not exist; 24 is the midnight that ends the day."""
    if word.startswith("mei"):
        return time(12) if word.startswith("meio") else time.min
    match = CLOCK.fullmatch(word)
    if match is None:
        return None
    hour, minute = (int(digits or 0) for digits in match.groups())
    if is_end and (hour, minute) == (24, 0):
        return time.min
    try:
        return time(hour, minute)
    except ValueError:
        return None


def _crossings(text: str, rows: Sequence[tuple[Hours, ClockSpan]]) -> Iterator[Mistake]:
    """Yield a mistake for every span that begins before another one has ended."""
    span_of = {id(row): span for row, span in rows}
    for row, other in overlapping_hours([row for row, _span in rows]):
        span, before = span_of[id(row)], span_of[id(other)]
        sentence = _("“%(word)s” de %(day)s cruza com “%(other)s” de %(other_day)s.") % {
            "word": text[span.start : span.end],
            "day": DAY_NAMES[row.weekday - 1],
            "other": text[before.start : before.end],
            "other_day": DAY_NAMES[other.weekday - 1],
        }
        yield Mistake(span.start, span.end, sentence)
