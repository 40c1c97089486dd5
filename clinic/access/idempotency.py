"""Idempotency-Key: answer a retried write with the stored first answer instead of running it twice.

The vendors name the header only; its meaning is ours, after Stripe and the IETF draft. A key counts within a clinic and
an API. The write and its stored answer commit together. The same key with another method, path or body is refused; a
retry that arrives while the first request runs waits for its answer. Answers of requests that wrote nothing (a 4xx
other than a decided 409, a 5xx) are not stored, so that a corrected retry works. Answers are kept for
STORED_ANSWER_DAYS.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError
from psycopg.errors import LockNotAvailable, QueryCanceled

from clinic.access.secret_keys import credential_digests
from clinic.cursors import prepared_cursor
from clinic.models import Clinic, StoredAnswer
from clinic.models.locks import wait_for_advisory

MAX_KEY_LENGTH = 255
# The documented form: no blanks at the ends, which HTTP strips, and ASCII, which HTTP carries safely.
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"
# One for a retry that holds the key, one for an old answer deleted between two statements, and a last one.
ATTEMPTS = 3
# The number of the key's advisory lock. Without it a retry would wait on the unique index, in a running thread; 24 of
# them made every page wait for 12 seconds.
LOCK_NUMBER_SQL = "hashtextextended('idempotency key ' || %s::bigint || ' ' || %s::text || ' ' || %s::text, 0)"
CLAIM_SQL = f"""
    WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock({LOCK_NUMBER_SQL}) AS is_ours), claimed AS (
        INSERT INTO clinic_storedanswer (clinic_id, credential, key, fingerprint, body, created_at)
        SELECT %s::bigint, %s::text, %s::text, %s::text, '', statement_timestamp() FROM turn WHERE is_ours
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT is_ours, claimed.id FROM turn LEFT JOIN claimed ON true
"""  # noqa: S608 - nothing but parameters is put in
KEEP_SQL = "UPDATE clinic_storedanswer SET status = %s, body = %s WHERE id = %s"


class MalformedKey(ValueError):
    """The key is empty, too long, or has characters that cannot be printed."""


class KeyReused(Exception):
    """The key was used for another request before."""


class InProgress(Exception):
    """The first request with this key did not end within the lock timeout of 3 seconds."""


@dataclass(frozen=True)
class Request:
    """The parts of a write that must be equal in a repeated request.

    `body` is compared byte for byte and not as JSON: texts that two programs could read differently are two requests.
    """

    clinic: Clinic
    credential: str
    key: str
    method: str
    path: str
    body: bytes

    def fingerprints(self) -> list[str]:
        """Return the fingerprint under the current credential key, then those under the older keys."""
        return credential_digests(b"\n".join([self.method.encode(), self.path.encode(), self.body]))


def checked_key(text: str) -> str:
    """Return the key unchanged. Raises MalformedKey.

    It may contain commas, because it is free text; a header sent twice then arrives as the one key "a,b".
    """
    if not (0 < len(text) <= MAX_KEY_LENGTH and text.isprintable()):
        raise MalformedKey
    return text


def claim(request: Request) -> int | StoredAnswer:
    """Return the id to pass to `keep` if the key is new, or else the stored answer.

    Runs in the transaction of the write itself, which holds the claim and the key's advisory lock: a concurrent retry
    waits here until that transaction ends. Raises KeyReused, or InProgress when the wait takes too long
    (`clinic.models.locks`); after either the transaction can only be rolled back.
    """
    fingerprints = request.fingerprints()
    for _ in range(ATTEMPTS):
        is_ours, claimed = _try_to_claim(request, fingerprints[0])
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


def _try_to_claim(request: Request, fingerprint: str) -> tuple[bool, int | None]:
    """Return whether no other transaction holds the key, and the id of the claim or None."""
    key = request.clinic.pk, request.credential, request.key
    with _in_progress(), prepared_cursor() as cursor:
        cursor.execute(CLAIM_SQL, [*key, *key, fingerprint])
        is_ours, claimed = cursor.fetchone()
    return is_ours, claimed


def _wait(request: Request) -> None:
    """Wait until the transaction that holds the key has ended."""
    with _in_progress(), prepared_cursor() as cursor:
        wait_for_advisory(cursor, LOCK_NUMBER_SQL, [request.clinic.pk, request.credential, request.key])


@contextmanager
def _in_progress() -> Iterator[None]:
    """Turn a lock timeout within the block into InProgress."""
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable | QueryCanceled):
            raise
        raise InProgress from error


def keep(claimed: int, status: int, body: str) -> None:
    """Store the answer; it is committed together with the write."""
    with prepared_cursor() as cursor:
        cursor.execute(KEEP_SQL, [status, body, claimed])


def forget(before: datetime) -> int:
    """Delete the answers stored before an instant and return their number. A later retry runs as a new request."""
    deleted = 0
    for clinic in Clinic.objects.all():
        deleted += StoredAnswer.objects.of(clinic).filter(created_at__lt=before).delete()[0]
    return deleted
