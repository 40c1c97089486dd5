"""The threads of a worker process that run Django.

Most of a request is Python, and only one thread of a process runs Python at a time, so more than a few would only wait
for each other. A request that waits for a database row runs nothing: its thread hands its place to a new one, so that
pages and bookings of other doctors continue however many requests wait for one doctor's row. With a few threads that
kept their places, one locked row made every page wait for 9 seconds; with many threads they waited for each other.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue

from django.conf import settings

from clinic.models.locks import current_turn


class Threads:
    """Run `running` requests at the same time, in order of arrival; `waiting` more may wait for a row."""

    def __init__(self, *, running: int, waiting: int) -> None:
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.waiting_places = threading.BoundedSemaphore(waiting)
        self.busy_thread_ids: set[int] = set()
        for _ in range(running):
            self.start_thread()

    async def run[T](self, work: Callable[[], T]) -> T:
        """Run `work` in one of the threads; return its result, or raise its exception."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            try:
                settle = partial(done.set_result, work())
            except BaseException as error:  # raised again where the result is awaited
                settle = partial(done.set_exception, error)
            # the loop is closed because the worker ends, so nothing awaits the result
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle)

        self.jobs.put(job)
        return await done

    def are_idle(self) -> bool:
        """Return whether no request runs, waits for a row or waits for a thread."""
        return not self.busy_thread_ids and self.jobs.empty()

    def start_thread(self) -> None:
        threading.Thread(target=self.work, name="request", daemon=True).start()

    def work(self) -> None:
        """Run jobs one after the other, until one of them hands this thread's place to another thread."""
        turn = Turn(self)
        current_turn.set(turn)
        while not turn.is_handed_on:
            job = self.jobs.get()
            self.busy_thread_ids.add(threading.get_ident())
            job()
            self.busy_thread_ids.discard(threading.get_ident())
        self.waiting_places.release()


class Turn:
    """A thread's place among the running ones; used by that thread only."""

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self.waits_until: float | None = None  # by time.monotonic(); for all the waits of a request together

    @property
    def is_handed_on(self) -> bool:
        return self.waits_until is not None

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Hand the place on permanently, and yield the seconds that are left to wait, 0 if no more requests may wait.

        The place is not taken back: a request that has waited holds a row that others need, and continues at once.
        """
        if self.waits_until is None and self.threads.waiting_places.acquire(blocking=False):
            self.waits_until = time.monotonic() + settings.LOCK_WAIT_SECONDS
            self.threads.start_thread()
        yield max(self.waits_until - time.monotonic(), 0) if self.waits_until else 0
