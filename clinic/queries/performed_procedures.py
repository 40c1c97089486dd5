"""The procedures that doctors can be booked for, each doctor's usual one first."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from clinic.cursors import prepared_cursor
from clinic.models import Clinic
from clinic.models.appointment import STANDING_SQL

USUAL_DAYS, USUAL_AMONG = 60, 30

# Written out because every day page asks it, for all doctors at once: the latest appointments of each by its index, and
# those of the dates once, and only in a clinic where a procedure has a number a day.
PERFORMED_SQL = f"""
    WITH counted AS MATERIALIZED (
        SELECT DISTINCT appointment.id, appointment.doctor_id, line.procedure_id,
            (starts_at AT TIME ZONE %(zone)s::text)::date AS day
        FROM clinic_appointment AS appointment
        JOIN clinic_appointmentprocedure AS line ON line.appointment_id = appointment.id
        WHERE EXISTS (SELECT FROM clinic_procedure WHERE clinic_id = %(clinic)s AND per_day IS NOT NULL)
          AND appointment.clinic_id = %(clinic)s AND appointment.doctor_id = ANY (%(doctors)s) AND {STANDING_SQL}
          AND starts_at >= %(first)s AND starts_at < %(last)s
    ), of_procedure AS MATERIALIZED (
        SELECT doctor_id, procedure_id, array_agg(day) AS days FROM counted GROUP BY 1, 2
    )
    SELECT performs.doctor_id, procedure.id, procedure.name, procedure.duration_minutes, procedure.days_ahead,
        procedure.per_day, CASE WHEN procedure.per_day IS NOT NULL THEN of_procedure.days END
    FROM clinic_doctor_procedures AS performs
    JOIN clinic_procedure AS procedure ON procedure.id = performs.procedure_id AND procedure.active
    LEFT JOIN (
        SELECT doctor.id AS doctor_id, line.procedure_id, count(*) AS times
        FROM unnest(%(doctors)s::bigint[]) AS doctor (id)
        CROSS JOIN LATERAL (
            SELECT id FROM clinic_appointment
            WHERE clinic_id = %(clinic)s AND doctor_id = doctor.id AND starts_at >= %(since)s
            ORDER BY starts_at DESC LIMIT %(among)s
        ) AS latest
        JOIN clinic_appointmentprocedure AS line ON line.appointment_id = latest.id
        GROUP BY 1, 2
    ) AS booked ON booked.doctor_id = performs.doctor_id AND booked.procedure_id = procedure.id
    LEFT JOIN of_procedure
      ON of_procedure.doctor_id = performs.doctor_id AND of_procedure.procedure_id = procedure.id
    WHERE procedure.clinic_id = %(clinic)s AND performs.doctor_id = ANY (%(doctors)s)
    ORDER BY performs.doctor_id, booked.times DESC NULLS LAST, procedure.sort_name, procedure.id
"""  # noqa: S608 - the inserted text is the condition of the model


class PerformedProcedure(NamedTuple):
    """A procedure of a doctor with its limits; `booked` are the local dates of the appointments that have it, one for
    each, where it has a number a day."""

    id: int
    name: str
    minutes: int
    days_ahead: int | None = None
    per_day: int | None = None
    booked: Sequence[date] = ()

    @property
    def pk(self) -> int:
        return self.id

    @property
    def notice_hours(self) -> None:
        """The notice is for programs, to which none of this is shown."""


def performed_procedures(
    clinic: Clinic, doctors: Collection[int], now: datetime, first: date | None = None, last: date | None = None
) -> dict[int, list[PerformedProcedure]]:
    """Return the active procedures that each of these doctors performs, by the doctor's id. One query.

    A doctor's usual procedure comes first: the one that stands most often in the USUAL_AMONG latest appointments from
    USUAL_DAYS before the instant `now` on. Doctors who perform none are left out. What is `booked` counts the local
    dates from `first` to `last`, both included, by default today.
    """
    today = clinic.local(now).date()
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "zone": clinic.time_zone,
        "first": clinic.day(first or today)[0],
        "last": clinic.day(last or today)[1],
        "doctors": list(doctors),
        "since": now - timedelta(days=USUAL_DAYS),
        "among": USUAL_AMONG,
    }
    found = defaultdict(list)
    with prepared_cursor() as cursor:
        cursor.execute(PERFORMED_SQL, parameters)
        for row in cursor.fetchall():
            found[row[0]].append(PerformedProcedure._make((*row[1:6], row[6] or ())))
    return dict(found)
