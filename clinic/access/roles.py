from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from clinic.access.requests import ClinicRequest

type View = Callable[..., HttpResponseBase]


def manager_required(view: View) -> View:
    """Admit managers, masters and superusers; others get the 403 page with a message.

    SignInMiddleware has run before.
    """

    @wraps(view)
    def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_manager:
            raise PermissionDenied(_("Esta página é da gestão da clínica."))
        return view(request, *args, **kwargs)

    return guarded


def master_required(view: View) -> View:
    """Admit masters and superusers; others get the 403 page with a message. SignInMiddleware has run before."""

    @wraps(view)
    def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_master:
            raise PermissionDenied(_("Esta página é só do usuário master da clínica."))
        return view(request, *args, **kwargs)

    return guarded


def reports_required(view: View) -> View:
    """Admit managers, masters, superusers and receptionists with the permission; others get the 403 page with a
    message. SignInMiddleware has run before."""

    @wraps(view)
    def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.sees_reports:
            raise PermissionDenied(_("Ver relatórios é de quem tem essa permissão. Peça à gestão da clínica."))
        return view(request, *args, **kwargs)

    return guarded


def export_required(view: View) -> View:
    """Admit managers, masters, superusers and receptionists who may export; others get the 403 page with a message.
    Beside it a view asks who may see what is exported. SignInMiddleware has run before."""

    @wraps(view)
    def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.exports:
            raise PermissionDenied(_("Exportar é de quem tem essa permissão. Peça à gestão da clínica."))
        return view(request, *args, **kwargs)

    return guarded


def absence_recorder_required(view: View) -> View:
    """Admit managers, masters, superusers and receptionists with the permission; others get the 403 page with a
    message. SignInMiddleware has run before."""

    @wraps(view)
    def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.records_absences:
            raise PermissionDenied(_("Registrar ausência é de quem tem essa permissão. Peça à gestão da clínica."))
        return view(request, *args, **kwargs)

    return guarded


def doctors_too[V: View](view: V) -> V:
    """Mark a view of the front desk that a user with the role of a doctor may open; DoctorMiddleware refuses others."""
    vars(view)["doctors_too"] = True
    return view


def clinic_optional[V: View](view: V) -> V:
    """Mark a view of the front desk that also works for a superuser who has chosen no clinic."""
    vars(view)["clinic_required"] = False
    return view
