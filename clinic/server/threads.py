"""The threads of a worker process that run Django.

Most of a request is Python, and one thread of a process runs Python at a time, so more than a few would only wait for
one another. A request that waits for a row in the database runs nothing: its thread hands its place to a new one, so
that however many wait for one doctor's row, pages and other doctors' bookings go on. With a few threads and no such
handing on, one held row kept every page waiting for 9 seconds; with many threads they waited for one another."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from django.conf import settings

from clinic.models.locks import current_turn


class Threads:
    """`running` requests run at once, in the order in which they came; `waiting` more may stand waiting for a row."""

    def __init__(self, *, running: int, waiting: int) -> None:
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.room_to_wait = threading.BoundedSemaphore(waiting)
        self.at_work: set[int] = set()  # ids of the threads that are answering a request
        for _ in range(running):
            self.start_one()

    async def run[T](self, work: Callable[[], T]) -> T:
        """What `work` gives when one of the threads has done it, or raises what it raised."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            try:
                result, settle = work(), done.set_result
            except BaseException as error:  # raised where the result is awaited
                result, settle = error, done.set_exception
            with contextlib.suppress(RuntimeError):  # the loop is closed: the worker ends, and nobody awaits the answer
                loop.call_soon_threadsafe(settle, result)

        self.jobs.put(job)
        return await done

    def are_idle(self) -> bool:
        return not self.at_work and self.jobs.empty()

    def start_one(self) -> None:
        threading.Thread(target=self.work, name="request", daemon=True).start()

    def work(self) -> None:
        """Do jobs one after the other, until one of them handed this thread's place to another thread."""
        turn = Turn(self)
        current_turn.set(turn)
        while not turn.is_handed_on:
            job = self.jobs.get()
            self.at_work.add(threading.get_ident())
            job()
            self.at_work.discard(threading.get_ident())
        self.room_to_wait.release()


class Turn:
    """A thread's place among those that run; used by that thread alone."""

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self.waits_until: float | None = None  # by time.monotonic(); for all the waits of a request together

    @property
    def is_handed_on(self) -> bool:
        return self.waits_until is not None

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Hand the place on, for good: who has waited holds a row that others want, and goes on at once. Gives the
        seconds that are left to wait, 0 without room for one more."""
        if self.waits_until is None and self.threads.room_to_wait.acquire(blocking=False):
            self.waits_until = time.monotonic() + settings.LOCK_WAIT_SECONDS
            self.threads.start_one()
        yield max(self.waits_until - time.monotonic(), 0) if self.waits_until else 0
