"""Which statements PostgreSQL plans once, and which for the parameters of each request.

After five runs of a prepared statement PostgreSQL may keep one plan for all parameters. Such a plan can use no partial
index whose condition only a parameter meets, and can but guess how much lies in a span of time. What the ORM composes
is therefore never prepared; one list of doctors took 3 s instead of 2 ms at a million appointments, and planning costs
a page 0.5 to 1 ms. Prepared statements belong to a session: behind a proxy that pools by transaction, DATABASE_URL
names a session pool. The statements written out in `booking.sql`, `schedule.load` and `access` are:
tests/test_plans.py holds that the plan which is kept of them reads no large table from end to end.
"""

from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper


class ComposedCursor(ServerBindingCursor):
    """The cursor of everything the ORM composes: planned anew at each run, for its parameters."""

    def execute(self, query: Any, params: Any = None, *, prepare: bool = False, binary: bool | None = None) -> Any:
        return super().execute(query, params, prepare=prepare, binary=binary)  # type: ignore[misc]  # not in the stubs


def prepared_cursor() -> CursorWrapper:
    """Return a cursor for a statement that is written out: parsed, and in time planned, once a connection."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: CursorWrapper
        # Neither is in the stubs.
        cursor = connection._prepare_cursor(ServerBindingCursor(connection.connection))  # type: ignore[attr-defined, call-arg]
        return cursor
