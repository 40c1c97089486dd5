"""Invitations and links for a new password: good once, by whatever channel a manager sends them.

The secret is in the answer to the act that made the link and nowhere else; an HMAC of it is stored, and 32 random bytes
cannot be guessed. Nobody but the person who opens the link ever has the password.
"""

import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from clinic.access import open_sessions
from clinic.access.secret_keys import credential_digests
from clinic.models import Clinic, StaffLink, StaffUser
from clinic.models.locks import get_locked, hold_advisory
from clinic.models.staff import SWITCHES, folded_username

SECRET_BYTES = 32
LIVES: dict[str, timedelta] = {
    StaffLink.Kind.INVITATION: timedelta(days=7),
    StaffLink.Kind.RESET: timedelta(hours=24),
}
LINKS_KEPT = timedelta(days=30)
PROVISIONAL_BYTES = 4
FORM_LOCK = "hashtextextended(%s, 0)"


class LinkGone(Exception):
    """The link was used, revoked or has expired, or there never was one."""


def invite(
    clinic: Clinic, *, by: StaffUser | None, form_key: UUID | None = None, **fields: Any
) -> tuple[StaffLink, str]:
    """Store a user who cannot sign in yet, with these `fields` of StaffUser, and an invitation.

    Return it with its secret, which is shown once; "" for a form that has made it already. Holds an advisory lock, so
    that of two clicks the second waits. Raises ValidationError for fields that are wrong."""
    with transaction.atomic():
        if form_key and (made := _made_by(form_key, clinic)):
            return made, ""
        user = StaffUser(clinic=clinic, username=_provisional_username(), is_active=False, **fields)
        user.set_unusable_password()
        user.full_clean(exclude=["password"])
        user.save()
        return _release(clinic, StaffLink.Kind.INVITATION, user, by, form_key)


def invite_again(user: StaffUser, *, clinic: Clinic, by: StaffUser | None) -> tuple[StaffLink, str]:
    """Return an invitation of a user of the clinic who is there and cannot sign in, and its secret, which is shown
    once. Locks the user's row. Raises StaffUser.DoesNotExist."""
    with transaction.atomic():
        locked = get_locked(StaffUser.objects.of(clinic).filter(pk=user.pk, is_active=False))
        return _release(clinic, StaffLink.Kind.INVITATION, locked, by)


def renew(link: StaffLink, *, by: StaffUser | None) -> tuple[StaffLink, str]:
    """Release another link of the same kind for the same user; the one before opens nothing any more.

    Locks the user's row, then the link's. Raises LinkGone for one that was used or withdrawn."""
    with transaction.atomic():
        locked, user = _locked(link)
        if user is None or locked.used_at or locked.revoked_at or not _is_wanted(locked, user):
            raise LinkGone
        return _release(link.clinic, link.kind, user, by)


def release_reset(user: StaffUser, *, clinic: Clinic, by: StaffUser | None) -> tuple[StaffLink, str]:
    """Return a link for a new password of an active user of the clinic, and its secret, which is shown once.

    The password that there is goes on working until the link is used. Locks the user's row. Raises
    StaffUser.DoesNotExist."""
    with transaction.atomic():
        locked = get_locked(StaffUser.objects.of(clinic).filter(pk=user.pk, is_active=True))
        return _release(clinic, StaffLink.Kind.RESET, locked, by)


def revoke(pk: int, *, clinic: Clinic, by: StaffUser | None) -> StaffLink:
    """Revoke a link; of an invitation a row stays that cannot sign in. Doing so again changes nothing.

    Locks the user's row, then the link's. Raises StaffLink.DoesNotExist."""
    with transaction.atomic():
        link, user = _locked(StaffLink.objects.of(clinic).get(pk=pk))
        if link.used_at is None and link.revoked_at is None:
            _end(link, user, by)
        return link


def revoke_all(user: StaffUser, *, by: StaffUser | None) -> None:
    """Revoke what is open for a user who leaves, and the links that this user made."""
    with transaction.atomic():
        end_links(user, by=by)
        for link in _open().filter(created_by=user):
            revoke(link.pk, clinic=link.clinic, by=by)


def end_links(user: StaffUser, *, by: StaffUser | None) -> None:
    """Revoke what is open for a user whose role, password or access is another now: a link was made for who this user
    was. An invited user keeps what the row has. The caller has locked the user's row."""
    unused = StaffLink.objects.filter(user=user, used_at=None, revoked_at=None)
    unused.update(revoked_at=timezone.now(), revoked_by=by)


def open_link(secret: str) -> StaffLink:
    """Return the link with its user and clinic. One query. Raises LinkGone."""
    links = _open().filter(digest__in=_digests(secret), clinic__active=True).select_related("user", "clinic")
    link = links.first()
    if link is None or link.user is None or not _is_wanted(link, link.user):
        raise LinkGone
    return link


