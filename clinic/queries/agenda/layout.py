"""Lay out a stored day on the page: minutes, rows, lanes and words. Asks no database.

Everything is counted in minutes that pass from the local midnight, so that days of 23 and 25 hours come out right; only
the labels are what the clinic's clock shows then."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, TypedDict

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import Appointment, Clinic, Doctor
from clinic.models.appointment import EXPECTED, NOT_BEGUN, UNCONFIRMED, Status
from clinic.queries.agenda.lanes import fold_strips, place_in_lanes, place_in_strips, strips_beside
from clinic.queries.agenda.page import Badge, Card, Cell, Column, Day, DoctorChoice, Folded, Hour, Row, Shade, Slot
from clinic.queries.agenda.rows import AppointmentRow, DoctorDay
from clinic.queries.agenda.version import version
from clinic.queries.memos import DayMemo
from clinic.queries.moved_from import in_words as in_words_of_move
from clinic.queries.payers import expired_card
from clinic.queries.pending import Cause, cause_of
from clinic.queries.performed_procedures import PerformedProcedure
from clinic.queries.queue import LONG_WAIT
from clinic.queries.short_visits import in_words
from clinic.queries.unverified import label_of
from clinic.schedule import Booked, ClosedReason, Limits, Schedules, Span, is_restricted, longest_openings_on
from clinic.spoken import duration

ROW = 5  # minutes
HOUR, HALF_HOUR = 60, 30
LOOK_AHEAD = 30  # days in which the next working day is sought
ALMOST_A_MINUTE = timedelta(minutes=1) - timedelta.resolution


class Words:
    """What many cells of a page have in common, in the language of the page: translated once, not once a cell."""

    def __init__(self) -> None:
        self.status_labels = {code: str(label) for code, label in Status.choices}
        self.origins = {
            Appointment.Source.VOICE_AI.value: Badge(_("voz"), "phone"),
            Appointment.Source.SELF_SERVICE.value: Badge(_("bot"), "bot"),
            Appointment.Source.SYNC_EXTERNAL.value: Badge(_("API"), "plug"),
        }
        self.incomplete = Badge(_("cadastro incompleto"), "id-card")
        self.notes = Badge(_("observações"), "note")
        self.encaixe = Badge(_("encaixe"), "users")
        self.free, self.fits = _("livre"), _("%(minutes)s min: cabe %(procedure)s")
        self.long_wait, self.not_come = _("espera longa"), _("não chegou")


class DayLayout:
    """Lays out one local date of one clinic once, at the instant `now`.

    `statuses` are those to show, none for all; `hides_freed` leaves out cancelled and missed appointments."""

    def __init__(
        self,
        clinic: Clinic,
        day: date,
        now: datetime,
        schedules: Schedules,
        performed: Mapping[int, Sequence[PerformedProcedure]],
        words: Words,
        *,
        statuses: Collection[str] = (),
        hides_freed: bool,
    ) -> None:
        self.clinic, self.day, self.now, self.schedules, self.performed = clinic, day, now, schedules, performed
        self.words = words
        self.statuses, self.hides_freed = statuses, hides_freed
        self.today = clinic.local(now).date()
        self.midnight, next_midnight = clinic.day(day)
        self.length = self._minute(next_midnight)
        self.now_minute = self._minute(now)
        self.clock: dict[int, str] = {}
        self.cells: dict[int, list[Cell]] = defaultdict(list)
        self.causes: Counter[str] = Counter()  # of appointments that cannot take place
        self.first = self.last = 0

    def lay_out(
        self,
        doctors: Sequence[Doctor],
        chosen: Collection[int],
        appointments: Iterable[tuple[Any, ...]],
        delays: Mapping[int, int],
        memos: list[DayMemo],
    ) -> Day:
        """`delays` are the minutes by which doctors are late, by their ids; `memos` are those of the day."""
        booked = defaultdict(list)
        for values in appointments:
            booked[values[1]].append(values)
        days = [self.doctor_day(doctor, booked[doctor.pk]) for doctor in doctors]
        shown = [one for one in days if one.doctor.pk in chosen and (one.works or one.appointments)]
        if not any(one.open or one.appointments for one in shown):
            shown = []
        is_narrowed = len(chosen) < len(doctors)
        scale = self.set_span(shown)
        columns = [self.column(number, one, scale, delays[one.doctor.pk]) for number, one in enumerate(shown, 1)]
        names = {number: one.doctor.brief_name for number, one in enumerate(shown, 1)}
        laid_out = Day(
            day=self.day,
            today=self.today,
            columns=columns,
            hours=self.hours(names) if shown else [],
            all_rows_class=self.all_rows_class(),
            scale=scale_class(scale, shown),
            **counts(shown, self.cells),
            now_class=self.now_class(),
            now_time=self.now_time(),
            choices=[DoctorChoice(str(row.pk), row.full_name, is_narrowed and row.pk in chosen) for row in doctors],
            off_duty=[one.doctor.full_name for one in days if one.doctor.pk in chosen and one not in shown],
            closure="" if columns else self._closure(days),
            holiday=self.schedules.day_name(self.day),
            next_working=None if columns else self._next_working(doctors, chosen),
            causes=list(self.causes.items()),
            memos=memos,
            version="",
            stays_until=self.stays_until(shown),
        )
        about = [laid_out.day, laid_out.off_duty, laid_out.closure, laid_out.next_working, laid_out.holiday, memos]
        laid_out.version = version(laid_out, self.cells, about)
        return laid_out

    # --- from what is stored to minutes ------------------------------------------------------------------------------

    def _minute(self, instant: datetime) -> int:
        return (instant - self.midnight) // timedelta(minutes=1)

    def _appointment(self, values: tuple[Any, ...]) -> AppointmentRow:
        row = AppointmentRow(*values)
        row.begins = self._minute(row.starts_at)
        row.ends = self._minute(row.ends_at + ALMOST_A_MINUTE)
        row.start, row.end = max(row.begins, 0), min(row.ends, self.length)
        return row

    def doctor_day(self, doctor: Doctor, appointments: Iterable[tuple[Any, ...]]) -> DoctorDay:
        """Return the doctor's day; of the appointments those after it only say what time is taken."""
        booked = [self._appointment(values) for values in appointments]
        blocks = self.schedules.blocks(doctor.pk, self.day)
        closed = self.schedules.closed(doctor.pk, self.day)
        return DoctorDay(
            doctor,
            self.performed.get(doctor.pk, ()),
            [row for row in booked if row.begins < self.length],
            [Span(row.starts_at, row.ends_at) for row in booked if row.occupies_doctor],
            self._on_this_day(blocks),
            self._on_this_day(self.schedules.open(doctor.pk, self.day)),
            [(self._minute(span.starts_at), self._minute(span.ends_at), str(span.reason)) for span in closed],
            bool(blocks) or any(span.closed_by is ClosedReason.ABSENCE for span in closed),
        )

    def _on_this_day(self, spans: Iterable[Span]) -> list[tuple[int, int]]:
        return [(max(self._minute(span.starts_at), 0), min(self._minute(span.ends_at), self.length)) for span in spans]

    def set_span(self, shown: Sequence[DoctorDay]) -> int:
        """Set the first and last minute drawn, whole hours of the clock; return the scale: minutes to a line of text.

        The usual length decides, so that one doctor with short times does not stretch the day of all."""
        times = [time for one in shown for span in one.blocks for time in span]
        times += [time for one in shown for row in one.appointments for time in (row.start, row.end)]
        if times:
            self.first, self.last = self._whole_hour(min(times)), max(times)
            while self.last < self.length and (self.last - self.first) % HOUR:
                self.last += 1
        usual = median(_lengths(shown)) if shown else 15
        return 15 if usual >= 15 else 10 if usual >= 10 else 5

    def _whole_hour(self, minute: int) -> int:
        return max(minute - self.clinic.local(self.midnight + timedelta(minutes=minute)).minute, 0)

    def _time(self, minute: int) -> str:
        """Return what the clinic's clock shows, as 09:05."""
        if minute not in self.clock:
            local = self.clinic.local(self.midnight + timedelta(minutes=minute))
            self.clock[minute] = f"{local:%H:%M}"
        return self.clock[minute]

    # --- from minutes to the grid ------------------------------------------------------------------------------------

    def _place(self, start: int, end: int, number: int) -> str:
        above = (start - self.first) // ROW
        below = max(-((self.first - end) // ROW), above + 1)
        return f"from-{above} to-{below} col-{number}"

    def heading(self, one: DoctorDay) -> str:
        """Return what the column is of, in words."""
        return one.doctor.full_name

    def subheading(self, one: DoctorDay) -> str:
        """Return what stands under the heading."""
        return one.doctor.specialty

    def column(self, number: int, one: DoctorDay, scale: int, delay: int) -> Column:
        """Return a column, and put what is in it into `cells`."""
        self._add_shades(number, one)
        freed = [row for row in one.appointments if not row.stands and not self.hides_freed and self._is_shown(row)]
        standing = [row for row in one.appointments if row.stands]
        place_in_strips(freed)
        place_in_lanes(standing, freed)
        self._add_slots(number, one, freed, scale)
        strips, folds = fold_strips(freed)
        for row in [*standing, *strips]:
            if self._is_shown(row):
                self._add(row.start, self._card(number, one, row, scale))
            else:
                self._add(row.start, self._shade(number, row.start, row.end, _("ocupado"), "shade taken"))
        for rows in folds:
            self._add(rows[0].start, self._folded(number, one, rows, scale))
        return Column(
            doctor_id=str(one.doctor.pk),
            name=self.heading(one),
            subheading=self.subheading(one),
            number=number,
            interval=one.doctor.interval_minutes,
            css_class=f"col-{number}",
            fullness=_fullness(one.open, [(row.start, row.end) for row in standing]),
            performs_nothing=not one.performed,
            delay=delay,
        )

    def _is_shown(self, row: AppointmentRow) -> bool:
        return not self.statuses or row.status in self.statuses

    def _add(self, minute: int, cell: Cell) -> None:
        self.cells[minute].append(cell)

    def _add_shades(self, number: int, one: DoctorDay) -> None:
        for start, end, reason in one.closed:
            start, end = max(start, self.first), min(end, self.last)
            if start < end:
                self._add(start, self._shade(number, start, end, reason, "shade"))

    def _shade(self, number: int, start: int, end: int, reason: str, css_class: str) -> Shade:
        time = f"{self._time(start)}–{self._time(end)}"
        return Shade(number, str(number + 1), f"{css_class} {self._place(start, end, number)}", reason, time)

    def _add_slots(self, number: int, one: DoctorDay, freed: Sequence[AppointmentRow], scale: int) -> None:
        """Add every time at which one of the doctor's procedures fits that can be booked on this day: the usual one, or
        else the longest."""
        performed = bookable_procedures(one, self.day, self.clinic, self.now)
        if not performed:
            return
        usual = performed[0]
        longest: dict[int, PerformedProcedure] = {}
        for procedure in performed:
            if procedure.minutes <= usual.minutes:
                longest.setdefault(procedure.minutes, procedure)
        for opening in longest_openings_on(
            self.day,
            one.doctor,
            schedules=self.schedules,
            taken=one.taken,
            lengths=[timedelta(minutes=minutes) for minutes in sorted(longest)],
            now=self.now,
        ):
            procedure = longest[(opening.ends_at - opening.starts_at) // timedelta(minutes=1)]
            start = self._minute(opening.starts_at)
            end = min(start + min(one.doctor.interval_minutes, procedure.minutes), self.length)
            shorter = None if procedure is one.performed[0] else procedure
            self._add(start, self._slot(number, one, start, end, shorter, freed, scale))

    def _slot(
        self,
        number: int,
        one: DoctorDay,
        start: int,
        end: int,
        shorter: PerformedProcedure | None,
        freed: Sequence[AppointmentRow],
        scale: int,
    ) -> Slot:
        time = self._time(start)
        strips = strips_beside(start, end, freed)
        fits = self.words.fits % {"minutes": shorter.minutes, "procedure": shorter.name} if shorter else ""
        kinds = "slot short" if shorter else "slot"
        if strips:
            kinds += f" beside-{strips}"
        if end - start < scale:
            kinds += " lines-0"
        return Slot(
            column=number,
            aria_colindex=str(number + 1),
            css_class=f"{kinds} {self._place(start, end, number)}",
            time=time,
            doctor_id=str(one.doctor.pk),
            procedure=str(shorter.id) if shorter else "",
            fits=fits,
            is_freed=strips > 0,
            label=f"{time} {self.words.free}, {f'{fits}, ' if fits else ''}{self.heading(one)}",
        )

    def _card(self, number: int, one: DoctorDay, row: AppointmentRow, scale: int) -> Card:
        heading, lines = self.heading(one), min((row.end - row.start) // scale, 3)
        cause = self._cause(one, row)
        attention = cause.in_brief if cause else self._attention(row)
        kinds = f"appt lines-{lines}{row.lane}{' attention' if attention is not None else ''}"
        if row.begins >= 0 and not self.clinic.local(row.starts_at).minute % HALF_HOUR:
            kinds += " on-line"
        if row.encaixe:
            kinds += " encaixe"
        status_label = self._status_label(row)
        badges = self._badges(row, Badge(attention, "ban" if cause else "clock") if attention else None)
        time = self._time(row.begins)
        words = [badge.text for badge in badges]
        until = self._time(row.ends)
        parts = [f"{time}–{until} {row.patient}", row.procedures, status_label, heading, *words]
        return Card(
            id=str(row.id),
            column=number,
            aria_colindex=str(number + 1),
            css_class=f"{kinds} status-{row.status} {self._place(row.start, row.end, number)}",
            status=row.status,
            time=time,
            until=until,
            patient=row.patient,
            procedures=row.procedures,
            badges=badges,
            since=row.arrived_at.isoformat(timespec="seconds") if row.arrived_at else "",
            waited=duration((self.now - row.arrived_at) // timedelta(minutes=1)) if row.arrived_at else "",
            doctor=heading,
            status_label=status_label,
            label=" · ".join(part for part in parts if part),
            is_strip=not row.stands,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            other_date="" if row.begins >= 0 else self.clinic.local(row.starts_at).date().isoformat(),
        )

    def _status_label(self, row: AppointmentRow) -> str:
        """Return the status in words, of Remarcado with the place before."""
        label = self.words.status_labels[row.status]
        before = in_words_of_move(row.move, self.clinic, starts_at=row.starts_at, doctor=row.doctor_id)
        return f"{label}, {before}" if before else label

    def _folded(self, number: int, one: DoctorDay, rows: Sequence[AppointmentRow], scale: int) -> Folded:
        start, end = rows[0].start, max(row.end for row in rows)
        for row in rows:
            row.lane = ""
        words = ngettext("%(n)s cancelado ou falta", "%(n)s cancelados e faltas", len(rows)) % {"n": len(rows)}
        return Folded(
            id=str(rows[0].id),
            column=number,
            aria_colindex=str(number + 1),
            css_class=f"folded strip-{rows[0].strip} {self._place(start, end, number)}",
            number=len(rows),
            label=f"{words}, {self._time(start)}–{self._time(end)}, {self.heading(one)}",
            cards=[self._card(number, one, row, scale) for row in rows],
        )

    def _attention(self, row: AppointmentRow) -> str | None:
        """Return why a person has something to do about it, "" where the status says so itself, None for nothing."""
        if row.arrived_at:
            return self.words.long_wait if self.now - row.arrived_at >= LONG_WAIT else None
        if self.day == self.today and row.status in EXPECTED and row.starts_at + LONG_WAIT <= self.now:
            return self.words.not_come
        if self.day == self.today + timedelta(days=1) and row.status in UNCONFIRMED:
            return ""
        return None

    def _cause(self, one: DoctorDay, row: AppointmentRow) -> Cause | None:
        """Return why an appointment that begins on this day cannot take place, and count it."""
        if row.status not in NOT_BEGUN or row.ends_at <= self.now or row.begins < 0:
            return None
        is_in_open_time = any(start <= row.begins and row.ends <= end for start, end in one.open)
        if one.doctor.active and is_in_open_time and not row.unperformed:
            return None
        cause = cause_of(
            one.doctor,
            row.starts_at,
            row.ends_at,
            schedules=self.schedules,
            unperformed=row.unperformed,
            is_encaixe=row.encaixe is not None,
        )
        if cause:
            self.causes[str(cause)] += 1
        return cause

    def _badges(self, row: AppointmentRow, attention: Badge | None) -> list[Badge]:
        badges = [attention] if attention else []
        if row.alert:
            badges.append(Badge(row.alert, "triangle-alert"))
        if row.unverified:
            badges.append(Badge(label_of(row.unverified), "circle-alert"))
        if row.missing > 0:
            badges.append(Badge(in_words(row.missing), "clock"))
        if row.card_expires_on and row.status in NOT_BEGUN and self._has_expired(row.card_expires_on, row):
            badges.append(Badge(expired_card(row.card_expires_on), "credit-card"))
        if row.encaixe:
            badges.append(self.words.encaixe)
        if row.is_incomplete and row.status in NOT_BEGUN:
            badges.append(self.words.incomplete)
        if row.has_notes:
            badges.append(self.words.notes)
        if origin := self.words.origins.get(row.source):
            badges.append(origin)
        return badges

    def _has_expired(self, card_expires_on: date, row: AppointmentRow) -> bool:
        return card_expires_on < self.clinic.local(row.starts_at).date()

    def hours(self, names: Mapping[int, str]) -> list[Hour]:
        """Return the rows under their hours; an hour in which nothing begins has one empty row.

        `names` are short ones of the columns, by their numbers."""
        hours = []
        for start in range(self.first, self.last, HOUR):
            minutes = sorted(minute for minute in self.cells if start <= minute < start + HOUR)
            rows = [Row(sorted(self.cells[minute], key=lambda cell: cell.column)) for minute in minutes]
            _name_groups(rows, names)
            hours.append(Hour(self._time(start), f"from-{(start - self.first) // ROW}", rows))
        return hours

    def all_rows_class(self) -> str:
        return f"from-0 to-{(self.last - self.first) // ROW}"

    def now_class(self) -> str:
        """Return the place of the line of this minute, "" where it is not drawn."""
        is_shown = self.first <= self.now_minute < self.last
        return f"from-{(self.now_minute - self.first) // ROW}" if is_shown else ""

    def now_time(self) -> str:
        return self._time(self.now_minute) if self.now_class() else ""

    def stays_until(self, shown: Iterable[DoctorDay]) -> datetime:
        """Return the next instant at which time alone may change what is drawn, at most ROW minutes ahead: a free time
        passes, a patient has waited long, an appointment ends, a date begins."""
        row = timedelta(minutes=ROW)
        instants = [self.midnight + timedelta(minutes=minute) for minute in self.cells]
        for appointment in (appointment for one in shown for appointment in one.appointments):
            came_at = appointment.arrived_at or appointment.starts_at
            instants += [came_at + LONG_WAIT, appointment.ends_at]
        end_of_row = self.now + row - (self.now - self.midnight) % row
        return min((instant for instant in instants if self.now < instant < end_of_row), default=end_of_row)

    def _closure(self, days: Iterable[DoctorDay]) -> str:
        """Return why the whole clinic is closed, all day or in part: a holiday, or a written reason."""
        spans = (span for one in days for span in self.schedules.closed(one.doctor.pk, self.day))
        return next(
            (str(span.reason) for span in spans if span.closed_by in {ClosedReason.HOLIDAY, ClosedReason.CLINIC}), ""
        )

    def _next_working(self, doctors: Iterable[Doctor], chosen: Collection[int]) -> date | None:
        ids = [doctor.pk for doctor in doctors if doctor.active and doctor.pk in chosen]
        days = (self.day + timedelta(days=number) for number in range(1, LOOK_AHEAD + 1))
        return next((day for day in days if any(self.schedules.open(doctor, day) for doctor in ids)), None)


class Counts(TypedDict):
    """Numbers of appointments that stand and that were missed, and of free times, as in `Grid`."""

    booked: int
    missed: int
    free: int
    short: int


def counts(shown: Iterable[DoctorDay], cells: Mapping[int, Iterable[Cell]]) -> Counts:
    """Return what is in the columns of these days; a night counts on the date on which it begins."""
    begun = [row for one in shown for row in one.appointments if row.begins >= 0]
    slots = [cell for row in cells.values() for cell in row if isinstance(cell, Slot)]
    return Counts(
        booked=sum(row.stands for row in begun),
        missed=sum(row.status == Status.NO_SHOW for row in begun),
        free=sum(not slot.fits for slot in slots),
        short=sum(bool(slot.fits) for slot in slots),
    )


def scale_class(scale: int, shown: Iterable[DoctorDay]) -> str:
    """Return the class of the scale, with higher lines where something is shorter than one."""
    return f"{scale} tall" if scale > min(_lengths(shown), default=15) else str(scale)


def bookable_procedures(one: DoctorDay, day: date, clinic: Clinic, now: datetime) -> list[PerformedProcedure]:
    """Return those of the doctor's procedures that a local date admits, in their order."""
    of_doctors = {(one.doctor.pk, day): sum(row.stands and row.begins >= 0 for row in one.appointments)}
    restricted = [each for each in one.performed if is_restricted(each)]
    booked = Booked(of_doctors, {(one.doctor.pk, each.id, day): each.booked.count(day) for each in restricted})
    if not Limits((), booked).admit(clinic, one.doctor, day, now):
        return []
    refused = {each.id for each in restricted if not Limits([each], booked).admit(clinic, one.doctor, day, now)}
    return [each for each in one.performed if each.id not in refused]


def _name_groups(rows: Iterable[Row], names: Mapping[int, str]) -> None:
    """Put the doctor's short name at the first free time that each doctor has in these rows."""
    named = set()
    for row in rows:
        for place, cell in enumerate(row.cells):
            if isinstance(cell, Slot) and cell.column not in named:
                named.add(cell.column)
                row.cells[place] = cell._replace(group=names[cell.column])


def _lengths(shown: Iterable[DoctorDay]) -> list[int]:
    """Return the minutes of every appointment on the page, and of every doctor's step."""
    booked = [row.end - row.start for one in shown for row in one.appointments]
    return [*booked, *(one.doctor.interval_minutes for one in shown)]


def _fullness(opened: Sequence[tuple[int, int]], taken: Iterable[tuple[int, int]]) -> int | None:
    total = sum(end - start for start, end in opened)
    if not total:
        return None
    used = sum(max(min(end, closes) - max(start, opens), 0) for start, end in taken for opens, closes in opened)
    return min(round(100 * used / total), 100)
