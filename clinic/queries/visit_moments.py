"""When visits began and their patients had arrived, as their events say."""

from clinic.models.appointment import BEGUN, in_sql

# `begun` has a row for each visit that is under way or over, by the events of a clinic from the
# instant `since` to the instant `events_until`: its doctor, the instant `began` at which the doctor began it last, by
# how many minutes that was late (whole ones; an early visit counts as 0), and how many minutes the patient had waited
# since the check-in before, NULL without one. An act that takes a later step back is no beginning and no arrival.
#
# The visits are those of which {visits} is true: a condition of clinic_appointment as visit.
BEGUN_SQL = f"""
    WITH moment AS (
        SELECT event.appointment_id,
            max(event.at) FILTER (
                WHERE event.after ->> 'status' = 'in_service'
                  AND event.before ->> 'status' IS DISTINCT FROM 'finished'
            ) AS began,
            max(event.at) FILTER (
                WHERE event.after ->> 'status' = 'checked_in'
                  AND event.before ->> 'status' IS DISTINCT FROM 'in_service'
            ) AS arrived
        FROM clinic_appointmentevent AS event
        WHERE event.clinic_id = %(clinic)s AND event.at >= %(since)s AND event.at <= %(events_until)s
          AND event.kind = 'status_changed' AND event.after ->> 'status' IN ('checked_in', 'in_service')
        GROUP BY event.appointment_id
    ), begun AS (
        SELECT visit.id, visit.doctor_id AS doctor, moment.began,
            greatest(floor(extract(epoch FROM moment.began - visit.starts_at) / 60)::int, 0) AS late,
            CASE WHEN moment.arrived <= moment.began
                THEN floor(extract(epoch FROM moment.began - moment.arrived) / 60)::int END AS waited
        FROM moment JOIN clinic_appointment AS visit ON visit.id = moment.appointment_id
        WHERE moment.began IS NOT NULL AND visit.status IN ({in_sql(BEGUN)}) AND {{visits}}
    )
"""  # noqa: S608 - the inserted text is our own list of statuses
