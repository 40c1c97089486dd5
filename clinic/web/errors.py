"""The error pages say what to do next; a panel gets only the message."""

import sys

from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views import defaults

from clinic import transactions
from clinic.refusals import Reason, Refusal
from clinic.web.htmx import partial_or_page

RETRY_SECONDS = 5
RETRY_SECONDS_DISK = 60


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return partial_or_page(request, "403.html", "sentence", {"reason": str(exception)}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return partial_or_page(request, "404.html", "sentence", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 409 if another transaction held the rows, 503 if the database cannot be reached or cannot write, else 500.

    Called while the exception is handled.
    """
    error = sys.exception()
    if isinstance(error, IntegrityError | OperationalError) and transactions.is_transient(error):
        context = {"sentence": Refusal(Reason.TRY_AGAIN).message}
        return partial_or_page(request, "409.html", "sentence", context, status=409)
    if not isinstance(error, OperationalError | InterfaceError):
        return defaults.server_error(request)
    disk_is_full = transactions.disk_is_full(error)
    with translation.override(translation.get_language_from_request(request)):
        response = render(request, "503.html", {"disk_is_full": disk_is_full}, status=503)
    response["Retry-After"] = str(RETRY_SECONDS_DISK if disk_is_full else RETRY_SECONDS)
    return response
