"""From what is stored of a day to what is drawn: minutes, rows, lanes and words. Asks no database.

Everything is counted in minutes that pass from the local midnight, so that days of 23 and 25 hours come out right; only
the labels are what the clinic's clock shows then."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from django.utils.translation import gettext as _

from clinic.models import Appointment, Doctor
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.queries.agenda.page import Card, Column, Day, DoctorChoice, Hour, Row, Shade, Slot
from clinic.schedule import ClosedReason, Span, openings_on

ROW = 5  # minutes
HOUR = 60
LOOK_AHEAD = 30  # days in which the next working day is sought
AHEAD = {Status.SCHEDULED, Status.CONFIRMED, Status.CHECKED_IN, Status.RESCHEDULED}


@dataclass(slots=True)
class Booked:
    """One appointment as the day's query gives it, and its place in the drawing."""

    id: int
    doctor_id: int
    starts_at: datetime
    ends_at: datetime
    status: str
    source: str
    name: str
    what: str
    arrived_at: datetime | None
    incomplete: bool
    unverified_cpf: str
    encaixe: int | None
    begins: int = 0  # minutes from midnight, as all numbers below; on another day below zero or beyond the length
    ends: int = 0
    start: int = 0  # the part on this day
    end: int = 0
    lane: str = ""

    @property
    def stands(self):
        return self.status not in FREES_THE_TIME

    @property
    def occupies_doctor(self):
        return self.stands and not self.encaixe


@dataclass(slots=True)
class _Doctor:
    """A doctor's day in minutes from midnight."""

    row: Doctor
    booked: list[Booked]
    taken: list[Span]  # on the days before and after too
    blocks: list[tuple[int, int]]
    open: list[tuple[int, int]]
    closed: list[tuple[int, int, str]]
    works: bool


