"""Read a request's body on the event loop: completely, up to a size and within a deadline, or refuse it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings

SECONDS = 10  # for the whole body, from when the application waits for it
MULTIPART = b"multipart/"

# as in the ASGI specification
type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]


@dataclass(frozen=True)
class Body:
    """The content as it was sent. With `refused`, the status to answer with, the rest was not read."""

    content: bytes = b""
    refused: HTTPStatus | None = None


async def read_body(headers: dict[bytes, bytes], receive: Receive) -> Body:
    """Read the body with the ASGI callable `receive`; `headers` have lower-case names.

    Refused with 413: longer than DATA_UPLOAD_MAX_MEMORY_SIZE (none of it is read when the declared length says so; the
    APIs allow less); with 415: a multipart form, which sends files, and no page accepts files; with 408: not complete
    after SECONDS; with 400: broken off, or not as declared.
    """
    declared = headers.get(b"content-length")
    if declared is None and b"transfer-encoding" not in headers:
        return Body()
    if headers.get(b"content-type", b"").strip().lower().startswith(MULTIPART):
        return Body(refused=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if declared is not None and not _is_allowed(declared):
        return Body(refused=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        async with asyncio.timeout(SECONDS):
            return await _read_messages(receive, None if declared is None else int(declared))
    except TimeoutError:
        return Body(refused=HTTPStatus.REQUEST_TIMEOUT)


def _is_allowed(declared: bytes) -> bool:
    # int() refuses strings of thousands of digits.
    return declared.isdigit() and len(declared) <= 20 and int(declared) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE


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
