from math import ceil
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.access.guessing import TooManyFromAddress, TooManyOfName, TooManyTries
from clinic.access.hashing import Busy
from clinic.models import StaffUser

BUSY_SECONDS = 2


class SignInForm(AuthenticationForm):
    """Sign in, with one message for an unknown user, a wrong password and an inactive account: strangers learn nothing.

    `not_checked` is the exception that kept the password from being checked, or None.
    """

    # Django gives the field the model's length too late for it to be checked.
    username = UsernameField(
        label=gettext_lazy("Usuário"), max_length=60, widget=forms.TextInput(attrs={"autofocus": True})
    )
    error_messages = {
        "invalid_login": gettext_lazy("Usuário ou senha incorretos."),
        "inactive": gettext_lazy("Usuário ou senha incorretos."),
    }
    not_checked: TooManyTries | Busy | None = None

    def __init__(self, request: HttpRequest, data: QueryDict | None = None) -> None:
        super().__init__(request, data)
        if self.data.get("username"):
            # After a refusal it is nearly always the password that is typed again.
            del self.fields["username"].widget.attrs["autofocus"]
            self.fields["password"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except (TooManyTries, Busy) as reason:
            self.not_checked = reason
            raise ValidationError(not_checked_message(reason)) from None


class PasswordForm(PasswordChangeForm):
    """Change the password. The present one is checked like an attempt to sign in; `not_checked` is as there."""

    error_messages = {
        "password_incorrect": gettext_lazy("A senha atual não confere. Digite-a de novo."),
        "password_mismatch": gettext_lazy("As duas senhas novas não são iguais."),
    }
    not_checked: TooManyTries | Busy | None = None

    def __init__(self, request: HttpRequest, user: StaffUser, data: QueryDict | None = None) -> None:
        super().__init__(user, data)
        self.request = request

    def save(self, commit: bool = True) -> StaffUser:
        """Store only the password: rights that were taken away since the request began stay so."""
        user = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        try:
            user = authenticate(self.request, username=self.user.get_username(), password=password)
        except (TooManyTries, Busy) as reason:
            self.not_checked = reason
            raise ValidationError(not_checked_message(reason)) from None
        if user is None:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


def retry_after(reason: TooManyTries | Busy) -> int:
    """Return the seconds after which to try again."""
    return BUSY_SECONDS if isinstance(reason, Busy) else reason.wait


def too_many_from_address(seconds: int) -> str:
    return ngettext(
        "Foram muitas tentativas de entrar a partir deste endereço. Espere %(seconds)s segundo e tente de novo.",
        "Foram muitas tentativas de entrar a partir deste endereço. Espere %(seconds)s segundos e tente de novo.",
        seconds,
    ) % {"seconds": seconds}


def not_checked_message(reason: TooManyTries | Busy) -> str:
    """Return the message why the password was not checked, and what to do."""
    if isinstance(reason, TooManyFromAddress):
        return too_many_from_address(reason.wait)
    if isinstance(reason, TooManyOfName):
        return _(
            "Foram muitas tentativas de entrar com este usuário. Tente de novo daqui a %(minutes)s min, ou agora em um "
            "navegador em que você já entrou antes. Com pressa, peça à gestão da clínica que desbloqueie o acesso."
        ) % {"minutes": ceil(reason.wait / 60)}
    return _("Há muita gente entrando neste instante. Espere alguns segundos, digite a senha e tente de novo.")
