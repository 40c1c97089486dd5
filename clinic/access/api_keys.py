"""Create, rotate, revoke and check MiviCall keys: `miv_live_…`, or `miv_test_…`, which acts in the clinic's sandbox.

A key belongs to one clinic, has scopes, expires after a year and can be revoked. It is shown once and stored as a
digest with a prefix for display. Its checksum reveals a typo without a query, and lets scanners find leaked keys.
"""

import hmac
import re
import secrets
import string
from datetime import datetime, timedelta
from zlib import crc32

from django.db import transaction
from django.utils import timezone

from clinic.access import rate_limit
from clinic.access.secret_keys import credential_digests
from clinic.cursors import prepared_cursor
from clinic.models import ApiKey, Clinic, CredentialEvent, StaffUser
from clinic.models.locks import get_locked
from clinic.models.raw_sql import fetch_joined

LIFE = timedelta(days=365)
ROTATION_OVERLAP = timedelta(hours=24)
USE_NOTED_EVERY = timedelta(minutes=1)
ALPHABET = string.digits + string.ascii_letters
BODY_LETTERS, CHECKSUM_LETTERS = 30, 6  # 30 letters of 62 are 178 random bits
PREFIX_LETTERS = 6  # letters of the body that the stored prefix includes
LIMIT_SUBJECT_SQL = "'api key ' || clinic_apikey.id"
VALID_KEY_SQL = f"""
    clinic_apikey JOIN clinic_clinic ON clinic_clinic.id = clinic_apikey.clinic_id
    {rate_limit.JOIN_SQL.format(subject=LIMIT_SUBJECT_SQL)}
    WHERE digest = ANY (%s) AND revoked_at IS NULL
"""
# SKIP LOCKED: while another request holds the row, its last use is not noted, and no request waits for it.
NOTE_USE_SQL = """
    UPDATE clinic_apikey SET last_used_at = %s, digest = %s
    WHERE id = (SELECT id FROM clinic_apikey WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)
"""
KEY_PATTERN = re.compile(
    rf"(miv_(?:live|test)_)([0-9A-Za-z]{{{BODY_LETTERS}}})([0-9A-Za-z]{{{CHECKSUM_LETTERS}}})", re.ASCII
)


class InvalidKey(Exception):
    """The key is mistyped, unknown or revoked."""


class ExpiredKey(InvalidKey):
    """The key is known, but it is older than a year, or was rotated more than a day ago."""


def create(
    clinic: Clinic, *, name: str, scopes: list[str], source: str, is_live: bool, by: StaffUser | None, channel: str
) -> tuple[ApiKey, str]:
    """Create a key. Return the row and the key itself, which is shown once and never stored."""
    secret = _generate("miv_live_" if is_live else "miv_test_")
    now = timezone.now()
    with transaction.atomic():
        key = ApiKey.objects.create(
            clinic=clinic,
            name=name,
            prefix=_prefix(secret),
            digest=credential_digests(secret.encode())[0],
            scopes=scopes,
            source=source,
            is_live=is_live,
            created_by=by,
            created_at=now,
            expires_at=now + LIFE,
        )
        _record(key, CredentialEvent.Kind.KEY_CREATED, by, channel)
    return key, secret


def rotate(pk: int, *, clinic: Clinic, by: StaffUser | None, channel: str) -> tuple[ApiKey, str]:
    """Create a key like this one, which stays valid for 24 hours at most.

    Locks the row. Raises ApiKey.DoesNotExist when the old key is no longer valid.
    """
    now = timezone.now()
    with transaction.atomic():
        old = get_locked(ApiKey.objects.of(clinic).filter(pk=pk, revoked_at=None, expires_at__gt=now))
        old.expires_at = min(old.expires_at, now + ROTATION_OVERLAP)
        old.save(update_fields=["expires_at"])
        _record(old, CredentialEvent.Kind.KEY_ROTATED, by, channel)
        copied = {name: getattr(old, name) for name in ("name", "scopes", "source", "is_live")}
        return create(clinic, **copied, by=by, channel=channel)


def revoke(pk: int, *, clinic: Clinic, by: StaffUser | None, channel: str) -> ApiKey:
    """Revoke a key from the next request on; revoking it again changes nothing.

    Locks the row. Raises ApiKey.DoesNotExist.
    """
    with transaction.atomic():
        key = get_locked(ApiKey.objects.of(clinic).filter(pk=pk))
        if key.revoked_at is None:
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            _record(key, CredentialEvent.Kind.KEY_REVOKED, by, channel)
    return key


def authenticate(text: str) -> tuple[ApiKey, rate_limit.RateLimitStatus]:
    """Return the key with its clinic, active or not, and its rate limit after this request.

    One query, and another one each minute that notes the use; none for a mistyped key. Raises InvalidKey or ExpiredKey.
    """
    if not _is_well_formed(text):
        raise InvalidKey
    digests, limits = credential_digests(text.encode()), rate_limit.limits()
    row = fetch_joined((ApiKey, Clinic), VALID_KEY_SQL, [*limits, digests], extra_columns=rate_limit.COLUMNS)
    if row is None:
        raise InvalidKey
    (key, clinic), counts = row
    key.clinic = clinic
    now = timezone.now()
    if key.expires_at <= now:
        raise ExpiredKey
    _note_use(key, digests[0], now)
    return key, rate_limit.status_of(counts, limits[0])


def _generate(prefix: str) -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(BODY_LETTERS))
    return prefix + body + _checksum(prefix + body)


def _checksum(text: str) -> str:
    """Return the checksum letters of a key.

    They reveal a typo without a query, and let scanners of leaked secrets recognise a key.
    """
    number, digits = crc32(text.encode()), []
    for _ in range(CHECKSUM_LETTERS):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _is_well_formed(text: str) -> bool:
    parts = KEY_PATTERN.fullmatch(text)
    return parts is not None and hmac.compare_digest(_checksum(parts[1] + parts[2]), parts[3])


def _prefix(secret: str) -> str:
    return secret[: len("miv_live_") + PREFIX_LETTERS]


def _note_use(key: ApiKey, digest: str, now: datetime) -> None:
    """Note the use once a minute at most; renew a digest that an older key has made."""
    recent = key.last_used_at is not None and now - key.last_used_at < USE_NOTED_EVERY
    if not recent or key.digest != digest:
        with prepared_cursor() as cursor:
            cursor.execute(NOTE_USE_SQL, [now, digest, key.pk])


def _record(key: ApiKey, kind: CredentialEvent.Kind, by: StaffUser | None, channel: str) -> None:
    CredentialEvent.objects.create(clinic=key.clinic, kind=kind, channel=channel, user=by, api_key=key)
