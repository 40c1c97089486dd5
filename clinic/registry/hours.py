"""Writing the working hours of a doctor, with the event that says who did."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from clinic.models import AppointmentEvent, ClinicEvent, Doctor, StaffUser, WorkingHours
from clinic.registry.clinic_events import record_change
from clinic.registry.patient_events import Author
from clinic.schedule import Hours, overlapping_hours

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
