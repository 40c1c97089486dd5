"""One transaction around a piece of work, tried again after a conflict; and the meaning of PostgreSQL's errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
from django.db import IntegrityError, OperationalError, connection, transaction

from clinic.refusals import Reason, Refusal, Refused

DEADLOCK, SERIALIZATION = "40P01", "40001"
# A lock that was not released within lock_timeout, or at once; a statement that waited too long for several locks.
LOCK_NOT_RELEASED = {"55P03", "57014"}
DISK_FULL = "53100"
# A row that was there when the rules ran: the second run names what is gone.
DELETED_MEANWHILE = "23503"
# Only one of two transactions can pass these. A rule checks the same before; the constraint has the last word.
CONFLICT_CONSTRAINTS = {
    "appointment_doctor_free",
    "appointment_patient_in_one_place",
    "appointment_one_in_service",
    "patient_cpf_once",
    "patient_health_number_once",
    "appointment_uuid_once",
    "recall_once_an_appointment",
    "waitingentry_once_an_appointment",
    "delay_once_a_day",
}


# True while a part of `run_as_one` runs.
_is_part: ContextVar[bool] = ContextVar("is_part", default=False)


def run_in_transaction[T](work: Callable[[], T]) -> T:
    """Run `work` in a transaction, once more after a conflict.

    The second time the rules see what the other transaction has committed and refuse with their own sentence, so the
    name of a constraint never reaches a person. Inside a plain transaction it is a savepoint; inside `run_as_one` a
    part of that. Raises Refused.
    """
    if _is_part.get():
        return work()
    with try_again_when_held():
        try:
            return _atomically(work)
        except (IntegrityError, OperationalError) as error:
            if not _is_conflict(error):
                raise
            return _atomically(work)


def run_as_one[T](work: Callable[[], T]) -> T:
    """Run `work` like `run_in_transaction`, and each `run_in_transaction` inside it as a part, without a savepoint.

    For work that is undone as a whole when a part is refused: `work` then marks the transaction for rollback, or
    raises. A conflict in a part runs all of it once more. Two savepoints less make POST /v1/appointments 9 % faster.
    """

    def parts() -> T:
        token = _is_part.set(True)
        try:
            return work()
        finally:
            _is_part.reset(token)

    return run_in_transaction(parts)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Read everything inside as it is at its first query, whatever others commit meanwhile: for files that several
    queries fill. Takes no lock. Inside a transaction it is that one's view that is read."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def is_transient(error: IntegrityError | OperationalError) -> bool:
    """Return whether the same work may succeed in a moment: a second conflict, or a lock that was not released."""
    return _is_conflict(error) or getattr(error.__cause__, "sqlstate", None) in LOCK_NOT_RELEASED


def _is_conflict(error: IntegrityError | OperationalError) -> bool:
    """Return whether PostgreSQL refused it because of another transaction."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return False
    return cause.sqlstate in {DEADLOCK, SERIALIZATION, DELETED_MEANWHILE} or (
        isinstance(error, IntegrityError) and cause.diag.constraint_name in CONFLICT_CONSTRAINTS
    )


def disk_is_full(error: Exception) -> bool:
    """Return whether PostgreSQL had no room on its disk to write."""
    return getattr(error.__cause__, "sqlstate", None) == DISK_FULL


@contextmanager
def try_again_when_held() -> Iterator[None]:
    """Raise Refused (TRY_AGAIN) for a failure after which the same may succeed in a moment.

    Entry points answer it with 409 and one sentence, in the form where there is one. 503 is for a database that is
    unreachable or full: here nothing is wrong with the database or with the input."""
    try:
        yield
    except (IntegrityError, OperationalError) as error:
        if not is_transient(error):
            raise
        raise Refused([Refusal(Reason.TRY_AGAIN)]) from error


def _atomically[T](work: Callable[[], T]) -> T:
    with transaction.atomic():
        return work()
