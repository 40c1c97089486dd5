"""Keep a form that was sent after its session had ended, until its author has signed in again.

A view takes part like this:

    @resumable
    def patient_edit(request, pk):
        form = PatientForm(request.POST or take(request), …)

A late POST is kept on the server, in the new anonymous session, and never in a URL. The next user to sign in gets it if
they are the previous user or work for the same clinic. It is returned once, for a GET of the same path.
"""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase, QueryDict

from clinic.models import StaffUser

KEPT_SECONDS = 12 * 3600
KEPT_FORMS = 5  # windows of one person
KEPT_CHARACTERS = 128 * 1024  # urlencoded; enough for two copies of the longest notes, as typed and as seen
FORMS = "interrupted_forms"
PREVIOUS_USER = "interrupted_user"
SECRET_FIELDS = ("csrfmiddlewaretoken", "password", "senha", "pin")
NOT_SECRET = {"authorization_password"}  # a payer's, of one appointment: the front desk reads and writes it


def resumable[V: Callable[..., HttpResponseBase]](view: V) -> V:
    """Mark a view that answers GET at the path it is posted to, and shows there the form that `take` returns."""
    vars(view)["resumable"] = True
    return view


def remember_user(request: HttpRequest, user_id: str) -> None:
    """Note in an anonymous session the id of the user whose session it replaces."""
    request.session[PREVIOUS_USER] = user_id


def keep(request: HttpRequest) -> bool:
    """Keep the fields posted to `request.path`. Return False when their author is unknown or they are too large."""
    fields = request.POST.copy()
    for name in fields.keys() - NOT_SECRET:
        if any(secret in name.lower() for secret in SECRET_FIELDS):
            del fields[name]
    typed = fields.urlencode()
    owner = request.session.get(PREVIOUS_USER) or request.user.pk
    if not owner or len(typed) > KEPT_CHARACTERS:
        return False
    forms = request.session.get(FORMS, {})
    forms.pop(request.path, None)
    newest = dict(list(forms.items())[1 - KEPT_FORMS :])
    request.session[FORMS] = newest | {request.path: {"fields": typed, "at": int(time.time())}}
    return True


def is_kept(request: HttpRequest) -> bool:
    """Return whether a form is kept in this session."""
    return bool(request.session.get(FORMS))


def claim(request: HttpRequest, user: StaffUser) -> bool:
    """Drop the kept forms at sign-in unless `user` is their author or of the author's clinic.

    Return whether `user` is the author.
    """
    owner_id = request.session.pop(PREVIOUS_USER, None)
    if FORMS in request.session and not _may_see(user, owner_id):
        del request.session[FORMS]
    return str(user.pk) == str(owner_id)


def take(request: HttpRequest) -> QueryDict | None:
    """Return the fields kept for this path, to bind a form to, and drop them; None if there are none."""
    forms = request.session.get(FORMS)
    if request.method != "GET" or not forms or request.path not in forms:
        return None
    kept = forms.pop(request.path)
    request.session[FORMS] = forms
    return QueryDict(kept["fields"]) if time.time() - kept["at"] < KEPT_SECONDS else None


def _may_see(user: StaffUser, owner_id: str | None) -> bool:
    if owner_id is None:
        return False
    same_clinic = StaffUser.objects.filter(pk=owner_id, clinic__isnull=False, clinic=user.clinic_id)
    return str(user.pk) == str(owner_id) or same_clinic.exists()
