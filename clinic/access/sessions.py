"""Django's database sessions, loaded together with their user and clinic: every request needs all three.

The table is ours and references the user, so that one statement loads all three, and sessions are deleted with their
user.
"""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from clinic.models import Clinic, StaffSession, StaffUser
from clinic.models.raw_sql import fetch_outer_joined

# How long a session lasts, for the sentences about it.
HOURS = {"life_hours": settings.SESSION_LIFE_SECONDS // 3600, "idle_hours": settings.SESSION_IDLE_SECONDS // 3600}
SESSION_USER_AND_CLINIC_SQL = """
    clinic_staffsession
    LEFT JOIN clinic_staffuser ON clinic_staffuser.id = clinic_staffsession.user_id
    LEFT JOIN clinic_clinic ON clinic_clinic.id = clinic_staffuser.clinic_id
    WHERE clinic_staffsession.session_key = %s AND clinic_staffsession.expire_date > %s
"""


class SessionStore(DatabaseStore):
    """A session with `user`, its user and clinic as loaded with it, or None. The user is not checked here.

    `snapshot` is PostgreSQL's from when it was loaded, as text; "" for a session that was not."""

    user: StaffUser | None = None
    snapshot = ""

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    def create_model_instance(self, data: dict[str, Any]) -> StaffSession:
        row = cast("StaffSession", super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        return row

    def _get_session_from_db(self) -> StaffSession | None:
        """Return the row of this key; None and a fresh session without one, as Django does."""
        models = (StaffSession, StaffUser, Clinic)
        row = fetch_outer_joined(
            models,
            SESSION_USER_AND_CLINIC_SQL,
            [self.session_key, timezone.now()],
            extra_columns="pg_current_snapshot()::text",
        )
        if row is None:
            self._session_key = None
            return None
        (session, self.user, clinic), (self.snapshot,) = row
        if self.user:
            self.user.clinic = clinic
        return session


def snapshot_of(request: HttpRequest) -> str:
    """Return the snapshot of PostgreSQL in which the session of the request was loaded, as text; "" without one."""
    return cast("SessionStore", request.session).snapshot
