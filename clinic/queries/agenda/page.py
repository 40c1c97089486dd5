"""The parts of the page of a day or of a week, as its template and the tests read them."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import ClassVar, NamedTuple

from clinic.models import Doctor
from clinic.queries.memos import MAX_ON_DAY, DayMemo


@dataclass(slots=True)
class Badge:
    """A short word on a card; with an `icon` a narrow card shows the icon alone."""

    text: str
    icon: str = ""


@dataclass(slots=True)
class Card:
    """One appointment. `css_class` has its place, height in lines, lane and status; `aria_colindex` is its column in
    the table, of which the hours are the first; `until` is when it ends, `label` all of its words; `since` is the
    instant of arrival of a patient who waits. Both instants are in UTC; `other_date` is the local date on which it
    begins, "" for this page's."""

    kind: ClassVar[str] = "card"
    id: str
    column: int
    aria_colindex: str
    css_class: str
    status: str
    time: str
    until: str
    patient: str
    procedures: str
    badges: list[Badge]
    since: str
    waited: str
    doctor: str
    status_label: str
    label: str
    is_strip: bool
    starts_at: datetime
    ends_at: datetime
    other_date: str


class Slot(NamedTuple):
    """A free time that can be booked; `time` is the clinic's wall time.

    `procedure` is the id of what can be booked then, where the doctor's usual procedure does not fit, and `fits` says
    so in words; both are "" where it fits. `is_freed` where an appointment was cancelled or missed. `group` is the
    doctor's short name at the first of their free times in an hour: a phone lists those of all doctors together."""

    column: int
    aria_colindex: str
    css_class: str
    time: str
    doctor_id: str
    procedure: str
    fits: str
    is_freed: bool
    label: str
    group: str = ""

    @property
    def kind(self) -> str:
        return "slot"


@dataclass(slots=True)
class Shade:
    """Time that is closed, with its reason, or taken by an appointment that the filter hides."""

    kind: ClassVar[str] = "shade"
    column: int
    aria_colindex: str
    css_class: str
    reason: str
    time: str


@dataclass(slots=True)
class Folded:
    """Cancelled and missed appointments at one place for which no strip is left; `id` is that of the first."""

    kind: ClassVar[str] = "folded"
    id: str
    column: int
    aria_colindex: str
    css_class: str
    number: int
    label: str
    cards: list[Card]


type Cell = Card | Slot | Shade | Folded


@dataclass(slots=True)
class Row:
    """What begins at one moment, in the order of the doctors."""

    cells: list[Cell] = field(default_factory=list)


@dataclass(slots=True)
class Hour:
    """An hour of the clinic's clock; when clocks go back one comes twice, when they go forward one is missing."""

    time: str
    css_class: str
    rows: list[Row]


@dataclass(slots=True)
class Column:
    """A doctor who is on the page, late by `delay` minutes; on the page of a week a doctor on the date `on`, which is
    None on that of a day. `fullness` is the taken part of the open time in percent, None when never open."""

    doctor_id: str
    name: str
    subheading: str
    number: int
    interval: int
    css_class: str
    fullness: int | None
    performs_nothing: bool
    delay: int
    on: date | None = None


@dataclass(slots=True)
class DoctorChoice:
    """A doctor that the filter offers; `chosen` if it names this doctor."""

    id: str
    name: str
    chosen: bool


@dataclass(slots=True)
class Grid:
    """Columns, and the hours with what begins in them. `version` changes when, and only when, something drawn does;
    the now-line and the minutes of waiting are the browser's to move on. From `stays_until` on, an instant in UTC, time
    alone may change what is drawn.

    `booked`, `missed`, `free` and `short` count what is in the columns: `free` the times at which the doctor's usual
    procedure fits, `short` those for shorter ones only."""

    today: date
    columns: list[Column]
    hours: list[Hour]
    all_rows_class: str
    scale: str
    booked: int
    missed: int
    free: int
    short: int
    now_class: str
    now_time: str
    choices: list[DoctorChoice]
    version: str
    stays_until: datetime


@dataclass(slots=True)
class Day(Grid):
    """One local date of one clinic, ready to be drawn.

    `causes` are why appointments of this day cannot take place, each with their number.
    `memos` are the open notes that are pinned to this date, and one more where there are more than MAX_ON_DAY.
    `holiday` is the name of the day, open or not: a holiday, or an optional day."""

    day: date
    off_duty: list[str]
    closure: str
    holiday: str
    next_working: date | None
    causes: list[tuple[str, int]]
    memos: list[DayMemo]

    @property
    def delays(self) -> list[Column]:
        """The columns of doctors who are late."""
        return [column for column in self.columns if column.delay]

    @property
    def shown_memos(self) -> list[DayMemo]:
        return self.memos[:MAX_ON_DAY]

    @property
    def is_past(self) -> bool:
        return self.day < self.today


@dataclass(slots=True)
class Week(Grid):
    """A doctor's dates from Monday `first` on, ready to be drawn in a column each: Monday to Friday, and the others on
    which there is something to see."""

    first: date
    doctor: Doctor

    @property
    def is_past(self) -> bool:
        return self.first + timedelta(days=6) < self.today
