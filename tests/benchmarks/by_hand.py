"""One GROUP BY of the rows that each report reads, as somebody would write it who wants one of its numbers."""

from clinic.models.appointment import STANDING_SQL

OF_PERIOD = "visit.clinic_id = %s AND visit.starts_at >= %s AND visit.starts_at < %s AND visit.deleted_at IS NULL"
BY_HAND = {
    "ocupacao": f"""
        SELECT doctor_id, count(*), sum(ends_at - starts_at)
        FROM clinic_appointment AS visit
        WHERE {OF_PERIOD} AND {STANDING_SQL} AND visit.encaixe_by_id IS NULL GROUP BY 1""",  # noqa: S608 - no input in it
    "faltas": f"""
        SELECT doctor_id, status, count(*) FROM clinic_appointment AS visit WHERE {OF_PERIOD} GROUP BY 1, 2""",  # noqa: S608 - no input in it
    "origem": f"""
        SELECT event.credential, visit.status, count(*)
        FROM clinic_appointment AS visit
        JOIN clinic_appointmentevent AS event ON event.appointment_id = visit.id AND event.kind = 'booked'
        WHERE {OF_PERIOD} GROUP BY 1, 2""",  # noqa: S608 - no input in it
    "espera": """
        SELECT visit.doctor_id, event.after ->> 'status', count(*), avg(event.at - visit.starts_at)
        FROM clinic_appointmentevent AS event JOIN clinic_appointment AS visit ON visit.id = event.appointment_id
        WHERE event.clinic_id = %s AND event.at >= %s AND event.at < %s AND event.kind = 'status_changed'
          AND visit.deleted_at IS NULL
        GROUP BY 1, 2""",
    "receita": f"""
        SELECT visit.doctor_id, visit.status, sum(line.price)
        FROM clinic_appointment AS visit
        JOIN clinic_appointmentprocedure AS line
          ON line.clinic_id = visit.clinic_id AND line.appointment_id = visit.id
        WHERE {OF_PERIOD} GROUP BY 1, 2""",  # noqa: S608 - no input in it
    "encaixes": f"""
        SELECT doctor_id, encaixe_by_id, count(*)
        FROM clinic_appointment AS visit WHERE {OF_PERIOD} AND encaixe_by_id IS NOT NULL GROUP BY 1, 2""",  # noqa: S608 - no input in it
    "confirmacoes": f"""
        SELECT event.before ->> 'status', visit.status, count(*)
        FROM clinic_appointment AS visit
        JOIN clinic_appointmentevent AS event ON event.appointment_id = visit.id AND event.kind = 'status_changed'
        WHERE {OF_PERIOD} GROUP BY 1, 2""",  # noqa: S608 - no input in it
}
