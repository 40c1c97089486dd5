"""`manage.py start` as an operator meets it: real processes, real signals, one line for what cannot work."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from clinic.local import postgres

ROOT = Path(__file__).resolve().parent.parent
MANAGE = (sys.executable, str(ROOT / "manage.py"))


def clean_environment(folder: Path, **more: str) -> dict[str, str]:
    """This process's environment without what configures the clinic: conftest set that for the tests themselves."""
    ours = {
        "DATABASE_URL",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "PLAIN_HTTP",
        "DEBUG",
        "DJANGO_SETTINGS_MODULE",
        "HSTS_PRELOAD",
    }
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"CLINIC_DATA_DIR": str(folder)} | more


def free_port() -> int:
    """A port of this test worker's own, below those that the system hands out by itself."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for port in range(8100 + 5 * worker, 8105 + 5 * worker):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


class Clinic:
    """A running `start`."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.process = subprocess.Popen(
            [*(command or MANAGE), "start", "--no-demo", "--port", str(self.port)],
            cwd=ROOT, env=clean_environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def open(self) -> None:
        line = self.process.stdout.readline()
        assert f"http://127.0.0.1:{self.port}/" in line, line + self.process.stdout.read()
        self.first_link = self.process.stdout.readline().split()[-1]  # there is nobody yet
        assert self.first_link.startswith(f"http://127.0.0.1:{self.port}/comecar/?link=")
        assert "good once" in self.process.stdout.readline()
        assert self.status("/entrar/") == 200  # the address is printed once it answers

    def get(
        self, path: str, host: str = "127.0.0.1", **headers: str
    ) -> tuple[int | None, str, http.client.HTTPMessage]:
        """Status (None when nobody listens), body, headers."""
        with contextlib.closing(http.client.HTTPConnection(host, self.port, timeout=30)) as connection:
            try:
                connection.request("GET", path, headers=headers)
                with connection.getresponse() as response:
                    return response.status, response.read().decode(), response.headers
            except ConnectionError:
                return None, "", http.client.HTTPMessage()

    def status(self, path: str, **headers: str) -> int | None:
        return self.get(path, **headers)[0]

    def end(self) -> tuple[int, str]:
        """Its exit code and what it printed last, once nothing of it is left."""
        output = self.process.communicate(timeout=60)[0]
        assert not left_over(self.folder)
        return self.process.returncode, output


def eventually(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def left_over(folder: Path) -> list[str]:
    """Command lines of the processes that were started with this data folder in their environment or arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (path / "cmdline").read_bytes()
            if str(folder).encode() in line + (path / "environ").read_bytes():
                found.append(line.replace(b"\0", b" ").decode())
    return found


class Starts:
    """Opens the clinic on one data folder, unless it is open already: making the static files takes seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Clinic] = []

    def __call__(self) -> Clinic:
        if not self.is_open():
            self.started.append(Clinic(self.folder))
            self.started[-1].open()
        return self.started[-1]

    def is_open(self) -> bool:
        return bool(self.started) and self.started[-1].process.poll() is None

    def closed(self) -> Path:
        """The data folder, once the clinic has been open on it and is no longer."""
        if self.is_open() or not self.started:
            clinic = self()
            clinic.process.terminate()
            assert clinic.end() == (0, "")
        return self.folder


@pytest.fixture(scope="module")
def starts(tmp_path_factory) -> Iterator[Starts]:
    starts = Starts(tmp_path_factory.mktemp("data"))
    yield starts
    for clinic in starts.started:
        clinic.process.terminate()
        clinic.process.wait(60)
        clinic.process.stdout.close()
    assert not left_over(starts.folder)


@pytest.fixture
def clinic(starts: Starts) -> Clinic:
    return starts()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("server"), {"fsync": "off"}) as url:
        yield url


