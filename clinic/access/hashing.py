"""Password hashing: the cost of a hash, and how many a process computes at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = 2
PATIENT_SECONDS = 30  # for users who set a password: they are signed in, or run a command

_turns = BoundedSemaphore(AT_ONCE)
_patience: ContextVar[float] = ContextVar("patience", default=PATIENT_SECONDS)


class Busy(Exception):
    """This process is already computing AT_ONCE hashes."""


def are_all_taken() -> bool:
    """Return whether a hash would have to wait for its turn."""
    if free := _turns.acquire(blocking=False):
        _turns.release()
    return not free


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Within the block, a hash waits this long for its turn and then raises Busy."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


class Argon2Hasher(Argon2PasswordHasher):
    """argon2id with 19 MiB, two passes and one lane (OWASP password storage cheat sheet, 2025): 20 ms of one core.

    The parameters before took 115 ms, and guesses of strangers occupied every core. Hashes with other parameters stay
    valid and are replaced by one with these when their user signs in.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            return super().verify(password, encoded)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=_patience.get()):
        raise Busy
    try:
        yield
    finally:
        _turns.release()
