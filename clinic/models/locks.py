"""Locking rows that another transaction may hold, without keeping the whole process waiting.

Who finds a row held gives way to other requests first: the web server puts its turn (`clinic.server.threads`) into
`current_turn`. Commands and tests have none and just wait. No wait is longer than LOCK_WAIT_SECONDS: PostgreSQL's
lock_timeout alone begins anew for each of the locks that one row takes, and would let a queue wait twice."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol

from django.conf import settings
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

LOCK = "FOR NO KEY UPDATE"


class Turn(Protocol):
    def waiting(self) -> AbstractContextManager[bool]:
        """Around a wait; gives whether there is room for one more who waits."""


current_turn: ContextVar[Turn | None] = ContextVar("current_turn", default=None)


@contextmanager
def lock_of_held_row() -> Iterator[str]:
    """Around a statement whose row is held by another transaction; gives the locking clause that it is to use.

    Within a transaction. The statement fails (OperationalError, 57014) when the wait is too long, and at once (55P03)
    when too many requests of this process are waiting already."""
    turn = current_turn.get()
    with turn.waiting() if turn else nullcontext(True) as may_wait, connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{settings.LOCK_WAIT_SECONDS}s'")
        yield LOCK if may_wait else f"{LOCK} NOWAIT"
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def lock_row(cursor: CursorWrapper, statement: str, parameters: list) -> None:
    """Lock the one row that `statement` selects. Raises OperationalError (55P03, 57014) when it is not soon let go."""
    cursor.execute(f"{statement} {LOCK} SKIP LOCKED", parameters)
    if cursor.rowcount == 0:
        with lock_of_held_row() as lock:
            cursor.execute(f"{statement} {lock}", parameters)


def get_shared[M: models.Model](model: type[M], pk: int) -> M:
    """The row as it is stored, kept from being changed until the transaction ends (FOR SHARE); others may share it.

    Raises DoesNotExist, or OperationalError (55P03) when it is not let go within lock_timeout."""
    table = connection.ops.quote_name(model._meta.db_table)
    for row in model._base_manager.raw(f"SELECT * FROM {table} WHERE id = %s FOR SHARE", [pk]):  # noqa: S608 - a table
        return row
    raise model.DoesNotExist


def get_locked[M: models.Model](rows: models.QuerySet[M], **options) -> M:
    """The one row of this query, locked FOR NO KEY UPDATE; `options` as of select_for_update.

    Raises DoesNotExist, or OperationalError (55P03, 57014) when it is not let go in time."""
    if row := rows.select_for_update(no_key=True, skip_locked=True, **options).first():
        return row
    with lock_of_held_row() as lock:
        return rows.select_for_update(no_key=True, nowait=lock != LOCK, **options).get()
