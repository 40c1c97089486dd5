"""The ASGI application of the web server: it reads the body, then runs Django in a thread.

A thread therefore never waits for a client: granian's own WSGI threads wait for bodies without a limit, and five
half-sent ones stopped the clinic. Django runs as WSGI because its code is synchronous: its ASGI handler answered a
fifth as many requests. RSGI is not used because, when reading in parts, it does not distinguish a complete body from
one that broke off.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import IO
from wsgiref.util import FileWrapper

from django.conf import settings

from clinic.server.body import Message, Receive, read_body
from clinic.server.environ import Environ, wsgi_environ
from clinic.server.threads import Threads

# Delays the page that refuses too many tries, or a try while busy: a connection can guess one password a second.
REFUSED_SECONDS = 1
REFUSED = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}

MAX_IN_MEMORY = 256 * 1024  # bytes of a file that is an answer; a larger one is sent from the disk
PIECE = 256 * 1024
STALLED_SECONDS = 60  # for a piece: a client with 35 kbit/s takes it in time
SENT_SECONDS = 3600  # for the whole file, which takes room on the disk meanwhile

FAILED = "Algo falhou no servidor. Tente de novo em um minuto."
FAILED_HEADERS = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"x-content-type-options", b"nosniff"),
)

logger = logging.getLogger(__name__)

type Send = Callable[[Message], Awaitable[None]]
type Wsgi = Callable[[Environ, Callable[..., object]], Iterable[bytes]]


@dataclass
class Answer:
    """The response of a WSGI application; `start` is its `start_response`. The body is in memory, or a large one in the
    open `file`, from where that stands; `kept` is what goes with it until then (`clinic.server.disk`)."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    file: IO[bytes] | None = None
    kept: object = None

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    def close(self) -> None:
        """Close the file, and let go of what goes with it: the thread still has the answer, until its next one."""
        self.kept = None
        if self.file is not None:
            self.file.close()


class Application:
    """Run the WSGI application `wsgi` after reading the body.

    `running` requests run Python at the same time; `waiting` more may wait for a row that another transaction holds.
    """

    def __init__(self, wsgi: Wsgi, *, running: int, waiting: int) -> None:
        self.wsgi = wsgi
        self.threads = Threads(running=running, waiting=waiting)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        body = await read_body(headers, receive, scope["path"])
        environ = wsgi_environ(scope, body)
        try:
            answer = await self.threads.run(partial(self.answer, environ))
        finally:
            if body.file:
                body.file.close()
        if answer.status in REFUSED and not scope["path"].lower().startswith(settings.PROGRAMS):
            await asyncio.sleep(REFUSED_SECONDS)
        if body.refused:
            answer.headers.append((b"connection", b"close"))
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if answer.file is None:
                await send({"type": "http.response.body", "body": answer.body})
            else:
                await _send_file(answer.file, receive, send)
        finally:
            answer.close()

    def answer(self, environ: Environ) -> Answer:
        """Run Django in a thread. Requests that Django itself cannot read reach none of our error pages."""
        try:
            return self._run_wsgi(environ)
        except Exception:  # of any kind: granian's own response would lack the security headers
            logger.exception("A request failed outside Django's handling of errors")
            return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, list(FAILED_HEADERS), FAILED.encode())

    def _run_wsgi(self, environ: Environ) -> Answer:
        answer = Answer()
        chunks = self.wsgi(environ, answer.start)
        try:
            if isinstance(chunks, FileWrapper) and _size(chunks.filelike) > MAX_IN_MEMORY:
                # A descriptor of its own: what the response closes at its end, it closes here, in its thread.
                answer.file = os.fdopen(os.dup(chunks.filelike.fileno()), "rb")
                answer.kept = getattr(chunks.filelike, "kept", None)
            else:
                answer.body = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return answer


def _size(file: IO[bytes]) -> int:
    """Return how many bytes there are, 0 for what is no file of the disk."""
    try:
        return os.fstat(file.fileno()).st_size
    except OSError:
        return 0


async def _send_file(file: IO[bytes], receive: Receive, send: Send) -> None:
    """Send the rest of the file, a PIECE in memory at a time, as fast as it is taken and without a thread; for at most
    SENT_SECONDS.

    To a client that takes nothing for STALLED_SECONDS no more is sent: the file can be closed. granian closes the
    connection, without the rest, once the client has taken what was on its way (some MB), or has gone."""
    gone = asyncio.create_task(_disconnected(receive))
    try:
        async with asyncio.timeout(SENT_SECONDS):
            while piece := file.read(PIECE):
                async with asyncio.timeout(STALLED_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                # granian's `send` to a client that has gone returns at once, and others would wait for the whole file.
                await asyncio.sleep(0)
                if gone.done():
                    return
    except TimeoutError:
        return
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
