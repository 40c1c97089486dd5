"""Cursors for statements that PostgreSQL plans once, and for those it plans for each set of parameters.

After five runs of a prepared statement PostgreSQL may keep one plan for all parameters. Such a plan cannot use a
partial index whose condition depends on a parameter, and only estimates how many rows a time span holds. Statements of
the ORM are therefore not prepared; one list of doctors took 3 s instead of 2 ms at a million appointments, and
planning costs a page 0.5 to 1 ms. Prepared statements belong to a session: behind a proxy that pools by transaction,
DATABASE_URL has to name a session pool. The hand-written statements in `booking.sql`, `booking.appointment_sql`,
`registry.sql`, `registry.prices`, `schedule.load` and `access` are prepared, and those of a doctor's week, which the
ORM composes once in a process (`queries.composed`): to parse and plan them took PostgreSQL 1.6 of its 2 ms. Where one
plan for all parameters looks dearer, as at 100 000 appointments, it goes on planning each run. tests/test_plans.py
checks that their generic plans read no large table from end to end.
"""

import sys
from collections.abc import Iterator
from typing import Any
from weakref import proxy

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from psycopg import Connection, Cursor, ProgrammingError


class ComposedCursor(ServerBindingCursor):
    """The cursor of the ORM: its statements are planned at each run, for their parameters."""

    def execute(self, query: Any, params: Any = None, *, prepare: bool = False, binary: bool | None = None) -> Any:
        return super().execute(query, params, prepare=prepare, binary=binary)  # type: ignore[misc]  # not in the stubs


def prepared_cursor() -> CursorWrapper:
    """Return a cursor for hand-written statements, each of which is parsed, and later planned, once per connection.

    The rows of a statement are fetched before the same one is run again."""
    # The proxy `django.db.connection` looks the connection up at every attribute.
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: CursorWrapper
        # The stubs lack the method.
        cursor = connection._prepare_cursor(_PreparedCursor(connection.connection))  # type: ignore[attr-defined]
        return cursor


class _PreparedCursor:
    """Runs each statement by a cursor of its own, which the connection keeps: how its parameters are written and its
    columns are read, psycopg then finds out once. Looking it up anew took a third of Python's time for a statement.

    There are as many as texts; no text is made of values. What a statement has read is let go with the wrapper."""

    _cursor: "Cursor[tuple[Any, ...]]"

    def __init__(self, connection: "Connection[Any]") -> None:
        self._connection = connection
        self._kept: dict[str, Cursor[tuple[Any, ...]]] = vars(connection).setdefault("kept_cursors", {})

    def execute(self, statement: str, parameters: Any = None) -> None:
        text = sys.intern(statement)  # psycopg knows a statement again by its identity, and some are composed each time
        if text not in self._kept:
            # A reference in a circle would keep a connection open that nothing else refers to any more.
            self._kept[text] = ServerBindingCursor(proxy(self._connection))  # type: ignore[call-arg, assignment]  # no such parameter in the stubs
        self.close()
        self._cursor = self._kept[text]
        self._cursor.execute(text, parameters)

    def __getattr__(self, name: str) -> Any:
        if name == "_cursor":
            raise ProgrammingError("no statement was run by this cursor")
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._cursor)

    def close(self) -> None:
        """Let go what was read; the statement's own cursor stays open. Called by Django when its wrapper is closed."""
        # psycopg lets go by closing alone, after which the cursor runs nothing more.
        if "_cursor" in vars(self):
            self._cursor._reset()
            if self._cursor._last_query is not None:
                self._cursor._tx.set_pgresult(None, set_loaders=False)
