"""MiviCall keys: `miv_live_…` or `miv_test_…` (mivicall.md, "Who is calling")."""

import hmac
import re
import secrets
import string
from datetime import timedelta
from zlib import crc32

from django.db import transaction
from django.utils import timezone

from clinic.access import rate_limit, secret_keys
from clinic.cursors import prepared_cursor
from clinic.models import ApiKey, Clinic, CredentialEvent, StaffUser
from clinic.models.locks import get_locked
from clinic.models.raw_sql import load

LIFE = timedelta(days=365)
BOTH_VALID = timedelta(hours=24)
USE_NOTED_EVERY = timedelta(minutes=1)
ALPHABET = string.digits + string.ascii_letters
BODY, CHECKSUM = 30, 6  # 30 letters of 62 are 178 random bits
SHOWN = 6  # letters of the body in the prefix
WHO = "'api key ' || clinic_apikey.id"
STANDING = f"""
    clinic_apikey JOIN clinic_clinic ON clinic_clinic.id = clinic_apikey.clinic_id
    {rate_limit.COUNTED.format(who=WHO)}
    WHERE digest = ANY (%s) AND revoked_at IS NULL
"""
# Not by who finds the row held: the next request notes its use, and none waits for it.
NOTE_USE = """
    UPDATE clinic_apikey SET last_used_at = %s, digest = %s
    WHERE id = (SELECT id FROM clinic_apikey WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)
"""
FORM = re.compile(rf"(miv_(?:live|test)_)([0-9A-Za-z]{{{BODY}}})([0-9A-Za-z]{{{CHECKSUM}}})", re.ASCII)


class InvalidKey(Exception):
    """Mistyped, unknown or revoked."""


class ExpiredKey(InvalidKey):
    """Known, but its year, or the day after its rotation, is over."""


def create(
    clinic: Clinic, *, name: str, scopes: list[str], source: str, is_live: bool, by: StaffUser | None, door: str
) -> tuple[ApiKey, str]:
    """(the row, the key itself, which is shown once and stored nowhere)."""
    secret = _generated("miv_live_" if is_live else "miv_test_")
    now = timezone.now()
    with transaction.atomic():
        key = ApiKey.objects.create(
            clinic=clinic,
            name=name,
            prefix=_prefix(secret),
            digest=_digests(secret)[0],
            scopes=scopes,
            source=source,
            is_live=is_live,
            created_by=by,
            created_at=now,
            expires_at=now + LIFE,
        )
        _record(key, CredentialEvent.Kind.KEY_CREATED, by, door)
    return key, secret


def rotate(pk: int, *, clinic: Clinic, by: StaffUser | None, door: str) -> tuple[ApiKey, str]:
    """A new key like this one, which goes on for 24 hours at most. Locks the row. Raises ApiKey.DoesNotExist when it is
    no longer valid."""
    now = timezone.now()
    with transaction.atomic():
        old = get_locked(ApiKey.objects.of(clinic).filter(pk=pk, revoked_at=None, expires_at__gt=now))
        old.expires_at = min(old.expires_at, now + BOTH_VALID)
        old.save(update_fields=["expires_at"])
        _record(old, CredentialEvent.Kind.KEY_ROTATED, by, door)
        like = {name: getattr(old, name) for name in ("name", "scopes", "source", "is_live")}
        return create(clinic, **like, by=by, door=door)


def revoke(pk: int, *, clinic: Clinic, by: StaffUser | None, door: str) -> ApiKey:
    """Works with the next request; once more does nothing. Locks the row. Raises ApiKey.DoesNotExist."""
    with transaction.atomic():
        key = get_locked(ApiKey.objects.of(clinic).filter(pk=pk))
        if key.revoked_at is None:
            key.revoked_at = timezone.now()
            key.save(update_fields=["revoked_at"])
            _record(key, CredentialEvent.Kind.KEY_REVOKED, by, door)
    return key


def authenticate(text: str) -> ApiKey:
    """The key with its clinic, active or not, and with the `admission` of this request of it.

    One query, and once a minute another that notes the use; none for a mistyped key. Raises InvalidKey or ExpiredKey.
    """
    if not _is_well_formed(text):
        raise InvalidKey
    digests, limits = _digests(text), rate_limit.limits()
    found = load((ApiKey, Clinic), STANDING, [*limits, digests], also=rate_limit.COLUMNS)
    if found is None:
        raise InvalidKey
    key, key.clinic, *counted = found
    key.admission = rate_limit.admission(counted, limits[0])
    now = timezone.now()
    if key.expires_at <= now:
        raise ExpiredKey
    _note_use(key, digests[0], now)
    return key


def _generated(prefix):
    body = "".join(secrets.choice(ALPHABET) for _ in range(BODY))
    return prefix + body + _checksum(prefix + body)


def _checksum(text):
    """Tells a typo, and lets scanners of leaked secrets recognise a key, without asking anybody."""
    number, digits = crc32(text.encode()), []
    for _ in range(CHECKSUM):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _is_well_formed(text):
    parts = FORM.fullmatch(text)
    return parts is not None and hmac.compare_digest(_checksum(parts[1] + parts[2]), parts[3])


def _prefix(secret):
    return secret[: len("miv_live_") + SHOWN]


def _digests(secret):
    return [hmac.new(key, secret.encode(), "sha256").hexdigest() for key in secret_keys.credential_keys()]


def _note_use(key, digest, now):
    """Once a minute at most; a digest under an older key is renewed on the way."""
    recent = key.last_used_at is not None and now - key.last_used_at < USE_NOTED_EVERY
    if not recent or key.digest != digest:
        with prepared_cursor() as cursor:
            cursor.execute(NOTE_USE, [now, digest, key.pk])


def _record(key, kind, by, door):
    CredentialEvent.objects.create(clinic=key.clinic, kind=kind, door=door, user=by, api_key=key)
