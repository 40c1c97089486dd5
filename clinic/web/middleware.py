"""Middleware that answers before the session, the clinic and the view are loaded, or gives a blank answer its page."""

from collections.abc import Callable
from functools import cache
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from clinic.access import guessing
from clinic.server import uploads
from clinic.server.environ import REFUSED_BODY
from clinic.web.signin.views import wait_page

type GetResponse = Callable[[HttpRequest], HttpResponseBase]

TEMPLATES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "413.html",
    HTTPStatus.REQUEST_TIMEOUT: "408.html",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "415.html",
}
# At the address of an upload.
FILE_TEMPLATES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "413_file.html",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "415_file.html",
    HTTPStatus.SERVICE_UNAVAILABLE: "503_file.html",
    HTTPStatus.INSUFFICIENT_STORAGE: "507_file.html",
}


@cache
def _address(name: str) -> str:
    """Return the path of a page without arguments; every request asks for the same ones."""
    return reverse(name)


def refused_body(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """Return the page that says why a body was not taken."""
    with translation.override(translation.get_language_from_request(request)):
        of_file = FILE_TEMPLATES if request.path_info.startswith(uploads.PREFIX) else {}
        template = of_file.get(status) or TEMPLATES.get(status, "400.html")
        return render(request, template, status=status)


class RefusedBodyMiddleware:
    """Answer a page's request whose body was refused; the APIs answer theirs (`clinic.api.reading`)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        status: HTTPStatus | None = request.META.get(REFUSED_BODY)
        if status is None or request.path_info.lower().startswith(settings.PROGRAMS):
            return self.get_response(request)
        return refused_body(request, status)


class FieldCountMiddleware:
    """Refuse a query or a form of more than MAX_FIELDS by Django's own exception, before it is parsed; the APIs refuse
    theirs (`clinic.api.reading`), and the administration reads as many as Django does."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_page = not request.path_info.lower().startswith((*settings.PROGRAMS, _address("admin:index")))
        if is_page and _separators(request) >= settings.MAX_FIELDS:
            raise TooManyFieldsSent
        return self.get_response(request)


def _separators(request: HttpRequest) -> int:
    """Return how often `&` parts the fields of the query, or of the form if they are more."""
    of_query: int = request.META.get("QUERY_STRING", "").count("&")
    is_form = request.content_type == "application/x-www-form-urlencoded"
    return max(of_query, request.body.count(b"&") if is_form else 0)


class RefusedSignInMiddleware:
    """Answer an attempt to sign in that this process would refuse anyway, without session, database and full page:
    guessing as fast as possible should cost the others nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or request.path_info != _address("web:signin"):
            return self.get_response(request)
        refusal = guessing.known_refusal(request, request.POST.get("username", ""))
        if refusal is None:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            return wait_page(request, refusal)


class MethodNotAllowedMiddleware:
    """Give a page to a browser that opens an address to which forms are sent: on reload of a closed tab, for one, or
    after signing in again. Django's answer is blank. Runs inside ClinicMiddleware, for the language."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = request.method == "GET" and not request.path_info.lower().startswith(settings.PROGRAMS)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not is_page:
            return response
        page = render(request, "405.html", status=response.status_code)
        page["Allow"] = response["Allow"]
        return page
