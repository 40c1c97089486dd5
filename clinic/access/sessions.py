"""Django's sessions in the database, read together with whose they are: every request needs both."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from clinic.models import Clinic, StaffSession, StaffUser
from clinic.models.raw_sql import load

WITH_USER_AND_CLINIC = """
    clinic_staffsession
    LEFT JOIN clinic_staffuser ON clinic_staffuser.id = clinic_staffsession.user_id
    LEFT JOIN clinic_clinic ON clinic_clinic.id = clinic_staffuser.clinic_id
    WHERE clinic_staffsession.session_key = %s AND clinic_staffsession.expire_date > %s
"""


class SessionStore(DatabaseStore):
    """`user` is whose the session was when it was loaded, with their clinic, or None: nothing is checked here."""

    user: StaffUser | None = None

    @classmethod
    def get_model_class(cls):
        return StaffSession

    def create_model_instance(self, data):
        row = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row

    def _get_session_from_db(self):
        """The row of this key, or None and a fresh start, as Django's own does."""
        found = load((StaffSession, StaffUser, Clinic), WITH_USER_AND_CLINIC, [self.session_key, timezone.now()])
        if found is None:
            self._session_key = None
            return None
        session, self.user, clinic = found
        if self.user:
            self.user.clinic = clinic
        return session
