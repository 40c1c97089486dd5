import time
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware, LoginRequiredMiddleware, get_user
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from clinic.access import backends, resumable_forms
from clinic.models import Clinic

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
ENDED = "session_ended"
CHOSEN_CLINIC = "chosen_clinic"
SEEN_EVERY_SECONDS = 300


class ProgramsWithoutCookies:
    """What is there for programs, and their references, asks nobody's session, even of a browser that has one."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info.startswith(settings.PROGRAMS):
            request.COOKIES = {}
        return self.get_response(request)


class WhoseSession(AuthenticationMiddleware):
    """Django's `request.user`, found and checked as ever, without a query of its own: they came with the session."""

    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: self.user(request))

    def user(self, request):
        request.session.get(SESSION_KEY)  # loads it
        with backends.loaded(request.session.user):
            return get_user(request)


class SessionLimits:
    """Ends a session SESSION_LIFE_SECONDS after its first request, or SESSION_IDLE_SECONDS after its last.

    A page that refreshes itself says so with the header `X-Background: 1`, and that is nobody at work. The last request
    is written down every five minutes only, so an idle session may end that much early, never late.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            self.limit(request, int(time.time()))
        return self.get_response(request)

    def limit(self, request, now):
        session = request.session
        seen_at = session.get(SEEN_AT, now)
        if now - session.get(SIGNED_IN_AT, now) >= settings.SESSION_LIFE_SECONDS or (
            now - seen_at >= settings.SESSION_IDLE_SECONDS
        ):
            end(request)
        elif SIGNED_IN_AT not in session:
            session[SIGNED_IN_AT] = session[SEEN_AT] = now
        elif now - seen_at >= SEEN_EVERY_SECONDS and "X-Background" not in request.headers:
            session[SEEN_AT] = now


class ClinicLocale:
    """Sets `request.clinic`, and its zone and language for the request.

    None for strangers, and for superusers until they choose one; those read the Portuguese their browser asks for.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.clinic = None
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            request.clinic = request.user.clinic or chosen_clinic(request)
        if request.clinic is None:
            with translation.override(translation.get_language_from_request(request)):
                return self.get_response(request)
        with timezone.override(request.clinic.zone), translation.override(request.clinic.language):
            return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """The front desk works for one clinic: a superuser who has chosen none is sent to the list of them."""
        at_the_desk = request.resolver_match.namespace == "web" and getattr(view, "clinic_required", True)
        if at_the_desk and request.clinic is None and request.user.is_authenticated:
            messages.info(request, _("Escolha primeiro a clínica: escolha-a na lista e use “Trabalhar nesta clínica”."))
            return HttpResponseRedirect(reverse("admin:clinic_clinic_changelist"))
        return None


class SignInRequired(LoginRequiredMiddleware):
    """Every view is for people who are signed in, unless it says `@login_not_required`.

    Runs after the CSRF check, so only what the person's own page sent is kept (see `resumable_forms`).
    """

    def handle_no_permission(self, request, view_func):
        url = reverse("web:signin", query={"next": self.way_back(request, view_func)})
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)

    def way_back(self, request, view_func):
        if request.method == "POST" and getattr(view_func, "resumable", False) and resumable_forms.keep(request):
            return request.path
        if request.method == "GET" and "HX-Request" not in request.headers:
            return request.get_full_path()
        return page_behind(request)


def end(request) -> None:
    """Leave an anonymous session in the place of this one, which remembers whose it was."""
    user_id = request.session[SESSION_KEY]
    request.session.flush()
    resumable_forms.remember_user(request, user_id)
    request.session[ENDED] = True


def choose_clinic(request, clinic: Clinic | None) -> None:
    """A superuser works in this clinic from the next request on, or in none."""
    request.session[CHOSEN_CLINIC] = clinic and clinic.pk


def chosen_clinic(request) -> Clinic | None:
    pk = request.session.get(CHOSEN_CLINIC)
    return pk and Clinic.objects.filter(pk=pk).first()


def page_behind(request) -> str:
    """Path and query of the page that sent this request; the start page when it does not say, or is another host's."""
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "")
    if page.netloc != request.get_host() or page.path.startswith("//"):  # a path that would be another host
        return reverse("web:home")
    return f"{page.path}?{page.query}" if page.query else page.path
