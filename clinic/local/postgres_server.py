"""The server side of the embedded PostgreSQL: a small program that `clinic.local.postgres` starts.

It creates the data the first time, owns the server, and stops it when no command holds the lock `users` any longer. It
is run by its path, where the project cannot be imported, so it imports only the standard library.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

NAME = "clinic"
NOBODY = 65534
SOCKET_PATH_LIMIT = 103  # bytes, macOS; Linux has four more
POLL_SECONDS = 0.05
STOP_SECONDS = 60
LOG_MARK = "--- start ---"

Command = list[str | Path]
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The application reports failed statements; PostgreSQL's message and detail may quote a patient.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_statement": "none",
}


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used; the text is one line for the user of the terminal."""


# --- used by both sides ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn errors of the operating system into an EmbeddedError."""
    try:
        yield
    except subprocess.SubprocessError as error:
        raise EmbeddedError(
            f"PostgreSQL cannot run as user {os.geteuid()} here, which is root that may not become nobody, or has no "
            "name: use an ordinary user, or set DATABASE_URL."
        ) from error
    except OSError as error:
        raise EmbeddedError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error


def open_lock(home: Path, name: str) -> int:
    return os.open(home / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)


def try_lock(lock: int, mode: int) -> bool:
    try:
        fcntl.flock(lock, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def private(path: str, flags: int) -> int:
    """Open a file that only its owner may read; for use as an opener."""
    return os.open(path, flags, 0o600)


# --- the supervisor --------------------------------------------------------------------------------------------------


def supervise(home: Path, binaries: Path, settings: dict[str, str]) -> None:
    """Own the server until no command holds `users`; restart it if it dies.

    Standard output is closed, empty, once the server accepts connections; otherwise it gets the reason, in one line.
    """
    if os.fork():
        return  # the command that needs the database neither waits for the supervisor's end nor reaps it
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # it ends only when the last user leaves
    users = open_lock(home, "users")
    try:
        with explained():
            owner = home.stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                drop_root(owner.st_uid, owner.st_gid)  # so that root leaves no files that the owner cannot use
            server = launch(home, binaries, settings)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            while not try_lock(users, fcntl.LOCK_EX):
                if server.poll() is not None:
                    (home / "url").unlink(missing_ok=True)
                    server = launch(home, binaries, settings)
                time.sleep(POLL_SECONDS)
    except EmbeddedError as error:
        print(error, flush=True)
        print(error, file=sys.stderr)
        return
    (home / "url").unlink(missing_ok=True)
    server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)  # its immediate shutdown: the next start replays the log
        server.wait()


