from functools import wraps

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _


def manager_required(view):
    """Admit managers, masters and superusers; others get the 403 page with a message.

    SignInMiddleware has run before.
    """

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not request.user.is_manager:
            raise PermissionDenied(_("Esta página é da gestão da clínica."))
        return view(request, *args, **kwargs)

    return guarded


def master_required(view):
    """Admit masters and superusers; others get the 403 page with a message. SignInMiddleware has run before."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not request.user.is_master:
            raise PermissionDenied(_("Esta página é só do usuário master da clínica."))
        return view(request, *args, **kwargs)

    return guarded


def clinic_optional(view):
    """Mark a view of the front desk that also works for a superuser who has chosen no clinic."""
    view.clinic_required = False
    return view
