"""Rows and advisory locks that another transaction may hold, taken without keeping the whole process waiting.

Who finds one held gives way to other requests first: the web server puts its turn (`clinic.server.threads`) into
`current_turn`. Commands and tests have none and just wait. No wait is longer than LOCK_WAIT_SECONDS, and no request
waits longer than that for all its locks together: PostgreSQL's lock_timeout alone begins anew for each of the locks
that one row takes, and would let a queue wait twice. SKIP LOCKED comes first, so that a row which nobody holds costs
one statement."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from math import ceil
from typing import Protocol

from django.conf import settings
from django.db import OperationalError, connection, models
from django.db.backends.utils import CursorWrapper
from psycopg.errors import LockNotAvailable

LOCK, SHARE = "FOR NO KEY UPDATE", "FOR SHARE"


class Turn(Protocol):
    def waiting(self) -> AbstractContextManager[float]:
        """Around a wait; gives how many seconds it may take, 0 without room for one more who waits."""


current_turn: ContextVar[Turn | None] = ContextVar("current_turn", default=None)


@contextmanager
def lock_of_held_row(strength: str = LOCK) -> Iterator[str]:
    """Around a statement whose row is held by another transaction; gives the locking clause that it is to use.

    Within a transaction. The statement fails (OperationalError, 57014) when the wait is too long, and at once (55P03)
    when too many requests of this process are waiting already, or this one has waited long enough for other locks."""
    with _waiting() as may_wait:
        yield strength if may_wait else f"{strength} NOWAIT"


def hold_advisory(cursor: CursorWrapper, numbers: str, parameters: list) -> None:
    """Hold until the transaction ends the advisory lock of `numbers`, in SQL one bigint or two ints.

    Raises OperationalError (55P03, 57014) when it is not soon let go."""
    cursor.execute(f"SELECT pg_try_advisory_xact_lock({numbers})", parameters)
    if cursor.fetchone() == (False,):
        wait_for_advisory(cursor, numbers, parameters)


def wait_for_advisory(cursor: CursorWrapper, numbers: str, parameters: list) -> None:
    """`hold_advisory` for who has found that another transaction holds the lock."""
    with _waiting() as may_wait:
        if not may_wait:
            raise OperationalError("no room to wait for an advisory lock") from LockNotAvailable()
        cursor.execute(f"SELECT pg_advisory_xact_lock({numbers})", parameters)


@contextmanager
def _waiting() -> Iterator[bool]:
    """Around a statement that waits for another transaction; gives whether it may."""
    turn = current_turn.get()
    with turn.waiting() if turn else nullcontext(settings.LOCK_WAIT_SECONDS) as seconds, connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {ceil(1000 * (seconds or settings.LOCK_WAIT_SECONDS))}")
        yield seconds > 0
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def lock_row(cursor: CursorWrapper, statement: str, parameters: list) -> None:
    """Lock the one row that `statement` selects. Raises OperationalError (55P03, 57014) when it is not soon let go."""
    cursor.execute(f"{statement} {LOCK} SKIP LOCKED", parameters)
    if cursor.rowcount == 0:
        with lock_of_held_row() as lock:
            cursor.execute(f"{statement} {lock}", parameters)


def get_shared[M: models.Model](model: type[M], pk: int) -> M:
    """The row as it is stored, kept from being changed until the transaction ends (FOR SHARE); others may share it.

    Raises DoesNotExist, or OperationalError (55P03, 57014) when it is not let go in time."""
    if row := _shared(model, pk, f"{SHARE} SKIP LOCKED"):
        return row
    with lock_of_held_row(SHARE) as lock:
        row = _shared(model, pk, lock)
    if row is None:
        raise model.DoesNotExist
    return row


def _shared(model, pk, lock):
    table = connection.ops.quote_name(model._meta.db_table)
    # Its table's name and one of our locking clauses; the id is a parameter.
    return next(iter(model._base_manager.raw(f"SELECT * FROM {table} WHERE id = %s {lock}", [pk])), None)  # noqa: S608


def get_locked[M: models.Model](rows: models.QuerySet[M], **options) -> M:
    """The one row of this query, locked FOR NO KEY UPDATE; `options` as of select_for_update.

    Raises DoesNotExist, or OperationalError (55P03, 57014) when it is not let go in time."""
    if row := rows.select_for_update(no_key=True, skip_locked=True, **options).first():
        return row
    with lock_of_held_row() as lock:
        return rows.select_for_update(no_key=True, nowait=lock != LOCK, **options).get()
