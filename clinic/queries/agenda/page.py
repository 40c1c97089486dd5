"""The parts of a day's page, as its template and the tests read them."""

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Literal


@dataclass(slots=True)
class Card:
    """One appointment.

    `css_class` holds its place, height in lines, lane and status; `aria_colindex` is its column in the table, of which
    the hours are the first; `since` is the instant of arrival of a patient who waits, in ISO 8601, and `waited` how
    long that is; `label` is read aloud.
    """

    kind: ClassVar[Literal["card"]] = "card"
    id: str
    column: int
    aria_colindex: str
    css_class: str
    status: str
    time: str
    name: str
    procedures: str
    badges: list[str]
    since: str
    waited: str
    doctor: str
    status_label: str
    label: str


@dataclass(slots=True)
class Slot:
    """A free time that can be booked; `time` is the clinic's wall time."""

    kind: ClassVar[Literal["slot"]] = "slot"
    column: int
    aria_colindex: str
    css_class: str
    time: str
    doctor_id: str
    label: str


@dataclass(slots=True)
class Shade:
    """Time that is closed, with its reason, or taken by an appointment that the filter hides."""

    kind: ClassVar[Literal["shade"]] = "shade"
    column: int
    aria_colindex: str
    css_class: str
    reason: str
    time: str


type Cell = Card | Slot | Shade


@dataclass(slots=True)
class Row:
    """The cells that begin at one moment, in the order of the doctors."""

    cells: list[Cell] = field(default_factory=list)


@dataclass(slots=True)
class Hour:
    """An hour of the clinic's clock; when clocks go back one comes twice, when they go forward one is missing."""

    time: str
    css_class: str
    rows: list[Row]


@dataclass(slots=True)
class Column:
    """A doctor who is on the page. `fullness` is the taken part of the open time in percent; None when never open."""

    doctor_id: str
    name: str
    specialty: str
    number: int
    interval: int
    css_class: str
    fullness: int | None


@dataclass(slots=True)
class DoctorChoice:
    """A doctor that the filter offers; `chosen` if it names this doctor."""

    id: str
    name: str
    chosen: bool


@dataclass(slots=True)
class Day:
    """One local date of one clinic, ready for its template.

    `all_rows_css_class` spans the grid from its first row to its last; `now_css_class` is the row of the present
    moment, empty when that is outside the grid. `version` changes when, and only when, something on the page does; the
    line of the present moment and the minutes of waiting are moved by the browser.
    """

    day: date
    today: date
    columns: list[Column]
    hours: list[Hour]
    all_rows_css_class: str
    scale: int
    booked: int
    missed: int
    free: int
    now_css_class: str
    now_time: str
    choices: list[DoctorChoice]
    off_duty: list[str]
    closure: str
    next_working: date | None
    version: str

    @property
    def is_past(self) -> bool:
        return self.day < self.today