@contextlib.contextmanager
def a_slow_request(clinic: Clinic) -> Iterator[list[int | None]]:
    """A request that waits for its session's row while the body runs; its status is in the list afterwards."""
    url = (clinic.folder / "postgres" / "url").read_text()
    statuses = []
    request = threading.Thread(
        target=lambda: statuses.append(clinic.status("/", Cookie="sessionid=abcdefghijabcdefghijabcdefghij12"))
    )
    with psycopg.connect(url) as lock, psycopg.connect(url, autocommit=True) as watch:
        lock.execute("LOCK TABLE clinic_staffsession IN ACCESS EXCLUSIVE MODE")
        request.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'clinic_staffsession'::regclass AND NOT granted"
        eventually(lambda: watch.execute(waiting).fetchone()[0])
        yield statuses
    request.join()


def refusal(folder: Path, *arguments: str, **environment: str) -> str:
    """The one line on standard error with which `start` refuses."""
    done = subprocess.run(
        [*MANAGE, "start", *arguments],
        cwd=ROOT, env=clean_environment(folder, **environment), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def test_start_prints_its_address_and_serves_sign_in_over_http(clinic):
    status, page, headers = clinic.get("/entrar/", host="localhost")
    assert status == 200 and "Strict-Transport-Security" not in headers
    style = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)[1]
    assert clinic.status(style) == 200


SCHEMA = """
SELECT 'column', attrelid::regclass::text, attname::text,
    concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation, attidentity, attgenerated,
        pg_get_expr(adbin, adrelid))
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text,
    concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid)
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace
UNION SELECT 'constraint', conrelid::regclass::text, conname::text,
    concat_ws(' ', pg_get_constraintdef(oid), convalidated)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    AND contype <> 'n' -- since PostgreSQL 18; the column has it
UNION SELECT 'trigger', tgrelid::regclass::text, tgname::text, concat_ws(' ', pg_get_triggerdef(oid), tgenabled)
FROM pg_trigger WHERE NOT tgisinternal
UNION SELECT 'function', proname::text, oidvectortypes(proargtypes), prosrc
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_depend -- of an extension
    WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
)
"""


@pytest.mark.django_db
def test_start_makes_the_tables_that_all_other_tests_use(clinic):
    """Theirs come by a shorter way: see tests/migrated.py."""
    with psycopg.connect((clinic.folder / "postgres" / "url").read_text()) as session:
        made = set(session.execute(SCHEMA).fetchall())
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        assert set(cursor.fetchall()) == made and len(made) > 1000


def test_a_foreign_host_name_is_refused(clinic):
    assert clinic.status("/entrar/", Host="clinic.example") == 400


def test_the_secret_is_its_owners_alone_and_survives_a_restart(starts):
    secret = starts().folder / "secret-key"
    assert secret.stat().st_mode & 0o777 == 0o600 and len(secret.read_text()) >= 50
    before = secret.read_text()
    clinic = starts()
    clinic.process.terminate()
    assert clinic.end() == (0, "")
    starts()
    assert secret.read_text() == before


@pytest.mark.parametrize(
    "content",
    [b"", b" \n", b"\xff\xfe" * 30, bytes(60), b"two\nlines", "\N{REPLACEMENT CHARACTER}".encode() * 50],
    ids=["empty", "blank", "binary", "zeros", "lines", "replaced"],
)
def test_a_damaged_secret_key_is_named_and_left_alone(tmp_path, content):
    key = tmp_path / "secret-key"
    key.write_bytes(content)
    line = refusal(tmp_path)
    assert line.startswith(f"{key} is damaged: put it back from your backup") and "adopt_secret_key" in line
    assert key.read_bytes() == content


def test_a_secret_key_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "secret-key").mkdir()
    assert f"{tmp_path / 'secret-key'}: Is a directory" in refusal(tmp_path)


