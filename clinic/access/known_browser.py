"""Remember the users who have signed in in a browser, so that they are let through when their name's tries are used up.

A signed cookie holds one mark for each user name, newest first: an HMAC of the name, which does not reveal it.
"""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from clinic.access import secret_keys

COOKIE = "known_browser"
SALT = "clinic.access.known_browser"
LIFE_SECONDS = 365 * 24 * 3600
MAX_USERS = 12  # sharing one browser, as at a counter


def remember(request: HttpRequest, response: HttpResponseBase, name: str) -> None:
    """Add the user of this folded name to the cookie, for a year or until MAX_USERS others have signed in."""
    newest = mark(name)
    marks = [newest, *(other for other in _marks(request) if other != newest)][:MAX_USERS]
    response.set_signed_cookie(
        COOKIE,
        ".".join(marks),
        salt=SALT,
        max_age=LIFE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, name: str) -> bool:
    """Return whether the user of this folded name has signed in in this browser within a year."""
    marks = _marks(request)
    return any(_mark(key, name) in marks for key in secret_keys.known_browser_keys())


def mark(name: str) -> str:
    """Return the mark of a folded name: 32 hexadecimal digits."""
    return _mark(secret_keys.known_browser_keys()[0], name)


def _marks(request: HttpRequest) -> list[str]:
    cookie = request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=LIFE_SECONDS)
    return (cookie or "").split(".")


def _mark(key: bytes, name: str) -> str:
    return hmac.digest(key, name.encode(), "sha256").hex()[:32]
