"""`manage.py start`: prepare everything and serve the clinic in the foreground."""

import contextlib
import fcntl
import hashlib
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection

from clinic.access import first_clinic, key_check
from clinic.local import environment, postgres
from clinic.local.output import print_line
from clinic.management.serving import free_address, serve_until_stopped
from clinic.models import Clinic
from clinic.server import workers_for_this_machine

POSTGRESQL = 15
EXTENSIONS = ("btree_gist", "pg_trgm", "unaccent")
PREPARING = 0x636C696E6963  # of pg_advisory_lock: "clinic"


class Command(BaseCommand):
    # Some checks query the database, which may not be running yet.
    requires_system_checks = ()

    help = "Starts the clinic: database, migrations, static files, demo on an empty database, web server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *, host: str, port: int, no_demo: bool, **options: object) -> None:
        folder = postgres.data_dir()
        name = "localhost" if host in environment.EVERY_ADDRESS else f"[{host}]" if ":" in host else host
        url = f"http://{name}:{port}/"
        with start_lock(folder, url):
            address = free_address(host, port)
            with preparation_lock():
                call_command("migrate", interactive=False, verbosity=0)
                require_own_key(folder)
                call_command("purge_expired", verbosity=0)
                collect_static_files(Path(settings.STATIC_ROOT))
                if not no_demo and not Clinic.objects.exists():
                    self.print("Making the demo clinics; this takes about a minute…")
                    call_command("seed_demo")
                first_path = first_clinic.path() if first_clinic.is_needed() else None
            is_exposed = settings.PLAIN_HTTP and not ipaddress.ip_address(address).is_loopback
            serve_until_stopped(
                address,
                port,
                workers_for_this_machine(),
                when_open=lambda: self.announce(url, first_path, access=folder / "demo-access.txt", exposed=is_exposed),
            )

    def announce(self, url: str, first_path: str | None, *, access: Path, exposed: bool) -> None:
        """Print where the clinic is open: once it answers there, since people open the link at once."""
        self.print(f"The clinic is open at {url} (Ctrl-C closes it)")
        if first_path:
            self.print(f"Nobody can sign in yet: make the first clinic at {url.rstrip('/')}{first_path}")
            self.print("That link is good once, and for a day. Another start prints another one.")
        if exposed:
            self.print(
                "Plain HTTP: anyone in this network can read the traffic. For patients' data put HTTPS in front."
            )
        if access.exists():
            self.print(f"The demo's sign-ins are in {access}")

    def print(self, line: str) -> None:
        print_line(self.stdout, line)


@contextlib.contextmanager
def start_lock(folder: Path, url: str) -> Iterator[None]:
    """Hold `start.lock` of the data folder. Workers inherit it, so it is free when the last process has ended.

    Raises CommandError when another `start` holds it.
    """
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


@contextlib.contextmanager
def preparation_lock() -> Iterator[None]:
    """Check the database, and hold its advisory lock PREPARING while it is prepared.

    Raises CommandError with the missing requirement, or with the database's error within the block.
    """
    parameters = connection.get_connection_params() | {"connect_timeout": 10}
    try:
        with psycopg.connect(**parameters, autocommit=True) as session:
            require_usable_database(session)
            session.execute("SET lock_timeout = 0")
            session.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
            yield
    except (psycopg.Error, DatabaseError) as error:
        raise CommandError(f"The database cannot be used: {' '.join(str(error).split())}") from error


def require_usable_database(session: psycopg.Connection[Any]) -> None:
    """Raise CommandError when the server is too old or its rights do not suffice; leave no trace."""
    version = session.info.server_version // 10000
    if version < POSTGRESQL:
        raise CommandError(f"PostgreSQL {POSTGRESQL} or later is needed and this is PostgreSQL {version}.")
    if (encoding := session.info.parameter_status("server_encoding")) != "UTF8":
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
    """Raise CommandError when the database was created with another SECRET_KEY."""
    try:
        key_check.require_own_key()
    except key_check.WrongSecretKey:
        file = environment.key_file(folder)
        if file.exists() and file.read_bytes().decode(errors="replace").strip() == settings.SECRET_KEY:
            raise CommandError(
                f"The key in {file} does not belong to this database: put back the file from the database's own "
                f"backup. {environment.IF_LOST.format(file=file)}"
            ) from None
        raise CommandError(
            "SECRET_KEY does not belong to this database: set the one it was made with, or, if that is lost or has "
            "leaked, run manage.py adopt_secret_key (clinic/server/README.md, Changing keys)."
        ) from None


def collect_static_files(target: Path) -> None:
    """Run collectstatic when a file has changed since the last time: hashing and compressing take seconds."""
    paths = [storage.path(name) for finder in get_finders() for name, storage in finder.list([])]
    facts = repr([(path, os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in paths])
    collected = target / ".collected"
    now = hashlib.sha256(facts.encode()).hexdigest()
    if not collected.exists() or collected.read_text() != now:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        collected.write_text(now)
