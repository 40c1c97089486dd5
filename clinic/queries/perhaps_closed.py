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
from clinic.schedule import MAX_DURATION, Away, bookable_dates, holidays_between

ONE_DAY = timedelta(days=1)

# The hours are compared by the clock: what runs over midnight, and days on which the clock is changed, always count.
# Absences are multiranges of instants, a doctor's hours are one of seconds of the week: with a row a doctor to join, it
# matters little which join PostgreSQL takes when it expects fewer appointments ahead than there are.
PERHAPS_CLOSED_SQL = """
    WITH working AS (
        SELECT doctor.id, active, range_agg(int4range(
            weekday * 86400 + extract(epoch FROM starts)::int,
            weekday * 86400 + CASE WHEN ends > starts THEN extract(epoch FROM ends)::int ELSE 86400 END
        )) AS open
        FROM clinic_doctor AS doctor LEFT JOIN clinic_workinghours AS hours ON hours.doctor_id = doctor.id
        WHERE doctor.clinic_id = %(clinic)s GROUP BY doctor.id
    ), away AS (
        SELECT doctor_id, range_agg(tstzrange(starts_at, ends_at)) AS closed
        FROM clinic_absence WHERE clinic_id = %(clinic)s AND ends_at > %(now)s GROUP BY 1
    )
    SELECT appointment.id, appointment.doctor_id, starts_at, ends_at, patient_id, encaixe_by_id
    FROM clinic_appointment AS appointment
    JOIN working ON working.id = appointment.doctor_id
    CROSS JOIN LATERAL (
        SELECT starts_at AT TIME ZONE %(zone)s::text AS starts
        OFFSET 0 -- computed once a row, as what follows is
    ) AS clock
    CROSS JOIN LATERAL (
        SELECT starts::date AS first,
            extract(isodow FROM starts)::int * 86400 + extract(epoch FROM starts::time)::int AS starts_in,
            extract(epoch FROM ends_at - starts_at)::int AS seconds -- by the clock too, but when it is changed
        OFFSET 0
    ) AS wall
    LEFT JOIN away ON away.doctor_id = appointment.doctor_id
    WHERE appointment.clinic_id = %(clinic)s AND starts_at > %(lookback)s AND starts_at < %(last)s
      AND ends_at > %(now)s AND status = ANY (%(statuses)s) AND deleted_at IS NULL
      AND (
        NOT working.active
        OR working.open IS NULL
        OR wall.starts_in %% 86400 + wall.seconds > 86400
        OR NOT int4range(wall.starts_in, wall.starts_in + wall.seconds) <@ working.open
        OR wall.first = ANY (%(dates)s::date[])
        OR away.closed IS NOT NULL AND tstzrange(starts_at, ends_at) && away.closed
        OR (SELECT closed FROM away WHERE doctor_id IS NULL) IS NOT NULL
            AND tstzrange(starts_at, ends_at) && (SELECT closed FROM away WHERE doctor_id IS NULL)
        OR starts_at < %(until)s::timestamptz AND ends_at > %(since)s::timestamptz
        OR appointment.id = ANY (%(besides)s)
      )
    ORDER BY starts_at, appointment.id
"""


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
    last = bookable_dates(clinic, now)[1]
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "zone": clinic.time_zone,
        "now": now,
        "lookback": now - OVERLAP_LOOKBACK,
        "last": clinic.day(last)[1] + MAX_DURATION,
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
