"""Read a request's body on the event loop: completely, up to a size and within a deadline, or refuse it.

One address takes a file, of who has a ticket for it (`clinic.server.uploads`): its body goes to the disk, not into the
memory, in a file without a name, of which a killed process leaves nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any

from django.conf import settings

from clinic.server import uploads
from clinic.server.disk import close_file, unnamed_file

SECONDS = 10  # for the whole body, from when the application waits for it
MULTIPART = b"multipart/"
logger = logging.getLogger(__name__)
_files = asyncio.Semaphore(uploads.MAX_AT_ONCE)  # nobody waits for it

# as in the ASGI specification
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]


@dataclass(frozen=True)
class Body:
    """The content as it was sent; of a `file` it is there. With `refused`, the status to answer with, the rest was not
    read."""

    content: bytes = b""
    file: IO[bytes] | None = None
    refused: HTTPStatus | None = None


async def read_body(headers: dict[bytes, bytes], receive: Receive, path: str = "") -> Body:
    """Read the body with the ASGI callable `receive`; `headers` have lower-case names.

    Refused with 413: longer than DATA_UPLOAD_MAX_MEMORY_SIZE (none of it is read when the declared length says so; the
    APIs allow less); with 415: a multipart form, which sends files, at any address but that of an upload; with 408: not
    complete after SECONDS; with 400: broken off, or not as declared.
    """
    declared = headers.get(b"content-length")
    if declared is None and b"transfer-encoding" not in headers:
        return Body()
    if headers.get(b"content-type", b"").strip().lower().startswith(MULTIPART):
        if uploads.takes_file(path):
            return await _read_file(declared, receive)
        return Body(refused=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if declared is not None and not _is_allowed(declared, settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
        return Body(refused=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        async with asyncio.timeout(SECONDS):
            return await _read_messages(receive, None if declared is None else int(declared))
    except TimeoutError:
        return Body(refused=HTTPStatus.REQUEST_TIMEOUT)


async def _read_file(declared: bytes | None, receive: Receive) -> Body:
    """Write the body into a file; refused like any other, with bounds of its own, where no length is declared, with 503
    where so many files are on their way already, and with 507 where the disk has no room for it."""
    if declared is None:
        return Body(refused=HTTPStatus.BAD_REQUEST)
    if not _is_allowed(declared, uploads.MAX_BYTES):
        return Body(refused=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if _files.locked():
        return Body(refused=HTTPStatus.SERVICE_UNAVAILABLE)
    file, refused = None, None
    try:
        file = unnamed_file()  # closed by the application, after the answer
        async with _files, asyncio.timeout(uploads.SECONDS):
            refused = await _write_messages(receive, int(declared), file)
            file.seek(0)
    except TimeoutError:
        refused = HTTPStatus.REQUEST_TIMEOUT
    except OSError:
        logger.exception("An uploaded file could not be written to the disk")
        refused = HTTPStatus.INSUFFICIENT_STORAGE
    if refused:
        close_file(file)
        return Body(refused=refused)
    return Body(file=file)


async def _write_messages(receive: Receive, length: int, file: IO[bytes]) -> HTTPStatus | None:
    written = 0
    while written != length:
        message = await receive()
        if message["type"] != "http.request" or written + len(message["body"]) > length:
            return HTTPStatus.BAD_REQUEST
        file.write(message["body"])
        written += len(message["body"])
        if not message["more_body"] and written != length:
            return HTTPStatus.BAD_REQUEST
    return None


def _is_allowed(declared: bytes, most: int) -> bool:
    # int() refuses strings of thousands of digits.
    return declared.isdigit() and len(declared) <= 20 and int(declared) <= most


async def _read_messages(receive: Receive, length: int | None) -> Body:
    """Read the messages of a body. `length` is the declared one; a body complete by it waits for no further message."""
    content = bytearray()
    more = True
    while more and len(content) != length:
        message = await receive()
        if message["type"] != "http.request":
            return Body(refused=HTTPStatus.BAD_REQUEST)
        content += message["body"]
        if len(content) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return Body(refused=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        more = message["more_body"]
    return Body(bytes(content))
