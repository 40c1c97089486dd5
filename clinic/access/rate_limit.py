"""Limit requests, counted in PostgreSQL for all worker processes together.

MiviCall documents 300 requests in a sliding minute and 30 in a second for each key; ImageMais's tokens get the same.
Failed authentications are limited by address. All numbers are settings.

Requests are counted per tenth of a second in an unlogged table, by one SQL function: one round trip, and a crash loses
a minute. A credential's own statement counts its request too. A revoked key finds no row and counts as a failure of its
address, an expired one as both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from clinic.cursors import prepared_cursor
from clinic.models import RequestCount

HOUR_PREFIX = "hour "  # prefix of the subjects that are counted for an hour instead of a minute
# Skips rows that a request has locked; `clinic_admit` deletes those itself.
DELETE_OLD_SQL = """
    DELETE FROM clinic_requestcount WHERE id IN (
        SELECT id FROM clinic_requestcount
        WHERE tick <= floor(extract(epoch FROM clock_timestamp()) * 10)
            - CASE WHEN starts_with(who, %s) THEN 36000 ELSE 600 END
        FOR UPDATE SKIP LOCKED
    )
"""

# Joined to a credential's row, so that one statement loads the credential and counts the request. Its parameters are
# `limits`. Like `admit` it must run outside a transaction.
JOIN_SQL = "CROSS JOIN LATERAL clinic_admit({subject}, %s, %s) AS rate_limit"
COLUMNS = "rate_limit.*"


@dataclass(frozen=True)
class RateLimitStatus:
    """The result of counting one request.

    `wait` is in whole seconds, 0 when admitted. `reset` is the Unix second at which the oldest counted request is a
    minute old and another one is admitted.
    """

    admitted: bool
    limit: int
    remaining: int
    wait: int
    reset: int


def limits() -> tuple[int, int]:
    """Return the requests that a credential may send per minute and per second."""
    return settings.API_REQUESTS_A_MINUTE, settings.API_REQUESTS_A_SECOND


def status_of(counts: Sequence[Any], a_minute: int) -> RateLimitStatus:
    """Turn a row of clinic_admit into a RateLimitStatus."""
    admitted, used, wait, reset = counts
    return RateLimitStatus(admitted, a_minute, max(a_minute - used, 0), wait, reset)


def admit(subject: str, a_minute: int, a_second: int) -> RateLimitStatus:
    """Count a request if it is within the limits per minute and per second. One statement.

    Must run outside a transaction: all requests of the same subject would wait for its end.
    """
    with prepared_cursor() as cursor:
        cursor.execute("SELECT * FROM clinic_admit(%s, %s, %s)", [subject, a_minute, a_second])
        return status_of(cursor.fetchone(), a_minute)


def admit_failure(address: str | None) -> RateLimitStatus:
    """Count a failed authentication from this address."""
    limit = settings.API_FAILURES_A_MINUTE
    return admit(f"failures {address}", limit, limit)


def admit_within_hour(subject: str, most: int) -> int:
    """Count a try if there were fewer than `most` within an hour; return the seconds to wait, 0 when admitted.

    Must run outside a transaction, like `admit`.
    """
    with prepared_cursor() as cursor:
        cursor.execute("SELECT wait FROM clinic_admit_within(%s, %s, 36000)", [HOUR_PREFIX + subject, most])
        wait: int = cursor.fetchone()[0]
    return wait


def forget_hour(*subjects: str) -> None:
    """Delete the counts of subjects that are counted for an hour. One statement."""
    RequestCount.objects.filter(who__in=[HOUR_PREFIX + subject for subject in subjects]).delete()


def forget() -> int:
    """Delete the counts of subjects without a request within their minute or hour; return the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE_OLD_SQL, [HOUR_PREFIX])
        deleted: int = cursor.rowcount
    return deleted
