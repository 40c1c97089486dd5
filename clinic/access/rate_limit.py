"""Limits on requests, counted in PostgreSQL for all worker processes together.

MiviCall documents 300 requests in a sliding minute and 30 in a second for each key; ImageMais' tokens get the same.
Failed authentications are limited by address. All numbers are settings.

Counted in tenths of a second in an unlogged table, by one SQL function: one round trip, and a crash forgets a minute. A
credential's own statement counts its request too. A revoked key finds no row and counts as a failure of its address, an
expired one as both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from clinic.cursors import prepared_cursor
from clinic.models import RequestCount

BY_THE_HOUR = "hour "  # how the names of those begin who are counted for an hour instead of a minute
# What is being counted at this moment, the counting function itself forgets.
FORGET = """
    DELETE FROM clinic_requestcount WHERE id IN (
        SELECT id FROM clinic_requestcount
        WHERE tick <= floor(extract(epoch FROM clock_timestamp()) * 10)
            - CASE WHEN starts_with(who, %s) THEN 36000 ELSE 600 END
        FOR UPDATE SKIP LOCKED
    )
"""

# Joined to a credential's row: the statement that finds whose request it is counts it too. `limits` are its parameters.
# Like `admit` it runs outside any transaction.
COUNTED = "CROSS JOIN LATERAL clinic_admit({who}, %s, %s) AS admission"
COLUMNS = "admission.*"


@dataclass(frozen=True)
class Admission:
    """`wait` is in whole seconds, 0 when admitted; `reset` the unix second at which the oldest counted request is a
    minute old and room for another one is made."""

    admitted: bool
    limit: int
    remaining: int
    wait: int
    reset: int


def limits() -> tuple[int, int]:
    """How many requests a credential has a minute, and how many a second."""
    return settings.API_REQUESTS_A_MINUTE, settings.API_REQUESTS_A_SECOND


def admission(counted: Sequence, a_minute: int) -> Admission:
    """What clinic_admit answered."""
    admitted, used, wait, reset = counted
    return Admission(admitted, a_minute, max(a_minute - used, 0), wait, reset)


def admit(who: str, a_minute: int, a_second: int) -> Admission:
    """Count a request, if it is within the limits of the minute and of the second. One statement.

    Runs outside any transaction, or everybody who is counted as `who` would wait for it to end.
    """
    with prepared_cursor() as cursor:
        cursor.execute("SELECT * FROM clinic_admit(%s, %s, %s)", [who, a_minute, a_second])
        return admission(cursor.fetchone(), a_minute)


def admit_failure(address: str | None) -> Admission:
    """Count a failed authentication from this address."""
    limit = settings.API_FAILURES_A_MINUTE
    return admit(f"failures {address}", limit, limit)


def admit_within_hour(who: str, most: int) -> int:
    """Count a try, if there have been fewer than `most` within an hour. The seconds to wait, 0 when admitted.

    Like `admit` it runs outside any transaction."""
    with prepared_cursor() as cursor:
        cursor.execute("SELECT wait FROM clinic_admit_within(%s, %s, 36000)", [BY_THE_HOUR + who, most])
        return cursor.fetchone()[0]


def forget_hour(who: str) -> None:
    RequestCount.objects.filter(who=BY_THE_HOUR + who).delete()


def forget() -> int:
    """Delete the counts of those who have asked nothing for their minute or hour; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [BY_THE_HOUR])
        return cursor.rowcount
