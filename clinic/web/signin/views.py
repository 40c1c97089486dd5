from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from clinic import transactions
from clinic.access import first_clinic, known_browser, lockout, open_sessions, resumable_forms
from clinic.access.guessing import TooManyFromAddress, TooManyTries
from clinic.access.hashing import Busy
from clinic.access.middleware import ENDED, referring_page
from clinic.access.requests import ClinicRequest
from clinic.access.roles import clinic_optional, doctors_too
from clinic.access.sessions import HOURS
from clinic.models import StaffUser
from clinic.refusals import Refused
from clinic.web import htmx
from clinic.web.signin import forms
from clinic.web.signin.forms import PasswordForm, PinForm, SignInForm, retry_after


@clinic_optional
@doctors_too
@login_not_required
@never_cache
@sensitive_post_parameters("password")
def signin(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(success_url(request, request.user))
    form = SignInForm(request, request.POST or None)
    if form.is_valid():
        user = form.get_user()
        csrf_token = request.META.get("CSRF_COOKIE")
        is_previous_user = resumable_forms.claim(request, user)
        request.session.pop(ENDED, None)
        login(request, user)
        response = redirect(success_url(request, user))
        known_browser.remember(request, response, user.folded_username)
        if is_previous_user and csrf_token:
            # The pages this person still has open keep working; for other users Django's new token applies.
            request.META["CSRF_COOKIE"] = csrf_token
        return response
    if isinstance(form.not_checked, TooManyFromAddress):
        return wait_page(request, form.not_checked)
    context = {
        "form": form,
        "next": safe_next_path(request),
        "form_is_kept": resumable_forms.is_kept(request),
        "session_ended": request.session.get(ENDED, False),
        "needs_first_clinic": request.method == "GET" and first_clinic.is_needed(),
        **HOURS,
    }
    return _with_reason(form.not_checked, render(request, "signin/signin.html", context))


@clinic_optional
@doctors_too
@login_not_required
@require_POST
def signout(request: HttpRequest) -> HttpResponse:
    user_id = request.user.pk
    logout(request)
    if user_id:
        # A form still open in another window comes back to the same person.
        resumable_forms.remember_user(request, str(user_id))
        messages.info(request, _("Você saiu."))
    return redirect("web:signin")


@clinic_optional
@doctors_too
@never_cache
@sensitive_post_parameters()
def password_change(request: ClinicRequest) -> HttpResponse:
    """Change the password; for managers the page has their PIN too, posted with the field `new_pin`."""
    if "new_pin" in request.POST:
        return _pin_change(request)
    form = PasswordForm(request, request.user, request.POST or None)
    if form.is_valid():
        try:
            with transactions.try_again_when_held():
                user = form.save()
        except Refused as refused:
            form.add_error(None, refused.message)
            return _password_page(request, form, status=409)
        update_session_auth_hash(request, user)
        open_sessions.end_sessions(user, besides=request.session.session_key)
        messages.success(request, _("Senha alterada. Ela vale a partir de agora."))
        return redirect(default_page(request.user))
    return _with_reason(form.not_checked, _password_page(request, form))


def _pin_change(request: ClinicRequest) -> HttpResponse:
    if not request.user.may_approve:
        raise PermissionDenied
    form = PinForm(request, request.user, request.POST)
    if not form.is_valid():
        return _with_reason(form.not_checked, _password_page(request, pin_form=form))
    try:
        with transactions.try_again_when_held():
            form.save()
    except Refused as refused:
        form.add_error(None, refused.message)
        return _password_page(request, pin_form=form, status=409)
    has_pin = bool(request.user.pin)
    messages.success(request, _("PIN definido. Ele vale a partir de agora.") if has_pin else _("PIN removido."))
    return redirect("web:password-change")


def _password_page(
    request: ClinicRequest,
    form: PasswordForm | None = None,
    pin_form: PinForm | None = None,
    status: int | None = None,
) -> HttpResponse:
    user = request.user
    context = {
        "form": form or PasswordForm(request, user),
        "pin_form": pin_form or (PinForm(request, user) if user.may_approve else None),
    }
    return render(request, "signin/password.html", context, status=status)


def wait_page(request: HttpRequest, refusal: TooManyTries | Busy) -> HttpResponse:
    """Render the sign-in form with the reason to wait. The session may not be loaded, nor the CSRF token checked yet:
    the page shows nothing but what was typed, and takes over the posted token."""
    context = {
        "sentence": forms.not_checked_message(refusal),
        "username": request.POST.get("username", "")[:60],
        "next": safe_next_path(request),
        "csrf_token": request.POST.get("csrfmiddlewaretoken", ""),
    }
    page = _with_reason(refusal, render(request, "signin/wait.html", context))
    add_never_cache_headers(page)
    return page


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any]) -> HttpResponse:
    """Render the page instead of the sign-in form after too many failures of one user at one address."""
    minutes = lockout.minutes_left(request, credentials)
    context = {"minutes": minutes, "next": safe_next_path(request)}
    page = render(request, "signin/locked_out.html", context, status=429)
    page["Retry-After"] = str(minutes * 60)
    return page


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Keep what an open page sends after another sign-in has renewed the CSRF token, and show it again.

    Only what this site's own page sent (browsers say so and no page can say it for them); the rest is refused. A part
    of a page is never replaced by the refusal: a person may be typing in it. Without a session, or without the cookie
    of the token, which visiting any page sets again, the page itself says where to sign in (static/js/trouble.js).
    """
    view = request.resolver_match.func if request.resolver_match else None
    is_own_page = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if is_own_page and getattr(view, "resumable", False) and resumable_forms.keep(request):
        messages.info(request, _("A página estava aberta desde antes de você entrar. Confira e salve de novo."))
        return htmx.redirect(request, request.path)
    has_token = settings.CSRF_COOKIE_NAME in request.COOKIES
    if htmx.wants_partial(request) and not (has_token and request.user.is_authenticated):
        return htmx.redirect(request, "web:signin")
    if htmx.wants_partial(request):
        messages.error(request, _("Nada foi gravado: esta página expirou. Atualize-a e tente de novo."))
        response = render(request, "_messages.html", {"oob": True}, status=403)
        response["HX-Reswap"] = "none"
        return response
    return render(request, "signin/stale.html", {"back": referring_page(request)}, status=403)


def _with_reason(not_checked: TooManyTries | Busy | None, response: HttpResponse) -> HttpResponse:
    """Set status and Retry-After of the response if the password was not checked."""
    if not_checked:
        response.status_code = 503 if isinstance(not_checked, Busy) else 429
        response["Retry-After"] = str(retry_after(not_checked))
    return response


def success_url(request: HttpRequest, user: StaffUser) -> str:
    """Return the page to show to a user who has signed in."""
    return safe_next_path(request) or default_page(user)


def default_page(user: StaffUser) -> str:
    return reverse("admin:index") if user.clinic is None else reverse(settings.LOGIN_REDIRECT_URL)


def safe_next_path(request: HttpRequest) -> str:
    """Return the parameter `next` if it is a path of this site, else ""."""
    path = request.POST.get("next") or request.GET.get("next") or ""
    return path if path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""
