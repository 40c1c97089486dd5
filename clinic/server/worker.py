"""A worker process: how it loads the application and how it ends."""

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
    """What a worker runs first: it arranges how the worker ends, then loads the application.

    Ctrl-C, and what stops services and containers, signal every process, and then the main process signals its workers
    as well. Two signals at once lock granian's worker up, so one thread takes them all and acts on the first; it also
    ends the worker when the main process was killed and cannot say so."""

    def __init__(self, parent: int, wsgi: str, *, running: int, waiting: int) -> None:
        """`parent` is the main process's id, `wsgi` names the application as `module:attribute`; the others as for
        `Application`."""
        self.parent = parent
        self.wsgi = wsgi
        self.limits = {"running": running, "waiting": waiting}
        # Of all workers. No lock guards it, which a worker that is killed could keep: what counts is that it changes.
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
        while os.getppid() == self.parent:
            if received := signal.sigtimedwait(STOP_SIGNALS, 1):
                if received.si_pid != self.parent:
                    time.sleep(1)  # the main process got it as well, and is to know why before it sees a worker end
                break
        if not callable(signal.getsignal(signal.SIGTERM)):
            os._exit(0)  # granian does not listen yet, so there is no request to finish
        signal.alarm(STUCK_SECONDS)  # before granian hears of it: it may keep the interpreter's lock from then on
        self.loop.call_soon_threadsafe(raise_sigterm)
        self.end_when_idle()

    def end_when_idle(self) -> None:
        """Now and then, on a busy machine, a worker of granian does not get through its own end. One that has answered
        everything is ended here, one that keeps the interpreter's lock, and so this thread as well, by the kernel."""
        idle = 0
        while idle < STUCK_SECONDS:
            signal.alarm(STUCK_SECONDS)
            time.sleep(1)
            idle = idle + 1 if not self.application or self.application.threads.are_idle() else 0
        os._exit(0)


def raise_sigterm() -> None:
    """Let granian's own handler have SIGTERM once, in the main thread, which blocks it before and after."""
    while signal.sigtimedwait([signal.SIGTERM], 0):
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    signal.raise_signal(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
