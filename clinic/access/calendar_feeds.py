"""The secret addresses of doctors' calendars: released once, revoked, and found by what a program sends.

The secret is a part of the address, since calendar programs send nothing else. It is stored as a digest, and no log has
it (`clinic.logs`). It has 192 random bits; what is unknown is counted by the address that sends it all the same.
"""

import re
import secrets

from django.db import transaction
from django.utils import timezone

from clinic.access import rate_limit
from clinic.access.secret_keys import credential_digests
from clinic.models import CalendarFeed, Clinic, Doctor, StaffUser
from clinic.models.locks import get_locked

SECRET_BYTES = 24
WELL_FORMED = re.compile(r"[0-9A-Za-z_-]{32}", re.ASCII)


class UnknownFeed(Exception):
    """No address that works has this secret. `wait` are the seconds after which another one may be tried, 0 for now."""

    def __init__(self, wait: int = 0) -> None:
        super().__init__(wait)
        self.wait = wait


def release(doctor: Doctor, *, clinic: Clinic, by: StaffUser) -> str:
    """Store a new address of the doctor's calendar and revoke the one before; return the secret, which is shown once.

    Locks the doctor's row. Raises Doctor.DoesNotExist.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        _revoke(doctor, clinic)
        CalendarFeed.objects.create(
            clinic=clinic, doctor=doctor, digest=credential_digests(secret.encode())[0], created_by=by
        )
    return secret


def revoke(doctor: Doctor, *, clinic: Clinic) -> bool:
    """Revoke the address of the doctor's calendar from the next request on; return whether there was one.

    Locks the doctor's row. Raises Doctor.DoesNotExist.
    """
    with transaction.atomic():
        return _revoke(doctor, clinic)


def find(secret: str, address: str | None) -> CalendarFeed:
    """Return the address that works, with doctor and clinic. One query.

    A wrong secret is counted by the `address` of its sender, by another statement. Raises UnknownFeed.
    """
    working = CalendarFeed.objects.filter(revoked_at=None, clinic__active=True, doctor__active=True)
    feed = None
    if WELL_FORMED.fullmatch(secret):
        feed = working.filter(digest__in=credential_digests(secret.encode())).select_related("doctor", "clinic").first()
    if feed is None:
        status = rate_limit.admit_failure(address)
        raise UnknownFeed(0 if status.admitted else status.wait)
    return feed


def _revoke(doctor: Doctor, clinic: Clinic) -> bool:
    get_locked(Doctor.objects.of(clinic).filter(pk=doctor.pk))
    working = CalendarFeed.objects.of(clinic).filter(doctor=doctor, revoked_at=None)
    return bool(working.update(revoked_at=timezone.now()))
