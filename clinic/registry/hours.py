"""Writing the working hours of a doctor, with the event that says who did."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.models import Absence, AppointmentEvent, ClinicEvent, ClinicHoliday, Doctor, StaffUser, WorkingHours
from clinic.models.doctor import HoursQuerySet
from clinic.models.limits import max_length
from clinic.registry.absences import save_absence
from clinic.registry.clinic_events import record_change
from clinic.registry.patient_events import Author
from clinic.schedule import (
    ClosedDay,
    Hours,
    OpenDay,
    Span,
    end_date,
    ever_hold,
    load_schedules,
    overlapping_hours,
    within,
    without,
)

ONE_DAY = timedelta(days=1)


class HoursOverlap(Exception):
    """Raised after two rows of a doctor were found to overlap on a date; nothing of it may be committed."""

    def __init__(self, row: WorkingHours, other: WorkingHours) -> None:
        super().__init__(f"{row}, {other}")
        self.row, self.other = row, other


def save_hours(
    doctor: Doctor,
    rows: Iterable[WorkingHours],
    by: StaffUser,
    *,
    deleted: Iterable[WorkingHours] = (),
    opened: Iterable[ClinicHoliday] = (),
) -> None:
    """Store new and changed rows, delete others, and store one event, which names the holidays `opened` for the doctor.

    A row that is changed to hold on several dates is no exception any more. Runs in the caller's transaction, which has
    the doctor's row locked or has just added it. Raises HoursOverlap where a row overlaps another."""
    before, rows = snapshot(doctor), list(rows)
    for row in deleted:
        row.delete()
    for row in rows:
        row.is_exception = row.is_exception and row.valid_from == row.valid_until
        row.save()
    after, holidays = snapshot(doctor), [[holiday.falls_on, holiday.hours] for holiday in opened]
    if holidays:
        after["opened"] = holidays
    author = Author(channel=AppointmentEvent.Channel.BROWSER, user=by)
    record_change(doctor.clinic, ClinicEvent.Kind.HOURS, before, after, author)
    _require_apart(doctor, rows)


def new_hours(doctor: Doctor, week: Iterable[Hours]) -> list[WorkingHours]:
    """Return the rows of a week, not stored yet, that hold without beginning and end."""
    return [_hours_of(doctor, hours, None, None) for hours in sorted(week)]


def snapshot(doctor: Doctor) -> dict[str, Any]:
    """Return what an event keeps of a doctor's hours that are not over: a list of ISO weekday, start, end and validity
    each, times and dates as ISO 8601. One query."""
    columns = "weekday", "starts", "ends", "valid_from", "valid_until"
    rows = _stored(doctor).not_over_on(_today(doctor)).values_list(*columns)
    return {
        "doctor": doctor.pk,
        "doctor_name": doctor.full_name,
        "hours": [[weekday, *(at.isoformat() if at else None for at in times)] for weekday, *times in rows],
    }


def _stored(doctor: Doctor) -> HoursQuerySet:
    rows: HoursQuerySet = WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor)
    return rows


def _today(doctor: Doctor) -> date:
    return doctor.clinic.local(timezone.now()).date()


def set_week(
    doctor: Doctor, week: Iterable[Hours], by: StaffUser, *, first: date, last: date | None
) -> list[WorkingHours]:
    """Let `week` be the doctor's hours on the local dates from `first` to `last`, both included, None for no end.

    What held on these dates ends the day before, and goes on the day after `last`; exceptions stay. A row that is the
    same in both is left as it is, and one whose weekday never comes between its dates is not kept. Returns the hours
    as they were that would have begun after `first`. One event; runs in the caller's transaction, which has the
    doctor's row locked. Raises HoursOverlap where an exception overlaps the new hours."""
    rows: list[WorkingHours] = []
    new, deleted, replaced = set(week), [], []
    for row in _stored(doctor).not_over_on(first):
        if row.is_exception or (last and row.valid_from and row.valid_from > last):
            continue
        begins_before = row.valid_from is None or row.valid_from < first
        ends_after = last is not None and (row.valid_until is None or row.valid_until > last)
        hours = Hours(row.weekday, row.starts, row.ends)
        if hours in new and (begins_before or row.valid_from == first) and (ends_after or row.valid_until == last):
            new.remove(hours)
            continue
        if row.valid_from and row.valid_from > first:
            replaced.append(_hours_of(doctor, hours, row.valid_from, row.valid_until))
        if last and ends_after:
            rows.append(_hours_of(doctor, hours, last + ONE_DAY, row.valid_until))
        if begins_before:
            row.valid_until = first - ONE_DAY
            rows.append(row)
        else:
            deleted.append(row)
    rows += [_hours_of(doctor, hours, first, last) for hours in sorted(new)]
    deleted += [row for row in rows if row.pk and not ever_hold(row)]
    rows = [row for row in rows if ever_hold(row)]
    save_hours(doctor, rows, by, deleted=deleted)
    return replaced


