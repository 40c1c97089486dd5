"""What the tests of reports share: asking for one, reading a table of it, and events as the booking writes them."""

from datetime import date

from clinic.models import AppointmentEvent, Doctor, Procedure
from clinic.queries.reports import REPORTS, Wanted

MONTH = date(2026, 11, 1), date(2026, 11, 30)


def wanted(clinic, dates=MONTH, **filters):
    doctors = {doctor.pk: doctor for doctor in Doctor.objects.of(clinic)}
    procedures = {procedure.pk: procedure for procedure in Procedure.objects.of(clinic)}
    return Wanted(clinic, *dates, doctors, procedures, **filters)


def read(name, clinic, dates=MONTH, **filters):
    return REPORTS[name].read(wanted(clinic, dates, **filters))


def table(report, name):
    (found,) = (each for each in report.tables if each.name == name)
    return found


def cells(report, name):
    """The values of every row by its name, the sum of all under "Total"."""
    found = table(report, name)
    rows = {row[0]: row[1:] for row in found.rows}
    return rows | {found.total[0]: found.total[1:]} if found.total else rows


def event(appointment, at, after="", before="scheduled", kind="status_changed", **fields):
    """An event at an instant; of a change of status with both of them."""
    is_change = kind == "status_changed"
    values = {
        "clinic": appointment.clinic,
        "appointment": appointment,
        "kind": kind,
        "at": at,
        "channel": "browser",
        "before": {"status": before} if is_change else {},
        "after": {"status": after} | fields.pop("more", {}) if is_change else fields.pop("more", {}),
    }
    return AppointmentEvent.objects.create(**values | fields)
