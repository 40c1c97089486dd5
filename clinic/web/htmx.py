"""The one module that knows whether htmx asked.

htmx is version 2, from django-htmx's own package: no vendored copy to keep. Version 4 inherits explicitly and swaps in
other ways: a step of its own.
"""

from django.http import HttpResponse
from django.shortcuts import redirect as plain_redirect
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers


def wants_partial(request) -> bool:
    """Whether a part of the page is enough; not when htmx fetches a whole page again for the browser's history."""
    htmx = getattr(request, "htmx", None)  # a request may be refused before the middleware has seen it
    return bool(htmx) and not htmx.history_restore_request


def partial_or_page(request, template, partial, context=None, status=None):
    """The named `partialdef` of the template when htmx asks for it, else the whole page."""
    name = f"{template}#{partial}" if wants_partial(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def redirect(request, to, *args, **kwargs):
    """Send the browser to another page; htmx would follow a 302 itself and put that page inside this one."""
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": resolve_url(to, *args, **kwargs)})
    return plain_redirect(to, *args, **kwargs)


def triggered_by(request) -> str | None:
    """The name of the field or button that made htmx ask."""
    return request.htmx.trigger_name if request.htmx else None
