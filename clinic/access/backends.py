from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from clinic.access import guessing, hashing
from clinic.models import StaffUser

KNOWN_BROWSER_SECONDS = 5  # strangers do not wait for a hash: their requests would occupy threads that others need

_preloaded_user: ContextVar[StaffUser | None] = ContextVar("preloaded_user", default=None)


@contextmanager
def preloaded_user(user: StaffUser | None) -> Iterator[None]:
    """Have StaffBackend.get_user return this user, loaded together with the session, without a query."""
    token = _preloaded_user.set(user)
    try:
        yield
    finally:
        _preloaded_user.reset(token)


class StaffBackend(ModelBackend):
    """Sign in active people of active clinics. Every password check goes through this backend."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> StaffUser | None:
        """Return the user or None.

        Raises TooManyTries or Busy when the password was not checked; neither counts as a failure.
        """
        if request is None or username is None or password is None:
            return None
        known = guessing.admit(request, username)
        with hashing.patience(KNOWN_BROWSER_SECONDS if known else 0):
            return super().authenticate(request, username, password, **kwargs)

    def user_can_authenticate(self, user: StaffUser | AnonymousUser | None) -> bool:
        if not (isinstance(user, StaffUser) and super().user_can_authenticate(user)):
            return False
        return user.clinic is None or user.clinic.active

    def get_user(self, user_id: int) -> StaffUser | None:
        """Return the user of a session, None from the next request on after they or their clinic were switched off."""
        user = _preloaded_user.get()
        if user is None or user.pk != user_id:
            return super().get_user(user_id)
        return user if self.user_can_authenticate(user) else None
