"""Which statements PostgreSQL plans once, and which for the parameters of each request.

After five runs of a prepared statement PostgreSQL may keep one plan for all parameters. Such a plan can use no partial
index whose condition only a parameter meets, and can but guess how much lies in a span of time. What the ORM composes
is therefore never prepared. The statements written out in `booking.rows`, `schedule.schedules` and `access` are:
tests/test_plans.py holds that the plan which is kept of them reads no large table from end to end.
"""

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


class ComposedCursor(ServerBindingCursor):
    """The cursor of everything the ORM composes: planned anew at each run, for its parameters."""

    def execute(self, query, params=None, *, prepare=False, binary=None):
        return super().execute(query, params, prepare=prepare, binary=binary)


def prepared_cursor() -> CursorWrapper:
    """A cursor for a statement that is written out: parsed, and in time planned, once a connection."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return connection._prepare_cursor(ServerBindingCursor(connection.connection))
