from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth.backends import ModelBackend

from clinic.models import StaffUser

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
    """Signs in active people of active clinics."""

    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and (user.clinic is None or user.clinic.active)

    def get_user(self, user_id):
        """The user of a session; None, effective with the next request, once they or their clinic are switched off."""
        user = _loaded.get()
        if user is None or user.pk != user_id:
            return super().get_user(user_id)
        return user if self.user_can_authenticate(user) else None
