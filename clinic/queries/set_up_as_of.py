"""A clinic's set-up as it was at a moment: its rows as they are, less what was noted since. Reads only."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.migrations.recorder import MigrationRecorder

from clinic.models import Absence, Clinic, ClinicHoliday, Doctor, RowChange, WorkingHours
from clinic.schedule import Away, DoctorHours, OwnDay, Schedules

# A row by its columns.
type Row = dict[str, Any]

OPEN_FOR = ClinicHoliday.doctors.through
NOTING = "0080_row_changes"  # the migration since which changes are noted


def noted_since() -> datetime | None:
    """Return the instant from which on every change is known; None before the migration. One query."""
    applied = MigrationRecorder.Migration.objects.filter(app="clinic", name=NOTING)
    return applied.values_list("applied", flat=True).first()


def schedules_as_of(clinic: Clinic, moment: datetime) -> Schedules:
    """Return the hours, absences, closures and own days of all doctors as they were stored then; the zone of the clinic
    and whether it observes holidays are those of today. Five queries."""
    changes = _changes(clinic, moment, WorkingHours, Absence, ClinicHoliday, OPEN_FOR)
    of_clinic = models.Q(clinic=clinic)
    hours, absences, days = (_as_of(model, of_clinic, changes) for model in (WorkingHours, Absence, ClinicHoliday))
    doctors_of: dict[int, list[int]] = {}
    for row in _as_of(OPEN_FOR, models.Q(doctor__clinic=clinic), changes).values():
        doctors_of.setdefault(row["clinicholiday_id"], []).append(row["doctor_id"])
    away = [Away(row["doctor_id"], row["starts_at"], row["ends_at"], row["reason"]) for row in absences.values()]
    return Schedules(
        clinic,
        [
            DoctorHours(
                *(row[name] for name in ("doctor_id", "weekday", "starts", "ends", "valid_from", "valid_until"))
            )
            for row in hours.values()
        ],
        sorted(away, key=lambda row: row.starts_at),
        [day for pk, row in days.items() for day in _own_days(clinic, row, doctors_of.get(pk, []))],
    )


def doctors_as_of(clinic: Clinic, moment: datetime) -> list[Doctor]:
    """Return all doctors, in their order, `active` as they were then, with today's names. Two queries."""
    active = _as_of(Doctor, models.Q(clinic=clinic), _changes(clinic, moment, Doctor))
    doctors = list(Doctor.objects.of(clinic))
    for doctor in doctors:
        doctor.active = active[doctor.pk]["active"] if doctor.pk in active else False
    return doctors


def _changes(clinic: Clinic, moment: datetime, *tables: type[models.Model]) -> list[RowChange]:
    names = [model._meta.db_table.removeprefix("clinic_") for model in tables]
    return list(RowChange.objects.of(clinic).filter(table__in=names, at__gt=moment).order_by("-pk"))


def _as_of(model: type[models.Model], wanted: models.Q, changes: list[RowChange]) -> dict[int, Row]:
    """Return the rows by id, each change since taken back, the last one first."""
    fields: dict[str, Any] = {str(field.column): field for field in model._meta.concrete_fields}
    rows: dict[int, Row] = {
        row["id"]: {column: row[field.attname] for column, field in fields.items()}
        for row in model._default_manager.filter(wanted).values(*(field.attname for field in fields.values()))
    }
    table = model._meta.db_table.removeprefix("clinic_")
    for change in changes:
        if change.table != table or change.row is None:
            continue
        if change.act == RowChange.Act.ADDED:
            rows.pop(change.row, None)
            continue
        before = {name: fields[name].to_python(value) for name, value in change.before.items() if name in fields}
        rows[change.row] = rows.get(change.row, dict.fromkeys(fields)) | before
    return rows


def _own_days(clinic: Clinic, row: Row, doctors: list[int]) -> list[OwnDay]:
    """Return a day once for everybody, or once for each doctor: of its speciality, or named."""
    ids: set[int | None] = set(doctors)
    if row["specialty"]:
        ids |= set(Doctor.objects.of(clinic).filter(specialty=row["specialty"]).values_list("pk", flat=True))
    everybody = not row["specialty"] and not doctors
    about = (row["starts"], row["ends"], row["name"], row["falls_on"], row["kind"] == ClinicHoliday.Kind.OPENS)
    return [OwnDay(pk, *about) for pk in ([None] if everybody else sorted(ids, key=str))]
