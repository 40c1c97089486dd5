"""Turn the stored rows of a day into its page: minutes, rows of the grid, lanes and texts. Asks no database.

Everything is counted in minutes that pass from the local midnight, so that days of 23 and 25 hours come out right; only
the labels are what the clinic's clock shows then."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from itertools import chain

from django.utils.translation import gettext as _

from clinic.models import Appointment, Clinic, Doctor
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.queries.agenda.page import Card, Cell, Column, Day, DoctorChoice, Hour, Row, Shade, Slot
from clinic.schedule import ClosedReason, Schedules, Span, openings_on

ROW = 5  # minutes
HOUR = 60
MAX_LANES = 4
LOOK_AHEAD = 30  # days in which the next working day is sought
BEFORE_SERVICE = {Status.SCHEDULED, Status.CONFIRMED, Status.CHECKED_IN, Status.RESCHEDULED}


@dataclass(slots=True)
class AppointmentRow:
    """One appointment as the day's query gives it, and its place in the grid.

    Minutes count from midnight; those of another day are below zero or beyond the day's length. `visible_start` and
    `visible_end` bound the part on this day.
    """

    id: int
    doctor_id: int
    starts_at: datetime
    ends_at: datetime
    status: str
    source: str
    patient_name: str
    procedures: str
    arrived_at: datetime | None
    incomplete: bool
    unverified_cpf: str
    encaixe: int | None
    start: int = 0
    end: int = 0
    visible_start: int = 0
    visible_end: int = 0
    lane_css_class: str = ""

    @property
    def stands(self) -> bool:
        return self.status not in FREES_THE_TIME

    @property
    def occupies_doctor(self) -> bool:
        return self.stands and not self.encaixe


@dataclass(slots=True)
class DoctorDay:
    """A doctor's day, in minutes from midnight except for `taken`."""

    doctor: Doctor
    appointments: list[AppointmentRow]
    taken: list[Span]  # on the days before and after too
    blocks: list[tuple[int, int]]
    open: list[tuple[int, int]]
    closed: list[tuple[int, int, str]]
    works: bool


