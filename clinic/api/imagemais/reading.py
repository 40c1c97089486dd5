"""What a program says, read field by field: any JSON is either understood or told what is wrong with it, never both.

A Reader keeps what is said of every field in the order in which the fields are read, which is the order of the table
in `messages`. Like a form of the browser, a body that is readable is handed to booking; one that is not is still
checked by it, with something harmless in the place of what could not be read, so that every rule that had what it
judges is told at once.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, time
from itertools import chain

from clinic.api.imagemais import messages
from clinic.api.imagemais.errors import Rejected
from clinic.api.refused import Problem, Refused
from clinic.models import END_OF_DAY
from clinic.refusals import Reason, Refusal
from clinic.registry import unstorable

# Digits enough for any id there is; Python refuses to read thousands of them.
DIGITS = re.compile(r"[0-9]{1,40}")
ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T00:00:00(?:\.0{1,6})?Z)?")
# Of a birth date sent with a time, in whatever zone, the date is what was meant.
ANY_ISO_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
# Calendars can step beyond their ends; nothing is booked and nobody was born there.
EARLIEST, LATEST = date(1899, 12, 31), date(2200, 1, 1)
MOST_AT_ONCE, USUALLY_AT_ONCE = 100, 50
FURTHEST_OFFSET = 2**31 - 1


class Reader:
    missing = messages.MISSING
    unreadable = messages.UNREADABLE
    unstorable = messages.UNSTORABLE

    def __init__(self, said):
        self.said = said
        self._messages = {}

    def has(self, field: str) -> bool:
        """Whether something else than null was sent."""
        self._messages.setdefault(field, [])
        return self._value(field) is not None

    def says(self, field: str) -> bool:
        """Whether it was sent, be it null."""
        return self.has(field) or self.is_null(field)

    def is_null(self, field: str) -> bool:
        """Whether null was sent, and not nothing at all."""
        around, _, name = field.rpartition(".")
        value = self._value(around) if around else self.said
        return isinstance(value, dict) and name in value and value[name] is None

    def blame(self, field: str, *sentences: str) -> None:
        self._messages.setdefault(field, []).extend(sentences)

    def understood(self, *fields: str) -> bool:
        """Whether all of these fields, by default all that were read, were what they have to be."""
        return not any(self._messages.get(field) for field in fields or self._messages)

    def text(self, field: str, *, required: bool = True) -> str:
        """Empty when it is missing, or something else."""
        if not self._sent(field, required):
            return ""
        value = self._value(field)
        if not isinstance(value, str):
            self.blame(field, *self.unreadable[field])
            return ""
        if unstorable(value):
            self.blame(field, self.unstorable.format(messages.CALLED.get(field, field)))
            return ""
        if not value and required:
            self.blame(field, self.missing[field][0])
        return value

    def id(self, field: str, *, required: bool = True) -> int | None:
        if not self._sent(field, required):
            return None
        found = as_id(self._value(field))
        if found is None:
            self.blame(field, *self.unreadable[field])
        return found

    def flag(self, field: str) -> bool:
        """True or false; false when it is missing."""
        value = self._value(field) if self.has(field) else False
        if not isinstance(value, bool):
            self.blame(field, messages.BOOLEAN.format(field))
        return value is True

    def day(self, field: str, *, required: bool = True, form: re.Pattern = ISO_DATE) -> date | None:
        """Within the years that calendars can compute with."""
        if not self._sent(field, required):
            return None
        value = self._value(field)
        if value == "" and required:
            self.blame(field, *self.missing[field])
            return None
        found = _date(value, form)
        if found is None:
            self.blame(field, *self.unreadable[field])
        return found

    def wall(self, field: str) -> time | None:
        """HH:mm; of an `endTime` 24:00 too, as END_OF_DAY."""
        text = self.text(field)
        if field == "endTime" and text == "24:00":
            return END_OF_DAY
        found = TIME.fullmatch(text)
        if text and not found:
            self.blame(field, messages.NOT_A_TIME.format(field))
        return time(int(found[1]), int(found[2])) if found else None

    def choice(self, field: str, choices: dict, *, required: bool = True):
        if not self._sent(field, required):
            return None
        value = self._value(field)
        if not isinstance(value, str) or value not in choices:
            self.blame(field, *self.unreadable[field])
            return None
        return choices[value]

    def items(self, field: str, *, required: bool = True) -> list:
        """The elements of an array; none of what is no array."""
        value = self._value(field)
        self._messages.setdefault(field, [])
        if not isinstance(value, list):
            self.blame(field, *self.missing[field])
            return []
        if not value:
            self.blame(field, *messages.NO_PROCEDURES)
        return value

    def expect_storable_keys(self) -> None:
        if any(unstorable(key) for key in _keys(self.said)):
            self.blame("", messages.UNSTORABLE_KEY)

    def reject_unread(self) -> None:
        """Raises Rejected with everything that was not understood."""
        if not self.understood():
            raise Rejected(400, list(chain.from_iterable(self._messages.values())))

    def rejected(self, refusals: Iterable[Refusal] = (), told=messages.REFUSALS) -> Rejected:
        """The answer to what was not understood and to what booking refuses: 400 before 404 before 409.

        Nothing is told twice of a field, and no rule that judged something else than what was meant. Raises Refused
        when booking says to try again.
        """
        single = []
        unread = {field for field, sentences in self._messages.items() if sentences}
        for refusal in refusals:
            if refusal.reason is Reason.TRY_AGAIN:
                raise Refused(Problem.BUSY, retry_after=1)
            line = told[refusal.reason]
            if unread.intersection(line.judged_by):
                continue
            sentence = line.sentence % refusal.params
            if line.status == 400:
                self._say(line.field, sentence)
            else:
                single.append((line.status, sentence))
        if not self.understood():
            return Rejected(400, list(chain.from_iterable(self._messages.values())))
        return Rejected(*min(single, key=lambda answer: answer[0]))

    def _say(self, field, sentence):
        sentences = self._messages.setdefault(field, [])
        if sentence not in sentences:
            sentences.append(sentence)

    def _sent(self, field, required):
        if self.has(field):
            return True
        if required:
            self.blame(field, *self.missing[field])
        return False

    def _value(self, field):
        value = self.said
        for name in field.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value


class Query(Reader):
    """What the address asks for after its question mark."""

    missing = messages.MISSING_IN_QUERIES
    unreadable = messages.UNREADABLE | messages.UNREADABLE_IN_QUERIES
    unstorable = messages.UNSTORABLE_IN_QUERIES

    def __init__(self, request):
        super().__init__(request.GET.dict())

    def number(self, field: str, least: int, most: int, *, default: int) -> int:
        self._messages.setdefault(field, [])
        text = self.said.get(field, str(default))
        if not re.fullmatch(r"-?[0-9]{1,40}", text):
            self.blame(field, *self.unreadable[field])
            return default
        if int(text) < least:
            self.blame(field, messages.TOO_SMALL.format(field, least))
        if int(text) > most:
            self.blame(field, messages.TOO_LARGE.format(field, most))
        return int(text)

    def page(self) -> slice:
        """`limit` and `offset` of every list."""
        limit = self.number("limit", 1, MOST_AT_ONCE, default=USUALLY_AT_ONCE)
        offset = self.number("offset", 0, FURTHEST_OFFSET, default=0)
        return slice(offset, offset + limit)


def as_id(value) -> int | None:
    """The whole number that an id is written as, as a number or in digits; whose it is, is not asked."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and DIGITS.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def plain(text: str) -> str:
    """Without accents, in small letters."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def _keys(said):
    """Of all objects in what a body says; the door has measured how deep it goes."""
    if isinstance(said, dict):
        yield from said
    if isinstance(said, dict | list):
        for inner in said.values() if isinstance(said, dict) else said:
            yield from _keys(inner)


def _date(value, form):
    found = form.fullmatch(value) if isinstance(value, str) else None
    try:
        return found and min(max(date(*map(int, found.groups())), EARLIEST), LATEST)
    except ValueError:
        return None
