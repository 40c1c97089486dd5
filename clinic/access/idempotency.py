"""Idempotency-Key: answer a retried write with the stored first answer, and do nothing twice.

The vendors name the header and no more; what it means is ours, after Stripe and the IETF draft. A key counts within a
clinic and an API. The work and its stored answer commit together. The same key with another method, path or body is
refused; a twin that arrives while the first is running waits for its answer. An answer that wrote nothing (a 4xx other
than a decided 409, a 5xx) is not stored, so that a corrected retry works. Answers are kept STORED_ANSWER_DAYS.
"""

import hmac
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError
from psycopg.errors import LockNotAvailable, QueryCanceled

from clinic.access import secret_keys
from clinic.cursors import prepared_cursor
from clinic.models import Clinic, StoredAnswer
from clinic.models.locks import wait_for_advisory

LONGEST_KEY = 255
# As the documents promise it: no blanks at the ends, which HTTP takes away, and ASCII, which is all it carries safely.
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"
# A twin holds the key; the answer to an old key is forgotten between the look for it and the look at it; the last one.
ATTEMPTS = 3
# Of the advisory lock of a key: a twin that waited on the unique index would do so in a thread that runs, and 24 of
# them kept every page waiting for 12 seconds.
NUMBER = "hashtextextended('idempotency key ' || %s::bigint || ' ' || %s::text || ' ' || %s::text, 0)"
CLAIM = f"""
    WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock({NUMBER}) AS is_ours), claimed AS (
        INSERT INTO clinic_storedanswer (clinic_id, credential, key, fingerprint, body, created_at)
        SELECT %s::bigint, %s::text, %s::text, %s::text, '', statement_timestamp() FROM turn WHERE is_ours
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT is_ours, claimed.id FROM turn LEFT JOIN claimed ON true
"""  # noqa: S608 - nothing but parameters is put in
KEEP = "UPDATE clinic_storedanswer SET status = %s, body = %s WHERE id = %s"


class MalformedKey(ValueError):
    """Empty, too long, or with characters that cannot be printed."""


class KeyReused(Exception):
    """The key came with another request before."""


class InProgress(Exception):
    """The first request with this key has not ended within the lock timeout of 3 seconds."""


@dataclass(frozen=True)
class Request:
    """A write as far as it has to be the same one. `body` is what was sent, compared byte for byte and not as JSON:
    what two programs could read differently is not one request."""

    clinic: Clinic
    credential: str
    key: str
    method: str
    path: str
    body: bytes

    def fingerprints(self) -> list[str]:
        """Under the present key of credentials, then under those before it."""
        told = b"\n".join([self.method.encode(), self.path.encode(), self.body])
        return [hmac.new(key, told, "sha256").hexdigest() for key in secret_keys.credential_keys()]


def checked_key(text: str) -> str:
    """The key as sent. Raises MalformedKey.

    It may hold commas, since it is free text; a header sent twice then arrives as the one key "a,b"."""
    if not (0 < len(text) <= LONGEST_KEY and text.isprintable()):
        raise MalformedKey
    return text


def claim(request: Request) -> int | StoredAnswer:
    """The id to `keep` an answer under, for whoever is first; for everybody else the answer that was kept.

    Runs in the transaction of the work itself, which holds the claim and the key's advisory lock: a twin waits here
    until that transaction ends. Raises KeyReused, or InProgress when that is not soon enough (`clinic.models.locks`);
    the transaction can then only be rolled back.
    """
    fingerprints = request.fingerprints()
    for _ in range(ATTEMPTS):
        is_ours, claimed = _tried(request, fingerprints[0])
        if claimed is not None:
            return claimed
        stored = StoredAnswer.objects.of(request.clinic).filter(credential=request.credential, key=request.key).first()
        if stored is not None and stored.fingerprint not in fingerprints:
            raise KeyReused
        if stored is not None:
            return stored
        if not is_ours:
            _wait(request)
    raise InProgress


def _tried(request, fingerprint):
    """(whether no twin holds the key, the id of the claim or None)."""
    key = request.clinic.pk, request.credential, request.key
    with _in_progress(), prepared_cursor() as cursor:
        cursor.execute(CLAIM, [*key, *key, fingerprint])
        return cursor.fetchone()


def _wait(request):
    """Until the twin's transaction has ended."""
    with _in_progress(), prepared_cursor() as cursor:
        wait_for_advisory(cursor, NUMBER, [request.clinic.pk, request.credential, request.key])


@contextmanager
def _in_progress():
    """A wait that was too long becomes InProgress."""
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable | QueryCanceled):
            raise
        raise InProgress from error


def keep(claimed: int, status: int, body: str) -> None:
    """Store the answer; it commits with the work, or not at all."""
    with prepared_cursor() as cursor:
        cursor.execute(KEEP, [status, body, claimed])


def forget(before: datetime) -> int:
    """Delete the answers stored before that; how many there were. A retry that comes later is a new request."""
    forgotten = 0
    for clinic in Clinic.objects.all():
        forgotten += StoredAnswer.objects.of(clinic).filter(created_at__lt=before).delete()[0]
    return forgotten
