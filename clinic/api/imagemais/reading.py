"""Read the fields of a request: every JSON value is either accepted or reported, never both.

A Reader collects the messages of each field in the order in which the fields are read, which is the order of the table
in `messages`. A valid body is passed to booking, as a form of the browser is. An invalid one is still checked by it,
with harmless placeholders for the unreadable values, so that all rules whose values were readable are reported
together.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from typing import Any

from django.http import HttpRequest

from clinic.api.errors import ApiError, ErrorCode
from clinic.api.imagemais import messages
from clinic.api.imagemais.errors import RequestError
from clinic.api.moments import parse_moment, since_fault, with_plus
from clinic.models import END_OF_DAY
from clinic.queries import changes
from clinic.refusals import Reason, Refusal
from clinic.registry import unstorable

# Enough digits for any id; int() refuses strings of thousands of digits.
DIGITS = re.compile(r"[0-9]{1,40}")
ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T00:00:00(?:\.0{1,6})?Z)?")
# A birth date sent with a time, in any zone, means the date as written.
ANY_ISO_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
AMOUNT = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[-+]?[0-9]{1,3})?")
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
# Date arithmetic near the ends of the calendar would overflow; no appointment or birth date lies outside these.
EARLIEST, LATEST = date(1899, 12, 31), date(2200, 1, 1)
MAX_LIMIT, DEFAULT_LIMIT = 100, 50
MAX_OFFSET = 2**31 - 1


class Reader:
    """Read the fields of a JSON value and collect messages about them."""

    missing: messages.Sentences = messages.MISSING
    unreadable: messages.Sentences = messages.UNREADABLE
    unstorable = messages.UNSTORABLE

    def __init__(self, payload: Any) -> None:
        self.payload = payload
        self._messages: dict[str, list[str]] = {}

    def has(self, field: str) -> bool:
        """Return whether a value other than null was sent."""
        self._messages.setdefault(field, [])
        return self._value(field) is not None

    def is_sent(self, field: str) -> bool:
        """Return whether the field was sent, even as null."""
        return self.has(field) or self.is_null(field)

    def is_null(self, field: str) -> bool:
        """Return whether null was sent."""
        parent, _, name = field.rpartition(".")
        value = self._value(parent) if parent else self.payload
        return isinstance(value, dict) and name in value and value[name] is None

    def add_errors(self, field: str, *sentences: str) -> None:
        self._messages.setdefault(field, []).extend(sentences)

    def is_valid(self, *fields: str) -> bool:
        """Return whether these fields, by default all that were read, are without messages."""
        return not any(self._messages.get(field) for field in fields or self._messages)

    def text(self, field: str, *, required: bool = True) -> str:
        """Return a text, "" when it is missing or not a text."""
        if not self._require(field, required):
            return ""
        value: object = self._value(field)
        if not isinstance(value, str):
            self.add_errors(field, *self.unreadable[field])
            return ""
        if unstorable(value):
            self.add_errors(field, self.unstorable.format(messages.FIELD_NAMES.get(field, field)))
            return ""
        if not value and required:
            self.add_errors(field, self.missing[field][0])
        return value

    def id(self, field: str, *, required: bool = True) -> int | None:
        if not self._require(field, required):
            return None
        number = as_id(self._value(field))
        if number is None:
            self.add_errors(field, *self.unreadable[field])
        return number

    def amount(self, field: str) -> Decimal | None:
        """Return a positive or negative amount, a number or a text as answers write money; None for another value."""
        if not self._require(field, required=True):
            return None
        value = self._value(field)
        text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
        if not AMOUNT.fullmatch(text):
            self.add_errors(field, *self.unreadable[field])
            return None
        return Decimal(text)

    def flag(self, field: str) -> bool:
        """Return a boolean, False when it is missing."""
        value = self._value(field) if self.has(field) else False
        if not isinstance(value, bool):
            self.add_errors(field, messages.BOOLEAN.format(field))
        return value is True

    def day(self, field: str, *, required: bool = True, pattern: re.Pattern[str] = ISO_DATE) -> date | None:
        """Return a date within the years that calendars can handle."""
        if not self._require(field, required):
            return None
        value = self._value(field)
        if value == "" and required:
            self.add_errors(field, *self.missing[field])
            return None
        day = _date(value, pattern)
        if day is None:
            self.add_errors(field, *self.unreadable[field])
        return day

    def time_of_day(self, field: str) -> time | None:
        """Return a time HH:mm; 24:00 of an `endTime` is END_OF_DAY."""
        text = self.text(field)
        if field == "endTime" and text == "24:00":
            return END_OF_DAY
        match = TIME.fullmatch(text)
        if text and not match:
            self.add_errors(field, messages.NOT_A_TIME.format(field))
        return time(int(match[1]), int(match[2])) if match else None

    def choice[T](self, field: str, choices: Mapping[str, T], *, required: bool = True) -> T | None:
        """Return what one of the names stands for, in capitals too: answers write `Confirmado`."""
        if not self._require(field, required):
            return None
        value = self._value(field)
        if not isinstance(value, str) or value.lower() not in choices:
            self.add_errors(field, *self.unreadable[field])
            return None
        return choices[value.lower()]

    def items(self, field: str, *, required: bool = True) -> list[Any]:
        """Return the elements of an array; an empty list for any other value."""
        value = self._value(field)
        self._messages.setdefault(field, [])
        if not isinstance(value, list):
            self.add_errors(field, *self.missing[field])
            return []
        if not value:
            self.add_errors(field, *messages.NO_PROCEDURES)
        return value

    def expect_storable_keys(self) -> None:
        if any(unstorable(key) for key in _keys(self.payload)):
            self.add_errors("", messages.UNSTORABLE_KEY)

    def raise_if_invalid(self) -> None:
        """Raise RequestError with all messages, if there are any."""
        if not self.is_valid():
            raise RequestError(400, list(chain.from_iterable(self._messages.values())))

    def request_error(
        self, refusals: Iterable[Refusal] = (), by_reason: messages.Messages = messages.REFUSALS
    ) -> RequestError:
        """Return the error for the collected messages and booking's refusals: 400 before 404 before 409.

        A message is not repeated for a field, and a rule that judged a placeholder is left out. Raises ApiError when
        booking asks to try again.
        """
        other: list[tuple[int, str]] = []
        unreadable = {field for field, sentences in self._messages.items() if sentences}
        for refusal in refusals:
            if refusal.reason is Reason.TRY_AGAIN:
                raise ApiError(ErrorCode.BUSY, retry_after=1)
            message = by_reason[refusal.reason]
            if unreadable.intersection(message.depends_on):
                continue
            sentence = message.sentence % refusal.params
            if message.status == 400:
                self._add_once(message.field, sentence)
            else:
                other.append((message.status, sentence))
        if not self.is_valid():
            return RequestError(400, list(chain.from_iterable(self._messages.values())))
        return RequestError(*min(other, key=lambda answer: answer[0]))

    def _add_once(self, field: str, sentence: str) -> None:
        sentences = self._messages.setdefault(field, [])
        if sentence not in sentences:
            sentences.append(sentence)

    def _require(self, field: str, required: bool) -> bool:
        """Return whether the field has a value; report a required one that is missing."""
        if self.has(field):
            return True
        if required:
            self.add_errors(field, *self.missing[field])
        return False

    def _value(self, field: str) -> Any:
        value = self.payload
        for name in field.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value


class Query(Reader):
    """Read the parameters of a query string."""

    missing: messages.Sentences = messages.MISSING_IN_QUERIES
    unreadable: messages.Sentences = messages.UNREADABLE | messages.UNREADABLE_IN_QUERIES
    unstorable = messages.UNSTORABLE_IN_QUERIES

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.GET.dict())
        self._query = request.GET

    def ids(self, field: str) -> list[int]:
        """Return the ids of a parameter that may be repeated, in the order in which they came."""
        self._messages.setdefault(field, [])
        ids = [as_id(text) for text in self._query.getlist(field)]
        if None in ids:
            self.add_errors(field, *self.unreadable[field])
        return [number for number in ids if number is not None]

    def some_of(self, field: str, names: Collection[str]) -> frozenset[str]:
        """Return the names that a parameter lists between commas, none when it was not sent."""
        if not self.has(field):
            return frozenset()
        found = frozenset(self.payload[field].split(","))
        if not found <= {*names}:
            self.add_errors(field, messages.SOME_OF.format(field, ", ".join(names)))
        return found

    def number(self, field: str, minimum: int, maximum: int, *, default: int) -> int:
        self._messages.setdefault(field, [])
        text: str = self.payload.get(field, str(default))
        if not re.fullmatch(r"-?[0-9]{1,40}", text):
            self.add_errors(field, *self.unreadable[field])
            return default
        if int(text) < minimum:
            self.add_errors(field, messages.TOO_SMALL.format(field, minimum))
        if int(text) > maximum:
            self.add_errors(field, messages.TOO_LARGE.format(field, maximum))
        return int(text)

    def since(self, field: str) -> datetime:
        """Return the instant since when changes are asked for; the earliest one for what is none."""
        since = parse_moment(with_plus(self.text(field, required=False)))
        if since is None and self.is_valid(field):
            self.add_errors(field, *self.unreadable[field])
        elif since and (fault := since_fault(since)):
            self.add_errors(field, messages.SINCE_FAULTS[fault])
        return since or changes.EARLIEST

    def page(self) -> tuple[int, int]:
        """Return `limit` and `offset`, which every list accepts."""
        limit = self.number("limit", 1, MAX_LIMIT, default=DEFAULT_LIMIT)
        return limit, self.number("offset", 0, MAX_OFFSET, default=0)


def as_id(value: object) -> int | None:
    """Return the integer that an id is written as, as a number or as digits, whether or not it exists."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and DIGITS.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def plain(text: str) -> str:
    """Return the text without accents, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _keys(value: Any) -> Iterator[str]:
    """Yield the keys of all objects in a body, whose depth is limited already."""
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _keys(inner)


def _date(value: object, pattern: re.Pattern[str]) -> date | None:
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    try:
        return min(max(date(*map(int, match.groups())), EARLIEST), LATEST) if match else None
    except ValueError:
        return None
