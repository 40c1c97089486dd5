from hashlib import blake2b
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from clinic.access import calendar_feeds
from clinic.access.addresses import client_address
from clinic.access.roles import clinic_optional, doctors_too
from clinic.queries import calendar
from clinic.web.calendar.calendar import written


@clinic_optional
@doctors_too
@login_not_required
@require_safe
@sensitive_variables("secret")
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer the calendar of the doctor whose address this is, to a program that has no more than the address.

    An unchanged calendar is a 304 without a body. An unknown address is a 404, after too many tries from one address of
    the network a 429; neither says more, nor loads a session."""
    try:
        found = calendar_feeds.find(secret, client_address(request))
    except calendar_feeds.UnknownFeed as unknown:
        return _refused(unknown.wait)
    today = found.clinic.local(timezone.now()).date()
    text = written(found.clinic, found.doctor, calendar.visits(found.clinic, found.doctor_id, today), today)
    etag = f'"{blake2b(text, digest_size=12).hexdigest()}"'
    response: HttpResponse = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _refused(wait: int) -> HttpResponse:
    response = HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS if wait else HTTPStatus.NOT_FOUND)
    if wait:
        response["Retry-After"] = str(wait)
    patch_cache_control(response, private=True, no_store=True)
    return response
