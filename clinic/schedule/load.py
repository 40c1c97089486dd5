"""The stored hours, absences and own holidays, by one statement for any number of doctors."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from clinic.cursors import prepared_cursor
from clinic.models import Clinic, Doctor
from clinic.models.doctor import VALID_SQL
from clinic.schedule.holidays import OwnDay
from clinic.schedule.schedules import Away, DoctorHours, Schedules

# Written out because every booking asks it: see clinic.booking.sql.
HOURS_AND_ABSENCES_SQL = f"""
    SELECT doctor_id, weekday, starts, ends, NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at,
        NULL::text AS reason, NULL::text AS falls_on, NULL::boolean AS opens, valid_from, valid_until
    FROM clinic_workinghours WHERE clinic_id = %(clinic)s AND doctor_id = ANY (%(doctors)s) AND {VALID_SQL}
    UNION ALL
    SELECT doctor_id, NULL, NULL, NULL, starts_at, ends_at, reason, NULL, NULL, NULL, NULL
    FROM clinic_absence WHERE clinic_id = %(clinic)s AND (doctor_id = ANY (%(doctors)s) OR doctor_id IS NULL)
      AND starts_at < %(last)s AND ends_at > %(first)s
    UNION ALL
    SELECT meant.id, NULL, starts, ends, NULL, NULL, name, falls_on, kind = 'opens', NULL, NULL
    FROM clinic_clinicholiday AS day
    CROSS JOIN LATERAL (
        SELECT NULL::bigint AS id
        WHERE specialty = '' AND NOT EXISTS (
            SELECT FROM clinic_clinicholiday_doctors WHERE clinicholiday_id = day.id
        )
        UNION ALL
        SELECT doctor.id FROM clinic_doctor AS doctor
        WHERE doctor.id = ANY (%(doctors)s) AND (
            day.specialty <> '' AND doctor.specialty = day.specialty
            OR EXISTS (
                SELECT FROM clinic_clinicholiday_doctors WHERE clinicholiday_id = day.id AND doctor_id = doctor.id
            )
        )
    ) AS meant
    WHERE clinic_id = %(clinic)s
"""  # noqa: S608 - the inserted text is the condition of the model


def load_schedules(clinic: Clinic, doctors: Iterable[Doctor], first: date, last: date) -> Schedules:
    """Load the schedules of `doctors` on the local dates from `first` to `last`, both included. One query."""
    with prepared_cursor() as cursor:
        parameters: dict[str, Any] = {
            "clinic": clinic.pk,
            "doctors": [doctor.pk for doctor in doctors],
            **dates_of(clinic, first, last),
        }
        cursor.execute(f"{HOURS_AND_ABSENCES_SQL} ORDER BY starts_at", parameters)
        return schedules_of(clinic, cursor.fetchall())


def dates_of(clinic: Clinic, first: date, last: date) -> dict[str, date]:
    """Return the parameters of HOURS_AND_ABSENCES_SQL for the local dates from `first` to `last`, both included."""
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    # A night that began on the day before ends on the first one, and what begins on the last day may end on the next.
    return {"first": clinic.day(first)[0], "last": clinic.day(after)[1], "first_day": before, "last_day": after}


def schedules_of(clinic: Clinic, rows: Iterable[tuple[Any, ...]]) -> Schedules:
    """Return the schedules that rows of HOURS_AND_ABSENCES_SQL describe: those with a weekday are hours, those with a
    rule for a date the clinic's own days."""
    rows = list(rows)
    hours = [DoctorHours(*row[:4], *row[9:]) for row in rows if row[1] is not None]
    absences = [Away(row[0], *row[4:7]) for row in rows if row[4] is not None]
    own_days = [OwnDay(row[0], *row[2:4], *row[6:9]) for row in rows if row[7] is not None]
    return Schedules(clinic, hours, absences, own_days)
