"""Run work in one transaction, again after a conflict; and tell conflicts from other errors of PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
from django.db import IntegrityError, OperationalError, transaction

from clinic.refusals import Reason, Refusal, Refused

DEADLOCK, SERIALIZATION = "40P01", "40001"
# lock_not_available: with NOWAIT, or after lock_timeout; query_canceled: a wait for several locks that took too long.
LOCK_TIMEOUTS = {"55P03", "57014"}
DISK_FULL = "53100"
# A foreign key's row was deleted after the rules read it. On the retry the rules refuse with the name of what is gone.
FOREIGN_KEY_VIOLATION = "23503"
# Two transactions that both pass the rule break one of these; the second one is run again.
CONFLICT_CONSTRAINTS = {
    "appointment_doctor_free",
    "appointment_patient_in_one_place",
    "appointment_one_in_service",
    "patient_cpf_once",
    "appointment_uuid_once",
}
# Set while `run_as_one` runs, so that inner transactions join it.
_is_inside_run_as_one: ContextVar[bool] = ContextVar("is_inside_run_as_one", default=False)


def run_in_transaction[T](work: Callable[[], T]) -> T:
    """Run `work` in a transaction, once more after a conflict.

    On the retry the rules see what the other transaction has committed and refuse with their own sentence, so the name
    of a constraint never reaches a user. Inside a plain transaction it is a savepoint; inside `run_as_one` neither.
    Raises Refused.
    """
    if _is_inside_run_as_one.get():
        return work()
    with try_again_when_held():
        try:
            return _atomically(work)
        except (IntegrityError, OperationalError) as error:
            if not _is_conflict(error):
                raise
            return _atomically(work)


def run_as_one[T](work: Callable[[], T]) -> T:
    """Run `work` like `run_in_transaction`; a `run_in_transaction` inside it gets no savepoint and no retry of its own.

    For work that is undone as a whole when a part of it is refused: `work` then marks the transaction for rollback, or
    raises. A conflict in a part runs all of it once more. Two savepoints less make POST /v1/appointments 9 % faster.
    """

    def work_as_one() -> T:
        token = _is_inside_run_as_one.set(True)
        try:
            return work()
        finally:
            _is_inside_run_as_one.reset(token)

    return run_in_transaction(work_as_one)


def is_transient(error: IntegrityError | OperationalError) -> bool:
    """Return whether the same work may succeed in a moment: a second conflict, or a lock that was not released."""
    return _is_conflict(error) or getattr(error.__cause__, "sqlstate", None) in LOCK_TIMEOUTS


def _is_conflict(error: IntegrityError | OperationalError) -> bool:
    """Return whether another transaction caused the error, so that the work may run again at once."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error):
        return False
    return cause.sqlstate in {DEADLOCK, SERIALIZATION, FOREIGN_KEY_VIOLATION} or (
        isinstance(error, IntegrityError) and cause.diag.constraint_name in CONFLICT_CONSTRAINTS
    )


def disk_is_full(error: Exception) -> bool:
    """Return whether PostgreSQL could not write because its disk is full."""
    return getattr(error.__cause__, "sqlstate", None) == DISK_FULL


@contextmanager
def try_again_when_held() -> Iterator[None]:
    """Raise Refused (TRY_AGAIN) for a failure after which the same may succeed in a moment.

    Entry points answer it with 409 and one sentence, in the form where there is one. 503 is for a database that is
    unreachable or full; here nothing is wrong with the database or with the input.
    """
    try:
        yield
    except (IntegrityError, OperationalError) as error:
        if not is_transient(error):
            raise
        raise Refused([Refusal(Reason.TRY_AGAIN)]) from error


def _atomically[T](work: Callable[[], T]) -> T:
    with transaction.atomic():
        return work()
