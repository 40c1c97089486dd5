"""The team of a clinic: invitations, links for a new password, open sessions; and the page behind a link."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from clinic import transactions
from clinic.access import authors, known_browser, open_sessions, staff_links
from clinic.access.requests import ClinicRequest
from clinic.access.roles import clinic_optional, doctors_too, manager_required
from clinic.access.sessions import HOURS
from clinic.models import StaffLink, StaffUser
from clinic.refusals import Refused
from clinic.web.signin.views import default_page
from clinic.web.staff.forms import TAKEN, AcceptForm, InvitationForm


@require_safe
@never_cache
@manager_required
def index(request: ClinicRequest) -> HttpResponse:
    """Show who works here, the links that wait to be used, and the form of an invitation."""
    return _team_page(request)


@require_POST
@never_cache
@manager_required
@sensitive_variables("made", "secret")
def invite(request: ClinicRequest) -> HttpResponse:
    """Invite a person; the link is in this response and nowhere else."""
    form = InvitationForm(request.clinic, request.user, request.POST)
    if not form.is_valid():
        return _team_page(request, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if (made := form.invite(request.user)) is None:
        return _team_page(request, form=form, status=HTTPStatus.CONFLICT)
    link, secret = made
    if not secret:
        messages.info(request, _("O convite já foi feito. O link apareceu uma vez; se ele se perdeu, faça outro."))
        return redirect("web:staff")
    return _released(request, link, secret)


@require_POST
@never_cache
@manager_required
@sensitive_variables("secret")
def renew(request: ClinicRequest, pk: int) -> HttpResponse:
    """Make another link instead of one that was lost or has expired."""
    link = staff_links.listed(request.clinic).filter(pk=pk).first()
    if link is None:
        raise Http404
    _require_rank(request, link.user)
    try:
        with transactions.try_again_when_held():
            newer, secret = staff_links.renew(link, by=request.user)
    except staff_links.LinkGone:
        messages.info(request, _("Este link já foi usado ou retirado."))
        return redirect("web:staff")
    except Refused as held:
        messages.error(request, held.message)
        return redirect("web:staff")
    return _released(request, newer, secret)


@require_POST
@never_cache
@manager_required
def revoke(request: ClinicRequest, pk: int) -> HttpResponse:
    """Withdraw a link: from now on it opens nothing."""
    link = StaffLink.objects.of(request.clinic).filter(pk=pk).select_related("user").first()
    if link is None:
        raise Http404
    _require_rank(request, link.user)
    try:
        with transactions.try_again_when_held():
            staff_links.revoke(pk, clinic=request.clinic, by=request.user)
    except Refused as held:
        messages.error(request, held.message)
    else:
        messages.success(request, _("Link retirado: ele não abre mais nada."))
    return redirect("web:staff")


@require_POST
@never_cache
@manager_required
@sensitive_variables("secret")
def reset(request: ClinicRequest, pk: int) -> HttpResponse:
    """Make a link by which a colleague chooses a new password; the present one goes on until then."""
    user = _colleague(request, pk)
    if user == request.user:
        raise PermissionDenied(_("A própria senha se troca na página Senha."))
    try:
        with transactions.try_again_when_held():
            link, secret = staff_links.release_reset(user, clinic=request.clinic, by=request.user)
    except StaffUser.DoesNotExist as inactive:
        raise Http404 from inactive
    except Refused as held:
        messages.error(request, held.message)
        return redirect("web:staff")
    return _released(request, link, secret)


@require_safe
@never_cache
@clinic_optional
@doctors_too
def own_sessions(request: ClinicRequest) -> HttpResponse:
    """Show where the user is signed in."""
    return _sessions_page(request, request.user)


@require_POST
@never_cache
@clinic_optional
@doctors_too
def end_own_session(request: ClinicRequest) -> HttpResponse:
    """End one other session of the user, or with `all` every other one."""
    _end(request, request.user)
    return redirect("web:own-sessions")


@require_safe
@never_cache
@manager_required
def sessions(request: ClinicRequest, pk: int) -> HttpResponse:
    """Show where a colleague is signed in."""
    return _sessions_page(request, _colleague(request, pk))


@require_POST
@never_cache
@manager_required
def end_session(request: ClinicRequest, pk: int) -> HttpResponse:
    """End a session of a colleague, or with `all` all of them; the audit says so."""
    user = _colleague(request, pk)
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            open_sessions.note_end(user)
            _end(request, user)
    except Refused as held:
        messages.error(request, held.message)
    return redirect("web:staff-sessions", user.pk)


@clinic_optional
@doctors_too
@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@sensitive_variables("secret")
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """The page behind a link: a password is chosen, and its owner is signed in."""
    try:
        link = staff_links.open_link(secret)
    except staff_links.LinkGone:
        return _gone(request)
    with timezone.override(link.clinic.zone), translation.override(link.clinic.language):
        return _accept(request, link)


def _accept(request: HttpRequest, link: StaffLink) -> HttpResponse:
    form = AcceptForm(link, request.POST or None)
    context = {"form": form, "link": link, "name": link.name, "clinic": link.clinic}
    if not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
        return render(request, "staff/accept.html", context, status=status)
    if link.user:
        authors.note_as(request, link.user)
    hashed = make_password(form.cleaned_data["password1"])
    try:
        with transactions.try_again_when_held():
            user = staff_links.use(link, username=form.cleaned_data.get("username", ""), password_hash=hashed)
    except staff_links.LinkGone:  # another window was quicker
        return _gone(request)
    except IntegrityError:  # another person has just taken the name
        form.add_error("username", TAKEN)
        return render(request, "staff/accept.html", context, status=HTTPStatus.CONFLICT)
    except Refused as held:
        form.add_error(None, held.message)
        return render(request, "staff/accept.html", context, status=HTTPStatus.CONFLICT)
    user.clinic = link.clinic
    response = redirect(default_page(user))
    login(request, user, backend="clinic.access.backends.StaffBackend")
    known_browser.remember(request, response, user.folded_username)
    return response


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "staff/no_link.html", status=HTTPStatus.NOT_FOUND)


def _colleague(request: ClinicRequest, pk: int) -> StaffUser:
    """Return a user of this clinic that this manager may manage: 404 for one of another clinic, 403 for a master."""
    user = StaffUser.objects.of(request.clinic).filter(pk=pk, is_superuser=False).first()
    if user is None:
        raise Http404
    _require_rank(request, user)
    return user


def _require_rank(request: ClinicRequest, user: StaffUser | None) -> None:
    if user is not None and user.is_master and not request.user.is_master:
        raise PermissionDenied(_("Isto é só do usuário master da clínica."))


def _released(request: ClinicRequest, link: StaffLink, secret: str) -> HttpResponse:
    address = request.build_absolute_uri(staff_links.path(secret))
    return _team_page(request, released=link, address=address)


def _team_page(
    request: ClinicRequest, *, form: InvitationForm | None = None, status: int = HTTPStatus.OK, **result: Any
) -> HttpResponse:
    users = StaffUser.objects.of(request.clinic).filter(is_superuser=False)
    context = {
        "form": form or InvitationForm(request.clinic, request.user),
        "links": list(staff_links.listed(request.clinic)),
        "team": list(users.filter(is_active=True).select_related("doctor").order_by("name", "pk")),
        "left": [user for user in users.filter(is_active=False).order_by("name", "pk") if user.has_usable_password()],
        **result,
    }
    return render(request, "staff/team.html", context, status=status)


def _sessions_page(request: ClinicRequest, user: StaffUser) -> HttpResponse:
    context = {
        "of_user": user,
        "is_own": user == request.user,
        "sessions": open_sessions.open_sessions(user, asking=request),
        **HOURS,
    }
    return render(request, "staff/sessions.html", context)


def _end(request: ClinicRequest, user: StaffUser) -> None:
    if "all" in request.POST:
        count = open_sessions.end_sessions(user, besides=request.session.session_key)
        words = ngettext("%(n)s sessão encerrada.", "%(n)s sessões encerradas.", count)
        messages.success(request, words % {"n": count})
    elif open_sessions.end_session(user, request.POST.get("session", "")):
        messages.success(request, _("Sessão encerrada: quem estava nela tem de entrar de novo."))
    else:
        messages.info(request, _("Essa sessão já tinha terminado."))
