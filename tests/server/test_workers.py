"""Workers that are killed, that never load, and that are told to stop."""

import os
import signal
import subprocess
import sys
import time
from itertools import cycle, islice
from urllib.parse import urlsplit

import pytest
from django.db import connection

from clinic.access import key_check
from clinic.server.supervisor import RESTART_PAUSES
from tests.server.conftest import ROOT, Served, answer_of, eventually, free_port
from tests.server.test_bodies import BY_LENGTH, head


@pytest.mark.parametrize("victims", [slice(0, 1), slice(1, 2), slice(0, 2)], ids=["first", "second", "both"])
def test_workers_killed_again_and_again_come_back(own_server, victims):
    for _ in range(5):
        killed = own_server.workers()[victims]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda killed=killed: len(workers := own_server.workers()) == 2 and not set(killed) & set(workers))
        eventually(own_server.is_up)
    assert own_server.process.poll() is None


def test_workers_are_started_by_a_process_without_other_threads(served):
    # Such a thread may reap a worker before the main thread looks, or hold a lock that the new worker copies.
    assert os.listdir(f"/proc/{served.process.pid}/task") == [str(served.process.pid)]


def test_a_worker_killed_at_its_start_comes_back(own_server):
    old = own_server.workers()
    for _ in range(3):
        victim = own_server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda victim=victim: len(workers := own_server.workers()) == 2 and victim not in workers)
    eventually(own_server.is_up)
    assert not set(old[:1]) & set(own_server.workers())


def test_application_that_never_loads_ends_with_its_errors():
    program = (
        "import django; django.setup(); from clinic.server import supervisor, WorkersNeverLoaded\n"
        f"supervisor.RESTART_PAUSES = (0.1,) * {len(RESTART_PAUSES)}\n"
        "try: supervisor.serve('127.0.0.1', 8399, 2, 'nowhere:application')\n"
        "except WorkersNeverLoaded: print('never loaded')"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout.endswith("never loaded\n")
    assert "No module named 'nowhere'" in ended.stderr


def test_it_is_called_open_when_it_answers():
    port = free_port()
    program = (
        "import http.client, os, signal, django; django.setup(); from clinic.server import serve\n"
        "def ask():\n"
        f"    asked = http.client.HTTPConnection('127.0.0.1', {port}, timeout=30)\n"
        "    asked.request('GET', '/')\n"
        "    print(asked.getresponse().status)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        f"serve('127.0.0.1', {port}, 2, 'wsgiref.simple_server:demo_app', when_open=ask)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, "200\n"), ended.stderr


def test_a_failure_to_say_that_it_is_open_ends_the_server():
    port = free_port()
    program = (
        "import django; django.setup(); from clinic.server import serve\n"
        "from multiprocessing import active_children\n"
        "def fail():\n"
        "    print(*(worker.pid for worker in active_children()), flush=True)\n"
        "    raise BrokenPipeError('nobody reads')\n"
        f"serve('127.0.0.1', {port}, 2, 'wsgiref.simple_server:demo_app', when_open=fail)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as serving:  # fmt: skip
        try:
            output, errors = serving.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(serving.pid, signal.SIGKILL)
            raise
    assert (serving.returncode, len(workers := output.split())) == (1, 2), errors
    assert errors.endswith("BrokenPipeError: nobody reads\n")
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)


def test_being_stopped_does_not_wait_for_half_sent_bodies(own_server):
    hanging = [own_server.begin(head("/entrar/", BY_LENGTH)) for _ in range(8)]
    assert own_server.is_up()
    began = time.monotonic()
    own_server.process.terminate()
    output = own_server.output()
    assert time.monotonic() - began < 10
    assert (own_server.process.returncode, "Killing" in output) == (0, False)
    for each in hanging:
        each.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_stopped_while_workers_load_leaves_none(static, transactional_db, number):
    server = Served(static)
    eventually(lambda: len(server.workers()) == 2)
    workers = server.workers()
    os.killpg(server.process.pid, number)
    output = server.output()
    assert server.process.returncode == 0 and "Traceback" not in output
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)


def test_a_request_under_way_is_answered_before_the_end(own_server):
    slow = own_server.begin(head("/entrar/", "Connection: close\r\nContent-Length: 4\r\n\r\n"))
    slow.sendall(b"a=12")
    own_server.process.terminate()
    assert answer_of(slow).startswith("HTTP/1.1 403 ")
    own_server.output()


def test_serve_refuses_the_key_of_another_database(static, transactional_db):
    key_check.require_own_key()
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | {"DATABASE_URL": url, "STATIC_ROOT": str(static), "SECRET_KEY": "another's" * 8}
    refused = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", str(free_port())],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("CommandError: SECRET_KEY does not belong to this database.")


def test_with_a_worker_for_every_processor_each_keeps_to_its_own(own_server):
    processors = os.sched_getaffinity(0)
    own = [processors] * 2 if len(processors) > 2 else [{each} for each in islice(cycle(sorted(processors)), 2)]
    eventually(lambda: [os.sched_getaffinity(pid) for pid in own_server.workers()] == own)
    victim = own_server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(workers := own_server.workers()) == 2 and victim not in workers)
    eventually(lambda: sorted(map(sorted, map(os.sched_getaffinity, own_server.workers()))) == list(map(sorted, own)))
