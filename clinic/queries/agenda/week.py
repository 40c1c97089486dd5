"""Lay out the week of one doctor: a column for each date. Asks no database."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from clinic.models import Clinic, Doctor
from clinic.queries.agenda.layout import DayLayout, Words, counts, scale_class
from clinic.queries.agenda.page import Cell, Column, DoctorChoice, Week
from clinic.queries.agenda.rows import DoctorDay
from clinic.queries.agenda.version import version
from clinic.queries.performed_procedures import PerformedProcedure
from clinic.schedule import DAY_MINUTES, Schedules
from clinic.spoken import day_in_brief

ALWAYS_SHOWN = 5  # Monday to Friday
DAYS = 7


class DateOfWeek(DayLayout):
    """Lays out one date of a week, in minutes of the clinic's clock: an hour is on one line on all dates, though clocks
    may change in between. Of an hour that comes twice both passes are drawn at one place."""

    def _minute(self, instant: datetime) -> int:
        local = self.clinic.local(instant)
        return (local.date() - self.day).days * DAY_MINUTES + local.hour * 60 + local.minute

    def _time(self, minute: int) -> str:
        return f"{minute // 60 % 24:02}:{minute % 60:02}"

    def _whole_hour(self, minute: int) -> int:
        return max(minute - minute % 60, 0)

    @cached_property
    def _name(self) -> str:
        return day_in_brief(self.day)

    def heading(self, one: DoctorDay) -> str:
        return self._name

    def subheading(self, one: DoctorDay) -> str:
        return self.schedules.day_name(self.day)


class WeekLayout:
    """Lays out one doctor's dates from the Monday `first` on, at the instant `now`.

    `hides_freed` leaves out cancelled and missed appointments."""

    def __init__(
        self,
        clinic: Clinic,
        first: date,
        now: datetime,
        schedules: Schedules,
        performed: Mapping[int, Sequence[PerformedProcedure]],
        *,
        hides_freed: bool,
    ) -> None:
        self.clinic, self.first = clinic, first
        days = (first + timedelta(days=number) for number in range(DAYS))
        words = Words()
        self.dates = [
            DateOfWeek(clinic, day, now, schedules, performed, words, hides_freed=hides_freed) for day in days
        ]

    def lay_out(self, doctor: Doctor, appointments: Sequence[tuple[Any, ...]], choices: Sequence[Doctor]) -> Week:
        """`appointments` are all that touch the week; `choices` the doctors who can be shown instead."""
        booked = self._by_date(appointments)
        both = [(layout, layout.doctor_day(doctor, booked[layout.day])) for layout in self.dates]
        shown = [
            (layout, one)
            for number, (layout, one) in enumerate(both)
            if number < ALWAYS_SHOWN or one.works or one.appointments
        ]
        days = [one for layout, one in shown]
        scale = self._share_span(days)
        cells: dict[int, list[Cell]] = defaultdict(list)
        columns: list[Column] = []
        now_class = now_time = ""
        for number, (layout, one) in enumerate(shown, 1):
            layout.cells = cells
            column = layout.column(number, one, scale, 0)
            column.on = layout.day
            columns.append(column)
            if layout.day == layout.today and layout.now_class():
                now_class, now_time = f"in-column {layout.now_class()} col-{number}", layout.now_time()
        any_layout = shown[0][0]
        week = Week(
            first=self.first,
            doctor=doctor,
            today=any_layout.today,
            columns=columns,
            hours=any_layout.hours({column.number: column.name for column in columns}),
            all_rows_class=any_layout.all_rows_class(),
            scale=scale_class(scale, days),
            **counts(days, cells),
            now_class=now_class,
            now_time=now_time,
            choices=[DoctorChoice(str(row.pk), row.full_name, row.pk == doctor.pk) for row in choices],
            version="",
            stays_until=min(layout.stays_until([one]) for layout, one in shown),
        )
        week.version = version(week, cells, [week.first, *(column.on for column in columns)])
        return week

    def _by_date(self, appointments: Sequence[tuple[Any, ...]]) -> dict[date, list[tuple[Any, ...]]]:
        """Return for each date the appointments that touch it, and those of the next one, whose time is taken."""
        booked: dict[date, list[tuple[Any, ...]]] = defaultdict(list)
        for values in appointments:
            starts = self.clinic.local(values[2]).date()
            ends = self.clinic.local(values[3] - timedelta.resolution).date()
            for layout in self.dates:
                if starts - timedelta(days=1) <= layout.day <= ends:
                    booked[layout.day].append(values)
        return booked

    def _share_span(self, days: Sequence[DoctorDay]) -> int:
        """Draw all dates from the first hour of any to the last, and return the scale."""
        scale = self.dates[0].set_span(days)
        for layout in self.dates:
            layout.first, layout.last = self.dates[0].first, self.dates[0].last
        return scale
