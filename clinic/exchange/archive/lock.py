"""One archive of a clinic at a time, whichever process of the installation makes it."""

from contextlib import suppress
from weakref import finalize

import psycopg
from django.db import connection

from clinic.models import Clinic

LOCK_SQL = "SELECT pg_try_advisory_xact_lock(hashtextextended('archive of a clinic', %s))"
# A download may take an hour. `transaction_timeout` is of PostgreSQL 17 and newer.
MAY_LAST_SQL = """
    SELECT set_config(name, '0', true) FROM pg_settings
    WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""


class BeingWritten(Exception):
    """Raised when another archive of the clinic is being written or sent."""


class ArchiveLock:
    """Is held until it is closed, nothing refers to it any more, or its process has ended, however that ended.

    It is an advisory lock of a transaction on a connection of its own: PostgreSQL releases it when the connection is
    gone, and a pooler leaves the connection alone until the transaction ends. The transaction reads no row and writes
    none, so no dead row is kept for it."""

    def __init__(self, clinic: Clinic) -> None:
        """Raises BeingWritten when another one is held for the clinic."""
        self.clinic = clinic
        with connection.wrap_database_errors:
            session = psycopg.connect(**connection.get_connection_params() | {"connect_timeout": 10})
        self.close = finalize(self, _end, session)
        try:
            with connection.wrap_database_errors:
                session.execute(MAY_LAST_SQL)
                row = session.execute(LOCK_SQL, [clinic.pk]).fetchone()
            if row != (True,):
                raise BeingWritten
        except BaseException:
            self.close()
            raise


def _end(session: psycopg.Connection) -> None:
    with suppress(psycopg.Error):
        session.close()
