"""The sessions that are open for a user: since when, from where, in a browser that was known; and ending them.

Where a session began is kept in the session itself, at sign-in. A session is named by the digest that the access log
has of it: its key would open it.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone

from clinic.access import known_browser
from clinic.access.addresses import client_address
from clinic.access.middleware import SEEN_AT, SIGNED_IN_AT
from clinic.access.sessions import SessionStore
from clinic.models import StaffSession, StaffUser

BEGAN = "began"


@dataclass(frozen=True)
class OpenSession:
    """A session; `since` and `seen_at` are instants, the last one up to five minutes early, None where unknown."""

    digest: str
    since: datetime | None
    seen_at: datetime | None
    address: str
    is_known_browser: bool
    is_this: bool


def open_sessions(user: StaffUser, *, asking: HttpRequest) -> list[OpenSession]:
    """Return the user's sessions, the last used first. One query."""
    found = [_read(row, asking.session.session_key) for row in _rows(user)]
    return sorted(found, key=lambda one: one.seen_at.timestamp() if one.seen_at else 0, reverse=True)


def end_session(user: StaffUser, digest: str) -> bool:
    """End the user's session of this digest from the next request on; return whether there was one."""
    keys = [row.session_key for row in _rows(user) if digest_of(row.session_key) == digest]
    return bool(StaffSession.objects.filter(session_key__in=keys).delete()[0])


def end_sessions(user: StaffUser, *, besides: str | None = None) -> int:
    """End the user's sessions, but the one with the key `besides`; return how many."""
    return StaffSession.objects.filter(user=user).exclude(session_key=besides or "").delete()[0]


def note_end(user: StaffUser) -> None:
    """Have it noted, with the author of the request, that another person ends sessions of the user."""
    StaffUser.objects.filter(pk=user.pk).update(sessions_ended_at=timezone.now())


def digest_of(session_key: str) -> str:
    """Return sixteen letters that tell a browser's session from others and do not open it."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:16]


def note_beginning(sender: type[StaffUser], request: HttpRequest, user: StaffUser, **_signal: Any) -> None:
    """Keep in the session where it begins; receives Django's signal."""
    is_known = known_browser.is_known(request, user.folded_username)
    request.session[BEGAN] = {"address": client_address(request) or "", "known": is_known}


def follow_beginnings() -> None:
    """Have every sign-in noted from now on."""
    user_logged_in.connect(note_beginning, dispatch_uid="clinic.access.open_sessions")


def _rows(user: StaffUser) -> list[StaffSession]:
    return list(StaffSession.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("session_key"))


def _read(row: StaffSession, this: str | None) -> OpenSession:
    data = SessionStore().decode(row.session_data)
    began = data.get(BEGAN, {})
    return OpenSession(
        digest=digest_of(row.session_key),
        since=_instant(data.get(SIGNED_IN_AT)),
        seen_at=_instant(data.get(SEEN_AT)),
        address=began.get("address", ""),
        is_known_browser=began.get("known", False),
        is_this=row.session_key == this,
    )


def _instant(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
