"""Writing the working hours of a doctor, with the event that says who did."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from clinic.models import Absence, AppointmentEvent, ClinicEvent, ClinicHoliday, Doctor, StaffUser, WorkingHours
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
    load_schedules,
    overlapping_hours,
    without,
)

ONE_DAY = timedelta(days=1)


class HoursOverlap(Exception):
    """Raised after two rows of a doctor were found to overlap on a date; nothing of it may be committed."""

    def __init__(self, row: WorkingHours, other: WorkingHours) -> None:
        super().__init__(f"{row}, {other}")
        self.row, self.other = row, other


def save_hours(
    doctor: Doctor, rows: Iterable[WorkingHours], by: StaffUser, *, deleted: Iterable[WorkingHours] = ()
) -> None:
    """Store new and changed rows, delete others, and store one event. Runs in the caller's transaction, which has the
    doctor's row locked."""
    before = snapshot(doctor)
    for row in deleted:
        row.delete()
    for row in rows:
        row.save()
    author = Author(channel=AppointmentEvent.Channel.BROWSER, user=by)
    record_change(doctor.clinic, ClinicEvent.Kind.HOURS, before, snapshot(doctor), author)


def snapshot(doctor: Doctor) -> dict[str, Any]:
    """Return what an event keeps of a doctor's hours: a list of ISO weekday, start, end and validity each, times and
    dates as ISO 8601. One query."""
    columns = "weekday", "starts", "ends", "valid_from", "valid_until"
    rows = WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor).values_list(*columns)
    return {
        "doctor": doctor.pk,
        "doctor_name": doctor.full_name,
        "hours": [[weekday, *(at.isoformat() if at else None for at in times)] for weekday, *times in rows],
    }


def set_week(doctor: Doctor, week: Iterable[Hours], by: StaffUser, *, first: date, last: date | None) -> None:
    """Let `week` be the doctor's hours on the local dates from `first` to `last`, both included, None for no end.

    What held on these dates ends the day before, and goes on the day after `last`; hours of a single date are
    exceptions and stay. A row that is the same in both is left as it is. One event; runs in the caller's transaction,
    which has the doctor's row locked. Raises HoursOverlap where an exception overlaps the new hours."""
    rows: list[WorkingHours] = []
    new, deleted = set(week), []
    for row in WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor).not_over_on(first):
        if row.is_of_a_day or (last and row.valid_from and row.valid_from > last):
            continue
        begins_before = row.valid_from is None or row.valid_from < first
        ends_after = last is not None and (row.valid_until is None or row.valid_until > last)
        hours = Hours(row.weekday, row.starts, row.ends)
        if hours in new and (begins_before or row.valid_from == first) and (ends_after or row.valid_until == last):
            new.remove(hours)
            continue
        if last and ends_after:
            rows.append(_hours_of(doctor, hours, last + ONE_DAY, row.valid_until))
        if begins_before:
            row.valid_until = first - ONE_DAY
            rows.append(row)
        else:
            deleted.append(row)
    rows += [_hours_of(doctor, hours, first, last) for hours in sorted(new)]
    save_hours(doctor, rows, by, deleted=deleted)
    _require_apart(doctor, rows)


def _require_apart(doctor: Doctor, rows: list[WorkingHours]) -> None:
    """Raise HoursOverlap if one of the rows overlaps another of the doctor."""
    written = {row.pk for row in rows}
    for row, other in overlapping_hours(WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor)):
        if {row.pk, other.pk} & written:
            raise HoursOverlap(row, other)


def _hours_of(doctor: Doctor, hours: Hours, first: date | None, last: date | None) -> WorkingHours:
    return WorkingHours(
        clinic_id=doctor.clinic_id, doctor=doctor, **hours._asdict(), valid_from=first, valid_until=last
    )


def add_exceptions(doctor: Doctor, days: Iterable[OpenDay | ClosedDay], by: StaffUser) -> None:
    """Open or close time of single local dates: hours that hold on that date alone, or absences.

    Only what the doctor does not work then already becomes hours. Where a holiday closes the date, it is opened for
    this doctor. Runs in the caller's transaction, which has the clinic's row shared and the doctor's locked. Raises
    HoursOverlap where hours of the day before or after reach into the new ones."""
    rows: list[WorkingHours] = []
    for exception in days:
        if isinstance(exception, OpenDay):
            rows += _missing(doctor, exception)
            _open_holiday(doctor, exception)
        else:
            save_absence(_absence(doctor, exception), by)
    save_hours(doctor, rows, by)
    _require_apart(doctor, rows)


def _missing(doctor: Doctor, opened: OpenDay) -> list[WorkingHours]:
    """Return the hours of the date that the doctor does not have yet."""
    day = opened.day
    held = WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor, weekday=day.isoweekday())
    present = [_on_clock(day, row.starts, row.ends) for row in held.valid_between(day, day)]
    return [
        _hours_of(doctor, Hours(day.isoweekday(), part.starts_at.time(), part.ends_at.time()), day, day)
        for part in without([_on_clock(day, opened.starts, opened.ends)], present)
    ]


def _on_clock(day: date, starts: time, ends: time) -> Span:
    return Span(datetime.combine(day, starts), datetime.combine(end_date(day, starts, ends), ends))


def _open_holiday(doctor: Doctor, opened: OpenDay) -> None:
    """Open the date for the doctor where a holiday closes it."""
    day, clinic = opened.day, doctor.clinic
    if not load_schedules(clinic, [doctor], day, day).holidays(doctor.pk, day):
        return
    holiday = ClinicHoliday.objects.create(
        clinic=clinic,
        falls_on=f"{day:%d/%m/%Y}",
        name=doctor.full_name[: max_length(ClinicHoliday, "name")],
        kind=ClinicHoliday.Kind.OPENS,
        starts=opened.starts,
        ends=opened.ends if opened.ends > opened.starts else None,
    )
    holiday.doctors.add(doctor)


def _absence(doctor: Doctor, closed: ClosedDay) -> Absence:
    clinic, (midnight, next_midnight) = doctor.clinic, doctor.clinic.day(closed.day)
    starts_at, ends_at = midnight, next_midnight
    if closed.starts is not None and closed.ends is not None:
        starts_at = clinic.nearest_instant(closed.day, closed.starts)
        ends_at = clinic.nearest_instant(end_date(closed.day, closed.starts, closed.ends), closed.ends)
    reason = closed.reason or _("fechado")
    return Absence(clinic=clinic, doctor=doctor, starts_at=starts_at, ends_at=ends_at, reason=reason)
