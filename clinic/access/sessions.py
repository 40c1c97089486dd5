"""Django's sessions in the database, read by a statement that is composed once: every request reads one."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connection
from django.utils import timezone

NAMES = ("session_key", "session_data", "expire_date")
STORED = f"SELECT {', '.join(NAMES)} FROM django_session WHERE session_key = %s AND expire_date > %s"  # noqa: S608 - names written above


class SessionStore(DatabaseStore):
    def _get_session_from_db(self):
        """The row of this key, or None and a fresh start, as Django's own does."""
        with connection.cursor() as cursor:
            cursor.execute(STORED, [self.session_key, timezone.now()])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return None
        return self.model.from_db(connection.alias, NAMES, row)
