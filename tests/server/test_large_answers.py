"""An answer that is a large file: sent from the disk, without a thread, and gone afterwards however it ends."""

import asyncio
import io
import secrets
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode
from weakref import ref

import pytest
from django.test import Client
from django.urls import reverse

from clinic.server import application
from clinic.server.application import MAX_IN_MEMORY, Application
from clinic.server.disk import unnamed_file
from tests.factories import make_clinic, make_manager, make_patient
from tests.server.conftest import eventually
from tests.server.test_application import SCOPE

MEGABYTE = 1024 * 1024


async def receive():
    await asyncio.Event().wait()  # the request has no body, and the client stays


def answering(size, files):
    """Return an application whose answer is a file of that size, which `files` gets."""

    def wsgi(environ, start_response):
        file = unnamed_file()
        file.truncate(size)
        files.append(file)
        start_response("200 So", [])
        return environ["wsgi.file_wrapper"](file)

    return Application(wsgi, running=1, waiting=1)


def run(asked):
    with ThreadPoolExecutor(1) as thread:  # in this one, Playwright's loop may be running
        return thread.submit(asyncio.run, asked).result()


def open_files():
    return {path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}


@pytest.mark.parametrize("size", [0, 5, MAX_IN_MEMORY, MAX_IN_MEMORY + 1, 64 * MEGABYTE])
def test_a_file_of_any_size_arrives_and_is_never_whole_in_memory(size):
    files, lengths, before = [], [], open_files()

    async def send(message):
        if message["type"] == "http.response.body":
            lengths.append((len(message["body"]), message.get("more_body", False)))

    tracemalloc.start()
    run(answering(size, files)(SCOPE | {"path": "/"}, receive, send))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(length for length, _more in lengths) == size
    assert [more for _length, more in lengths] == [True] * (len(lengths) - 1) + [False]
    assert peak < 3 * MEGABYTE, peak
    assert files[0].closed and open_files() <= before


def test_of_a_client_that_takes_nothing_the_file_is_let_go(monkeypatch):
    monkeypatch.setattr(application, "STALLED_SECONDS", 2)
    files, free, before = [], [], open_files()
    served = answering(MEGABYTE, files)

    async def send(message):
        if message["type"] == "http.response.body":
            free.append(await served.threads.run(lambda: True))
            await asyncio.Event().wait()

    run(served(SCOPE | {"path": "/"}, receive, send))
    assert free == [True], "the one thread is free meanwhile, and nothing is sent after the client was given up"
    assert files[0].closed and open_files() <= before


def test_of_a_client_that_has_gone_no_more_is_read():
    """As granian does: `send` returns at once, and `receive` says so."""
    files, pieces, before = [], [], open_files()

    async def gone():
        while not pieces:
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message):
        pieces.append(message.get("body"))

    run(answering(64 * MEGABYTE, files)(SCOPE | {"path": "/"}, gone, send))
    assert len(pieces) < 10 and files[0].closed and open_files() <= before


def test_others_have_their_turn_after_each_piece():
    pieces, turns = [], []

    async def other():
        while True:
            turns.append(len(pieces))
            await asyncio.sleep(0)

    async def send(message):
        pieces.append(message)

    async def both():
        asking = asyncio.create_task(other())
        await answering(4 * MEGABYTE, [])(SCOPE | {"path": "/"}, receive, send)
        asking.cancel()

    run(both())
    assert len(pieces) > 10 and len({*turns}) > 10


def test_a_file_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(application, "SENT_SECONDS", 0.5)
    files, pieces = [], []

    async def send(message):
        pieces.append(message)
        await asyncio.sleep(0.01)  # the client's own slowness

    run(answering(1024 * MEGABYTE, files)(SCOPE | {"path": "/"}, receive, send))
    assert len(pieces) < 100 and files[0].closed


class Kept:
    """What goes with a file."""


def answering_with(kept, size, files):
    """Return an application whose one answer is a file of that size, with the only object of the list `kept`."""

    def wsgi(environ, start_response):
        file = unnamed_file()
        file.truncate(size)
        file.kept = kept.pop()
        files.append(file)
        start_response("200 So", [])
        return environ["wsgi.file_wrapper"](file)

    return Application(wsgi, running=1, waiting=1)


@pytest.mark.parametrize("size", [5, MEGABYTE])
def test_what_goes_with_a_file_is_kept_until_it_is_sent(size):
    files, seen, things = [], [], [Kept()]
    kept = ref(things[0])

    async def send(message):
        seen.append(kept() is not None)

    run(answering_with(things, size, files)(SCOPE | {"path": "/"}, receive, send))
    assert files[0].closed and kept() is None and all(seen) == (size == MEGABYTE)


def test_what_goes_with_a_file_ends_where_no_byte_is_sent():
    files, things, before = [], [Kept()], open_files()
    kept = ref(things[0])

    async def send(message):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        run(answering_with(things, MEGABYTE, files)(SCOPE | {"path": "/"}, receive, send))
    assert files[0].closed and kept() is None and open_files() <= before


def unnamed_files(served):
    """Return how many files without a name the workers have open."""
    return sum(
        "(deleted)" in str(link.readlink()) and "/dev/" not in str(link.readlink())
        for pid in served.workers()
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    )


def test_an_archive_is_downloaded_and_leaves_nothing(served):
    manager, client = make_manager(make_clinic()), Client()
    for _ in range(300):
        make_patient(manager.clinic, notes=secrets.token_urlsafe(1400))
    client.force_login(manager)
    address = reverse("web:export-clinic")
    token = client.get(address).cookies["csrftoken"].value
    form = urlencode({"csrfmiddlewaretoken": token})
    head = (
        f"POST {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Cookie: csrftoken={token}; sessionid={client.cookies['sessionid'].value}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
    )
    before = unnamed_files(served)
    with closing(served.begin(head)) as opened:
        content = b"".join(iter(lambda: opened.recv(65536), b""))
    headers, _, archive = content.partition(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 200 ") and f"content-length: {len(archive)}".encode() in headers.lower()
    assert len(archive) > MAX_IN_MEMORY
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert opened.read("tables/patient.jsonl").count(b"\n") == 300
    eventually(lambda: _first_bytes(served, head) == b"HTTP/1.1 2")  # once the lock of the first is released
    eventually(lambda: unnamed_files(served) == before)


def _first_bytes(served, head):
    with closing(served.begin(head)) as broken:
        return broken.recv(10)
