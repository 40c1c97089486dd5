"""Stored hours, absences and holidays, expanded per local date into instants; shared by booking's rules and agenda."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cache, lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import holidays
from django.utils.translation import gettext_lazy as _

from clinic.cursors import prepared_cursor
from clinic.models.clinic import Clinic

FURTHEST_DAYS = 2 * 365  # beyond today nothing is offered or booked
# Of hours that run past midnight: what is longer has its two ends mixed up.
LONGEST_NIGHT = timedelta(hours=16)
WEEK = timedelta(days=7)


class Closure(Enum):
    """Why time is closed: the doctor's hours, an absence of the doctor or of the whole clinic, a public holiday."""

    HOURS = "hours"
    ABSENCE = "absence"
    CLINIC = "clinic"
    HOLIDAY = "holiday"


@dataclass(frozen=True)
class Span:
    """The half-open time between two UTC instants; `reason` is in Portuguese and empty for open time."""

    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    closure: Closure | None = None

    def overlaps(self, starts_at, ends_at):
        return self.starts_at < ends_at and self.ends_at > starts_at

    def contains(self, starts_at, ends_at):
        return self.starts_at <= starts_at and self.ends_at >= ends_at


@lru_cache(maxsize=64)
def national_holidays(country: str, year: int) -> dict[date, str]:
    """The public holidays of `BR` or `PT` with their Portuguese names."""
    return dict(holidays.country_holidays(country, years=year))


def holidays_between(clinic: Clinic, first: date, last: date) -> set[date]:
    """The local dates from `first` to `last`, both included, on which this clinic closes for a public holiday."""
    if not clinic.observes_holidays:
        return set()
    years = range(first.year, last.year + 1)
    return {day for year in years for day in national_holidays(clinic.country, year) if first <= day <= last}


def merged(spans):
    """The same time as `spans`, in order, with touching and overlapping ones joined."""
    joined = []
    for span in sorted(spans, key=lambda span: span.starts_at):
        if joined and span.starts_at <= joined[-1].ends_at:
            joined[-1] = Span(joined[-1].starts_at, max(joined[-1].ends_at, span.ends_at))
        else:
            joined.append(span)
    return joined


def without(spans, holes):
    """What is left of `spans` outside `holes`; reasons are kept."""
    for hole in holes:
        spans = [part for span in spans for part in _cut(span, hole)]
    return spans


def _cut(span, hole):
    if not span.overlaps(hole.starts_at, hole.ends_at):
        return [span]
    parts = []
    if span.starts_at < hole.starts_at:
        parts.append(Span(span.starts_at, hole.starts_at, span.reason, span.closure))
    if hole.ends_at < span.ends_at:
        parts.append(Span(hole.ends_at, span.ends_at, span.reason, span.closure))
    return parts


# Written out because every booking asks it: see clinic.booking.rows.
STORED = """
    SELECT doctor_id, weekday, starts, ends,
        NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at, NULL AS reason
    FROM clinic_workinghours WHERE clinic_id = %(clinic)s AND doctor_id = ANY (%(doctors)s)
    UNION ALL
    SELECT doctor_id, NULL, NULL, NULL, starts_at, ends_at, reason
    FROM clinic_absence WHERE clinic_id = %(clinic)s AND (doctor_id = ANY (%(doctors)s) OR doctor_id IS NULL)
      AND starts_at < %(last)s AND ends_at > %(first)s
"""


class Stored(NamedTuple):
    """A row of WorkingHours (with a weekday and wall times) or of Absence (with instants and a reason).

    Hours whose end is not after their start run into the next day; 00:00 as their end is the midnight between the two.
    """

    doctor_id: int | None
    weekday: int | None
    starts: time | None
    ends: time | None
    starts_at: datetime | None
    ends_at: datetime | None
    reason: str | None


