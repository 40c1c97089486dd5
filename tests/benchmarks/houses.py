"""What is measured: databases of different fullness on one PostgreSQL, each with a web server of its own.

All of them are up during the whole run, so that what is compared can take turns and noise hits every side.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.core.management import call_command
from django.db import connection

CORES = os.cpu_count() or 1


@dataclass
class House:
    """A database that held `stored` appointments, its address and its server's port, and the free times left in it."""

    stored: int
    url: str
    port: int
    slots: Iterator = field(repr=False, default=iter(()))


def url_of(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def create_database(server: str, name: str, template: str = "") -> None:
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))


@contextmanager
def houses(server: str, first: str, sizes: list[int]) -> Iterator[list[House]]:
    """A house for each size, smallest first. `first` names the database that Django is connected to here, with its
    tables and people; the others grow from copies of it."""
    name, names = first, []
    for size in sizes:
        if names:
            name = f"bench_{size}"
            create_database(server, name, template=names[-1])
        print(f"Storing {size} appointments …", file=sys.stderr, flush=True)
        manage(url_of(server, name), "seed_load", "--appointments", str(size))
        names.append(name)
    call_command("collectstatic", interactive=False, verbosity=0)
    with ExitStack() as stack:
        urls = [url_of(server, name) for name in names]
        yield [House(size, url, stack.enter_context(web_server(url))) for size, url in zip(sizes, urls, strict=True)]


def manage(url: str, *arguments: str) -> None:
    connection.close()
    connection.close_pool()
    command = [sys.executable, "-m", "django", *arguments]
    subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, stdout=sys.stderr, check=True)


@contextmanager
def web_server(url: str) -> Iterator[int]:
    """The web server as `manage.py start` runs it, with the bare views added; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.benchmarks.server", str(port)]
    process = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url})
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Raises RuntimeError when the server ends instead of answering."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise RuntimeError("The web server did not start.")


def machine() -> str:
    """This machine in one line, for the table."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "unknown CPU",
    )
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
    return f"{CORES} × {model}, Python {sys.version.split()[0]}, PostgreSQL {version}"
