"""Integrações. Managers see it, masters act.

A secret is in the answer to the very request that made it and nowhere else: not in an address, not in the session, not
on the page when it is loaded again. A form that is sent twice acts once (`clinic.access.form_replay`).
"""

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from clinic import transactions
from clinic.access import access_tokens, api_keys, form_replay
from clinic.access.resumable_forms import resumable, take
from clinic.access.roles import manager_required, master_required
from clinic.models import AccessToken, ApiKey, CredentialEvent
from clinic.refusals import Refused
from clinic.web.htmx import partial_or_page, redirect, wants_partial
from clinic.web.integration.context import Secret, page
from clinic.web.integration.forms import ApiKeyForm

BROWSER = CredentialEvent.Channel.BROWSER


@require_safe
@never_cache
@manager_required
def index(request):
    return _show(request)


@require_POST
@never_cache
@master_required
@sensitive_variables("text")
def release(request):
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            form_replay.require_unsubmitted(request.clinic, request.user, request.POST.get("seen", ""))
            token, text = access_tokens.release(request.clinic, request.user, channel=BROWSER)
    except form_replay.AlreadySubmitted:
        return _repeated(request)
    except Refused as held:
        return _held(request, held)
    return _show(request, secret=Secret(token, text))


@require_POST
@never_cache
@master_required
def revoke_token(request, pk):
    try:
        with transactions.try_again_when_held():
            access_tokens.revoke(pk, clinic=request.clinic, by=request.user, channel=BROWSER)
    except AccessToken.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as held:
        return _held(request, held)
    return _done(request, "tokens", _("Token revogado. Ele não abre mais nada."))


@resumable
@never_cache
@master_required
@sensitive_variables("text")
def create_key(request):
    if request.method != "POST":
        return _show(request, form=ApiKeyForm(take(request)))
    form = ApiKeyForm(request.POST)
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            form_replay.require_unsubmitted(request.clinic, request.user, request.POST.get("seen", ""))
            if not form.is_valid():
                return _show(request, form=form, status=422)
            key, text = api_keys.create(request.clinic, **form.wanted(), by=request.user, channel=BROWSER)
    except form_replay.AlreadySubmitted:
        return _repeated(request, form=form)
    except Refused as held:
        return _held(request, held, form=form)
    return _show(request, secret=Secret(key, text))


@require_POST
@never_cache
@master_required
@sensitive_variables("text")
def rotate_key(request, pk):
    try:
        with transactions.try_again_when_held(), transaction.atomic():
            form_replay.require_unsubmitted(request.clinic, request.user, request.POST.get("seen", ""))
            key, text = api_keys.rotate(pk, clinic=request.clinic, by=request.user, channel=BROWSER)
    except form_replay.AlreadySubmitted:
        return _repeated(request)
    except Refused as held:
        return _held(request, held)
    except ApiKey.DoesNotExist as missing:
        raise Http404 from missing
    return _show(request, secret=Secret(key, text, old=ApiKey.objects.of(request.clinic).get(pk=pk)))


@require_POST
@never_cache
@master_required
def revoke_key(request, pk):
    try:
        with transactions.try_again_when_held():
            api_keys.revoke(pk, clinic=request.clinic, by=request.user, channel=BROWSER)
    except ApiKey.DoesNotExist as missing:
        raise Http404 from missing
    except Refused as held:
        return _held(request, held)
    return _done(request, "keys", _("Chave revogada. Ela não abre mais nada."))


def _show(request, status=None, **more):
    return partial_or_page(request, "integration/index.html", "integration", page(request, **more), status)


def _repeated(request, **more):
    return _show(request, status=409, repeated=True, **more)


def _held(request, refused, **more):
    return _show(request, status=409, held=refused.message, **more)


def _done(request, where, sentence):
    messages.success(request, sentence)
    return _show(request, done=where, oob=True) if wants_partial(request) else redirect(request, "web:integration-list")
