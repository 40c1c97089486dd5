from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth.backends import ModelBackend

from clinic.access import guessing, hashing
from clinic.models import StaffUser

KNOWN_BROWSER_SECONDS = 5  # strangers do not wait for a hash at all: each would keep a thread from the others' work

_loaded: ContextVar[StaffUser | None] = ContextVar("loaded", default=None)


@contextmanager
def loaded(user: StaffUser | None) -> Iterator[None]:
    """Whom StaffBackend need not load again within, because they came with their session."""
    token = _loaded.set(user)
    try:
        yield
    finally:
        _loaded.reset(token)


class StaffBackend(ModelBackend):
    """Signs in active people of active clinics. Every password that is checked is checked here."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        """The user, or None. Raises TooManyTries or Busy when the password was not checked, which is no failure."""
        if username is None or password is None:
            return None
        known = guessing.admit(request, username)
        with hashing.patience(KNOWN_BROWSER_SECONDS if known else 0):
            return super().authenticate(request, username, password, **kwargs)

    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and (user.clinic is None or user.clinic.active)

    def get_user(self, user_id):
        """The user of a session; None, effective with the next request, once they or their clinic are switched off."""
        user = _loaded.get()
        if user is None or user.pk != user_id:
            return super().get_user(user_id)
        return user if self.user_can_authenticate(user) else None