class Schedules:
    """When each of some doctors works on each of some days: one query, however many."""

    def __init__(self, clinic: Clinic, stored: list[Stored]):
        self.clinic = clinic
        self._hours = defaultdict(list)
        self._absences = defaultdict(list)
        # Asked for every doctor of a page.
        self._day = cache(clinic.day)
        for row in stored:
            if row.weekday is None:
                self._absences[row.doctor_id].append(row)
            else:
                self._hours[row.doctor_id, row.weekday].append(row)

    @classmethod
    def load(cls, clinic: Clinic, doctors, first: date, last: date):
        """Schedules of `doctors` (rows or ids) on the local dates from `first` to `last`, both included."""
        ids = [getattr(doctor, "pk", doctor) for doctor in doctors]
        with prepared_cursor() as cursor:
            # What begins on the last day may end on the next one.
            span = {"first": clinic.day(first)[0], "last": clinic.day(last + timedelta(days=1))[1]}
            cursor.execute(f"{STORED} ORDER BY starts_at", {"clinic": clinic.pk, "doctors": ids} | span)
            stored = [Stored(*row) for row in cursor.fetchall()]
        return cls(clinic, stored)

    def holiday(self, day: date) -> str:
        """The name of the public holiday on which this clinic closes, or an empty string."""
        if not self.clinic.observes_holidays:
            return ""
        return national_holidays(self.clinic.country, day.year).get(day, "")

    def blocks(self, doctor_id: int, day: date) -> list[Span]:
        """The working hours that touch that local date, as they are written, merged and whole: those of a night begin
        on the day before or end on the day after. Absences and holidays are not yet taken out."""
        before, after = day - timedelta(days=1), day + timedelta(days=1)
        spans = self._written(doctor_id, day)
        if self._run_over_midnight(doctor_id, before):
            spans += self._written(doctor_id, before)
        if self._run_over_midnight(doctor_id, day):
            spans += self._written(doctor_id, after)
        return self._of_day(merged(span for span in spans if span.starts_at < span.ends_at), day)

    def _written(self, doctor_id, day):
        at = self.clinic.nearest_instant
        rows = self._hours[doctor_id, day.isoweekday()]
        return [Span(at(day, row.starts), at(last_day(day, row.starts, row.ends), row.ends)) for row in rows]

    def _run_over_midnight(self, doctor_id, day):
        return any(row.ends <= row.starts for row in self._hours[doctor_id, day.isoweekday()])

    def _of_day(self, spans, day):
        midnight, next_midnight = self._day(day)
        return [span for span in spans if span.overlaps(midnight, next_midnight)]

    def open(self, doctor_id: int, day: date) -> list[Span]:
        """The time in which the doctor can be booked, taken or not, in order; that of a night is not cut at midnight.

        A public holiday closes its own local date only: a night that begins on it is open again from midnight on."""
        blocks = self.blocks(doctor_id, day)
        holes = [*self._holidays(blocks, day), *self._away(doctor_id)] if blocks else []
        return self._of_day(without(blocks, holes), day)

    def _holidays(self, blocks, day):
        """Those on which blocks of that day lie."""
        midnight, next_midnight = self._day(day)
        days = [day]
        if blocks[0].starts_at < midnight:
            days.append(day - timedelta(days=1))
        if blocks[-1].ends_at > next_midnight:
            days.append(day + timedelta(days=1))
        return [Span(*self._day(each)) for each in days if self.holiday(each)]

    def closed(self, doctor_id: int, day: date) -> list[Span]:
        """The rest of the local day, in order, each part with the reason that the agenda shows."""
        midnight, next_midnight = self._day(day)
        if name := self.holiday(day):
            return [Span(midnight, next_midnight, name, Closure.HOLIDAY)]
        away = [_within(span, midnight, next_midnight) for span in self._away(doctor_id)]
        away = [span for span in away if span.starts_at < span.ends_at]
        off_duty = without(self._off_duty(doctor_id, day, midnight, next_midnight), away)
        return sorted(off_duty + away, key=lambda span: (span.starts_at, span.ends_at))

    def _away(self, doctor_id):
        """Absences, the clinic's before the doctor's, each without the time that one before it has already."""
        away = []
        for rows, closure in ((self._absences[None], Closure.CLINIC), (self._absences[doctor_id], Closure.ABSENCE)):
            for row in rows:
                away += without([Span(row.starts_at, row.ends_at, row.reason, closure)], away)
        return away

    def _off_duty(self, doctor_id, day, midnight, next_midnight):
        blocks = self.blocks(doctor_id, day)
        if not blocks:
            return [Span(midnight, next_midnight, str(_("fora do horário")), Closure.HOURS)]
        edges = [
            Span(midnight, blocks[0].starts_at, str(_("fora do horário")), Closure.HOURS),
            Span(blocks[-1].ends_at, next_midnight, str(_("fora do horário")), Closure.HOURS),
        ]
        breaks = [
            Span(before.ends_at, after.starts_at, self._break_name(before, after), Closure.HOURS)
            for before, after in pairwise(blocks)
        ]
        return [span for span in edges + breaks if span.starts_at < span.ends_at]

    def _break_name(self, before, after):
        starts, ends = self.clinic.local(before.ends_at).hour, self.clinic.local(after.starts_at).hour
        return str(_("almoço") if 11 <= starts <= 13 and ends <= 15 else _("intervalo"))


def last_day(day: date, starts: time, ends: time) -> date:
    """The local date of the end of what begins on `day`: the next one, unless the end is after the start."""
    return day if ends > starts else day + timedelta(days=1)


def are_hours(starts: time, ends: time) -> bool:
    """Whether a doctor can work so: the end is after the start, or a midnight, or that of a night not too long."""
    return ends > starts or ends == time.min or _length(starts, ends) <= LONGEST_NIGHT


def crossing(rows: Iterable) -> list[tuple]:
    """(row, an earlier one that has not ended when it begins) of rows with `weekday`, `starts` and `ends`.

    A night reaches into the next day, that of Sunday into Monday.
    """
    spans = [(_since_monday(row), _since_monday(row) + _length(row.starts, row.ends), row) for row in rows]
    spans.sort(key=itemgetter(0, 1))
    longest, pairs = None, []
    for start, end, row in [*spans, *((start + WEEK, end + WEEK, row) for start, end, row in spans)]:
        if longest and start < longest[1] and row is not longest[2] and (row, longest[2]) not in pairs:
            pairs.append((row, longest[2]))
        longest = max(longest or (start, end, row), (start, end, row), key=itemgetter(1))
    return pairs


def _since_monday(row):
    return timedelta(days=row.weekday - 1, hours=row.starts.hour, minutes=row.starts.minute)


def _length(starts, ends):
    some_day = date(2000, 1, 1)
    return datetime.combine(last_day(some_day, starts, ends), ends) - datetime.combine(some_day, starts)


def _within(span, starts_at, ends_at):
    return Span(max(span.starts_at, starts_at), min(span.ends_at, ends_at), span.reason, span.closure)
