"""What answers with patients' data share: that browsers keep none, how a file is saved, and that an unchanged page
costs nothing."""

from collections.abc import Callable
from hashlib import blake2b

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.cache import patch_cache_control, patch_vary_headers

from clinic.web.htmx import wants_partial

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def private[R: HttpResponseBase](response: R) -> R:
    """Return the response, which no browser and no proxy may store."""
    patch_cache_control(response, private=True, no_store=True)
    return response


def attachment[R: HttpResponseBase](response: R, filename: str) -> R:
    """Return the response as a file that the browser saves under that name."""
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return private(response)


def version_of(drawn: object) -> str:
    """Return a short hash of everything on a page that changes, by which it asks whether it has."""
    return blake2b(repr(drawn).encode(), digest_size=12).hexdigest()


def polled(request: HttpRequest, version: str, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Return what `answer` makes; a 304 without a body where htmx asks with the `version` that it has.

    Pages poll with it: no second protocol, and no connection that hangs.
    """
    if not wants_partial(request):
        return private(answer())
    is_known = f'"{version}"' in request.headers.get("If-None-Match", "")
    return versioned(request, f'"{version}"', None if is_known else answer)


def versioned(request: HttpRequest, etag: str, answer: Callable[[], HttpResponse] | None) -> HttpResponse:
    """Return what `answer` makes, a 304 for None, with the ETag."""
    response: HttpResponse
    if answer:
        response = answer()
    else:
        response = HttpResponseNotModified()
        patch_vary_headers(response, ["HX-Request", "Cookie"])
    response["ETag"] = etag
    return private(response)
