"""Whose data a user, a session or a program has been shown in a time: what has to be known after a leak. Reads only.

Law: LGPD art. 48 and Resolução CD/ANPD 15/2024, RGPD art. 33 and 34.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from clinic.models import Clinic, Patient, SignIn, StaffUser
from clinic.queries.accesses import place
from clinic.schedule import is_national

MAX_SHOWN = 500  # patients on the page; the file has all of them
CHUNK = 500
# Who was shown by name, and who had a visit on a day that was shown whole, or was moved away from it since.
SEEN_SQL = """
    WITH seen AS MATERIALIZED (
        SELECT patient_id, day, at, page FROM clinic_patientaccess
        WHERE clinic_id = %(clinic)s AND at >= %(since)s AND at < %(until)s
            AND (%(user)s::bigint IS NULL OR user_id = %(user)s)
            AND (%(credential)s = '' OR credential = %(credential)s)
            AND (%(session)s = '' OR session = %(session)s)
    ), days AS MATERIALIZED (
        SELECT day, min(at) AS first, max(at) AS last, count(DISTINCT at) AS times, array_agg(DISTINCT page) AS pages
        FROM seen WHERE day IS NOT NULL GROUP BY day
    ), named AS (
        SELECT patient_id, min(at) AS first, max(at) AS last, count(DISTINCT at) AS times, array_agg(page) AS pages
        FROM seen WHERE patient_id IS NOT NULL GROUP BY patient_id
        UNION ALL
        SELECT patient_id, first, last, times, pages FROM days JOIN clinic_appointment AS visit
            ON visit.clinic_id = %(clinic)s AND visit.starts_at >= day::timestamp AT TIME ZONE %(zone)s
            AND visit.starts_at < (day + 1)::timestamp AT TIME ZONE %(zone)s AND visit.created_at <= days.last
        UNION ALL
        SELECT patient_id, first, last, times, pages FROM days JOIN clinic_appointmentevent AS moved
            ON moved.clinic_id = %(clinic)s AND moved.kind IN ('rescheduled', 'time_zone') AND moved.at > days.first
            AND clinic_instant(moved.before ->> 'starts_at') >= day::timestamp AT TIME ZONE %(zone)s
            AND clinic_instant(moved.before ->> 'starts_at') < (day + 1)::timestamp AT TIME ZONE %(zone)s
            JOIN clinic_appointment AS visit ON visit.id = moved.appointment_id AND visit.created_at <= days.last
    ), flat AS (
        SELECT patient_id, first, last, times, unnest(pages) AS page FROM named
    )
    SELECT patient_id, min(first), max(last), array_agg(DISTINCT page) FROM flat
    GROUP BY patient_id ORDER BY min(first), patient_id
"""


@dataclass(frozen=True)
class Asked:
    """What is asked: [since, until) in instants, and any of a user's id, a credential's name and a session's digest."""

    since: datetime
    until: datetime
    user: int | None = None
    credential: str = ""
    session: str = ""


@dataclass(frozen=True)
class Exposed:
    """A patient who was shown, first and last, and on which pages or by which operations."""

    patient: Patient
    first: datetime
    last: datetime
    places: list[str]


def exposed(clinic: Clinic, asked: Asked) -> Iterator[Exposed]:
    """Yield the patients who were shown, the first one shown first; CHUNK of their rows in memory at a time."""
    parameters: dict[str, Any] = vars(asked) | {"clinic": clinic.pk, "zone": clinic.time_zone}
    with connection.cursor() as cursor:
        cursor.execute(SEEN_SQL, parameters)
        found = cursor.fetchall()
    for start in range(0, len(found), CHUNK):
        rows = found[start : start + CHUNK]
        people = Patient.objects.of(clinic).in_bulk([pk for pk, *_rest in rows])
        for pk, first, last, pages in rows:
            if patient := people.get(pk):
                yield Exposed(patient, first, last, sorted({place(page) for page in pages}))


def sessions(clinic: Clinic, since: datetime, until: datetime) -> list[SignIn]:
    """Return the sign-ins of the clinic's users in [since, until), the newest first."""
    users = StaffUser.objects.of(clinic).values_list("pk", flat=True)
    rows = SignIn.objects.filter(user__in=list(users), at__gte=since, at__lt=until).select_related("user")
    return list(rows.order_by("-at", "-pk")[:MAX_SHOWN])


def deadline(clinic: Clinic, known_at: datetime) -> datetime:
    """Return until when the authority has to know: 72 hours in Portugal, in Brazil the end of the third working day
    after the day on which the clinic knew."""
    if clinic.country == Clinic.Country.PORTUGAL:
        return known_at + timedelta(hours=72)
    day, left = clinic.local(known_at).date(), 3
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5 and not is_national(clinic, day)
    return clinic.day(day)[1]


def rule(clinic: Clinic) -> str:
    """Return the deadline in words."""
    return _("72 horas") if clinic.country == Clinic.Country.PORTUGAL else _("3 dias úteis")
