"""Set the environment variables of local mode before Django reads its settings, so that a laptop needs none.

Local mode: neither SECRET_KEY nor ALLOWED_HOSTS is set, and the database is the embedded one or the command is `start`.
Then the secret comes from the data folder, and the clinic is served over plain HTTP, under names of this machine only.
A deployment sets both variables, and nothing is set here.
"""

import argparse
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import dj_database_url

from clinic.local import postgres
from clinic.local.output import discard_output
from clinic.local.postgres_server import explained, sync

WITHOUT_DATABASE = {"", "help", "version", "compilemessages", "makemessages", "write_style_sheets"}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
IF_LOST = (
    "If it is lost for good, delete {file} and run manage.py adopt_secret_key: a new one is made, everybody signs in "
    "again, and API keys have to be made anew."
)
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@contextlib.contextmanager
def prepared(arguments: list[str]) -> Iterator[None]:
    """Enclose a management command: set local mode's variables, and run the embedded PostgreSQL unless DATABASE_URL is
    set.

    Errors end the process with one line, an output that was closed without any. SIGTERM and SIGHUP unwind the command
    as Ctrl-C does.
    """
    command = next((word for word in arguments if not word.startswith("-")), "")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: _stop(command, number))
    needs_database = command not in WITHOUT_DATABASE and not {"-h", "--help", "--version"} & set(arguments)
    try:
        with contextlib.ExitStack() as stack:
            if _is_local(command):
                _set_local_variables(arguments, keep_secret=needs_database)
            if os.environ.get("DATABASE_URL"):
                _check_url(os.environ["DATABASE_URL"])
            elif needs_database:
                os.environ["DATABASE_URL"] = stack.enter_context(postgres.running(postgres.data_dir()))
            try:
                yield
            finally:
                if sys.stdout:  # None where it is closed when the command begins
                    sys.stdout.flush()
    except KeyboardInterrupt:
        _stop(command, signal.SIGINT)
    except BrokenPipeError:
        discard_output()
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        # Django, interrupted between opening a file and keeping it, closes it twice.
        if isinstance(error.__context__, KeyboardInterrupt):
            _stop(command, signal.SIGINT)
        if isinstance(error.__context__, SystemExit):
            raise error.__context__ from None
        raise
    except postgres.EmbeddedError as error:
        sys.exit(str(error))


def secret_key(folder: Path) -> str:
    """Return the secret of this installation: `secret-key` in the data folder, mode 0600, created when missing.

    Raises EmbeddedError when it cannot be read or is damaged.
    """
    path = key_file(folder)
    with explained():
        if not path.exists():
            fresh = folder / f"{path.name}.{secrets.token_hex(4)}"
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())  # or a power cut may leave an empty file under the final name
            with contextlib.suppress(FileExistsError):  # another command created it first, and its secret is valid
                os.link(fresh, path)
            fresh.unlink()
            sync(folder)
        secret = path.read_bytes().decode(errors="replace").strip()
    # Bytes that are not UTF-8 became a character that no key has; isprintable() refuses zero bytes and line ends.
    if not secret or not secret.isprintable() or "\N{REPLACEMENT CHARACTER}" in secret:
        raise postgres.EmbeddedError(f"{path} is damaged: put it back from your backup. {IF_LOST.format(file=path)}")
    return secret


def key_file(folder: Path) -> Path:
    return folder / "secret-key"


def _is_local(command: str) -> bool:
    is_configured = os.environ.get("SECRET_KEY") or os.environ.get("ALLOWED_HOSTS")
    return not is_configured and (command == "start" or not os.environ.get("DATABASE_URL"))


def _set_local_variables(arguments: list[str], *, keep_secret: bool) -> None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default=LOOPBACK[0])
    host = parser.parse_known_args(arguments)[0].host
    hosts = dict.fromkeys([*LOOPBACK, *([] if host in EVERY_ADDRESS else [f"[{host}]" if ":" in host else host])])
    os.environ["SECRET_KEY"] = secret_key(postgres.data_dir()) if keep_secret else secrets.token_urlsafe(48)
    os.environ["ALLOWED_HOSTS"] = ",".join(hosts)
    os.environ.setdefault("PLAIN_HTTP", "true")


def _check_url(url: str) -> None:
    try:
        engine = dj_database_url.parse(url)["ENGINE"]
    except ValueError:
        engine = ""
    if engine != "django.db.backends.postgresql":
        raise postgres.EmbeddedError(
            "DATABASE_URL is not a PostgreSQL address: postgresql://user:password@host:5432/name"
        )


def _stop(command: str, number: int) -> NoReturn:
    sys.exit(0 if command == "start" else 128 + number)  # `start` is ended by a signal
