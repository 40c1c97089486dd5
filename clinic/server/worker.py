"""A worker process: loading the application, and ending."""

import asyncio
import os
import signal
import sys
import threading
import time
from importlib import import_module
from multiprocessing.sharedctypes import RawValue

from clinic.server.application import Application

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STUCK_SECONDS = 5


class Loader:
    """Run first in a worker: set up how the worker ends, then load the application.

    Ctrl-C, and the stop signals of services and containers, reach every process, and then the main process signals its
    workers as well. Two signals at the same time lock up granian's worker, so one thread takes them all and acts on the
    first. It also ends the worker when the main process was killed and cannot signal it.
    """

    def __init__(self, parent: int, wsgi: str, *, running: int, waiting: int) -> None:
        """`parent` is the id of the main process, `wsgi` the application as `module:attribute`; for the others see
        `Application`."""
        self.parent = parent
        self.wsgi = wsgi
        self.limits = {"running": running, "waiting": waiting}
        # Shared by all workers, without a lock, which a killed worker might keep. Only the fact that it changes
        # matters.
        self.loads = RawValue("L", 0)
        self.application: Application | None = None

    def __call__(self) -> Application:
        self.loop = asyncio.get_event_loop()
        if sys.platform == "linux":
            signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            threading.Thread(target=self.stop_with_parent, daemon=True).start()
        module, _, name = self.wsgi.partition(":")
        self.application = Application(getattr(import_module(module), name), **self.limits)
        self.loads.value += 1
        return self.application

    def stop_with_parent(self) -> None:
        """Wait for a stop signal, or for the main process to end; then end this worker."""
        while os.getppid() == self.parent:
            if received := signal.sigtimedwait(STOP_SIGNALS, 1):
                if received.si_pid != self.parent:
                    time.sleep(1)  # the main process got it too, and should know the reason before it sees a worker end
                break
        if not callable(signal.getsignal(signal.SIGTERM)):
            os._exit(0)  # granian does not listen yet, so there is no request to finish
        # set before granian gets the signal: from then on it may keep the interpreter's lock
        signal.alarm(STUCK_SECONDS)
        self.loop.call_soon_threadsafe(raise_sigterm)
        self.end_when_idle()

    def end_when_idle(self) -> None:
        """End a worker that granian does not end itself, as happens rarely on a busy machine.

        A worker that has answered everything is ended here. If it keeps the interpreter's lock, and so blocks this
        thread, the kernel ends it by the alarm.
        """
        idle = 0
        while idle < STUCK_SECONDS:
            signal.alarm(STUCK_SECONDS)
            time.sleep(1)
            idle = idle + 1 if not self.application or self.application.threads.are_idle() else 0
        os._exit(0)


def raise_sigterm() -> None:
    """Deliver SIGTERM to granian's own handler once, in the main thread, which blocks it before and after."""
    while signal.sigtimedwait([signal.SIGTERM], 0):
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    signal.raise_signal(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