class Drawing:
    """Draws one local date of one clinic once, at the instant `now`; `statuses` are those to show, none for all."""

    def __init__(self, clinic, on, now, schedules, statuses):
        self.clinic, self.on, self.now, self.schedules, self.statuses = clinic, on, now, schedules, statuses
        self.midnight, next_midnight = clinic.day(on)
        self.length = self._minute(next_midnight)
        self.now_minute = (now - self.midnight) // timedelta(minutes=1)
        # Translated once, not once a card.
        self.words = {code: str(label) for code, label in Status.choices}
        self.origins = {
            Appointment.Source.VOICE_AI.value: _("voz"),
            Appointment.Source.SELF_SERVICE.value: _("bot"),
            Appointment.Source.SYNC_EXTERNAL.value: _("API"),
        }
        self.free_word = _("livre")
        self.clock = {}
        self.cells = defaultdict(list)
        self.first = self.last = 0

    def draw(self, everybody, chosen, appointments) -> Day:
        booked = defaultdict(list)
        for values in appointments:
            booked[values[1]].append(self._booked(values))
        days = [self._doctor(row, booked[row.id]) for row in everybody]
        shown = [each for each in days if each.row.id in chosen and (each.works or each.booked)]
        if not any(each.open or each.booked for each in shown):
            shown = []
        narrowed = len(chosen) < len(everybody)
        scale = self._span(shown)
        columns = [self._column(number, each, scale) for number, each in enumerate(shown, 1)]
        standing = [each for one in shown for each in one.booked if each.stands]
        drawn = Day(
            date=self.on,
            today=self.clinic.local(self.now).date(),
            columns=columns,
            hours=self._hours() if columns else [],
            whole_look=f"from-0 to-{(self.last - self.first) // ROW}",
            scale=scale,
            booked=sum(each.begins >= 0 for each in standing),
            missed=sum(each.status == Status.NO_SHOW and each.begins >= 0 for one in shown for each in one.booked),
            free=sum(cell.kind == "slot" for cells in self.cells.values() for cell in cells),
            now_look=self._now_look(),
            now_time=self._time(self.now_minute) if self._now_look() else "",
            choices=[DoctorChoice(str(row.id), row.name, narrowed and row.id in chosen) for row in everybody],
            off_duty=[each.row.name for each in days if each.row.id in chosen and each not in shown],
            closure="" if columns else self._closure(days),
            next_working=None if columns else self._next_working(everybody, chosen),
            version="",
        )
        drawn.version = _digest(drawn, self.cells)
        return drawn

    # --- from what is stored to minutes ------------------------------------------------------------------------------

    def _minute(self, instant):
        return (instant - self.midnight) // timedelta(minutes=1)

    def _booked(self, values):
        each = Booked(*values)
        each.begins = self._minute(each.starts_at)
        each.ends = -((self.midnight - each.ends_at) // timedelta(minutes=1))
        each.start, each.end = max(each.begins, 0), min(each.ends, self.length)
        return each

    def _doctor(self, row, booked):
        blocks = self.schedules.blocks(row.id, self.on)
        closed = self.schedules.closed(row.id, self.on)
        return _Doctor(
            row,
            [each for each in booked if each.begins < self.length],
            [Span(each.starts_at, each.ends_at) for each in booked if each.occupies_doctor],
            self._on_this_day(blocks),
            self._on_this_day(self.schedules.open(row.id, self.on)),
            [(self._minute(span.starts_at), self._minute(span.ends_at), str(span.reason)) for span in closed],
            bool(blocks) or any(span.closed_by is ClosedReason.ABSENCE for span in closed),
        )

    def _on_this_day(self, spans):
        return [(max(self._minute(span.starts_at), 0), min(self._minute(span.ends_at), self.length)) for span in spans]

    def _span(self, shown):
        """Set the first and last minute drawn, whole hours of the clock; give the scale: minutes to a line of text."""
        times = [time for one in shown for span in one.blocks for time in span]
        times += [time for one in shown for each in one.booked for time in (each.start, each.end)]
        if times:
            self.first, self.last = self._whole_hour(min(times)), max(times)
            while self.last < self.length and (self.last - self.first) % HOUR:
                self.last += 1
        lengths = [each.end - each.start for one in shown for each in one.booked]
        lengths += [one.row.interval_minutes for one in shown]
        shortest = min(lengths, default=15)
        return 15 if shortest >= 15 else 10 if shortest >= 10 else 5

    def _whole_hour(self, minute):
        return max(minute - self.clinic.local(self.midnight + timedelta(minutes=minute)).minute, 0)

    def _time(self, minute):
        """What the clinic's clock shows, as 09:05."""
        if minute not in self.clock:
            local = self.clinic.local(self.midnight + timedelta(minutes=minute))
            self.clock[minute] = f"{local:%H:%M}"
        return self.clock[minute]

    # --- from minutes to the grid ------------------------------------------------------------------------------------

    def _place(self, start, end, number):
        above = (start - self.first) // ROW
        below = max(-((self.first - end) // ROW), above + 1)
        return f"from-{above} to-{below} col-{number}"

    def _column(self, number, one, scale):
        self._shades(number, one)
        taken = [(each.start, each.end) for each in one.booked if each.stands]
        self._slots(number, one)
        _lanes(one.booked)
        for each in one.booked:
            if not self.statuses or each.status in self.statuses:
                self._add(each.start, self._card(number, one.row, each, scale))
            elif each.stands:
                self._add(each.start, self._shade(number, each.start, each.end, _("ocupado"), "shade taken"))
        return Column(
            doctor_id=str(one.row.id),
            name=one.row.name,
            specialty=one.row.specialty,
            number=number,
            interval=one.row.interval_minutes,
            look=f"col-{number}",
            fullness=_fullness(one.open, taken),
        )

    def _add(self, minute, cell):
        self.cells[minute].append(cell)

    def _shades(self, number, one):
        for start, end, reason in one.closed:
            start, end = max(start, self.first), min(end, self.last)
            if start < end:
                self._add(start, self._shade(number, start, end, reason, "shade"))

    def _shade(self, number, start, end, reason, look):
        time = f"{self._time(start)}–{self._time(end)}"
        return Shade(number, str(number + 1), f"{look} {self._place(start, end, number)}", reason, time)

    def _slots(self, number, one):
        """Every time that can be booked for as long as one step of the doctor's grid."""
        length, doctor_id = timedelta(minutes=one.row.interval_minutes), str(one.row.id)
        for opening in openings_on(
            self.on, one.row, schedules=self.schedules, taken=one.taken, length=length, now=self.now
        ):
            start, end = self._minute(opening.starts_at), self._minute(opening.ends_at)
            time = self._time(start)
            look = f"slot {self._place(start, min(end, self.length), number)}"
            label = f"{time}, {self.free_word}, {one.row.name}"
            self._add(start, Slot(number, str(number + 1), look, time, doctor_id, label))

    def _card(self, number, doctor, each, scale):
        lines = min((each.end - each.start) // scale, 3)
        lane = each.lane if each.stands else f"{each.lane} back"
        word = self.words[each.status]
        badges = self._badges(each)
        time = self._time(each.begins)
        parts = [f"{time}–{self._time(each.ends)} {each.name}", each.what, word, doctor.name, *badges]
        return Card(
            id=str(each.id),
            column=number,
            index=str(number + 1),
            look=f"appt lines-{lines}{lane} status-{each.status} {self._place(each.start, each.end, number)}",
            status=each.status,
            time=time,
            name=each.name,
            what=each.what,
            badges=badges,
            since=each.arrived_at.isoformat(timespec="seconds") if each.arrived_at else "",
            waited=f"{(self.now - each.arrived_at) // timedelta(minutes=1)} min" if each.arrived_at else "",
            doctor=doctor.name,
            word=word,
            label=" · ".join(part for part in parts if part),
        )

    def _badges(self, each):
        badges = [""] if each.arrived_at else []  # the first is the time of waiting
        if each.unverified_cpf:
            badges.append(_("CPF a confirmar"))
        if each.encaixe:
            badges.append(_("encaixe"))
        if each.incomplete and each.status in AHEAD:
            badges.append(_("cadastro incompleto"))
        if origin := self.origins.get(each.source):
            badges.append(origin)
        return badges

    def _hours(self):
        """The rows under their hours; an hour in which nothing begins has one empty row."""
        hours = []
        for start in range(self.first, self.last, HOUR):
            minutes = sorted(minute for minute in self.cells if start <= minute < start + HOUR)
            rows = [Row(sorted(self.cells[minute], key=lambda cell: cell.column)) for minute in minutes]
            hours.append(Hour(self._time(start), f"from-{(start - self.first) // ROW}", rows))
        return hours

    def _now_look(self):
        inside = self.first <= self.now_minute < self.last
        return f"from-{(self.now_minute - self.first) // ROW}" if inside else ""

    def _closure(self, days):
        """Return why the whole clinic is closed, all day or in part: a holiday, or a written reason."""
        spans = (span for each in days for span in self.schedules.closed(each.row.id, self.on))
        return next(
            (str(span.reason) for span in spans if span.closed_by in {ClosedReason.HOLIDAY, ClosedReason.CLINIC}), ""
        )

    def _next_working(self, everybody, chosen):
        ids = [row.id for row in everybody if row.active and row.id in chosen]
        days = (self.on + timedelta(days=number) for number in range(1, LOOK_AHEAD + 1))
        return next((day for day in days if any(self.schedules.open(doctor, day) for doctor in ids)), None)


def _fullness(opened, taken):
    total = sum(end - start for start, end in opened)
    if not total:
        return None
    used = sum(max(min(end, closes) - max(start, opens), 0) for start, end in taken for opens, closes in opened)
    return min(round(100 * used / total), 100)


def _lanes(booked):
    """Give those that overlap their share of the column's width. One that has stepped back beside a standing one
    becomes a narrow strip; alone it keeps to the left and leaves room to click the time that it freed."""
    group, until = [], 0
    for each in [*booked, None]:
        if each is None or each.start >= until:
            _share(group)
            group = []
        if each is not None:
            group.append(each)
            until = max(until, each.end)


def _share(group):
    if len(group) == 1 and group[0].encaixe:
        group[0].lane = " lane-1-of-2"
    if len(group) < 2:
        return
    lanes = []
    for each in sorted(group, key=lambda each: (not each.stands, each.start)):
        lane = next((lane for lane in lanes if all(e.end <= each.start or each.end <= e.start for e in lane)), None)
        if lane is None:
            lanes.append(lane := [])
        lane.append(each)
    for number, lane in enumerate(lanes[:4]):
        for each in lane:
            each.lane = _lane_look(number, min(len(lanes), 4), lanes)
    for each in (each for lane in lanes[4:] for each in lane):
        each.lane = _lane_look(3, 4, lanes)


def _lane_look(number, lanes, all_lanes):
    if lanes == 1:
        return ""
    if lanes == 2 and not any(each.stands for each in all_lanes[1]):
        return " strip" if number else " beside"
    return f" lane-{number}-of-{lanes}"


def _digest(day, cells):
    """Return a short hash of everything drawn, the order of the cells included."""
    content = [day.date, day.today, day.booked, day.missed, day.off_duty, day.closure, day.next_working]
    content += [(column.doctor_id, column.name, column.specialty, column.fullness) for column in day.columns]
    content += [(choice.id, choice.chosen) for choice in day.choices]
    for minute in sorted(cells):
        for cell in cells[minute]:
            content.append((cell.look, cell.label, cell.since) if cell.kind == "card" else cell.look)
            if cell.kind == "shade":
                content.append(cell.reason)
    return blake2b(repr(content).encode(), digest_size=12).hexdigest()
