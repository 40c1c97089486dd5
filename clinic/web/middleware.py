"""What is asked of a request before its session, its clinic or its page is looked for."""

from http import HTTPStatus

from django.conf import settings
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation

from clinic.access import guessing
from clinic.server.environ import REFUSED_BODY
from clinic.web.signin.views import wait_page

TEMPLATES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "413.html",
    HTTPStatus.REQUEST_TIMEOUT: "408.html",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "415.html",
}


class RefusedBodies:
    """Answers for a page whose form did not arrive; the APIs answer for theirs (`clinic.api.reading`)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        status = request.META.get(REFUSED_BODY)
        if status is None or request.path_info.startswith(settings.PROGRAMS):
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            return render(request, TEMPLATES.get(status, "400.html"), status=status)


class RefusedTries:
    """Answers a try to sign in that this process knows it would refuse, before sessions, database and the full page
    are asked for it: guessing as fast as possible should cost the others nothing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method != "POST" or request.path_info != reverse("web:signin"):
            return self.get_response(request)
        refusal = guessing.known_refusal(request, request.POST.get("username", ""))
        if refusal is None:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            return wait_page(request, refusal)
