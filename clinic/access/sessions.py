"""Django's sessions in the database, read by a statement that is composed once: every request reads one."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

STORED = "SELECT * FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(DatabaseStore):
    def _get_session_from_db(self):
        """The row of this key, or None and a fresh start, as Django's own does."""
        rows = self.model.objects.raw(STORED, [self.session_key, timezone.now()])
        if session := next(iter(rows), None):
            return session
        self._session_key = None
        return None
