"""The tests' own database: made once for each version of the migrations, started only for tests that ask for one."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests import database


def migrations_in(folder, kept):
    with database.running(folder, kept) as url, psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM django_migrations WHERE app = 'clinic'").fetchone()[0]


def test_runs_at_once_get_copies_of_data_made_once(tmp_path):
    kept, folders = tmp_path / "kept", [tmp_path / "first", tmp_path / "second"]
    for folder in (kept, *folders, kept / "of-another-version"):
        folder.mkdir()

    with ThreadPoolExecutor() as pool:
        counts = list(pool.map(lambda folder: migrations_in(folder, kept), folders))

    assert counts[0] == counts[1] == len([*(database.ROOT / "clinic/migrations").glob("[0-9]*.py")])
    assert [path.name for path in kept.iterdir() if path.is_dir()] == [database._version_of_the_data()]


def test_tests_that_ask_for_no_database_start_no_server(tmp_path):
    run(["-o", f"cache_dir={tmp_path}", "tests/server/test_environ.py"])

    assert not (tmp_path / "d" / "database").exists()


def run(arguments):
    """pytest in a process of its own, as a developer starts it."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "PYTEST_XDIST_WORKER"}
    }
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    subprocess.run(command, cwd=database.ROOT, env=environment, capture_output=True, text=True, check=True)
