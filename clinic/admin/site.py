from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from clinic.models import StaffUser

# In the order in which a manager needs them, not alphabetical.
ORDER = [
    "doctor",
    "closure",
    "clinicholiday",
    "procedure",
    "discount",
    "payer",
    "patient",
    "staffuser",
    "clinic",
    "appointment",
    "appointmentevent",
]


class ClinicAdminSite(AdminSite):
    """For managers, masters and superusers. Signing in, signing out and changing passwords are the agenda's pages."""

    site_header = gettext_lazy("Administração")
    site_title = gettext_lazy("Administração")
    index_title = gettext_lazy("O que você quer organizar?")
    site_url = reverse_lazy("web:home")  # type: ignore[assignment]  # the stubs lack lazy addresses
    empty_value_display = "—"

    def admin_view[V: Callable[..., HttpResponseBase]](self, view: V, cacheable: bool = False) -> V:
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # Django would redirect them to sign in, although they are signed in.
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied(_("A administração é da gestão da clínica. Peça a ela o que falta aqui."))
            return guarded(request, *args, **kwargs)

        return cast("V", update_wrapper(inner, guarded))

    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["models"].sort(key=lambda model: ORDER.index(model["model"]._meta.model_name))
            for model in app["models"]:
                if model["model"]._meta.model_name == "clinic":
                    model |= _own_clinic(cast("StaffUser", request.user))
        return apps

    def password_change(  # type: ignore[override]  # the stubs allow Django's own page only
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("web:password-change"))


def _own_clinic(user: "StaffUser") -> dict[str, str]:
    """Return what the menu says of clinics to a user who works for one; nothing for a superuser."""
    if user.clinic_id is None:
        return {}
    return {"name": _("A clínica"), "admin_url": reverse("admin:clinic_clinic_change", args=[user.clinic_id])}