def test_secret_key_of_another_database_is_refused_until_adopted(starts, subtests):
    folder = starts.closed()
    key = folder / "secret-key"
    own = key.read_text()
    try:
        for kind, content in {"another's": "x" * 64, "one letter less": own[:-1], "lost": None}.items():
            with subtests.test(kind):
                key.unlink() if content is None else key.write_text(content)
                line = refusal(folder, "--port", str(free_port()))
                assert f"The key in {key} does not belong to this database" in line and own not in line
    finally:
        key.write_text(own)
    assert starts().status("/entrar/") == 200


def test_a_lost_secret_key_is_replaced_by_one_command(starts, tmp_path):
    folder = starts.closed()
    (folder / "secret-key").unlink()
    adopting = subprocess.run(
        [*MANAGE, "adopt_secret_key"], cwd=ROOT, env=clean_environment(folder), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (adopting.returncode, adopting.stderr) == (0, "")
    assert starts().status("/entrar/") == 200


def test_a_start_forgets_what_is_kept_for_a_while_only(starts):
    clinic = starts()
    with psycopg.connect((clinic.folder / "postgres" / "url").read_text()) as session:
        session.execute("INSERT INTO clinic_requestcount (who, tick, count) VALUES ('somebody', 1, 1)")
    clinic.process.terminate()
    assert clinic.end() == (0, "")
    with psycopg.connect((starts().folder / "postgres" / "url").read_text()) as session:
        assert session.execute("SELECT count(*) FROM clinic_requestcount").fetchone() == (0,)


def test_ctrl_c_finishes_the_requests_under_way_and_leaves_no_process(clinic):
    with a_slow_request(clinic) as statuses:
        os.killpg(clinic.process.pid, signal.SIGINT)  # as a terminal does: to every process at once
        eventually(lambda: clinic.status("/entrar/") is None)
        assert not statuses
    assert statuses == [302]
    assert clinic.end() == (0, "")


def test_sigterm_to_the_main_process_finishes_the_requests_under_way(clinic):
    with a_slow_request(clinic) as statuses:
        clinic.process.terminate()
        eventually(lambda: clinic.status("/entrar/") is None)
        assert not statuses
    assert statuses == [302]
    assert clinic.end() == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="workers watch themselves on Linux only")
@pytest.mark.parametrize(
    ("stuck", "code"),
    [
        ("threading.Event().wait()", 0),
        ("ctypes.PyDLL(None).sleep(600)", -signal.SIGALRM),  # and keeps the interpreter's lock meanwhile
    ],
    ids=["waiting", "locked"],
)
def test_a_worker_that_is_stuck_in_its_end_is_ended(tmp_path, stuck, code):
    program = (
        "import ctypes, os, signal, threading, time; from clinic.server.worker import Loader;"
        " loader = Loader(os.getppid(), 'clinic.wsgi:application', running=1, waiting=1);"
        " threading.Thread(target=loader.end_when_idle).start()\n"
        f"while not signal.getitimer(signal.ITIMER_REAL)[0]: time.sleep(0.01)\n{stuck}"
    )
    made = {"DJANGO_SETTINGS_MODULE": "clinic.settings", "SECRET_KEY": "x" * 60, "ALLOWED_HOSTS": "testserver"}
    program = f"import django; django.setup(); {program}"
    ended = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment(tmp_path, **made), cwd=ROOT, timeout=60, check=False
    )
    assert ended.returncode == code


def test_signals_of_every_kind_at_once_still_end_it_well(clinic):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        os.killpg(clinic.process.pid, number)
    code, output = clinic.end()
    assert code == 0 and "Killing" not in output and "Traceback" not in output


UV = os.environ.get("UV") or shutil.which("uv")  # `uv run` names itself to what it runs


@pytest.mark.skipif(not UV, reason="there is no uv here")
def test_sigterm_to_uv_run_ends_it_well(starts):
    wrapped = Clinic(starts.closed(), UV, "run", "--no-sync", "python", "manage.py")
    wrapped.open()
    with a_slow_request(wrapped) as statuses:
        wrapped.process.terminate()
        eventually(lambda: wrapped.status("/entrar/") is None)
    assert statuses == [302]
    assert wrapped.end() == (0, "")


