"""The clinic served by processes of its own, on the database of a test."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from tests.locks import wait_until_killed_sessions_have_ended


@contextmanager
def served(workers):
    """Give the port of a server with that many workers, and its process, by which its workers are found."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | {
        "DATABASE_URL": url,
        "API_REQUESTS_A_MINUTE": "1000000",
        "API_REQUESTS_A_SECOND": "1000000",
    }
    command = [sys.executable, "-m", "tests.api.prefork", str(workers)]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield int(process.stdout.readline()), process
    finally:
        running = workers_of(process)
        process.kill()
        process.wait()
        process.stdout.close()
        for worker in running:
            os.kill(worker, signal.SIGKILL)
        wait_until_killed_sessions_have_ended()


def workers_of(process):
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