class DayLayout:
    """Lays out one local date of one clinic once, at the instant `now`; `statuses` are those to show, none for all."""

    def __init__(
        self, clinic: Clinic, day: date, now: datetime, schedules: Schedules, statuses: Collection[str]
    ) -> None:
        self.clinic, self.day, self.now, self.schedules, self.statuses = clinic, day, now, schedules, statuses
        self.midnight, next_midnight = clinic.day(day)
        self.length = self._minute(next_midnight)
        self.now_minute = (now - self.midnight) // timedelta(minutes=1)
        # Translated once, not once a card.
        self.status_labels = {code: str(label) for code, label in Status.choices}
        self.source_labels = {
            Appointment.Source.VOICE_AI.value: _("voz"),
            Appointment.Source.SELF_SERVICE.value: _("bot"),
            Appointment.Source.SYNC_EXTERNAL.value: _("API"),
        }
        self.free_label = _("livre")
        self.clock_times: dict[int, str] = {}
        self.cells: defaultdict[int, list[Cell]] = defaultdict(list)
        self.first = self.last = 0

    def lay_out(
        self, doctors: Sequence[Doctor], chosen: Collection[int], appointments: Iterable[AppointmentRow]
    ) -> Day:
        """Return the page of the day: `doctors` are all that may be shown, `chosen` the ids that the filter leaves."""
        by_doctor: defaultdict[int, list[AppointmentRow]] = defaultdict(list)
        for appointment in appointments:
            self._set_minutes(appointment)
            by_doctor[appointment.doctor_id].append(appointment)
        days = [self._doctor_day(doctor, by_doctor[doctor.pk]) for doctor in doctors]
        shown = [day for day in days if day.doctor.pk in chosen and (day.works or day.appointments)]
        if not any(day.open or day.appointments for day in shown):
            shown = []
        is_filtered = len(chosen) < len(doctors)
        scale = self._set_first_and_last(shown)
        columns = [self._column(number, day, scale) for number, day in enumerate(shown, 1)]
        counted = [row for day in shown for row in day.appointments if row.start >= 0]
        now_css_class = self._now_css_class()
        page = Day(
            day=self.day,
            today=self.clinic.local(self.now).date(),
            columns=columns,
            hours=self._hours() if columns else [],
            all_rows_css_class=f"from-0 to-{(self.last - self.first) // ROW}",
            scale=scale,
            booked=sum(row.stands for row in counted),
            missed=sum(row.status == Status.NO_SHOW for row in counted),
            free=sum(cell.kind == "slot" for cell in chain.from_iterable(self.cells.values())),
            now_css_class=now_css_class,
            now_time=self._time(self.now_minute) if now_css_class else "",
            choices=[
                DoctorChoice(str(doctor.pk), doctor.name, is_filtered and doctor.pk in chosen) for doctor in doctors
            ],
            off_duty=[day.doctor.name for day in days if day.doctor.pk in chosen and day not in shown],
            closure="" if columns else self._closure(days),
            next_working=None if columns else self._next_working(doctors, chosen),
            version="",
        )
        page.version = _digest(page, self.cells)
        return page

    # --- from what is stored to minutes ------------------------------------------------------------------------------

    def _minute(self, instant: datetime) -> int:
        return (instant - self.midnight) // timedelta(minutes=1)

    def _set_minutes(self, appointment: AppointmentRow) -> None:
        appointment.start = self._minute(appointment.starts_at)
        appointment.end = -((self.midnight - appointment.ends_at) // timedelta(minutes=1))
        appointment.visible_start, appointment.visible_end = (
            max(appointment.start, 0),
            min(appointment.end, self.length),
        )

    def _doctor_day(self, doctor: Doctor, appointments: list[AppointmentRow]) -> DoctorDay:
        blocks = self.schedules.blocks(doctor.pk, self.day)
        closed = self.schedules.closed(doctor.pk, self.day)
        return DoctorDay(
            doctor,
            [row for row in appointments if row.start < self.length],
            [Span(row.starts_at, row.ends_at) for row in appointments if row.occupies_doctor],
            self._on_this_day(blocks),
            self._on_this_day(self.schedules.open(doctor.pk, self.day)),
            [(self._minute(span.starts_at), self._minute(span.ends_at), str(span.reason)) for span in closed],
            bool(blocks) or any(span.closed_by is ClosedReason.ABSENCE for span in closed),
        )

    def _on_this_day(self, spans: Iterable[Span]) -> list[tuple[int, int]]:
        return [(max(self._minute(span.starts_at), 0), min(self._minute(span.ends_at), self.length)) for span in spans]

    def _set_first_and_last(self, shown: Iterable[DoctorDay]) -> int:
        """Set the first and last minute of the grid, whole hours of the clock; return the scale: minutes to a line of
        text."""
        times = [time for day in shown for block in day.blocks for time in block]
        times += [time for day in shown for row in day.appointments for time in (row.visible_start, row.visible_end)]
        if times:
            self.first, self.last = self._whole_hour(min(times)), max(times)
            while self.last < self.length and (self.last - self.first) % HOUR:
                self.last += 1
        lengths = [row.visible_end - row.visible_start for day in shown for row in day.appointments]
        lengths += [day.doctor.interval_minutes for day in shown]
        shortest = min(lengths, default=15)
        return 15 if shortest >= 15 else 10 if shortest >= 10 else 5

    def _whole_hour(self, minute: int) -> int:
        return max(minute - self.clinic.local(self.midnight + timedelta(minutes=minute)).minute, 0)

    def _time(self, minute: int) -> str:
        """Return the time that the clinic's clock shows, as 09:05."""
        if minute not in self.clock_times:
            local = self.clinic.local(self.midnight + timedelta(minutes=minute))
            self.clock_times[minute] = f"{local:%H:%M}"
        return self.clock_times[minute]

    # --- from minutes to the grid ------------------------------------------------------------------------------------

    def _place_css_class(self, start: int, end: int, column: int) -> str:
        first_row = (start - self.first) // ROW
        last_row = max(-((self.first - end) // ROW), first_row + 1)
        return f"from-{first_row} to-{last_row} col-{column}"

    def _column(self, number: int, day: DoctorDay, scale: int) -> Column:
        """Add the cells of one doctor to the grid, and return the head of their column."""
        self._add_closed_times(number, day)
        self._add_slots(number, day)
        _set_lanes(day.appointments)
        for row in day.appointments:
            if not self.statuses or row.status in self.statuses:
                self._add(row.visible_start, self._card(number, day.doctor, row, scale))
            elif row.stands:
                start, end = row.visible_start, row.visible_end
                self._add(start, self._shade(number, start, end, _("ocupado"), "shade taken"))
        return Column(
            doctor_id=str(day.doctor.pk),
            name=day.doctor.name,
            specialty=day.doctor.specialty,
            number=number,
            interval=day.doctor.interval_minutes,
            css_class=f"col-{number}",
            fullness=_fullness(
                day.open, [(row.visible_start, row.visible_end) for row in day.appointments if row.stands]
            ),
        )

    def _add(self, minute: int, cell: Cell) -> None:
        self.cells[minute].append(cell)

    def _add_closed_times(self, number: int, day: DoctorDay) -> None:
        for closed_start, closed_end, reason in day.closed:
            start, end = max(closed_start, self.first), min(closed_end, self.last)
            if start < end:
                self._add(start, self._shade(number, start, end, reason, "shade"))

    def _shade(self, number: int, start: int, end: int, reason: str, css_class: str) -> Shade:
        time = f"{self._time(start)}–{self._time(end)}"
        place = self._place_css_class(start, end, number)
        return Shade(number, str(number + 1), f"{css_class} {place}", reason, time)

    def _add_slots(self, number: int, day: DoctorDay) -> None:
        """Add every time that can be booked for as long as one step of the doctor's grid."""
        length, doctor_id = timedelta(minutes=day.doctor.interval_minutes), str(day.doctor.pk)
        for opening in openings_on(
            self.day, day.doctor, schedules=self.schedules, taken=day.taken, length=length, now=self.now
        ):
            start, end = self._minute(opening.starts_at), self._minute(opening.ends_at)
            time = self._time(start)
            css_class = f"slot {self._place_css_class(start, min(end, self.length), number)}"
            label = f"{time}, {self.free_label}, {day.doctor.name}"
            self._add(start, Slot(number, str(number + 1), css_class, time, doctor_id, label))

    def _card(self, number: int, doctor: Doctor, row: AppointmentRow, scale: int) -> Card:
        lines = min((row.visible_end - row.visible_start) // scale, 3)
        lane = row.lane_css_class if row.stands else f"{row.lane_css_class} back"
        place = self._place_css_class(row.visible_start, row.visible_end, number)
        status_label = self.status_labels[row.status]
        badges = self._badges(row)
        time = self._time(row.start)
        parts = [
            f"{time}–{self._time(row.end)} {row.patient_name}", row.procedures, status_label, doctor.name, *badges
        ]  # fmt: skip
        return Card(
            id=str(row.id),
            column=number,
            aria_colindex=str(number + 1),
            css_class=f"appt lines-{lines}{lane} status-{row.status} {place}",
            status=row.status,
            time=time,
            name=row.patient_name,
            procedures=row.procedures,
            badges=badges,
            since=row.arrived_at.isoformat(timespec="seconds") if row.arrived_at else "",
            waited=f"{(self.now - row.arrived_at) // timedelta(minutes=1)} min" if row.arrived_at else "",
            doctor=doctor.name,
            status_label=status_label,
            label=" · ".join(part for part in parts if part),
        )

    def _badges(self, row: AppointmentRow) -> list[str]:
        badges = [""] if row.arrived_at else []  # the first is the time of waiting
        if row.unverified_cpf:
            badges.append(_("CPF a confirmar"))
        if row.encaixe:
            badges.append(_("encaixe"))
        if row.incomplete and row.status in BEFORE_SERVICE:
            badges.append(_("cadastro incompleto"))
        if source_label := self.source_labels.get(row.source):
            badges.append(source_label)
        return badges

    def _hours(self) -> list[Hour]:
        """Return the rows under their hours; an hour in which nothing begins has none."""
        hours = []
        for start in range(self.first, self.last, HOUR):
            minutes = sorted(minute for minute in self.cells if start <= minute < start + HOUR)
            rows = [Row(sorted(self.cells[minute], key=lambda cell: cell.column)) for minute in minutes]
            hours.append(Hour(self._time(start), f"from-{(start - self.first) // ROW}", rows))
        return hours

    def _now_css_class(self) -> str:
        inside = self.first <= self.now_minute < self.last
        return f"from-{(self.now_minute - self.first) // ROW}" if inside else ""

    def _closure(self, days: Iterable[DoctorDay]) -> str:
        """Return why the whole clinic is closed, all day or in part: a holiday, or a written reason."""
        spans = (span for day in days for span in self.schedules.closed(day.doctor.pk, self.day))
        return next(
            (str(span.reason) for span in spans if span.closed_by in {ClosedReason.HOLIDAY, ClosedReason.CLINIC}), ""
        )

    def _next_working(self, doctors: Iterable[Doctor], chosen: Collection[int]) -> date | None:
        ids = [doctor.pk for doctor in doctors if doctor.active and doctor.pk in chosen]
        days = (self.day + timedelta(days=number) for number in range(1, LOOK_AHEAD + 1))
        return next((day for day in days if any(self.schedules.open(doctor, day) for doctor in ids)), None)


def _fullness(opened: Iterable[tuple[int, int]], taken: Iterable[tuple[int, int]]) -> int | None:
    total = sum(end - start for start, end in opened)
    if not total:
        return None
    used = sum(max(min(end, closes) - max(start, opens), 0) for start, end in taken for opens, closes in opened)
    return min(round(100 * used / total), 100)


def _set_lanes(appointments: Iterable[AppointmentRow]) -> None:
    """Give those that overlap their share of the column's width.

    One that takes no time any more becomes a narrow strip beside a standing one; alone it keeps to the left and leaves
    room to click the time that it freed.
    """
    group: list[AppointmentRow] = []
    until = 0
    for row in appointments:
        if row.visible_start >= until:
            _share_width(group)
            group = []
        group.append(row)
        until = max(until, row.visible_end)
    _share_width(group)


def _share_width(group: list[AppointmentRow]) -> None:
    if len(group) == 1 and group[0].encaixe:
        group[0].lane_css_class = " lane-1-of-2"
    if len(group) < 2:
        return
    lanes = _lanes(group)
    for number, lane in enumerate(lanes[:MAX_LANES]):
        for row in lane:
            row.lane_css_class = _lane_css_class(number, min(len(lanes), MAX_LANES), lanes)
    for row in chain.from_iterable(lanes[MAX_LANES:]):
        row.lane_css_class = _lane_css_class(MAX_LANES - 1, MAX_LANES, lanes)


def _lanes(group: list[AppointmentRow]) -> list[list[AppointmentRow]]:
    """Distribute appointments over as few lanes as possible, so that none overlaps another of its lane."""
    lanes: list[list[AppointmentRow]] = []
    for row in sorted(group, key=lambda row: (not row.stands, row.visible_start)):
        lane = next((lane for lane in lanes if not _overlaps_any(row, lane)), None)
        if lane is None:
            lanes.append(lane := [])
        lane.append(row)
    return lanes


def _overlaps_any(row: AppointmentRow, lane: Iterable[AppointmentRow]) -> bool:
    return any(other.visible_end > row.visible_start and row.visible_end > other.visible_start for other in lane)


def _lane_css_class(number: int, count: int, lanes: list[list[AppointmentRow]]) -> str:
    if count == 1:
        return ""
    if count == 2 and not any(row.stands for row in lanes[1]):
        return " strip" if number else " beside"
    return f" lane-{number}-of-{count}"


def _digest(page: Day, cells: dict[int, list[Cell]]) -> str:
    """Return a short hash of everything on the page, the order of the cells included."""
    content: list[object] = [
        page.day, page.today, page.booked, page.missed, page.off_duty, page.closure, page.next_working
    ]  # fmt: skip
    content += [(column.doctor_id, column.name, column.specialty, column.fullness) for column in page.columns]
    content += [(choice.id, choice.chosen) for choice in page.choices]
    for minute in sorted(cells):
        for cell in cells[minute]:
            content.append((cell.css_class, cell.label, cell.since) if cell.kind == "card" else cell.css_class)
            if cell.kind == "shade":
                content.append(cell.reason)
    return blake2b(repr(content).encode(), digest_size=12).hexdigest()
