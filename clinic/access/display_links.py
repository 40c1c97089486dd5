"""Create, revoke and check the links that open the waiting room's display without signing in.

A link belongs to one clinic, shows no more than the display, does not expire and can be revoked. Its secret is shown
once and stored as a digest; 32 random bytes cannot be guessed.
"""

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from clinic.access.secret_keys import credential_digests
from clinic.models import Clinic, DisplayLink, StaffUser
from clinic.models.locks import get_locked

SECRET_BYTES = 32


def create(clinic: Clinic, *, name: str, by: StaffUser | None) -> tuple[DisplayLink, str]:
    """Create a link. Return the row and the secret itself, which is shown once and never stored."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link = DisplayLink.objects.create(clinic=clinic, name=name, digest=_digests(secret)[0], created_by=by)
    return link, secret


def revoke(pk: int, *, clinic: Clinic, by: StaffUser | None, now: datetime | None = None) -> DisplayLink:
    """Revoke a link from the next request on; revoking it again changes nothing.

    Locks the row. Raises DisplayLink.DoesNotExist.
    """
    with transaction.atomic():
        link = get_locked(DisplayLink.objects.of(clinic).filter(pk=pk))
        if link.revoked_at is None:
            link.revoked_at, link.revoked_by = now or timezone.now(), by
            link.save(update_fields=["revoked_at", "revoked_by"])
    return link


def clinic_of(secret: str) -> Clinic | None:
    """Return the active clinic whose display the secret opens; None if it opens none. One query."""
    valid = DisplayLink.objects.filter(digest__in=_digests(secret), revoked_at=None, clinic__active=True)
    link = valid.select_related("clinic").first()
    return link.clinic if link else None


def _digests(secret: str) -> list[str]:
    """Return the digests that a secret may be stored as, the one for new rows first."""
    return credential_digests(f"display {secret}".encode())
