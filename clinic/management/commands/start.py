"""`manage.py start`: from nothing to a clinic in the browser, in the foreground."""

import contextlib
import fcntl
import hashlib
import ipaddress
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from clinic import embedded, local
from clinic.access import first_clinic, key_check
from clinic.models import Clinic

POSTGRESQL = 15
EXTENSIONS = ("btree_gist", "pg_trgm", "unaccent")
PREPARING = 0x636C696E6963  # of pg_advisory_lock: "clinic"
STOP_SECONDS = 30
STUCK_SECONDS = 5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    # Some checks ask the database, which is not known to answer yet.
    requires_system_checks = ()

    help = "Starts the clinic: database, migrations, static files, demo on an empty database, web server."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *, host: str, port: int, no_demo: bool, **options: object) -> None:
        folder = embedded.data_dir()
        name = "localhost" if host in local.EVERY_ADDRESS else f"[{host}]" if ":" in host else host
        url = f"http://{name}:{port}/"
        with alone(folder, url):
            address = free_address(host, port)
            with prepared_by_us_alone():
                call_command("migrate", interactive=False, verbosity=0)
                require_own_key(folder)
                call_command("purge_expired", verbosity=0)
                collect_static_files(Path(settings.STATIC_ROOT))
                if not no_demo and not Clinic.objects.exists():
                    self.say("Making the demo clinics; this takes about a minute…")
                    call_command("seed_demo")
                first_path = first_clinic.path() if first_clinic.is_wanted() else None
            # The workers are forked: they must not share this process's connections.
            connection.close()
            connection.close_pool()
            self.say(f"The clinic is open at {url} (Ctrl-C closes it)")
            if first_path:
                self.say(f"Nobody can sign in yet: make the first clinic at {url.rstrip('/')}{first_path}")
                self.say("That link is good once, and for a day. Another start prints another one.")
            if settings.PLAIN_HTTP and not ipaddress.ip_address(address).is_loopback:
                self.say(
                    "Plain HTTP: whoever is in this network can read along. For patients' data put HTTPS in front."
                )
            if (folder / "demo-access.txt").exists():
                self.say(f"The demo's sign-ins are in {folder / 'demo-access.txt'}")
            serve(address, port)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextlib.contextmanager
