"""Integrações: managers see it, masters act.

A secret is in the response to the request that made it and nowhere else: not in an address, not in the session, not
on the page when it is loaded again. A form that is sent twice acts once (`clinic.access.form_replay`).
"""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from clinic import transactions
from clinic.access import access_tokens, api_keys, form_replay
from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import manager_required, master_required
from clinic.models import AccessToken, ApiKey, CredentialEvent
from clinic.refusals import Refused
from clinic.web.htmx import partial_or_page, redirect, wants_partial
from clinic.web.integration.context import Secret, page_context
from clinic.web.integration.forms import ApiKeyForm

BROWSER = CredentialEvent.Channel.BROWSER


@require_safe
@never_cache
@manager_required
def index(request: ClinicRequest) -> HttpResponse:
    return _page(request)


@require_POST
@never_cache
@master_required
@sensitive_variables("text")
def release(request: ClinicRequest) -> HttpResponse:
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            form_replay.require_unsubmitted(request.clinic, request.user, request.POST.get("seen", ""))
            token, text = access_tokens.release(request.clinic, request.user, channel=BROWSER)
    except form_replay.AlreadySubmitted:
        return _already_submitted_page(request)
    except Refused as held:
        return _held_page(request, held)
    return _page(request, secret=Secret(token, text))


@require_POST
@never_cache
@master_required
def revoke_token(request: ClinicRequest, pk: int) -> HttpResponse:
    try:
        with transactions.try_again_when_held():
            access_tokens.revoke(pk, clinic=request.clinic, by=request.user, channel=BROWSER)
    except AccessToken.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as held:
        return _held_page(request, held)
    return _done_page(request, "tokens", _("Token revogado. Ele não abre mais nada."))


@resumable
@never_cache
@master_required
@sensitive_variables("text")
def create_key(request: ClinicRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, form=ApiKeyForm(take(request)))
    form = ApiKeyForm(request.POST)
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            form_replay.require_unsubmitted(request.clinic, request.user, request.POST.get("seen", ""))
            if not form.is_valid():
                return _page(request, form=form, status=422)
            key, text = api_keys.create(request.clinic, **form.create_arguments(), by=request.user, channel=BROWSER)
    except form_replay.AlreadySubmitted:
        return _already_submitted_page(request, form=form)
    except Refused as held:
        return _held_page(request, held, form=form)
    return _page(request, secret=Secret(key, text))


@require_POST
@never_cache
@master_required
@sensitive_variables("text")
def rotate_key(request: ClinicRequest, pk: int) -> HttpResponse:
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            form_replay.require_unsubmitted(request.clinic, request.user, request.POST.get("seen", ""))
            key, text = api_keys.rotate(pk, clinic=request.clinic, by=request.user, channel=BROWSER)
    except form_replay.AlreadySubmitted:
        return _already_submitted_page(request)
    except Refused as held:
        return _held_page(request, held)
    except ApiKey.DoesNotExist as missing:
        raise Http404 from missing
    return _page(request, secret=Secret(key, text, old=ApiKey.objects.of(request.clinic).get(pk=pk)))


@require_POST
@never_cache
@master_required
def revoke_key(request: ClinicRequest, pk: int) -> HttpResponse:
    try:
        with transactions.try_again_when_held():
            api_keys.revoke(pk, clinic=request.clinic, by=request.user, channel=BROWSER)
    except ApiKey.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as held:
        return _held_page(request, held)
    return _done_page(request, "keys", _("Chave revogada. Ela não abre mais nada."))


def _page(
    request: ClinicRequest, *, status: int | None = None, form: ApiKeyForm | None = None, **result: object
) -> HttpResponse:
    return partial_or_page(
        request, "integration/index.html", "integration", page_context(request, form=form, **result), status
    )


def _already_submitted_page(request: ClinicRequest, form: ApiKeyForm | None = None) -> HttpResponse:
    return _page(request, status=409, form=form, already_submitted=True)


def _held_page(request: ClinicRequest, refused: Refused, form: ApiKeyForm | None = None) -> HttpResponse:
    return _page(request, status=409, form=form, held_message=refused.message)


def _done_page(request: ClinicRequest, section: str, message: str) -> HttpResponse:
    """Show a message, and for htmx the page with the focus on the heading of `section`."""
    messages.success(request, message)
    if wants_partial(request):
        return _page(request, focused_section=section, oob=True)
    return redirect(request, "web:integration-list")
