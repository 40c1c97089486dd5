"""Read bodies strictly: whatever two programs could parse differently is refused. And read queries."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import isinf
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest

from clinic.api.errors import ApiError, ErrorCode
from clinic.server.environ import DECLARED_TYPE, REFUSED_BODY

MAX_BYTES = 64 * 1024
MAX_DIGITS = 20  # of a declared length; int() refuses strings of thousands of digits
MAX_DEPTH = 32
MAX_NAMED, MAX_SHOWN = 5, 40  # names in a message, and characters of each
CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^"';\s]+)""", re.ASCII | re.IGNORECASE)
# By the status with which the web server refused the body.
BODY_ERRORS = {
    HTTPStatus.BAD_REQUEST: ErrorCode.UNREADABLE,
    HTTPStatus.REQUEST_TIMEOUT: ErrorCode.TOO_SLOW,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorCode.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ErrorCode.NOT_JSON,
}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def read_query(request: HttpRequest) -> None:
    """Make sure that `request.GET` can be read. Raises ApiError.

    Django would replace bytes that are not UTF-8 by a replacement character.
    """
    query = request.META.get("QUERY_STRING", "")
    try:
        unquote_to_bytes(query.encode("latin-1")).decode("utf-8")
    except UnicodeError as error:
        raise ApiError(ErrorCode.QUERY_NOT_UTF8) from error
    if query.count("&") >= settings.MAX_FIELDS:
        raise ApiError(ErrorCode.TOO_MANY_PARAMETERS)


def check_parameters(request: HttpRequest, known: Mapping[str, bool]) -> None:
    """Make sure that the address has every parameter of the query, and that each comes once. Raises ApiError.

    `known` says whether a parameter may be repeated. A filter that is ignored would answer with everybody.
    """
    if unknown := [name for name in request.GET if name not in known]:
        raise ApiError(ErrorCode.PARAMETER_UNKNOWN, detail=_printable(unknown), known=list(known))
    if repeated := [name for name in request.GET if len(request.GET.getlist(name)) > 1 and not known[name]]:
        raise ApiError(ErrorCode.PARAMETER_REPEATED, detail=_printable(repeated))


def _printable(names: Sequence[str]) -> str:
    shown = ["".join(filter(str.isprintable, name))[:MAX_SHOWN] for name in names[:MAX_NAMED]]
    return ", ".join(shown)


def read_json(body: bytes, request: HttpRequest) -> Any:
    """Return the value of a body, None for an empty one. Raises ApiError: not declared as JSON in UTF-8, or unreadable.
    Of a body in ASCII, which reads the same in any charset that clients declare, the charset is not looked at.

    A byte order mark is skipped."""
    if not body:
        return None
    if request.content_type != "application/json":
        raise ApiError(ErrorCode.NOT_JSON)
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise ApiError(ErrorCode.ENCODED)
    charset = CHARSET.search(request.META.get(DECLARED_TYPE, ""))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ApiError(ErrorCode.NOT_UTF8) from error
    if charset and not body.isascii() and not _is_utf8(charset[1]):
        raise ApiError(ErrorCode.NOT_UTF8)
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_reject_constant, parse_float=_finite)
        _check_depth(value)
    except (ValueError, RecursionError) as error:
        raise ApiError(ErrorCode.UNREADABLE) from error
    return value


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in {"utf-8", "ascii"}
    except (LookupError, ValueError):
        return False


def read_body(request: HttpRequest) -> bytes:
    """Return the body. Raises ApiError when it exceeds 64 KiB, as declared or as sent, or did not arrive completely."""
    if status := request.META.get(REFUSED_BODY):
        raise ApiError(BODY_ERRORS[status])
    declared = request.META.get("CONTENT_LENGTH")
    if declared and not _is_small(declared):
        raise ApiError(ErrorCode.TOO_LARGE)
    body = request.body if declared else _read_chunked(request)
    if len(body) > MAX_BYTES:
        raise ApiError(ErrorCode.TOO_LARGE)
    return body


def _is_small(declared: str) -> bool:
    return declared.isdecimal() and len(declared) <= MAX_DIGITS and int(declared) <= MAX_BYTES


def _read_chunked(request: HttpRequest) -> bytes:
    """Read a chunked body, which Django takes for empty, if the server, like granian, marks its end."""
    if not request.META.get("wsgi.input_terminated"):
        return b""
    body: bytes = request.META["wsgi.input"].read(MAX_BYTES + 1)
    return body


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ApiError(ErrorCode.KEY_REPEATED, detail=_printable([name for name in counts if counts[name] > 1]))
    return values


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError("a number that no float can hold")
    return number


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")
