"""How often passwords may be tried: an address over all names, and a name over all addresses.

django-axes counts the failures of one name at one address (`lockout`). Here every try is counted before its password is
checked, so that many at once cost no more. The person whose name strangers keep trying is not locked out: a browser in
which they have signed in before has a number of tries of its own, whatever its address.
"""

import time
from math import ceil

from django.conf import settings

from clinic.access import hashing, known_browser, rate_limit
from clinic.access.addresses import client_address
from clinic.models.staff import folded_username

KNOWN = "known browser of "
MOST_REMEMBERED = 10_000

_refused_until: dict[str | None, float] = {}  # address: when of time.monotonic() it may try again


class TooManyTries(Exception):
    """A try that was not checked, and does not count as a failure. `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait


class TooManyFromAddress(TooManyTries):
    """One address, over all names."""


class TooManyOfName(TooManyTries):
    """One name, over all addresses."""


def admit(request, username: str) -> bool:
    """Count a try; whether it comes from a browser that this user has signed in with. Whether the name exists makes no
    difference. Raises TooManyTries. Runs outside any transaction."""
    name = folded_username(username)
    known = known_browser.is_known(request, name) or _is_own(request, name)
    if not known:
        a_minute = settings.SIGN_INS_A_MINUTE
        admission = rate_limit.admit(f"sign-in {client_address(request)}", a_minute, a_minute)
        if not admission.admitted:
            _remember_refusal(client_address(request), admission.wait)
            raise TooManyFromAddress(admission.wait)
    if wait := rate_limit.admit_within_hour(_who(name, known), settings.SIGN_INS_OF_NAME_AN_HOUR):
        raise TooManyOfName(wait)
    return known


def known_refusal(request, username: str) -> TooManyFromAddress | hashing.Busy | None:
    """Why the password will not be checked, as far as this process knows without asking the database."""
    address = client_address(request)
    left = ceil(_refused_until.get(address, 0) - time.monotonic())
    if left <= 0:
        _refused_until.pop(address, None)
    if left <= 0 and not hashing.are_all_taken() or known_browser.is_known(request, folded_username(username)):
        return None
    return TooManyFromAddress(left) if left > 0 else hashing.Busy()


def _remember_refusal(address, seconds):
    while len(_refused_until) >= MOST_REMEMBERED:
        _refused_until.pop(next(iter(_refused_until)), None)
    _refused_until[address] = time.monotonic() + seconds


def release(username: str) -> None:
    """Let this name be tried again at once."""
    for known in (False, True):
        rate_limit.forget_hour(_who(folded_username(username), known))


def _who(name, known):
    """Without the name itself: what is counted lies about for an hour."""
    return (KNOWN if known else "") + known_browser.mark(name)


def _is_own(request, name):
    """Whether it is the own password that is asked for again, in a session."""
    user = getattr(request, "user", None)
    return bool(user and user.is_authenticated and folded_username(user.get_username()) == name)
