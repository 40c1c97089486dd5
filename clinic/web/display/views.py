"""The waiting room's display: which patient a doctor calls, on a screen that nobody signs in on; and its links.

The secret of the link is in the address once: the first request moves it into a cookie, so that it is neither on the
screen nor in later logs.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from clinic import transactions
from clinic.access import display_links
from clinic.access.requests import ClinicRequest
from clinic.access.roles import clinic_optional, doctors_too, manager_required
from clinic.models import Clinic, DisplayLink
from clinic.queries.room_calls import called_patients
from clinic.refusals import Refused
from clinic.web.display.forms import DisplayLinkForm
from clinic.web.htmx import wants_partial
from clinic.web.responses import polled, version_of

COOKIE = "display"
YEAR_SECONDS = 365 * 24 * 3600


def of_link(view: Callable[[HttpRequest, Clinic], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the view the clinic whose link this browser has opened, in its language and zone; 404 without one."""

    @clinic_optional
    @doctors_too
    @login_not_required
    @wraps(view)
    def with_clinic(request: HttpRequest) -> HttpResponse:
        clinic = display_links.clinic_of(request.COOKIES.get(COOKIE, ""))
        if clinic is None:
            return render(request, "display/no_link.html", status=HTTPStatus.NOT_FOUND)
        with timezone.override(clinic.zone), translation.override(clinic.language):
            return view(request, clinic)

    return with_clinic


@require_safe
@clinic_optional
@doctors_too
@login_not_required
@never_cache
@sensitive_variables("secret")
def open_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Keep the link's secret in a cookie of this browser and show the display."""
    if display_links.clinic_of(secret) is None:
        return render(request, "display/no_link.html", status=HTTPStatus.NOT_FOUND)
    response = redirect("web:display")
    _keep(response, secret)
    return response


def _keep(response: HttpResponse, secret: str) -> None:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=YEAR_SECONDS,
        path=reverse("web:display"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


@require_safe
@of_link
def display(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    """Show who was called. When htmx asks with the version it has, an unchanged display is a 304 without a body."""
    calls = called_patients(clinic, now=timezone.now())
    version = version_of(calls)

    def answer() -> HttpResponse:
        part = "#calls" if wants_partial(request) else ""
        context = {"calls": calls, "version": version, "name": clinic.name, "zone": clinic.time_zone}
        return render(request, f"display/display.html{part}", context)

    response = polled(request, version, answer)
    if not wants_partial(request):
        _keep(response, request.COOKIES[COOKIE])  # from now on for another year
    return response


@require_safe
@never_cache
@manager_required
def index(request: ClinicRequest) -> HttpResponse:
    """Show the clinic's links and the form of a new one."""
    return _links_page(request)


@require_POST
@never_cache
@manager_required
@sensitive_variables("secret")
def create(request: ClinicRequest) -> HttpResponse:
    """Create a link, whose address is in this response and nowhere else."""
    form = DisplayLinkForm(request.POST)
    if not form.is_valid():
        return _links_page(request, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    link, secret = display_links.create(request.clinic, name=form.cleaned_data["name"], by=request.user)
    address = request.build_absolute_uri(reverse("web:display-open", args=[secret]))
    return _links_page(request, created=link, address=address)


@require_POST
@never_cache
@manager_required
def revoke(request: ClinicRequest, pk: int) -> HttpResponse:
    """Revoke a link from the next request on."""
    try:
        with transactions.try_again_when_held():
            display_links.revoke(pk, clinic=request.clinic, by=request.user)
    except DisplayLink.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as held:
        messages.error(request, held.message)
    else:
        messages.success(request, _("Link revogado: a tela que o usa não mostra mais nada."))
    return redirect("web:display-links")


def _links_page(
    request: ClinicRequest, *, form: DisplayLinkForm | None = None, status: int = HTTPStatus.OK, **result: Any
) -> HttpResponse:
    links = list(DisplayLink.objects.of(request.clinic).select_related("created_by", "revoked_by"))
    context = {
        "form": form or DisplayLinkForm(),
        "links": [link for link in links if link.revoked_at is None],
        "revoked": [link for link in links if link.revoked_at],
        **result,
    }
    return render(request, "display/links.html", context, status=status)
