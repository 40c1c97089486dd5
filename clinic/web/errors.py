"""The pages of refusal say what to do next; into a panel goes only the sentence."""

import sys

from django.db import IntegrityError, InterfaceError, OperationalError
from django.shortcuts import render
from django.utils import translation
from django.views import defaults

from clinic import transactions
from clinic.refusals import Reason, Refusal
from clinic.web.htmx import partial_or_page

RETRY_SECONDS = 5
RETRY_SECONDS_DISK = 60


def permission_denied(request, exception):
    return partial_or_page(request, "403.html", "sentence", {"reason": str(exception)}, status=403)


def page_not_found(request, exception):
    return partial_or_page(request, "404.html", "sentence", status=404)


def server_error(request):
    """Called while the exception is handled. 409 when another transaction held what was to be written, 503 when it is
    the database that cannot be reached or cannot write."""
    error = sys.exception()
    if isinstance(error, IntegrityError | OperationalError) and transactions.is_transient(error):
        context = {"sentence": Refusal(Reason.TRY_AGAIN).message}
        return partial_or_page(request, "409.html", "sentence", context, status=409)
    if not isinstance(error, OperationalError | InterfaceError):
        return defaults.server_error(request)
    full = transactions.disk_is_full(error)
    with translation.override(translation.get_language_from_request(request)):
        response = render(request, "503.html", {"disk_is_full": full}, status=503)
    response["Retry-After"] = str(RETRY_SECONDS_DISK if full else RETRY_SECONDS)
    return response
