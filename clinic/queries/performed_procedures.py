"""The procedures that doctors can be booked for, each doctor's usual one first."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from clinic.cursors import prepared_cursor
from clinic.models import Clinic

USUAL_DAYS, USUAL_AMONG = 60, 30

# Written out because every day page asks it, for all doctors at once: the latest appointments of each by its index.
PERFORMED_SQL = """
    SELECT performs.doctor_id, procedure.id, procedure.name, procedure.duration_minutes
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
    WHERE procedure.clinic_id = %(clinic)s AND performs.doctor_id = ANY (%(doctors)s)
    ORDER BY performs.doctor_id, booked.times DESC NULLS LAST, procedure.sort_name, procedure.id
"""


class PerformedProcedure(NamedTuple):
    id: int
    name: str
    minutes: int


def performed_procedures(
    clinic: Clinic, doctors: Collection[int], now: datetime
) -> dict[int, list[PerformedProcedure]]:
    """Return the active procedures that each of these doctors performs, by the doctor's id. One query.

    A doctor's usual procedure comes first: the one that stands most often in the USUAL_AMONG latest appointments from
    USUAL_DAYS before the instant `now` on. Doctors who perform none are left out.
    """
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "doctors": list(doctors),
        "since": now - timedelta(days=USUAL_DAYS),
        "among": USUAL_AMONG,
    }
    found = defaultdict(list)
    with prepared_cursor() as cursor:
        cursor.execute(PERFORMED_SQL, parameters)
        for doctor_id, *procedure in cursor.fetchall():
            found[doctor_id].append(PerformedProcedure(*procedure))
    return dict(found)
