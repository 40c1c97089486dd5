"""What answers with patients' data share: that browsers keep none, and that an unchanged page costs nothing."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers

from clinic.web.htmx import wants_partial

KNOWN = re.compile(r'"[0-9a-f]+\.(?P<rows>[0-9a-f]+)\.(?P<until>[0-9]{1,10})"', re.ASCII)  # the ETag of polled_rows


def private(response: HttpResponse) -> HttpResponse:
    """Return the response, which no browser and no proxy may store."""
    patch_cache_control(response, private=True, no_store=True)
    return response


def polled(request: HttpRequest, version: str, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Return what `answer` makes; a 304 without a body where htmx asks with the `version` that it has.

    Pages poll with it: no second protocol, and no connection that hangs.
    """
    if not wants_partial(request):
        return private(answer())
    is_known = f'"{version}"' in request.headers.get("If-None-Match", "")
    return _versioned(request, f'"{version}"', None if is_known else answer)


class Drawable(Protocol):
    """What a page is drawn from: its version, and until when time alone changes nothing."""

    version: str
    stays_until: datetime


def polled_rows[Drawn: Drawable](
    request: HttpRequest,
    rows_version: Callable[[], str],
    load: Callable[[], Drawn],
    answer: Callable[[Drawn], HttpResponse],
) -> HttpResponse:
    """Do what `polled` does for a page that is dear to load: where neither a row was written nor time has changed
    anything since the version that the page has, nothing is loaded.

    `rows_version` is a short text that changes with every row that `load` reads. The ETag is "version.rows.until": the
    page sends back the newest that it was given, with a 304 too (static/js/day/refresh.js). `until` is in seconds since
    1970."""
    if not wants_partial(request):
        return private(answer(load()))
    known = KNOWN.search(request.headers.get("If-None-Match", ""))
    rows = rows_version()
    if known and known["rows"] == rows and timezone.now().timestamp() < int(known["until"]):
        return _versioned(request, known[0], None)
    drawn = load()
    etag = f'"{drawn.version}.{rows}.{int(drawn.stays_until.timestamp())}"'
    is_known = f'"{drawn.version}' in request.headers.get("If-None-Match", "")
    return _versioned(request, etag, None if is_known else lambda: answer(drawn))


def _versioned(request: HttpRequest, etag: str, answer: Callable[[], HttpResponse] | None) -> HttpResponse:
    """Return what `answer` makes, a 304 for None, with the ETag."""
    response: HttpResponse
    if answer:
        response = answer()
    else:
        response = HttpResponseNotModified()
        patch_vary_headers(response, ["HX-Request", "Cookie"])
    response["ETag"] = etag
    return private(response)
