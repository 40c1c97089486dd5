"""The tests' own database: made once for each version of the migrations, started only for tests that ask for one."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from clinic.local import postgres
from tests import database


def test_runs_at_once_get_copies_of_data_made_once(tmp_path):
    kept, folders, made = tmp_path / "kept", [tmp_path / "first", tmp_path / "second"], []
    for folder in (kept, *folders, kept / "of-another-version"):
        folder.mkdir()

    def make(folder):
        made.append(folder)
        with postgres.running(folder, settings=database.THROW_AWAY) as url, psycopg.connect(url) as session:
            session.execute("CREATE TABLE made AS SELECT 1 AS number")

    def number_in(folder):
        with database.running(folder, kept, make) as url, psycopg.connect(url) as session:
            return session.execute("UPDATE made SET number = number + 1 RETURNING number").fetchone()[0]

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(number_in, folders)) == [2, 2]

    assert len(made) == 1
    assert [path.name for path in kept.iterdir() if path.is_dir()] == [database._version_of_the_data()]


@pytest.mark.django_db
def test_every_migration_has_run_in_what_a_run_begins_with():
    run = MigrationRecorder(connection).migration_qs.filter(app="clinic")
    assert run.count() == len([*(database.ROOT / "clinic/migrations").glob("[0-9]*.py")])


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
