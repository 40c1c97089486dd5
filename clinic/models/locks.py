"""Take row locks and advisory locks that another transaction may hold, without blocking the whole process.

A request that has to wait first hands its turn to other requests: the web server puts the turn
(`clinic.server.threads`) into `current_turn`. Commands and tests have none and just wait. No wait is longer than
LOCK_WAIT_SECONDS, and the waits of one request together are no longer either: PostgreSQL's lock_timeout starts again
for each of the locks that a row takes, and would let a queue wait twice. SKIP LOCKED comes first, so that a row that is
not locked costs one statement.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from math import ceil
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, connection, models
from django.db.backends.utils import CursorWrapper
from psycopg.errors import LockNotAvailable

LOCK, SHARE = "FOR NO KEY UPDATE", "FOR SHARE"


class Turn(Protocol):
    """The permission of a request to run in this process, which it hands on while it waits."""

    def waiting(self) -> AbstractContextManager[float]:
        """Enclose a wait; yield how many seconds it may take, 0 when no more requests may wait."""


current_turn: ContextVar[Turn | None] = ContextVar("current_turn", default=None)


@contextmanager
def lock_of_held_row(strength: str = LOCK) -> Iterator[str]:
    """Enclose a statement whose row another transaction holds; yield the locking clause to use in it.

    Must run within a transaction. The statement fails (OperationalError, 57014) when the wait is too long, and at once
    (55P03) when too many requests of this process wait already, or this one has waited long enough for other locks.
    """
    with _waiting() as may_wait:
        yield strength if may_wait else f"{strength} NOWAIT"


def hold_advisory(cursor: CursorWrapper, numbers: str, parameters: list[Any]) -> None:
    """Take an advisory lock until the transaction ends. `numbers` is SQL: one bigint or two ints.

    Raises OperationalError (55P03, 57014) when it is not released in time.
    """
    cursor.execute(f"SELECT pg_try_advisory_xact_lock({numbers})", parameters)
    if cursor.fetchone() == (False,):
        wait_for_advisory(cursor, numbers, parameters)


def wait_for_advisory(cursor: CursorWrapper, numbers: str, parameters: list[Any]) -> None:
    """Wait for an advisory lock that another transaction holds; otherwise like `hold_advisory`."""
    with _waiting() as may_wait:
        if not may_wait:
            raise OperationalError("no room to wait for an advisory lock") from LockNotAvailable()
        cursor.execute(f"SELECT pg_advisory_xact_lock({numbers})", parameters)


@contextmanager
def _waiting() -> Iterator[bool]:
    """Enclose a statement that waits for another transaction; yield whether it may wait."""
    turn = current_turn.get()
    with turn.waiting() if turn else nullcontext(settings.LOCK_WAIT_SECONDS) as seconds, connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {ceil(1000 * (seconds or settings.LOCK_WAIT_SECONDS))}")
        yield seconds > 0
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def lock_row(cursor: CursorWrapper, statement: str, parameters: list[Any]) -> None:
    """Lock the one row that `statement` selects. Raises OperationalError (55P03, 57014) when it is not released in
    time."""
    cursor.execute(f"{statement} {LOCK} SKIP LOCKED", parameters)
    if cursor.rowcount == 0:
        with lock_of_held_row() as lock:
            cursor.execute(f"{statement} {lock}", parameters)


def get_shared[M: models.Model](model: type[M], pk: int) -> M:
    """Return the stored row and prevent changes of it until the transaction ends (FOR SHARE, which others may share).

    Raises ObjectDoesNotExist, or OperationalError (55P03, 57014) when it is not released in time.
    """
    if row := _shared(model, pk, f"{SHARE} SKIP LOCKED"):
        return row
    with lock_of_held_row(SHARE) as lock:
        row = _shared(model, pk, lock)
    if row is None:
        raise ObjectDoesNotExist(f"{model.__name__} {pk}")
    return row


def _shared[M: models.Model](model: type[M], pk: int, lock: str) -> M | None:
    table = connection.ops.quote_name(model._meta.db_table)
    # Built from the table's name and one of our locking clauses; the id is a parameter.
    return next(iter(model._base_manager.raw(f"SELECT * FROM {table} WHERE id = %s {lock}", [pk])), None)  # noqa: S608


def get_locked[M: models.Model](rows: models.QuerySet[M], **options: Any) -> M:
    """Return the one row of this query, locked FOR NO KEY UPDATE; `options` are those of select_for_update.

    Raises DoesNotExist, or OperationalError (55P03, 57014) when it is not released in time.
    """
    if row := rows.select_for_update(no_key=True, skip_locked=True, **options).first():
        return row
    with lock_of_held_row() as lock:
        return rows.select_for_update(no_key=True, nowait=lock != LOCK, **options).get()
