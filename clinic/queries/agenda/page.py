"""What a drawn day is made of: what its template reads, and the tests."""

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar


@dataclass(slots=True)
class Card:
    """One appointment. `look` are its classes: place, height in lines, lane and status; `index` is its column in the
    table, of which the hours are the first; `since` is the instant of arrival of a patient who waits."""

    kind: ClassVar[str] = "card"
    id: str
    column: int
    index: str
    look: str
    status: str
    time: str
    name: str
    what: str
    badges: list[str]
    since: str
    waited: str
    doctor: str
    word: str
    label: str


@dataclass(slots=True)
class Slot:
    """A free time that can be booked; `time` is the clinic's wall time."""

    kind: ClassVar[str] = "slot"
    column: int
    index: str
    look: str
    time: str
    doctor_id: str
    label: str


@dataclass(slots=True)
class Shade:
    """Time that is closed, with its reason, or taken by an appointment that the filter hides."""

    kind: ClassVar[str] = "shade"
    column: int
    index: str
    look: str
    reason: str
    time: str


@dataclass(slots=True)
class Row:
    """What begins at one moment, in the order of the doctors."""

    cells: list = field(default_factory=list)


@dataclass(slots=True)
class Hour:
    """An hour of the clinic's clock; when clocks go back one comes twice, when they go forward one is missing."""

    time: str
    look: str
    rows: list[Row]


@dataclass(slots=True)
class Column:
    """A doctor who is on the page. `fullness` is the taken part of the open time in percent; None when never open."""

    doctor_id: str
    name: str
    specialty: str
    number: int
    interval: int
    look: str
    fullness: int | None


@dataclass(slots=True)
class DoctorChoice:
    id: str
    name: str
    chosen: bool


@dataclass(slots=True)
class Day:
    """One local date of one clinic, ready to be drawn. `version` changes when, and only when, something drawn does;
    the now-line and the minutes of waiting are the browser's to move on."""

    date: date
    today: date
    columns: list[Column]
    hours: list[Hour]
    whole_look: str
    scale: int
    booked: int
    missed: int
    free: int
    now_look: str
    now_time: str
    choices: list[DoctorChoice]
    off_duty: list[str]
    closure: str
    next_working: date | None
    version: str

    @property
    def is_past(self) -> bool:
        return self.date < self.today
