"""The process that starts the workers, starts anew those that died, and ends them all."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.log import LogLevels, logger
from granian.server import Server
from granian.server.mp import WorkerProcess

from clinic.server.worker import STOP_SIGNALS, Loader

STOP_SECONDS = 30
# Before a worker that never loaded is started anew. One that had loaded comes back after the first pause.
PAUSES = (0.2, 1, 5, 15)
CONNECTIONS = 64  # to the database, of all workers together, of the 100 that PostgreSQL allows
MOST_WORKERS = 8
LOOK_SECONDS = 0.2
RUNNING = 4  # requests that run at once in a worker; with fewer, threads stand idle while the event loop has its turn
MOST_WAITING = 12  # requests of a worker that wait for a row in the database
BACKLOG = 1024
OPEN_CONNECTIONS = 4096  # of clients to all workers together: an idle one costs some memory and no thread


class WorkersNeverLoaded(Exception):
    """The workers died again and again before any of them had loaded the application; their errors are printed."""


def workers_for_this_machine() -> int:
    return min(os.process_cpu_count() or 1, MOST_WORKERS)


def serve(address: str, port: int, workers: int, application: str = "clinic.wsgi:application") -> None:
    """Serve the WSGI `application` until SIGINT, SIGTERM or SIGHUP, then finish the requests that are under way.

    Raises WorkersNeverLoaded. A worker that dies later is replaced, for ever."""
    waiting = min(MOST_WAITING, CONNECTIONS // workers - RUNNING)
    loader = Loader(os.getpid(), application, running=RUNNING, waiting=waiting)
    supervisor = Supervisor(
        application,
        loader=loader,
        address=address,
        port=port,
        interface=Interfaces.ASGINL,
        runtime_mode=RuntimeModes.mt,  # the sockets have a thread of their own beside the event loop
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        backlog=BACKLOG,
        backpressure=OPEN_CONNECTIONS // workers,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        # Addresses with a search in them would be an access log of names.
        log_access=False,
        log_level=LogLevels.warning,
    )
    supervisor.serve(target_loader=loader, wrap_loader=False)
    if not supervisor.interrupt_signal:
        raise WorkersNeverLoaded


class Supervisor(Server):
    """granian's, which by itself ends every worker and then itself when one of them dies twice within 5.5 seconds, as
    happens when memory is short for a moment."""

    def __init__(self, *arguments, loader: Loader, **options) -> None:
        super().__init__(*arguments, **options)
        self.loader = loader
        self.on_startup(self.take_signals)

    def take_signals(self) -> None:
        # The closed terminal (SIGHUP) is an end like any other here, not a request to start the workers anew.
        for number in STOP_SIGNALS:
            signal.signal(number, self.stop)

    def stop(self, _number: int, _frame: object) -> None:
        # No more than this: granian's own handler takes a lock that the interrupted code may hold.
        self.interrupt_signal = True

    def _spawn_worker(self, **arguments: object) -> WorkerProcess:
        worker = super()._spawn_worker(**arguments)
        # granian starts a thread for each worker that waits for its end as well. Between that thread's wait and its
        # note of it, the worker counts as alive, and a stop would report that it had to be killed.
        worker._watch = lambda: None
        return worker

    def _spawn_workers(self, *arguments: Callable) -> None:
        with stop_signals_blocked():
            super()._spawn_workers(*arguments)
        self._assign_processors()

    def _respawn_workers(self, *arguments: Callable | list[int]) -> None:
        with stop_signals_blocked():
            super()._respawn_workers(*arguments)
        self._assign_processors()

    def _assign_processors(self) -> None:
        """With a worker for every processor, each stays on its own: one thread of a process runs Python at a time, and
        a next one that runs elsewhere finds nothing in that processor's cache (a sixth fewer bookings a second).

        With more processors than workers, as on a machine that others use too, the kernel is left to choose."""
        if sys.platform != "linux" or len(processors := sorted(os.sched_getaffinity(0))) > self.workers:
            return
        for index, worker in enumerate(self.wrks):
            with contextlib.suppress(ProcessLookupError):  # it died already
                os.sched_setaffinity(worker.inner.pid, {processors[index % len(processors)]})

    def _serve_loop(self, spawn_target: Callable, target_loader: Callable) -> None:
        """In the place of granian's loop. Returns when the server is to stop, or when nothing ever loaded."""
        failures = loads = 0
        while not self.interrupt_signal:
            wait([worker.inner.sentinel for worker in self.wrks], LOOK_SECONDS)
            if not (dead := [index for index, worker in enumerate(self.wrks) if not worker.is_alive()]):
                continue
            failures = 0 if self.loader.loads.value != loads else failures + 1
            loads = self.loader.loads.value
            if not loads and failures > len(PAUSES):
                return
            logger.error("Ended unexpectedly: %s", ", ".join(f"worker-{index + 1}" for index in dead))
            self.pause(PAUSES[min(max(failures, 1), len(PAUSES)) - 1])
            if not self.interrupt_signal:
                self._respawn_workers(dead, spawn_target, target_loader)

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.interrupt_signal and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)


@contextlib.contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Around the start of workers. A signal meanwhile waits: a new worker has this process's handlers until its Loader
    runs, and they would swallow it. Workers keep them blocked; their Loader takes them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
