"""A request's body, read on the event loop: complete, bounded and within a deadline, or refused."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings

SECONDS = 10  # from the first byte of the body that is waited for to the last
MULTIPART = b"multipart/"

Receive = Callable[[], Awaitable[dict]]


@dataclass(frozen=True)
class Body:
    """`content` as it was sent. With `refused`, the status to answer with, the rest was not read."""

    content: bytes = b""
    refused: HTTPStatus | None = None


async def read_body(headers: dict[bytes, bytes], receive: Receive) -> Body:
    """Read the body by the ASGI callable `receive`; `headers` have lower-case names.

    Refused are: 413, longer than DATA_UPLOAD_MAX_MEMORY_SIZE (by its declared length none of it is read; the APIs allow
    less); 415, a form of the kind that sends files, which no page takes; 408, not complete after SECONDS; 400, broken
    off or not as declared."""
    declared = headers.get(b"content-length")
    if declared is None and b"transfer-encoding" not in headers:
        return Body()
    if headers.get(b"content-type", b"").strip().lower().startswith(MULTIPART):
        return Body(refused=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if declared is not None and not _is_allowed(declared):
        return Body(refused=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        async with asyncio.timeout(SECONDS):
            return await _received(receive, None if declared is None else int(declared))
    except TimeoutError:
        return Body(refused=HTTPStatus.REQUEST_TIMEOUT)


def _is_allowed(declared: bytes) -> bool:
    # Python reads no number of thousands of digits.
    return declared.isdigit() and len(declared) <= 20 and int(declared) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE


async def _received(receive: Receive, length: int | None) -> Body:
    """`length` is the declared one: what has arrived in full is not asked for once more."""
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