def launch(home: Path, binaries: Path, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the server, creating the data first if there are none; return when it accepts connections.

    Takes the lock `server` and passes it on to every process of PostgreSQL.
    """
    cluster, log = home / "cluster", home / "log"
    pid_file = cluster / "postmaster.pid"
    lock = open_lock(home, "server")
    try:
        if not try_lock(lock, fcntl.LOCK_EX):  # an earlier supervisor was killed and its server still runs
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not cluster.exists():
            create_cluster(home, binaries, lock, settings)
        check_version(cluster, binaries)
        if os.geteuid() == 0 and cluster.stat().st_uid != NOBODY:  # a backup that root restored
            give_to_nobody(cluster)
        pid_file.unlink(missing_ok=True)  # the process id may have been reused; the lock is what counts
        folder = socket_folder(home)
        options = SETTINGS | {"unix_socket_directories": '"' + str(folder).replace('"', '""') + '"'} | settings
        command: Command = [
            binaries / "postgres",
            "-D",
            cluster,
            *(f"--{name}={value}" for name, value in options.items()),
        ]
        server = run(command, lock)
    finally:
        os.close(lock)
    while not is_ready(pid_file):
        if server.poll() is not None:
            raise EmbeddedError(f"The database in {cluster} does not start: {last_words(log)} (see {log})")
        time.sleep(POLL_SECONDS)
    password = (home / "password").read_text()
    # The folder goes into the query: URL parsers convert a host to lower case.
    write(home / "url", f"postgresql://{NAME}:{password}@/{NAME}?host={quote(str(folder), safe='')}")
    return server


# --- the data --------------------------------------------------------------------------------------------------------


def create_cluster(home: Path, binaries: Path, lock: int, settings: dict[str, str]) -> None:
    """Create the data in a temporary folder and rename it when complete.

    The application's role is no superuser: the server may hold root's right to open any file. The superuser has no
    password and therefore cannot sign in.
    """
    for leftover in home.glob("cluster.*"):
        shutil.rmtree(leftover)
    fresh = home / f"cluster.{secrets.token_hex(4)}"
    initdb: Command = [
        binaries / "initdb", "-D", fresh, "--username=postgres", "--auth=reject", "--encoding=UTF8", "--locale=C",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions",
        *(["--no-sync"] if settings.get("fsync") == "off" else []),
    ]  # fmt: skip
    single: Command = [binaries / "postgres", "--single", "-D", fresh, "-c", "exit_on_error=on", "postgres"]
    password = secrets.token_urlsafe(32)
    statements = [
        f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{password}'\n",
        f"CREATE DATABASE {NAME} OWNER {NAME}\n",
    ]
    for command, text in ((initdb, ""), (single, "".join(statements))):
        process = run(command, lock, borrow_a_name)
        process.communicate(text.encode())
        if process.returncode:
            log = home / "log"
            raise EmbeddedError(f"Creating a database in {home} failed: {last_words(log)} (see {log})")
    (fresh / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    write(home / "password", password)
    fresh.rename(home / "cluster")
    sync(home)


def check_version(cluster: Path, binaries: Path) -> None:
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedError(f"The database in {cluster} is damaged: PG_VERSION is missing. Restore a backup.") from None
    output = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    ours = output.split()[2].split(".")[0]
    if version != ours:
        raise EmbeddedError(
            f"The database in {cluster} was made by PostgreSQL {version} and this is PostgreSQL {ours}: "
            "restore it from a dump, or go back to the version that made it."
        )


def give_to_nobody(cluster: Path) -> None:
    for folder, _, files in os.walk(cluster):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def socket_folder(home: Path) -> Path:
    """Return `socket/` beside the data or, if its path is too long for a socket, a private folder in /tmp, which is
    remembered."""
    folder = home / "socket"
    too_long = len(os.fsencode(folder / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT
    if too_long or "," in str(folder):  # libpq reads a comma as a list of hosts
        remembered = home / "socket-folder"
        if remembered.exists() and is_ours_alone(Path(remembered.read_text())):
            folder = Path(remembered.read_text())
        else:
            folder = Path(tempfile.mkdtemp(prefix="clinic-", dir="/tmp"))  # TMPDIR may be a long path as well
            write(remembered, str(folder))
    folder.mkdir(mode=0o700, exist_ok=True)
    for stale in folder.glob(".s.PGSQL.*"):
        stale.unlink()
    return folder


def is_ours_alone(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return status.st_uid == os.geteuid() and status.st_mode == 0o040700


def is_ready(pid_file: Path) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def last_words(log: Path) -> str:
    """Return the reason of a failure from the output of this start, or a full disk, on which there may be no output."""
    text = log.read_text(errors="replace").rpartition(LOG_MARK)[2]
    if re.search("No space left|wrote only", text) or shutil.disk_usage(log.parent).free < 1_000_000:
        return "No space left on device"
    reasons = [line for line in text.splitlines() if re.search("FATAL:|PANIC:|error:", line)]
    return reasons[0].strip() if reasons else "no reason given"


def write(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, completely or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    with open(fresh, "w", opener=private) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


# --- the user PostgreSQL runs as -------------------------------------------------------------------------------------


def run(command: Command, lock: int, prepare: Callable[[], None] = lambda: None) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL. These programs refuse to run as root, so root runs them as nobody."""

    def become() -> None:
        if os.geteuid() == 0:
            drop_root(NOBODY, NOBODY)
        prepare()
        if sys.platform == "linux":
            prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG: a killed supervisor stops its server too

    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=sys.stderr, pass_fds=[lock], cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath}, umask=0o077, preexec_fn=become,
    )  # fmt: skip


def drop_root(user: int, group: int) -> None:
    """Become an ordinary user who may still open every file: folders above ours may be accessible to root only."""
    linux = sys.platform == "linux"
    if linux:
        # PR_SET_SECUREBITS, NO_SETUID_FIXUP: the change of user keeps capabilities, and access(2), which initdb calls,
        # respects them.
        prctl(28, 1 << 2)
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    if linux:
        bit = 1 << 1  # CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
        call("capset", header, sets)
        prctl(47, 2, 1, 0, 0)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE: kept by the program that is started next


def borrow_a_name() -> None:
    """Give the user a name in a namespace of its own: initdb needs one, and containers run under bare numbers."""
    user, group = os.geteuid(), os.getegid()
    try:
        pwd.getpwuid(user)
    except KeyError:
        lent = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid)
        prctl(4, 1)  # PR_SET_DUMPABLE: otherwise a process that changed its user may not write its own files in /proc
        os.unshare(os.CLONE_NEWUSER)
        Path("/proc/self/uid_map").write_text(f"{lent} {user} 1")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def prctl(*arguments: int) -> None:
    call("prctl", *map(ctypes.c_ulong, arguments))


def call(function: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    supervise(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