def test_killed_main_process_leaves_nothing_and_next_start_works(starts):
    clinic = starts()
    clinic.process.kill()
    clinic.process.wait()
    eventually(lambda: not left_over(clinic.folder))
    assert starts().status("/entrar/") == 200


def test_a_killed_worker_is_replaced(clinic):
    children = Path(f"/proc/{clinic.process.pid}/task/{clinic.process.pid}/children")
    workers = children.read_text().split()
    for pid in workers:
        os.kill(int(pid), signal.SIGKILL)
    eventually(lambda: clinic.status("/entrar/") == 200)
    assert not set(workers) & set(children.read_text().split())


def test_stop_during_preparation_ends_without_a_traceback(starts, tmp_path):
    stopped = starts()
    stopped.process.terminate()
    assert stopped.end()[0] == 0  # what it printed may be of the test before
    shutil.rmtree(stopped.folder / "static")
    # Collected in the folder whose migrations have run: on a busy machine they take longer than is waited for.
    collecting = [(stopped.folder, "static")]
    for folder, name in [*((tmp_path, f"{name}") for name in STEPS), *collecting]:
        clinic, path = Clinic(folder), folder / name
        eventually(lambda path=path, clinic=clinic: path.exists() or clinic.process.poll() is not None)
        is_reached = path.exists()
        with contextlib.suppress(ProcessLookupError):  # it says why below
            os.killpg(clinic.process.pid, signal.SIGINT)
        code, printed = clinic.end()
        assert (code, printed, is_reached) == (0, "", True), printed


STEPS = ("postgres/starting.lock", "postgres/url", "start.lock")  # the files in which the steps before this begin


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_while_a_file_is_opened_ends_without_a_traceback(tmp_path, number):
    """As collectstatic opens hundreds: the file is closed already when Django unlocks and closes it."""
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_AT_AN_OPENING, str(number.value)],
        cwd=ROOT, env=clean_environment(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (128 + number, "")


STOPPED_AT_AN_OPENING = """
import os, sys
from clinic.local import environment

def stop(frame, event, called):
    if event == "c_return" and called is open and frame.f_code is os.fdopen.__code__:
        sys.setprofile(None)
        os.kill(os.getpid(), int(sys.argv[1]))

with environment.prepared(["help"]):
    import django.conf
    from django.core.files.base import ContentFile
    from django.core.files.storage import FileSystemStorage
    django.conf.settings.configure(USE_TZ=True)
    storage = FileSystemStorage(os.environ["CLINIC_DATA_DIR"])
    sys.setprofile(stop)
    storage.save("logo.svg", ContentFile(b"<svg/>"))
"""


def test_a_closed_output_leaves_the_clinic_open(starts):
    """As by `start | head -1`."""
    piped = Clinic(starts.closed())
    piped.process.stdout.close()
    output = Path(f"/proc/{piped.process.pid}/fd/1")
    try:
        eventually(lambda: piped.process.poll() is not None or output.readlink() == Path(os.devnull))
        assert piped.status("/entrar/") == 200
    finally:
        piped.process.terminate()
        assert piped.process.wait(60) == 0
    assert not left_over(piped.folder)


@pytest.mark.parametrize("arguments", [["help"], ["help", "--commands"], ["version"]])
def test_a_command_whose_output_was_closed_ends_without_a_word(tmp_path, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*MANAGE, *arguments],
        cwd=ROOT, env=clean_environment(tmp_path), stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_a_command_that_begins_without_an_output_ends_well(tmp_path):
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *MANAGE, "help", "check"],
        cwd=ROOT, env=clean_environment(tmp_path), stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr.startswith("usage: manage.py check")


def test_a_second_start_on_the_same_data_says_where_the_first_is(clinic):
    line = refusal(clinic.folder, "--port", str(free_port()))
    assert str(clinic.folder) in line and f"http://127.0.0.1:{clinic.port}/" in line
    assert clinic.status("/entrar/") == 200


