"""Stored hours, absences and holidays, expanded per local date into instants. Asks no database."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from clinic.models import Clinic
from clinic.models.doctor import is_valid_on
from clinic.models.holiday import date_in_year
from clinic.schedule.holidays import OwnDay, holiday_name, optional_name
from clinic.schedule.hours import end_date
from clinic.schedule.spans import ClosedReason, Span, merged, within, without

DAY_MINUTES = 24 * 60


class DoctorHours(NamedTuple):
    """Working hours of a doctor on an ISO weekday, as wall times of the clinic.

    Hours whose end is not after their start run into the next day; 00:00 as their end is the midnight between the two.
    They hold on local dates from `valid_from` to `valid_until`, both included, None for an open end.
    """

    doctor_id: int
    weekday: int
    starts: time
    ends: time
    valid_from: date | None = None
    valid_until: date | None = None


class Away(NamedTuple):
    """Time away between two UTC instants: of one doctor, or of the whole clinic where `doctor_id` is None."""

    doctor_id: int | None
    starts_at: datetime
    ends_at: datetime
    reason: str


class Schedules:
    """When some doctors work on some local dates; made by `load_schedules`."""

    def __init__(
        self, clinic: Clinic, hours: Iterable[DoctorHours], absences: Iterable[Away], own_days: Iterable[OwnDay] = ()
    ) -> None:
        self.clinic = clinic
        self._own_days = list(own_days)
        self._hours: dict[tuple[int, int], list[DoctorHours]] = defaultdict(list)
        self._absences: dict[int | None, list[Away]] = defaultdict(list)
        # Asked several times for every doctor of a page.
        self.day = cache(clinic.day)
        self._blocks = cache(self._merged_blocks)
        self._own_on = cache(self._own_days_on)
        self._open = cache(self._open_spans)
        self._away = cache(self._away_spans)
        self._closes = cache(self._may_be_closed)
        for written in hours:
            self._hours[written.doctor_id, written.weekday].append(written)
        for away in absences:
            self._absences[away.doctor_id].append(away)

    def with_absence(self, away: Away) -> "Schedules":
        """Return the same schedules with one more absence."""
        absences = [row for rows in self._absences.values() for row in rows]
        hours = [row for rows in self._hours.values() for row in rows]
        return Schedules(self.clinic, hours, sorted([*absences, away], key=lambda row: row.starts_at), self._own_days)

    def blocks(self, doctor_id: int, day: date) -> list[Span]:
        """Return the working hours that touch that local date, merged and whole: those of a night begin on the day
        before or end on the day after. Absences and holidays are not yet taken out."""
        return list(self._blocks(doctor_id, day))

    def _merged_blocks(self, doctor_id: int, day: date) -> list[Span]:
        before, after = day - timedelta(days=1), day + timedelta(days=1)
        spans = self._written(doctor_id, day)
        if self._run_over_midnight(doctor_id, before):
            spans += self._written(doctor_id, before)
        if self._run_over_midnight(doctor_id, day):
            spans += self._written(doctor_id, after)
        return self._of_day(merged(span for span in spans if span.starts_at < span.ends_at), day)

    def _written(self, doctor_id: int, day: date) -> list[Span]:
        at = self.clinic.nearest_instant
        rows = self._hours_on(doctor_id, day)
        return [Span(at(day, row.starts), at(end_date(day, row.starts, row.ends), row.ends)) for row in rows]

    def written_minutes(self, doctor_id: int, day: date) -> list[tuple[int, int]]:
        """Return the working hours of a local date as parts [start, end) in minutes after midnight, which may overlap:
        when the doctor works on a date that is not among `dates_apart`."""
        before = self._hours_on(doctor_id, day - timedelta(days=1))
        nights = [(0, _minute(row.ends)) for row in before if time.min < row.ends <= row.starts]
        rows = self._hours_on(doctor_id, day)
        return nights + [
            (_minute(row.starts), _minute(row.ends) if row.ends > row.starts else DAY_MINUTES) for row in rows
        ]

    def _run_over_midnight(self, doctor_id: int, day: date) -> bool:
        return any(row.ends <= row.starts for row in self._hours_on(doctor_id, day))

    def _hours_on(self, doctor_id: int, day: date) -> list[DoctorHours]:
        """Return the hours that begin on a local date: the one place that decides which hold."""
        written = self._hours[doctor_id, day.isoweekday()]
        return [row for row in written if is_valid_on(day, row.valid_from, row.valid_until)]

    def _of_day(self, spans: list[Span], day: date) -> list[Span]:
        midnight, next_midnight = self.day(day)
        return [span for span in spans if span.overlaps(midnight, next_midnight)]

    def open(self, doctor_id: int, day: date) -> list[Span]:
        """Return the time in which the doctor can be booked, taken or not, in order; a night is not cut at midnight.

        A holiday closes its own local date only: a night that begins on it is open again from midnight on. A manager
        who wants that night closed too adds an absence."""
        return list(self._open(doctor_id, day))

    def _open_spans(self, doctor_id: int, day: date) -> list[Span]:
        blocks = self.blocks(doctor_id, day)
        holes = [*self._holidays_of_blocks(doctor_id, blocks, day), *self._away(doctor_id)] if blocks else []
        return self._of_day(without(blocks, holes), day)

    def closing(self, doctor_id: int, starts_at: datetime, ends_at: datetime) -> Span | None:
        """Return why the doctor cannot be booked between two instants: None in open time, else the span that explains
        it best. An absence, a closure or a holiday explains more than the hours, and of those the first."""
        first = self.clinic.local(starts_at).date()
        if any(span.contains(starts_at, ends_at) for span in self._open(doctor_id, first)):
            return None
        last = self.clinic.local(ends_at - timedelta.resolution).date()
        closed = [span for day in dict.fromkeys((first, last)) for span in self.closed(doctor_id, day)]
        spans = [span for span in closed if span.overlaps(starts_at, ends_at)]
        outside = Span(starts_at, ends_at, str(_("fora do horário")), ClosedReason.HOURS)
        return min(spans, key=lambda span: span.closed_by is ClosedReason.HOURS, default=outside)

    def _holidays_of_blocks(self, doctor_id: int, blocks: list[Span], day: date) -> list[Span]:
        """Return the holidays on which blocks of that day lie."""
        midnight, next_midnight = self.day(day)
        days = [day]
        if blocks[0].starts_at < midnight:
            days.append(day - timedelta(days=1))
        if blocks[-1].ends_at > next_midnight:
            days.append(day + timedelta(days=1))
        return [span for day_ in days for span in self.holidays(doctor_id, day_)]

    def holidays(self, doctor_id: int, day: date) -> list[Span]:
        """Return the time of the local day that holidays close for a doctor, in order, without what an exception opens:
        public ones and the clinic's own."""
        name = holiday_name(self.clinic, day)
        closed = [Span(*self.day(day), name, ClosedReason.HOLIDAY)] if name else []
        for own in self._own_on(day):
            if not own.opens:
                closed += without([self._own_span(own, day)], closed)
        opened = [self._own_span(own, day) for own in self._own_on(day) if own.opens and own.is_for(doctor_id)]
        return sorted(without(closed, opened), key=lambda span: span.starts_at)

    def day_name(self, day: date) -> str:
        """Return the name of a holiday or an optional day (ponto facultativo), whether the clinic closes or not."""
        own = (own.name for own in self._own_on(day) if not own.opens)
        return holiday_name(self.clinic, day) or next(own, "") or optional_name(self.clinic, day)

    def _own_days_on(self, day: date) -> list[OwnDay]:
        return [own for own in self._own_days if date_in_year(own.falls_on, day.year) == day]

    def _own_span(self, own: OwnDay, day: date) -> Span:
        midnight, next_midnight = self.day(day)
        starts_at = self.clinic.nearest_instant(day, own.starts) if own.starts else midnight
        ends_at = self.clinic.nearest_instant(day, own.ends) if own.ends else next_midnight
        return Span(starts_at, max(starts_at, ends_at), own.name, ClosedReason.HOLIDAY)

    def closed(self, doctor_id: int, day: date) -> list[Span]:
        """Return the rest of the local day, in order, each part with the reason that the agenda shows."""
        midnight, next_midnight = self.day(day)
        holidays = self.holidays(doctor_id, day)
        away = [within(span, midnight, next_midnight) for span in self._away(doctor_id)]
        away = without([span for span in away if span.starts_at < span.ends_at], holidays)
        off_duty = without(self._off_duty(doctor_id, day, midnight, next_midnight), holidays + away)
        return sorted(holidays + off_duty + away, key=lambda span: (span.starts_at, span.ends_at))

    def _away_spans(self, doctor_id: int) -> list[Span]:
        """Return the absences, the clinic's before the doctor's, without the time that an earlier one covers."""
        away: list[Span] = []
        for whose, closed_by in ((None, ClosedReason.CLINIC), (doctor_id, ClosedReason.ABSENCE)):
            for row in self._absences[whose]:
                away += without([Span(row.starts_at, row.ends_at, row.reason, closed_by)], away)
        return away

    def dates_apart(self, doctor_id: int, first: date, last: date) -> set[date]:
        """Return the local dates from `first` to `last`, both included, on which more than the weekly hours may decide
        when the doctor works: an absence, a holiday, a change of the clock. All others of a weekday are alike between
        two `changes_of_hours`."""
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        apart = {day for day in days if self._closes(day)}
        for span in self._away(doctor_id):
            day = max(self.clinic.local(span.starts_at).date(), first)
            end = min(self.clinic.local(span.ends_at).date(), last)
            apart |= {day + timedelta(days=number) for number in range((end - day).days + 1)}
        return apart

    def changes_of_hours(self, doctor_id: int) -> list[date]:
        """Return the local dates, in order, from which on other hours hold than before, and the dates beside them: a
        night of the day before or after may be another one too."""
        changes = set()
        for (doctor, _weekday), rows in self._hours.items():
            if doctor == doctor_id:
                changes |= {row.valid_from for row in rows if row.valid_from}
                changes |= {row.valid_until + timedelta(days=1) for row in rows if row.valid_until}
        return sorted({day + timedelta(days=beside) for day in changes for beside in (-1, 0, 1)})

    def _may_be_closed(self, day: date) -> bool:
        midnight, next_midnight = self.day(day)
        is_changed = next_midnight - midnight != timedelta(days=1)
        return is_changed or bool(holiday_name(self.clinic, day) or self._own_on(day))

    def _off_duty(self, doctor_id: int, day: date, midnight: datetime, next_midnight: datetime) -> list[Span]:
        blocks = self.blocks(doctor_id, day)
        if not blocks:
            return [Span(midnight, next_midnight, str(_("fora do horário")), ClosedReason.HOURS)]
        edges = [
            Span(midnight, blocks[0].starts_at, str(_("fora do horário")), ClosedReason.HOURS),
            Span(blocks[-1].ends_at, next_midnight, str(_("fora do horário")), ClosedReason.HOURS),
        ]
        breaks = [
            Span(before.ends_at, after.starts_at, self._break_name(before, after), ClosedReason.HOURS)
            for before, after in pairwise(blocks)
        ]
        return [span for span in edges + breaks if span.starts_at < span.ends_at]

    def _break_name(self, before: Span, after: Span) -> str:
        starts, ends = self.clinic.local(before.ends_at).hour, self.clinic.local(after.starts_at).hour
        return str(_("almoço") if 11 <= starts <= 13 and ends <= 15 else _("intervalo"))


def _minute(wall: time) -> int:
    """Return the minutes after midnight of a wall time."""
    return wall.hour * 60 + wall.minute