def use(link: StaffLink, *, username: str, password_hash: str, now: datetime | None = None) -> StaffUser:
    """Store the password, of an invitation the user name too, and return the user, who may sign in from now on; the
    sessions that were open end.

    Locks the user's row, then the link's: of two windows one gets LinkGone."""
    now = now or timezone.now()
    with transaction.atomic():
        locked, user = _locked(link)
        if user is None or locked.used_at or locked.revoked_at or locked.expires_at <= now:
            raise LinkGone
        if not _is_wanted(locked, user):
            raise LinkGone
        user.password = password_hash
        if locked.is_invitation:
            user.username, user.is_active = username, True
        user.save(update_fields=["password", "username", "folded_username", "is_active"])
        locked.used_at = now
        locked.save(update_fields=["used_at"])
        open_sessions.end_sessions(user)
    return user


def is_taken(username: str, *, besides: StaffUser) -> bool:
    """Return whether another user has this name, without regard to case."""
    others = StaffUser.objects.exclude(pk=besides.pk)
    return others.filter(folded_username=folded_username(username)).exists()


def path(secret: str) -> str:
    """Return the path of the page behind a link."""
    return reverse("web:staff-link", args=[secret])


def listed(clinic: Clinic) -> "QuerySet[StaffLink]":
    """Return the links that were neither used nor revoked, those that have expired included."""
    unused: QuerySet[StaffLink] = StaffLink.objects.of(clinic).filter(used_at=None, revoked_at=None)
    return unused.select_related("user", "created_by")


def forget(now: datetime) -> int:
    """Delete the links that opened nothing any more LINKS_KEPT before `now`; return how many.

    An invitation that was neither used nor withdrawn stays, however old: the person stands in the team by it, and it
    can be renewed. What was done with a link is in the history of the set-up."""
    before = now - LINKS_KEPT
    is_over = Q(used_at__lt=before) | Q(revoked_at__lt=before)
    has_expired = Q(kind=StaffLink.Kind.RESET, expires_at__lt=before)
    return StaffLink.objects.filter(is_over | has_expired).delete()[0]


def _open() -> "QuerySet[StaffLink]":
    return StaffLink.objects.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now()).order_by("pk")


def _release(
    clinic: Clinic, kind: str, user: StaffUser, by: StaffUser | None, form_key: UUID | None = None
) -> tuple[StaffLink, str]:
    for before in StaffLink.objects.filter(user=user, kind=kind, used_at=None, revoked_at=None).order_by("pk"):
        before.revoked_at, before.revoked_by = timezone.now(), by
        before.save(update_fields=["revoked_at", "revoked_by"])
    secret, now = secrets.token_urlsafe(SECRET_BYTES), timezone.now()
    link = StaffLink.objects.create(
        clinic=clinic,
        kind=kind,
        user=user,
        name=user.name,
        digest=_digests(secret)[0],
        form_key=form_key,
        created_by=by,
        created_at=now,
        expires_at=now + LIVES[kind],
    )
    return link, secret


def _is_wanted(link: StaffLink, user: StaffUser) -> bool:
    """Return whether the user still is who a link of this kind is for: invited and not active yet, or active."""
    return user.is_active != link.is_invitation


def _end(link: StaffLink, user: StaffUser | None, by: StaffUser | None) -> None:
    """Revoke the link. An invited user's row stays, without rights and doctor: deleting it reads all appointments."""
    link.revoked_at, link.revoked_by = timezone.now(), by
    link.save(update_fields=["revoked_at", "revoked_by"])
    if user and link.is_invitation and _is_wanted(link, user):
        user.role, user.doctor = StaffUser.Role.RECEPTIONIST, None
        without = StaffUser()
        for switch in SWITCHES:
            setattr(user, switch, getattr(without, switch))
        user.save(update_fields=["role", "doctor", *SWITCHES])


def _made_by(form_key: UUID, clinic: Clinic) -> StaffLink | None:
    with connection.cursor() as cursor:
        hold_advisory(cursor, FORM_LOCK, [str(form_key)])
    made: StaffLink | None = StaffLink.objects.of(clinic).filter(form_key=form_key).first()
    return made


def _locked(link: StaffLink) -> tuple[StaffLink, StaffUser | None]:
    """Return link and user, the user's row locked first, as where a link is released; None for one who is gone."""
    user = None
    if link.user_id is not None:
        with suppress(StaffUser.DoesNotExist):
            user = get_locked(StaffUser.objects.filter(pk=link.user_id))
    return get_locked(StaffLink.objects.filter(pk=link.pk)), user


def _provisional_username() -> str:
    """Return a user name that lasts until the invited person chooses another."""
    return f"convite-{secrets.token_hex(PROVISIONAL_BYTES)}"


def _digests(secret: str) -> list[str]:
    """Return the digests that a secret may be stored as, the one for new rows first."""
    return credential_digests(f"staff {secret}".encode())
