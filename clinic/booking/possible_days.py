"""On which days which doctors may have time for an appointment of a given length, by one statement."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import connection

from clinic.models import Appointment, Clinic
from clinic.models.appointment import OVERLAP_LOOKBACK, STANDING_SQL
from clinic.models.doctor import VALID_SQL
from clinic.schedule import PERIODS_SQL, Span, dates_of

# A multirange of instants at which an appointment of the length cannot begin: what lies between two taken spans and is
# too short for it is no gap there, so that a full day comes back as one span instead of thirty rows. The hours are
# only estimated: nights, and days on which the clock is changed, always count as possible. On all others a time of the
# clock is so long after midnight, which is computed once a day; between which times it may begin, `firsts` to `lasts`
# after midnight, is computed once a weekday of a period in which the hours are the same. About CASE see
# clinic/queries/perhaps_closed.py.
POSSIBLE_DAYS_SQL = f"""
    WITH blocked AS MATERIALIZED (
        SELECT doctor_id, range_agg(tstzrange(starts_at - %(length)s::interval, ends_at, '()')) AS starts
        FROM (
            SELECT doctor_id, starts_at, ends_at FROM clinic_appointment
            WHERE clinic_id = %(clinic)s AND doctor_id = ANY (%(doctors)s) AND {STANDING_SQL} AND encaixe_by_id IS NULL
              AND starts_at > %(lookback)s AND starts_at < %(last)s AND CASE WHEN ends_at > %(first)s THEN true END
              AND id IS DISTINCT FROM %(moving)s
            UNION ALL
            SELECT doctor.id, starts_at, ends_at
            FROM clinic_appointment CROSS JOIN unnest(%(doctors)s::bigint[]) AS doctor (id)
            WHERE clinic_id = %(clinic)s AND patient_id = %(patient)s AND {STANDING_SQL}
              AND starts_at > %(lookback)s AND starts_at < %(last)s AND ends_at > %(first)s
              AND clinic_appointment.id IS DISTINCT FROM %(moving)s
            UNION ALL
            SELECT doctor.id, starts_at, ends_at
            FROM clinic_absence CROSS JOIN unnest(%(doctors)s::bigint[]) AS doctor (id)
            WHERE clinic_id = %(clinic)s AND (doctor_id IS NULL OR doctor_id = doctor.id)
              AND starts_at < %(last)s AND ends_at > %(first)s
        ) AS taken
        GROUP BY doctor_id
    ), days AS MATERIALIZED (
        SELECT day, number, midnight, next_midnight, extract(isodow FROM day)::int AS weekday,
               next_midnight - midnight <> interval '24 hours' AS changes_clock
        FROM unnest(%(days)s::date[]) WITH ORDINALITY AS given (day, number)
        CROSS JOIN LATERAL (
            SELECT day::timestamp AT TIME ZONE %(zone)s::text AS midnight,
                   (day + 1)::timestamp AT TIME ZONE %(zone)s::text AS next_midnight
        ) AS instants
    ), hours AS (
        SELECT doctor_id, (weekday + nights - 1) %% 7 + 1 AS weekday, starts, ends,
               coalesce(valid_from, '-infinity') + nights AS since, coalesce(valid_until, 'infinity') + nights AS until
        FROM clinic_workinghours CROSS JOIN (VALUES (0), (1)) AS after (nights)
        WHERE clinic_id = %(clinic)s AND doctor_id = ANY (%(doctors)s) AND {VALID_SQL}
          AND (nights = 0 OR ends <= starts AND ends > '00:00')
    ), period AS ({PERIODS_SQL}), work AS (
        SELECT hours.doctor_id, weekday, period.since, before, bool_or(ends <= starts) AS is_night,
               range_agg(tsrange(
                   any_day + starts, any_day + CASE WHEN ends > starts THEN ends ELSE '24:00' END
               )) AS blocks
        FROM hours JOIN period
          ON period.doctor_id = hours.doctor_id AND period.since BETWEEN hours.since AND hours.until
        CROSS JOIN (VALUES (date '2000-01-01')) AS of_blocks (any_day)
        GROUP BY 1, 2, 3, 4
    ), of_week AS MATERIALIZED (
        SELECT doctor_id, weekday, since, before, is_night, firsts, lasts
        FROM work CROSS JOIN LATERAL (
            SELECT array_agg(greatest(first, "from")) AS firsts, array_agg(least(last, "to")) AS lasts
            FROM unnest(blocks) AS block
            CROSS JOIN LATERAL (
                SELECT lower(block) - date '2000-01-01' AS first,
                       upper(block) - date '2000-01-01' - %(length)s::interval AS last
            ) AS begins
            JOIN unnest(%(froms)s::interval[], %(tos)s::interval[]) AS part ("from", "to")
              ON "from" <= last AND "to" >= first
            WHERE last >= first
        ) AS spans
    ), possible AS (
        SELECT of_week.doctor_id, day, number, midnight, next_midnight, blocked.starts
        FROM days JOIN of_week USING (weekday) LEFT JOIN blocked ON blocked.doctor_id = of_week.doctor_id
        WHERE day >= since AND day < before AND (
            is_night
            OR changes_clock
            OR EXISTS (
                SELECT FROM unnest(firsts, lasts) AS span (first, last)
                WHERE NOT coalesce(tstzrange(midnight + first, midnight + last, '[]') <@ blocked.starts, FALSE)
            )
        )
        ORDER BY number, of_week.doctor_id LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT doctor_id, day,
        ARRAY (SELECT lower(part) FROM unnest(near) AS part), ARRAY (SELECT upper(part) FROM unnest(near) AS part)
    FROM possible
    CROSS JOIN LATERAL (
        SELECT starts * tstzmultirange(tstzrange(
            midnight - interval '3 hours', next_midnight + interval '3 hours'
        )) AS near
    ) AS of_day
    ORDER BY number, doctor_id
"""  # noqa: S608 - the inserted texts are the conditions of the models and a part of clinic.schedule


class PossibleDay(NamedTuple):
    """A local date on which a doctor may have time, and the `taken` spans of it, with every gap that is too short."""

    doctor_id: int
    day: date
    taken: list[Span]


def possible_days(
    clinic: Clinic,
    *,
    doctors: Collection[int],
    days: Sequence[date],
    length: timedelta,
    windows: Sequence[tuple[time, time]],
    patient: int | None,
    moving: Appointment | None,
    limit: int | None,
    offset: int,
) -> list[PossibleDay]:
    """Return them in the order of `days` and then of the doctors' ids. One query.

    `windows` are the local times between which an appointment may begin. None is left out on which there is time; on
    some there is none, for the hours of work are only estimated here.
    """
    froms, tos = zip(*windows, strict=True)
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "zone": clinic.time_zone,
        "doctors": list(doctors),
        "days": list(days),
        "length": length,
        "froms": [_since_midnight(at) for at in froms],
        "tos": [_since_midnight(at) for at in tos],
        "patient": patient,
        "moving": moving.pk if moving else None,
        "limit": limit,
        "offset": offset,
        **_window(clinic, min(days), max(days)),
    }
    with connection.cursor() as cursor:
        cursor.execute(POSSIBLE_DAYS_SQL, parameters)
        return [PossibleDay(row[0], row[1], _taken(row[2], row[3], length)) for row in cursor.fetchall()]


def _since_midnight(at: time) -> timedelta:
    return datetime.combine(date.min, at) - datetime.min


def _window(clinic: Clinic, first: date, last: date) -> dict[str, date]:
    window = dates_of(clinic, first, last)
    return {"lookback": clinic.day(first)[0] - OVERLAP_LOOKBACK, **window}


def _taken(lowers: list[datetime], uppers: list[datetime], length: timedelta) -> list[Span]:
    """Return the spans before and after which an appointment of `length` is free."""
    return [Span(lower + length, upper) for lower, upper in zip(lowers, uppers, strict=True)]
