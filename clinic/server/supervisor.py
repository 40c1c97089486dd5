"""The process that starts the workers, restarts those that died, and stops them all."""

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.log import LogLevels, logger
from granian.server.mp import MPServer, WorkerProcess

from clinic.server.worker import STOP_SIGNALS, Loader

STOP_SECONDS = 30
# Pauses before restarting workers that never loaded the application. One that had loaded restarts after the first.
RESTART_PAUSES = (0.2, 1, 5, 15)
CONNECTIONS = 64  # to the database, for all workers together, of the 100 that PostgreSQL allows
MAX_WORKERS = 8
POLL_SECONDS = 0.2
# requests that run at the same time in a worker; with fewer, threads would idle during turns of the event loop
RUNNING = 4
MAX_WAITING = 12  # requests of a worker that wait for a database row
BACKLOG = 1024
OPEN_CONNECTIONS = 4096  # of clients to all workers together: an idle one costs some memory and no thread


class WorkersNeverLoaded(Exception):
    """The workers kept dying before any of them had loaded the application; their errors are printed."""


def workers_for_this_machine() -> int:
    """Return a worker for each processor that this process may use, MAX_WORKERS at most."""
    return min(os.process_cpu_count() or 1, MAX_WORKERS)


def serve(
    address: str,
    port: int,
    workers: int,
    application: str = "clinic.wsgi:application",
    *,
    when_open: Callable[[], None] | None = None,
) -> None:
    """Serve the WSGI `application` until SIGINT, SIGTERM or SIGHUP, then finish the requests in progress.

    `when_open` is called once, in this process, when the first worker accepts connections. What it raises stops the
    server and is raised here.
    Raises WorkersNeverLoaded. Workers that die later are always replaced.
    """
    waiting = min(MAX_WAITING, CONNECTIONS // workers - RUNNING)
    loader = Loader(os.getpid(), application, running=RUNNING, waiting=waiting)
    supervisor = Supervisor(
        application,
        loader=loader,
        when_open=when_open,
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
        # URLs may contain searches, so an access log would contain patients' names.
        log_access=False,
        log_level=LogLevels.warning,
    )
    supervisor.serve(target_loader=loader, wrap_loader=False)
    if not supervisor.interrupt_signal:
        raise WorkersNeverLoaded


if TYPE_CHECKING:
    # with the types of methods that granian does not annotate
    class Server(MPServer):
        def _spawn_workers(self, *arguments: Any) -> None: ...
        def startup(self, spawn_target: Callable[..., None], target_loader: Loader) -> None: ...
        def shutdown(self, exit_code: int = 0) -> None: ...

else:
    Server = MPServer


class Supervisor(Server):
    """granian's server, with another policy for workers that die.

    By itself granian stops all workers and exits when one of them dies twice within 5.5 seconds, as happens when memory
    is short for a moment.
    """

    def __init__(self, *arguments: Any, loader: Loader, when_open: Callable[[], None] | None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.loader = loader
        self.when_open = when_open
        self.on_startup(self.take_signals)

    def take_signals(self) -> None:
        # A closed terminal (SIGHUP) stops the server; granian would restart the workers.
        for number in STOP_SIGNALS:
            signal.signal(number, self.stop)

    def stop(self, _number: int, _frame: object) -> None:
        # Nothing more: granian's own handler takes a lock that the interrupted code may hold.
        self.interrupt_signal = True

    def _spawn_worker(self, *arguments: Any, **options: Any) -> WorkerProcess:
        worker: WorkerProcess = super()._spawn_worker(*arguments, **options)
        # granian also starts a thread for each worker that waits for its end. Until that thread has recorded the end,
        # the worker counts as alive, and stopping would report that it had to be killed.
        worker._watch = lambda: None  # type: ignore[method-assign]  # replaced on purpose
        return worker

    def _spawn_workers(self, *arguments: Any) -> None:
        with stop_signals_blocked():
            super()._spawn_workers(*arguments)
        self._assign_processors()

    def _respawn_workers(self, *arguments: Any) -> None:
        with stop_signals_blocked():
            super()._respawn_workers(*arguments)
        self._assign_processors()

    def _assign_processors(self) -> None:
        """Bind each worker to a processor if there is a worker for every processor.

        Only one thread of a process runs Python at a time; a thread that continues on another processor does not find
        its data in that cache (a sixth fewer bookings per second). With more processors than workers, as on a shared
        machine, the kernel chooses.
        """
        if sys.platform != "linux" or len(processors := sorted(os.sched_getaffinity(0))) > self.workers:
            return
        for index, worker in enumerate(self.wrks):
            with contextlib.suppress(ProcessLookupError):  # it has died already
                os.sched_setaffinity(worker.inner.pid, {processors[index % len(processors)]})

    def _serve(self, spawn_target: Callable[..., None], target_loader: Loader) -> None:
        """Replace granian's, which leaves the workers running when its loop raises; the exit would wait for them."""
        self.startup(spawn_target, target_loader)
        try:
            self._serve_loop(spawn_target, target_loader)
        finally:
            self.shutdown()

    def _serve_loop(self, spawn_target: Callable[..., None], target_loader: Loader) -> None:
        """Replace granian's loop. Returns when the server is to stop, or when no worker ever loaded."""
        failures = loads = 0
        while not self.interrupt_signal:
            wait([worker.inner.sentinel for worker in self.wrks], POLL_SECONDS)
            if self.when_open and self.loader.loads.value and self.accepts_connections():
                self.when_open()
                self.when_open = None
            if not (dead := [index for index, worker in enumerate(self.wrks) if not worker.inner.is_alive()]):
                continue
            failures = 0 if self.loader.loads.value != loads else failures + 1
            loads = self.loader.loads.value
            if not loads and failures > len(RESTART_PAUSES):
                return
            logger.error("Ended unexpectedly: %s", ", ".join(f"worker-{index + 1}" for index in dead))
            self.pause(RESTART_PAUSES[min(max(failures, 1), len(RESTART_PAUSES)) - 1])
            if not self.interrupt_signal:
                self._respawn_workers(dead, spawn_target, target_loader)

    def accepts_connections(self) -> bool:
        """Return whether a worker listens, which it does a moment after it has loaded the application."""
        try:
            socket.create_connection((self.bind_addr, self.bind_port), timeout=1).close()
        except OSError:
            return False
        return True

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until the server is to stop."""
        end = time.monotonic() + seconds
        while not self.interrupt_signal and time.monotonic() < end:
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Block the stop signals while workers are started.

    A new worker has this process's handlers until its Loader runs, and they would swallow a signal; a blocked one is
    delivered afterwards. Workers keep the signals blocked, and their Loader waits for them.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