def alone(folder: Path, url: str) -> Iterator[None]:
    """Hold `start.lock` of the data folder. Workers inherit it, so it is free when the last process has gone.

    Raises CommandError when another `start` holds it."""
    with open(os.open(folder / "start.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = lock.read() or "another address"
            raise CommandError(f"The clinic of {folder} is already open at {where}") from None
        lock.truncate()
        lock.write(url)
        lock.flush()
        yield


def free_address(host: str, port: int) -> str:
    """The numeric address of `host`, on which `port` is free. Raises CommandError.

    The server itself would not notice: it shares its port with whoever of the same user allows that."""
    if not 0 < port < 65536:
        raise CommandError(f"There is no port {port}: use one from 1 to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}") from None
    return address[0]


@contextlib.contextmanager
def prepared_by_us_alone() -> Iterator[None]:
    """Hold the database's advisory lock PREPARING while it is made ready, after checking that it can be.

    Raises CommandError with what is missing, or with what the database refused meanwhile."""
    parameters = connection.get_connection_params() | {"connect_timeout": 10}
    try:
        with psycopg.connect(**parameters, autocommit=True) as session:
            require_a_fit_database(session)
            session.execute("SET lock_timeout = 0")
            session.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
            yield
    except (psycopg.Error, DatabaseError) as error:
        raise CommandError(f"The database cannot be used: {' '.join(str(error).split())}") from error


def require_a_fit_database(session: psycopg.Connection) -> None:
    """Raises CommandError when the server is too old or its rights do not suffice; leaves nothing behind."""
    version = session.info.server_version // 10000
    if version < POSTGRESQL:
        raise CommandError(f"PostgreSQL {POSTGRESQL} or later is needed and this is PostgreSQL {version}.")
    if (encoding := session.execute("SHOW server_encoding").fetchone()[0]) != "UTF8":
        raise CommandError(f"A database in UTF8 is needed and this one is in {encoding}.")
    for name in EXTENSIONS:
        try:
            with session.transaction(force_rollback=True):
                session.execute(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA public")
        except psycopg.Error as error:
            raise CommandError(
                f"The extension {name} is missing and cannot be created ({error.diag.message_primary}): "
                f"have the database's administrator run CREATE EXTENSION {name} SCHEMA public"
            ) from None
    try:
        with session.transaction(force_rollback=True):
            session.execute("CREATE TABLE clinic_may_create ()")
    except psycopg.Error as error:
        raise CommandError(f"Tables cannot be created in this database: {error.diag.message_primary}") from None


def require_own_key(folder: Path) -> None:
    """Raises CommandError when the database was made with another SECRET_KEY."""
    try:
        key_check.require_own_key()
    except key_check.WrongSecretKey:
        file = local.key_file(folder)
        if file.exists() and file.read_bytes().decode(errors="replace").strip() == settings.SECRET_KEY:
            raise CommandError(
                f"The key in {file} does not belong to this database: put back the file from the database's own "
                f"backup. {local.IF_LOST.format(file=file)}"
            ) from None
        raise CommandError(
            "SECRET_KEY does not belong to this database: set the one it was made with, or, if that is lost or has "
            "leaked, run manage.py adopt_secret_key (README, Changing keys)."
        ) from None


def collect_static_files(target: Path) -> None:
    """Run collectstatic when a file is not as it was the last time: hashing and compressing take seconds."""
    found = [storage.path(name) for finder in get_finders() for name, storage in finder.list([])]
    facts = repr([(path, os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in found])
    collected = target / ".collected"
    now = hashlib.sha256(facts.encode()).hexdigest()
    if not collected.exists() or collected.read_text() != now:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        collected.write_text(now)


def serve(address: str, port: int) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, then finish the requests that are under way."""
    cores = os.cpu_count() or 1
    server = Server(
        "clinic.wsgi:application",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        # Together at most 64 connections to the database, of its 100.
        workers=min(cores, 8),
        # More would only wait for one another: most of a request is Python, and one thread of a process runs at a time.
        blocking_threads=min(cores + 1, 8),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        # Addresses with a search in them would be an access log of names.
        log_access=False,
        log_level=LogLevels.warning,
    )

    def stop(_number: int, _frame: object) -> None:
        # Once: a second signal would wait for a lock that the first, in the same thread, may hold.
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: None)
        server.signal_handler_interrupt()

    @server.on_startup
    def take_signals() -> None:
        # The closed terminal (SIGHUP) is an end like any other here, not a request to start the workers anew.
        for number in STOP_SIGNALS:
            signal.signal(number, stop)

    try:
        server.serve(target_loader=Loader(os.getpid()), wrap_loader=False)
    except SystemExit:
        if not server.interrupt_signal:
            raise CommandError("The web server's workers keep failing; their errors are above.") from None


class Loader:
    """What a worker runs first: it arranges how the worker ends, then loads the application.

    Ctrl-C, and what stops services and containers, signal every process, and then the main process signals its workers
    as well. Two signals at once lock granian's worker up, so one thread takes them all and acts on the first; it also
    ends the worker when the main process was killed and cannot say so."""

    def __init__(self, parent: int) -> None:
        self.parent = parent
        self.at_work: set[int] = set()  # the threads that are answering a request

    def __call__(self) -> Callable:
        if sys.platform == "linux":
            signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            threading.Thread(target=self.stop_with_parent, daemon=True).start()
        from clinic.wsgi import application  # noqa: PLC0415 - the worker's own

        def watched(environ: dict, start_response: Callable) -> Iterable[bytes]:
            self.at_work.add(threading.get_ident())
            try:
                return application(environ, start_response)
            finally:
                self.at_work.discard(threading.get_ident())

        return watched

    def stop_with_parent(self) -> None:
        while os.getppid() == self.parent:
            if told := signal.sigtimedwait(STOP_SIGNALS, 1):
                if told.si_pid != self.parent:
                    time.sleep(1)  # the main process, told as well, is to know why before it sees a worker end
                break
        handler = signal.getsignal(signal.SIGTERM)
        if not callable(handler):
            os._exit(0)  # granian has not set its own yet, so there is no request to finish
        handler(signal.SIGTERM, None)
        self.end_when_idle()

    def end_when_idle(self) -> None:
        """Now and then, on a busy machine, a worker of granian does not get through its own end. One that has answered
        everything is ended here, one that keeps the interpreter's lock, and so this thread as well, by the kernel."""
        idle = 0
        while idle < STUCK_SECONDS:
            signal.alarm(STUCK_SECONDS)
            time.sleep(1)
            idle = 0 if self.at_work else idle + 1
        os._exit(0)
