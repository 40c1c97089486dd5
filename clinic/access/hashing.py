"""Password hashes: what one costs, and how many a process computes at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = 2
PATIENT_SECONDS = 30  # for those who set a password: they are signed in, or at the keyboard

_turns = BoundedSemaphore(AT_ONCE)
_patience: ContextVar[float] = ContextVar("patience", default=PATIENT_SECONDS)


class Busy(Exception):
    """This process is computing AT_ONCE hashes already."""


def are_all_taken() -> bool:
    """Whether a hash would have to wait for its turn."""
    if free := _turns.acquire(blocking=False):
        _turns.release()
    return not free


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Within, a hash waits this long for its turn and then raises Busy."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


class Argon2Hasher(Argon2PasswordHasher):
    """argon2id with 19 MiB, twice, in one lane: OWASP's password storage cheat sheet, 2025. About 20 ms of one core,
    instead of 115 with the figures before, and guesses of strangers no longer take every core.

    A hash with other parameters is still good, and is replaced by one with these when its owner signs in."""

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password, salt):
        with _turn():
            return super().encode(password, salt)

    def verify(self, password, encoded):
        with _turn():
            return super().verify(password, encoded)


@contextmanager
def _turn():
    if not _turns.acquire(timeout=_patience.get()):
        raise Busy
    try:
        yield
    finally:
        _turns.release()
