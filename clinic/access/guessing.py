"""Limit password tries per address (all user names together) and per user name (all addresses together).

django-axes counts the failures of one name at one address (`lockout`). This module counts a try before its password is
checked, so that many concurrent tries are not hashed either. Strangers who keep trying a name do not lock out its
owner: browsers in which the owner has signed in before have a separate count, whatever their address.
"""

import time
from math import ceil

from django.conf import settings
from django.http import HttpRequest

from clinic.access import hashing, known_browser, rate_limit
from clinic.access.addresses import client_address
from clinic.models.staff import folded_username

KNOWN_PREFIX = "known browser of "
MAX_REMEMBERED = 10_000

_refused_until: dict[str | None, float] = {}  # by address: the time.monotonic() until which it is refused


class TooManyTries(Exception):
    """The try was refused unchecked and does not count as a failure. `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


class TooManyFromAddress(TooManyTries):
    """Too many tries from one address, for all names together."""


class TooManyOfName(TooManyTries):
    """Too many tries of one name, from all addresses together."""


def admit(request: HttpRequest, username: str) -> bool:
    """Count a try and return whether it comes from a browser in which this user has signed in before.

    The result does not depend on whether the name exists. Raises TooManyTries. Must run outside a transaction.
    """
    name = folded_username(username)
    known = known_browser.is_known(request, name) or _is_own_password(request, name)
    if not known:
        a_minute = settings.SIGN_INS_A_MINUTE
        status = rate_limit.admit(f"sign-in {client_address(request)}", a_minute, a_minute)
        if not status.admitted:
            _remember_refusal(client_address(request), status.wait)
            raise TooManyFromAddress(status.wait)
    if wait := rate_limit.admit_within_hour(_subject(name, known), settings.SIGN_INS_OF_NAME_AN_HOUR):
        raise TooManyOfName(wait)
    return known


def known_refusal(request: HttpRequest, username: str) -> TooManyFromAddress | hashing.Busy | None:
    """Return the reason why the password will not be checked, if this process knows it without a query."""
    address = client_address(request)
    left = ceil(_refused_until.get(address, 0) - time.monotonic())
    if left <= 0:
        _refused_until.pop(address, None)
    if left <= 0 and not hashing.are_all_taken() or known_browser.is_known(request, folded_username(username)):
        return None
    return TooManyFromAddress(left) if left > 0 else hashing.Busy()


def _remember_refusal(address: str | None, seconds: int) -> None:
    while len(_refused_until) >= MAX_REMEMBERED:
        _refused_until.pop(next(iter(_refused_until)), None)
    _refused_until[address] = time.monotonic() + seconds


def unlock(username: str) -> None:
    """Allow tries of this name again at once."""
    for known in (False, True):
        rate_limit.forget_hour(_subject(folded_username(username), known))


def _subject(name: str, known: bool) -> str:
    """Return the name of the count, without the user name itself: counts are stored for an hour."""
    return (KNOWN_PREFIX if known else "") + known_browser.mark(name)


def _is_own_password(request: HttpRequest, name: str) -> bool:
    """Return whether a signed-in user is entering their own password again."""
    user = getattr(request, "user", None)
    return bool(user and user.is_authenticated and folded_username(user.get_username()) == name)
