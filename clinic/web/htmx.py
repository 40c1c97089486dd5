"""The one module that reads `request.htmx`.

htmx is version 2, from django-htmx's own package: no vendored copy to keep. Version 4 inherits explicitly and swaps in
other ways: a step of its own.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails


def wants_partial(request: HttpRequest) -> bool:
    """Return whether a part of the page is enough: htmx asks, but not for a whole page of the browser's history."""
    htmx = _htmx(request)
    return bool(htmx and not htmx.history_restore_request)


def partial_or_page(
    request: HttpRequest,
    template: str,
    partial: str,
    context: dict[str, Any] | None = None,
    status: int | None = None,
) -> HttpResponse:
    """Render the named `partialdef` of the template when htmx asks for it, else the whole page."""
    name = f"{template}#{partial}" if wants_partial(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def redirect(request: HttpRequest, view_name: str, *args: object) -> HttpResponse:
    """Send the browser to another page; htmx would follow a 302 itself and put that page inside this one."""
    url = resolve_url(view_name, *args)
    return HttpResponse(headers={"HX-Redirect": url}) if _htmx(request) else HttpResponseRedirect(url)


def triggered_by(request: HttpRequest) -> str | None:
    """Return the name of the field or button that made htmx send the request."""
    htmx = _htmx(request)
    return htmx.trigger_name if htmx else None


def _htmx(request: HttpRequest) -> HtmxDetails | None:
    # A request may be refused before the middleware has set the attribute.
    return getattr(request, "htmx", None)
