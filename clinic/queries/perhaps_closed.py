"""Appointments ahead whose time may be closed, by one statement: none is left out whose time is, and few are too many.

Thousands lie ahead, and hardly any is pending: of those in plain hours, with no absence and no holiday, none has to be
looked at one by one.
"""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connection

from clinic.models import Clinic, ClinicHoliday
from clinic.models.appointment import OVERLAP_LOOKBACK
from clinic.models.doctor import VALID_SQL
from clinic.schedule import MAX_DURATION, PERIODS_SQL, Away, bookable_dates, holidays_between

ONE_DAY = timedelta(days=1)

# The hours are compared by the clock: what runs over midnight, and days on which the clock is changed, always count.
# Absences are multiranges of instants, a doctor's hours are one of seconds of the week, for each period in which they
# are the same. Thousands of appointments share few times: the local time of each is computed once.
#
# PostgreSQL takes the same plan however much lies behind: without CASE it would multiply how rare each of the last
# conditions is in the whole table, and expect seven appointments ahead where there are 19 000.
PERHAPS_CLOSED_SQL = f"""
    WITH hours AS (
        SELECT id AS doctor_id, NULL::int4range AS span, date '-infinity' AS since, date 'infinity' AS until
        FROM clinic_doctor WHERE clinic_id = %(clinic)s
        UNION ALL
        SELECT doctor_id, int4range(
            weekday * 86400 + extract(epoch FROM starts)::int,
            weekday * 86400 + CASE WHEN ends > starts THEN extract(epoch FROM ends)::int ELSE 86400 END
        ), coalesce(valid_from, '-infinity'), coalesce(valid_until, 'infinity')
        FROM clinic_workinghours WHERE clinic_id = %(clinic)s AND {VALID_SQL}
    ), period AS ({PERIODS_SQL}), working AS (
        SELECT doctor.id, active, period.since, before, range_agg(span) AS open
        FROM clinic_doctor AS doctor JOIN period ON period.doctor_id = doctor.id JOIN hours
          ON hours.doctor_id = doctor.id AND period.since BETWEEN hours.since AND hours.until
        WHERE doctor.clinic_id = %(clinic)s GROUP BY doctor.id, period.since, before
    ), away AS (
        SELECT doctor_id, range_agg(tstzrange(starts_at, ends_at)) AS closed
        FROM clinic_absence WHERE clinic_id = %(clinic)s AND ends_at > %(now)s GROUP BY 1
    ), doctor AS MATERIALIZED (
        SELECT working.*, closed FROM working LEFT JOIN away ON away.doctor_id = working.id
    ), ahead AS MATERIALIZED (
        SELECT id, doctor_id, starts_at, ends_at, patient_id, encaixe_by_id, tstzrange(starts_at, ends_at) AS during
        FROM clinic_appointment
        WHERE clinic_id = %(clinic)s AND starts_at > %(lookback)s AND starts_at < %(last)s AND deleted_at IS NULL
          AND CASE WHEN ends_at > %(now)s THEN status = ANY (%(statuses)s) END
    ), span AS MATERIALIZED (
        SELECT during, int4range(starts_in, starts_in + seconds) AS clock, starts::date AS day,
            starts_in %% 86400 + seconds > 86400
            OR starts::date = ANY (%(dates)s::date[])
            OR during && (SELECT closed FROM away WHERE doctor_id IS NULL)
            OR lower(during) < %(until)s::timestamptz AND upper(during) > %(since)s::timestamptz AS is_suspect
        FROM (SELECT DISTINCT during FROM ahead) AS each
        CROSS JOIN LATERAL (
            SELECT lower(during) AT TIME ZONE %(zone)s::text AS starts,
                extract(epoch FROM upper(during) - lower(during))::int AS seconds -- so too by the clock, on other days
            OFFSET 0 -- computed once a row, as what follows is
        ) AS wall
        CROSS JOIN LATERAL (
            SELECT extract(isodow FROM starts)::int * 86400 + extract(epoch FROM starts::time)::int AS starts_in
            OFFSET 0
        ) AS week
    )
    SELECT ahead.id, doctor_id, starts_at, ends_at, patient_id, encaixe_by_id
    FROM ahead JOIN span USING (during) JOIN doctor
      ON doctor.id = ahead.doctor_id AND span.day >= doctor.since AND span.day < doctor.before
    WHERE span.is_suspect
      OR NOT doctor.active
      OR doctor.open IS NULL
      OR NOT span.clock <@ doctor.open
      OR during && doctor.closed
      OR ahead.id = ANY (%(besides)s)
    ORDER BY starts_at, ahead.id
"""  # noqa: S608 - the inserted text is a part of clinic.schedule


class AppointmentAhead(NamedTuple):
    """An appointment that has not ended; the instants are in UTC."""

    pk: int
    doctor: int
    starts_at: datetime
    ends_at: datetime
    patient: int
    encaixe_by: int | None


def perhaps_closed(
    clinic: Clinic, *, now: datetime, statuses: Collection[str], absence: Away | None, besides: Collection[int]
) -> list[AppointmentAhead]:
    """Return those of these statuses that have not ended at the instant `now`, by start and id. Two queries.

    Also those under `absence`, as if it were stored, and those with the ids `besides`."""
    lookback, last = now - OVERLAP_LOOKBACK, clinic.day(bookable_dates(clinic, now)[1])[1] + MAX_DURATION
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "zone": clinic.time_zone,
        "now": now,
        "lookback": lookback,
        "last": last,
        "first_day": clinic.local(lookback).date(),
        "last_day": clinic.local(last).date(),
        "statuses": [str(status) for status in statuses],
        "dates": _special_dates(clinic, now),
        "since": absence.starts_at if absence else None,
        "until": absence.ends_at if absence else None,
        "besides": list(besides),
    }
    with connection.cursor() as cursor:
        cursor.execute(PERHAPS_CLOSED_SQL, parameters)
        return [AppointmentAhead(*row) for row in cursor.fetchall()]


def _special_dates(clinic: Clinic, now: datetime) -> list[date]:
    """Return the holidays from yesterday on, its own too, and the days on which the clock is changed. One query."""
    first, last = clinic.local(now).date() - ONE_DAY, bookable_dates(clinic, now)[1] + ONE_DAY
    days = [first + number * ONE_DAY for number in range((last - first).days + 1)]
    midnights = [clinic.nearest_instant(day, time.min) for day in days]
    changed = [day for day, (since, until) in zip(days, pairwise(midnights), strict=False) if until - since != ONE_DAY]
    own = ClinicHoliday.objects.of(clinic).filter(kind=ClinicHoliday.Kind.CLOSES).values_list("falls_on", flat=True)
    return [*holidays_between(clinic, first, last, own), *changed]
