from django.urls import reverse
from django.utils import translation

from clinic.access import guessing
from clinic.web.views.signin import too_many_from_address


class RefusedAddresses:
    """Answers an address that has just been refused its tries to sign in, before sessions, database and the full page
    are asked for it again and again: somebody who guesses as fast as they can should cost the others nothing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method != "POST" or request.path_info != reverse("web:signin"):
            return self.get_response(request)
        seconds = guessing.seconds_refused(request, request.POST.get("username", ""))
        if not seconds:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            return too_many_from_address(request, seconds)