def _require_apart(doctor: Doctor, rows: list[WorkingHours]) -> None:
    """Raise HoursOverlap if one of the rows overlaps another of the doctor, which may be the night before today."""
    written = {row.pk for row in rows}
    for row, other in overlapping_hours(_stored(doctor).not_over_on(_today(doctor) - ONE_DAY)):
        if {row.pk, other.pk} & written:
            raise HoursOverlap(row, other)


def _hours_of(doctor: Doctor, hours: Hours, first: date | None, last: date | None) -> WorkingHours:
    return WorkingHours(
        clinic_id=doctor.clinic_id, doctor=doctor, **hours._asdict(), valid_from=first, valid_until=last
    )


def add_exceptions(doctor: Doctor, days: Iterable[OpenDay | ClosedDay], by: StaffUser) -> None:
    """Open or close time of single local dates: hours that hold on that date alone, or absences.

    Only what the doctor does not work then already becomes hours. What holidays close of it is opened for this doctor.
    A span that the clock skips is not closed. Runs in the caller's transaction, which has the clinic's row shared and
    the doctor's locked. Raises HoursOverlap where hours of the day before reach into the new ones."""
    rows: list[WorkingHours] = []
    opened: list[ClinicHoliday] = []
    for exception in days:
        if isinstance(exception, OpenDay):
            rows += _missing(doctor, exception)
            opened += _open_holidays(doctor, exception)
        elif (absence := _absence(doctor, exception)).starts_at < absence.ends_at:
            save_absence(absence, by)
    save_hours(doctor, rows, by, opened=opened)


def _missing(doctor: Doctor, opened: OpenDay) -> list[WorkingHours]:
    """Return the hours of the date, and of the night after it, that the doctor does not have yet."""
    present = [
        _on_clock(day, row.starts, row.ends)
        for day in _dates_of(opened)
        for row in _stored(doctor).filter(weekday=day.isoweekday()).valid_between(day, day)
    ]
    missing = without([_on_clock(opened.day, opened.starts, opened.ends)], present)
    return [_hours_of_part(doctor, part) for part in missing]


def _hours_of_part(doctor: Doctor, part: Span) -> WorkingHours:
    """Return an exception; the instants of the part are by the clock, without a zone."""
    day = part.starts_at.date()
    row = _hours_of(doctor, Hours(day.isoweekday(), part.starts_at.time(), part.ends_at.time()), day, day)
    row.is_exception = True
    return row


def _dates_of(opened: OpenDay) -> list[date]:
    """Return the date, and the one after it where the hours end on that."""
    return sorted({opened.day, end_date(opened.day, opened.starts, opened.ends)})


def _on_clock(day: date, starts: time, ends: time) -> Span:
    return Span(datetime.combine(day, starts), datetime.combine(end_date(day, starts, ends), ends))


def _open_holidays(doctor: Doctor, opened: OpenDay) -> list[ClinicHoliday]:
    """Open for the doctor what holidays close of the hours, and return the rows that do."""
    clinic, days = doctor.clinic, _dates_of(opened)
    starts_at = clinic.nearest_instant(opened.day, opened.starts)
    ends_at = clinic.nearest_instant(end_date(opened.day, opened.starts, opened.ends), opened.ends)
    schedules = load_schedules(clinic, [doctor], days[0], days[-1])
    closed = [(day, within(span, starts_at, ends_at)) for day in days for span in schedules.holidays(doctor.pk, day)]
    return [_open_part(doctor, day, span) for day, span in closed if span.starts_at < span.ends_at]


def _open_part(doctor: Doctor, day: date, closed: Span) -> ClinicHoliday:
    clinic = doctor.clinic
    starts, ends = clinic.local(closed.starts_at).time(), clinic.local(closed.ends_at).time()
    holiday = ClinicHoliday.objects.create(
        clinic=clinic,
        falls_on=f"{day:%d/%m/%Y}",
        name=doctor.full_name[: max_length(ClinicHoliday, "name")],
        kind=ClinicHoliday.Kind.OPENS,
        starts=starts,
        ends=ends if ends > starts else None,
    )
    holiday.doctors.add(doctor)
    return holiday


def _absence(doctor: Doctor, closed: ClosedDay) -> Absence:
    clinic, (midnight, next_midnight) = doctor.clinic, doctor.clinic.day(closed.day)
    starts_at, ends_at = midnight, next_midnight
    if closed.starts is not None and closed.ends is not None:
        starts_at = clinic.nearest_instant(closed.day, closed.starts)
        ends_at = clinic.nearest_instant(end_date(closed.day, closed.starts, closed.ends), closed.ends)
    reason = closed.reason or _("fechado")
    return Absence(clinic=clinic, doctor=doctor, starts_at=starts_at, ends_at=ends_at, reason=reason)
