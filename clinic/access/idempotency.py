"""Idempotency-Key: the first answer again, and nothing done twice (mivicall.md, "Idempotency-Key")."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from clinic.access import secret_keys
from clinic.cursors import prepared_cursor
from clinic.models import Clinic, StoredAnswer

LONGEST_KEY = 255
# As the documents promise it: no blanks at the ends, which HTTP takes away, and ASCII, which is all it carries safely.
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"
ATTEMPTS = 2  # the answer to an old key may be forgotten between the look for it and the look at it
CLAIM = """
    INSERT INTO clinic_storedanswer (clinic_id, credential, key, fingerprint, body, created_at)
    VALUES (%s, %s, %s, %s, '', statement_timestamp()) ON CONFLICT DO NOTHING RETURNING id
"""
KEEP = "UPDATE clinic_storedanswer SET status = %s, body = %s WHERE id = %s"


class MalformedKey(ValueError):
    """Empty, too long, or with characters that cannot be printed."""


class KeyReused(Exception):
    """The key came with another request before."""


class InProgress(Exception):
    """The first request with this key has not ended within the lock timeout of 3 seconds."""


@dataclass(frozen=True)
class Request:
    """A write as far as it has to be the same one. `body` is what was sent, byte for byte."""

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
    """The key as sent. Raises MalformedKey."""
    if not (0 < len(text) <= LONGEST_KEY and text.isprintable()):
        raise MalformedKey
    return text


def claim(request: Request) -> int | StoredAnswer:
    """The id to `keep` an answer under, for whoever is first; for everybody else the answer that was kept.

    Runs in the transaction of the work itself, which holds the claim: a twin waits here until that transaction ends.
    Raises KeyReused, or InProgress when it takes longer than the connection's lock_timeout; the transaction can then
    only be rolled back.
    """
    fingerprints = request.fingerprints()
    for _ in range(ATTEMPTS):
        claimed = _inserted(request, fingerprints[0])
        if claimed is not None:
            return claimed
        stored = StoredAnswer.objects.of(request.clinic).filter(credential=request.credential, key=request.key).first()
        if stored is not None and stored.fingerprint not in fingerprints:
            raise KeyReused
        if stored is not None:
            return stored
    raise InProgress


def _inserted(request, fingerprint):
    """The id of the claim; None when somebody has the key."""
    try:
        with prepared_cursor() as cursor:
            cursor.execute(CLAIM, [request.clinic.pk, request.credential, request.key, fingerprint])
            row = cursor.fetchone()
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise InProgress from error
    return row and row[0]


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
