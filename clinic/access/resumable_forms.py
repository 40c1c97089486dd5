"""What was typed into a form whose session ended meanwhile: kept on the server until its author has signed in again.

A view takes part like this:

    @resumable
    def patient_edit(request, pk):
        form = PatientForm(request.POST or take(request), …)

A POST that comes too late is kept in the new, anonymous session, never in a URL; whoever signs in next finds it if
they are the one who was signed in before, or somebody of the same clinic. It answers GET at the same path, once.
"""

import time

from django.http import QueryDict

from clinic.models import StaffUser

KEPT_SECONDS = 12 * 3600
KEPT_FORMS = 5  # windows left open by one person
KEPT_CHARACTERS = 128 * 1024  # a form, urlencoded: twice the longest notes, as typed and as seen, still fit
FORMS = "interrupted_forms"
PREVIOUS_USER = "interrupted_user"
SECRET_FIELDS = ("csrfmiddlewaretoken", "password", "senha")


def resumable(view):
    """Mark a view that answers GET at the path it is posted to, and shows there what `take` returns."""
    view.resumable = True
    return view


def remember_user(request, user_id: str) -> None:
    """Note in an anonymous session whose session it follows."""
    request.session[PREVIOUS_USER] = user_id


def keep(request) -> bool:
    """Keep what was posted to `request.path`. False when nobody knows whose it is, or it is unreasonably large."""
    fields = request.POST.copy()
    for name in [name for name in fields if any(secret in name.lower() for secret in SECRET_FIELDS)]:
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


def is_kept(request) -> bool:
    return bool(request.session.get(FORMS))


def claim(request, user: StaffUser) -> bool:
    """Called once at sign-in: what a stranger typed at this browser is thrown away.

    Tells whether this is the very person who was signed in before.
    """
    owner_id = request.session.pop(PREVIOUS_USER, None)
    if FORMS in request.session and not _may_see(user, owner_id):
        del request.session[FORMS]
    return str(user.pk) == str(owner_id)


def take(request) -> QueryDict | None:
    """What was typed at this path before the session ended, if anything, for a form to be bound to. Gives it once."""
    forms = request.session.get(FORMS)
    if request.method != "GET" or not forms or request.path not in forms:
        return None
    kept = forms.pop(request.path)
    request.session[FORMS] = forms
    return QueryDict(kept["fields"]) if time.time() - kept["at"] < KEPT_SECONDS else None


def _may_see(user, owner_id):
    same_clinic = StaffUser.objects.filter(pk=owner_id, clinic__isnull=False, clinic=user.clinic_id)
    return str(user.pk) == str(owner_id) or same_clinic.exists()