def test_a_taken_port_is_named(clinic, tmp_path, server):
    line = refusal(tmp_path, "--port", str(clinic.port), DATABASE_URL=server)
    assert "Address already in use" in line and str(clinic.port) in line


@pytest.mark.parametrize(
    "arguments", [("--host", "203.0.113.1"), ("--host", "no-such-host.invalid"), ("--port", "70000")]
)
def test_an_address_that_cannot_be_listened_on_is_named(tmp_path, server, arguments):
    assert arguments[1] in refusal(tmp_path, *arguments, DATABASE_URL=server)


def test_a_folder_that_cannot_be_written_is_named():
    assert "/proc/clinic" in refusal(Path("/proc/clinic"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "not a PostgreSQL address"),
        ("mysql://root@localhost/clinic", "not a PostgreSQL address"),
        ("postgresql://u:p@localhost:port/clinic", "not a PostgreSQL address"),
        ("postgresql://u:p@127.0.0.1:1/clinic", "Connection refused"),
        ("postgresql://u:p@no-such-host.invalid/clinic", "no-such-host.invalid"),
    ],
)
def test_a_broken_database_url_is_explained_without_its_password(tmp_path, url, reason):
    line = refusal(tmp_path, "--port", str(free_port()), DATABASE_URL=url)
    assert reason in line and "u:p@" not in line


def test_a_wrong_password_and_a_missing_database_are_explained(tmp_path, server):
    port = str(free_port())
    password = re.search(r":([^:@]+)@", server)[1]
    wrong = refusal(tmp_path, "--port", port, DATABASE_URL=server.replace(password, "wrong"))
    assert "password authentication failed" in wrong
    missing = refusal(tmp_path, "--port", port, DATABASE_URL=server.replace("/clinic?", "/nowhere?"))
    assert 'database "nowhere" does not exist' in missing and password not in missing


def test_missing_rights_are_explained(tmp_path, server):
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute("CREATE DATABASE bare")
    bare = server.replace("/clinic?", "/bare?")
    with psycopg.connect(bare, autocommit=True) as owner:
        owner.execute("REVOKE CREATE ON DATABASE bare FROM clinic")
    line = refusal(tmp_path, "--port", str(free_port()), DATABASE_URL=bare)
    assert "The extension btree_gist is missing and cannot be created" in line
    with psycopg.connect(bare, autocommit=True) as owner:
        owner.execute("GRANT CREATE ON DATABASE bare TO clinic")
        for name in ("btree_gist", "pg_trgm", "unaccent"):
            owner.execute(f"CREATE EXTENSION {name}")
        owner.execute("REVOKE CREATE ON SCHEMA public FROM pg_database_owner")
    line = refusal(tmp_path, "--port", str(free_port()), DATABASE_URL=bare)
    assert "Tables cannot be created in this database" in line


def test_a_deployment_must_bring_its_secret_and_its_host_names(tmp_path):
    assert "SECRET_KEY" in refusal(tmp_path, ALLOWED_HOSTS="clinic.example")
    assert "ALLOWED_HOSTS" in refusal(tmp_path, SECRET_KEY="x" * 60)


@pytest.mark.parametrize(
    ("asked", "header"),
    [
        ({}, "max-age=31536000; includeSubDomains"),
        ({"HSTS_PRELOAD": "true"}, "max-age=31536000; includeSubDomains; preload"),
    ],
)
def test_hsts_is_always_sent_and_preload_only_when_configured(tmp_path, asked, header):
    program = (
        "import django; django.setup(); from django.test import Client;"
        " print(Client().get('/favicon.svg', secure=True)['Strict-Transport-Security'])"
    )
    deployed = {"DJANGO_SETTINGS_MODULE": "clinic.settings", "SECRET_KEY": "x" * 60, "ALLOWED_HOSTS": "testserver"}
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=clean_environment(tmp_path, **deployed | asked),
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == header
