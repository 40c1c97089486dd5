import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware, LoginRequiredMiddleware, get_user
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from clinic.access import backends, resumable_forms
from clinic.access.requests import StaffRequest
from clinic.access.sessions import SessionStore
from clinic.models import Clinic, StaffUser

type GetResponse = Callable[[HttpRequest], HttpResponseBase]

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
ENDED = "session_ended"
CHOSEN_CLINIC = "chosen_clinic"
SEEN_EVERY_SECONDS = 300
FORM_KEPT = "X-Form-Kept"  # header of a response: the page may be left, its form comes back (static/js/trouble.js)
DRAWN_FOR = "X-Drawn-For"  # header: the id of the user on whose page the form is (templates/base.html)


class ApiCookieMiddleware:
    """Drop the cookies of requests to the APIs and their references: no session is read or written there."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: StaffRequest) -> HttpResponseBase:
        if request.path_info.lower().startswith(settings.PROGRAMS):
            request.COOKIES = {}
        return self.get_response(request)


class SessionUserMiddleware(AuthenticationMiddleware):
    """Set Django's `request.user` without a query of its own: the user was loaded with the session.

    Runs after SessionTimeoutMiddleware, which loads the session that a cookie names: then the user is there, and is set
    as it is, since Django's lazy object looks itself up at each attribute."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        user = self.user(request) if has_session else SimpleLazyObject(lambda: self.user(request))
        request.user = user  # type: ignore[assignment]  # the lazy object is not in the stubs

    def user(self, request: HttpRequest) -> StaffUser | AnonymousUser:
        """Return the session's user if they may still sign in."""
        session = cast("SessionStore", request.session)
        session.get(SESSION_KEY)  # loads the session
        with backends.preloaded_user(session.user):
            return get_user(request)


class SessionTimeoutMiddleware:
    """End a session SESSION_LIFE_SECONDS after signing in, or SESSION_IDLE_SECONDS after its last.

    Requests with the header `X-Background: 1`, sent by pages that refresh themselves, do not count as activity. The
    last request is stored every five minutes only, so an idle session may end that much early, never late.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: StaffRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            self.limit(request, int(time.time()))
        return self.get_response(request)

    def limit(self, request: StaffRequest, now: int) -> None:
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


class ClinicMiddleware:
    """Set `request.clinic`, and activate its time zone and language for the request.

    The clinic is None for anonymous users, and for superusers until they choose one; these requests use the browser's
    variant of Portuguese.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: StaffRequest) -> HttpResponseBase:
        request.clinic = None
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            request.clinic = request.user.clinic or chosen_clinic(request)
        if request.clinic is None:
            with translation.override(translation.get_language_from_request(request)):
                return self.get_response(request)
        with timezone.override(request.clinic.zone), translation.override(request.clinic.language):
            return self.get_response(request)

    def process_view(
        self, request: StaffRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Send a superuser who has chosen no clinic from the front desk to the list of clinics."""
        at_the_desk = request.resolver_match is not None and request.resolver_match.namespace == "web"
        needs_clinic = at_the_desk and getattr(view, "clinic_required", True)
        if needs_clinic and request.clinic is None and request.user.is_authenticated:
            messages.info(request, _("Escolha primeiro a clínica: escolha-a na lista e use “Trabalhar nesta clínica”."))
            return HttpResponseRedirect(reverse("admin:clinic_clinic_changelist"))
        return None


class SignInMiddleware(LoginRequiredMiddleware):
    """Require a signed-in user for every view that is not marked `@login_not_required`.

    Runs after the CSRF check, so that only forms of the user's own page are kept (see `resumable_forms`).
    """

    def handle_no_permission(  # type: ignore[override]  # stubs allow redirects only; Django sends any response
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        is_kept = request.method == "POST" and getattr(view_func, "resumable", False) and resumable_forms.keep(request)
        url = reverse("web:signin", query={"next": request.path if is_kept else self.way_back(request)})
        if "HX-Request" in request.headers:
            return HttpResponse(headers={"HX-Redirect": url} | ({FORM_KEPT: "1"} if is_kept else {}))
        return HttpResponseRedirect(url)

    def way_back(self, request: HttpRequest) -> str:
        """Return the page to go to after sign-in: the one that was asked for, or the one that sent the request."""
        if request.method == "GET" and "HX-Request" not in request.headers:
            return request.get_full_path()
        return referring_page(request)


class DoctorMiddleware:
    """Refuse a user with the role of a doctor every page of the front desk that is not marked `doctors_too`: what is
    added later is closed to them until it is marked. Runs after SignInMiddleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: StaffRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: StaffRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        at_the_desk = request.resolver_match is not None and request.resolver_match.namespace == "web"
        if at_the_desk and not getattr(view, "doctors_too", False) and getattr(request.user, "is_doctor", False):
            raise PermissionDenied(_("Esta página é da recepção e da gestão da clínica."))
        return None


class SameUserMiddleware:
    """Refuse what a page of another user sends: on a shared computer a second window may have signed out and in since.

    The response, 409, names the present user; static/js/trouble.js asks, and sends the request once more."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: StaffRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: StaffRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        drawn_for, user = request.headers.get(DRAWN_FOR), request.user
        if request.method != "POST" or drawn_for is None or not user.is_authenticated or drawn_for == str(user.pk):
            return None
        present = {"id": str(user.pk), "name": str(user)}
        return HttpResponse(status=HTTPStatus.CONFLICT, headers={"X-Present-User": json.dumps(present)})


def end(request: HttpRequest) -> None:
    """Replace the session by an anonymous one that remembers its user."""
    user_id = request.session[SESSION_KEY]
    request.session.flush()
    resumable_forms.remember_user(request, user_id)
    request.session[ENDED] = True


def choose_clinic(request: HttpRequest, clinic: Clinic | None) -> None:
    """Have a superuser work in this clinic, or in none, from the next request on."""
    request.session[CHOSEN_CLINIC] = clinic.pk if clinic else None


def chosen_clinic(request: HttpRequest) -> Clinic | None:
    """Return the clinic that a superuser works in."""
    pk = request.session.get(CHOSEN_CLINIC)
    return Clinic.objects.real().filter(pk=pk).first() if pk else None


def referring_page(request: HttpRequest) -> str:
    """Return path and query of the page that sent this request; the home page if it is unknown or of another host."""
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "")
    # a browser would read such a path as another host
    if page.netloc != request.get_host() or page.path.startswith("//"):
        return reverse("web:home")
    return f"{page.path}?{page.query}" if page.query else page.path
