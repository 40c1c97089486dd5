import secrets
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import password_validation, update_session_auth_hash
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from clinic.access import lockout, open_sessions, pins, staff_links
from clinic.admin.base import BaseAdmin, RealClinicsFilter, admin_request, sees_all_clinics, visible_rows
from clinic.admin.filled import Posted
from clinic.admin.forms import NamedForm
from clinic.models import Clinic, Doctor, StaffLink, StaffUser
from clinic.models.staff import SWITCHES

GENERATED_BYTES = 12
SEEN = "clinic.admin.staff.seen"
EVERYWHERE = [admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM]


class StaffForm(NamedForm):
    """A user, with a new password or an unchanged one."""

    new_password = forms.CharField(
        label=gettext_lazy("Nova senha"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    clinic_of_form: Clinic | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.instance.clinic = self.clinic_of_form
        if "new_password" in self.fields:
            self.fields["new_password"].help_text = (
                _("Vazio: a senha fica como está.")
                if self.instance.pk
                else _("Vazio: geramos uma e mostramos uma vez.")
            )

    def untouched(self) -> Posted:
        """Replace the password by a digest, which only shows whether it is still the same."""
        posted = super().untouched()
        posted["password"] = salted_hmac(SEEN, self.instance.password, algorithm="sha256").hexdigest()
        return posted

    def merge(self, rendered: Posted | None) -> None:
        super().merge(rendered)
        is_seen = rendered is not None and rendered.get("password") == self.stored["password"]
        if self.data.get("new_password") and not is_seen:
            self.conflicts["new_password"] = _(
                "Outra janela já trocou esta senha. Para trocá-la mais uma vez, digite a senha nova e salve de novo."
            )

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            password_validation.validate_password(password, self.instance)
        return password


@admin.register(StaffUser)
class StaffAdmin(BaseAdmin):
    """Users cannot be deleted, because the history refers to them, and cannot remove their own access.

    Managers neither create nor change masters, and only superusers see superusers.
    """

    form = StaffForm
    list_display = ["name", "username", "role", "may_squeeze_in", "is_active", "last_login"]
    list_filter = ["is_active", "role"]
    search_fields = ["name__unaccent", "username"]
    actions = ["unlock", "release_reset"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = visible_rows(request, super().get_queryset(request))
        return rows if sees_all_clinics(request) else rows.filter(is_superuser=False)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """Offer no sandbox as a user's clinic, and doctors of the clinic only."""
        if db_field.name == "clinic":
            return Clinic.objects.real()
        if db_field.name == "doctor":
            return visible_rows(request, Doctor.objects.all())
        return super().get_field_queryset(db, db_field, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        everybody = ["name", "username", "role", "doctor", *SWITCHES, "is_active", "new_password"]
        return [*everybody, "clinic", "is_superuser"] if sees_all_clinics(request) else everybody

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        own = ["role", "doctor", "is_active", "clinic", "is_superuser"]
        return [name for name in own if name in self.get_fields(request, obj)] if obj == request.user else []

    def get_list_display(self, request: HttpRequest) -> Any:
        return [*self.list_display, "clinic"] if sees_all_clinics(request) else self.list_display

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [("clinic", RealClinicsFilter), *self.list_filter] if sees_all_clinics(request) else self.list_filter

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        return ["clinic"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.clinic_of_form = admin_request(request).clinic
        return form

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role" and not admin_request(request).user.is_master:
            kwargs["choices"] = [choice for choice in StaffUser.Role.choices if choice[0] != StaffUser.Role.MASTER]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Otherwise ?password__startswith=… in the list's address would reveal a hash letter by letter.
        return not lookup.startswith(("password", "pin")) and super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        outranks = obj is not None and obj.is_master and not admin_request(request).user.is_master
        return not outranks and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        password = form.cleaned_data.get("new_password") or ("" if change else generated_password())
        if password:
            obj.set_password(password)
        super().save_model(request, obj, form, change)
        if password and obj == request.user:
            update_session_auth_hash(request, obj)
        if change:
            self._end_what_was_open(request, obj, has_new_password=bool(password), changed=form.changed_data)
        if not change and not form.cleaned_data.get("new_password"):
            self.show_password(request, obj, password)

    def _end_what_was_open(
        self, request: HttpRequest, user: StaffUser, *, has_new_password: bool, changed: list[str]
    ) -> None:
        """End the links that were made for who the user was before, and the sessions without a right any more."""
        by, is_gone = admin_request(request).user, "is_active" in changed and not user.is_active
        if is_gone:
            staff_links.revoke_all(user, by=by)
        elif has_new_password or {"role", "is_active"} & set(changed):
            staff_links.end_links(user, by=by)
        if is_gone or has_new_password:
            open_sessions.end_sessions(user, besides=request.session.session_key)

    @admin.action(description=gettext_lazy("Link de senha nova"), permissions=["change"])
    @sensitive_variables("made", "secret", "released")
    def release_reset(self, request: HttpRequest, queryset: QuerySet[StaffUser]) -> HttpResponse:
        """Show each link once, in this response: nobody but who opens it has the password."""
        released = []
        for user in queryset:
            if (made := self._reset_link(request, user)) is None:
                self.message_user(
                    request, _("A senha de %(user)s não se troca por aqui.") % {"user": user}, messages.WARNING
                )
                continue
            link, secret = made
            self.log_change(request, user, _("Link de senha nova criado."))
            released.append((link, request.build_absolute_uri(staff_links.path(secret))))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copie agora: não aparece de novo"),
            "opts": self.opts,
            "released": released,
        }
        response = TemplateResponse(request, "admin/clinic/staffuser/links.html", context)
        add_never_cache_headers(response)
        return response

    @sensitive_variables()
    def _reset_link(self, request: HttpRequest, user: StaffUser) -> tuple[StaffLink, str] | None:
        """Return a link and its secret; None for a user whose password is not changed by one."""
        if user.clinic is None or user == request.user or not self.has_change_permission(request, user):
            return None
        with suppress(StaffUser.DoesNotExist):  # of one who is not active
            return staff_links.release_reset(user, clinic=user.clinic, by=admin_request(request).user)
        return None

    @admin.action(description=gettext_lazy("Desbloquear acesso"), permissions=["change"], location=EVERYWHERE)
    def unlock(self, request: HttpRequest, queryset: QuerySet[StaffUser]) -> None:
        for user in queryset:
            lockout.unlock(user.username)
            pins.unlock(user)
        self.message_user(request, _("Acesso desbloqueado: já se pode tentar de novo."), messages.SUCCESS)

    def show_password(self, request: HttpRequest, user: StaffUser, password: str) -> None:
        message = _("Senha de %(user)s: %(password)s — anote agora, ela não aparece de novo.")
        self.message_user(request, message % {"user": user.username, "password": password}, messages.WARNING)


def generated_password() -> str:
    """Return a random password of 96 bits."""
    return secrets.token_urlsafe(GENERATED_BYTES)
