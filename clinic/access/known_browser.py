"""Browsers in which a user has signed in before. They are let through when strangers have used up the tries of a name.

A signed cookie holds one mark for each user name, newest first: an HMAC of the name, so it tells nobody whose it is.
"""

import hmac

from django.conf import settings

from clinic.access import secret_keys

COOKIE = "known_browser"
SALT = "clinic.access.known_browser"
LIFE_SECONDS = 365 * 24 * 3600
MOST_USERS = 12  # of one browser at a shared counter


def remember(request, response, name: str) -> None:
    """After this user, by folded name, has signed in; a year from now on, or until MOST_USERS others have."""
    newest = mark(name)
    marks = [newest, *(each for each in _marks(request) if each != newest)][:MOST_USERS]
    response.set_signed_cookie(
        COOKIE,
        ".".join(marks),
        salt=SALT,
        max_age=LIFE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request, name: str) -> bool:
    """Whether the user of this folded name has signed in in this browser within a year."""
    marks = _marks(request)
    return any(_mark(key, name) in marks for key in secret_keys.known_browser_keys())


def mark(name: str) -> str:
    """What stands for this folded name, 32 hexadecimal digits."""
    return _mark(secret_keys.known_browser_keys()[0], name)


def _marks(request):
    return request.get_signed_cookie(COOKIE, "", salt=SALT, max_age=LIFE_SECONDS).split(".")


def _mark(key, name):
    return hmac.digest(key, name.encode(), "sha256").hex()[:32]
