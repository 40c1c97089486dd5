"""`manage.py serve` on this test's database: real worker processes, a real socket."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

ROOT = Path(__file__).resolve().parents[2]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Distinguishes its sessions from the test process's own: `shared_server` keeps some until the end of the run.
APPLICATION_NAME = "served"


class Served:
    """What the server writes goes into a file: it would stand still at a pipe that nobody reads."""

    def __init__(self, static: Path) -> None:
        self.port = free_port()
        self.log = static.with_name(f"server-{self.port}.log")
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port), "--workers", "2"],
                cwd=ROOT,
                env=os.environ | {"DATABASE_URL": url, "STATIC_ROOT": str(static), "PGAPPNAME": APPLICATION_NAME},
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> tuple[int | None, str]:
        """Status (None when nobody answers) and body."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as asking:
            try:
                asking.request(method, path, body or None, headers)
                with asking.getresponse() as response:
                    return response.status, response.read().decode()
            except (OSError, http.client.HTTPException):
                return None, ""

    def is_up(self) -> bool:
        return self.ask("/health")[0] == 200

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def output(self) -> str:
        """All that it has written, once it has ended."""
        self.process.wait(timeout=60)
        return self.log.read_text()

    def begin(self, head: str) -> socket.socket:
        """A connection on which no more than `head` has been sent."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        opened.sendall(head.encode())
        return opened


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def answer_of(opened: socket.socket) -> str:
    """All that comes until the other side closes the connection."""
    with opened:
        return b"".join(iter(lambda: opened.recv(65536), b"")).decode()


@pytest.fixture(scope="session")
def static(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder, STORAGES=STORAGES):
        call_command("collectstatic", interactive=False, verbosity=0)
    return folder


@contextlib.contextmanager
def serving(static: Path) -> Iterator[Served]:
    server = Served(static)
    try:
        eventually(server.is_up)
        yield server
    finally:
        server.process.terminate()
        server.output()


@pytest.fixture(scope="session")
def shared_server(static, django_db_setup) -> Iterator[Served]:
    with serving(static) as server:
        yield server


@pytest.fixture
def served(shared_server, transactional_db) -> Served:
    """A server that many tests use one after the other: none of them ends it or its workers."""
    assert shared_server.is_up()
    return shared_server


@pytest.fixture
def own_server(static, transactional_db) -> Iterator[Served]:
    """A server of this test's own, to end or to kill."""
    with serving(static) as server:
        yield server
