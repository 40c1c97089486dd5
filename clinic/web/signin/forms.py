from math import ceil
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.access import pins, staff_links
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


class AsksPassword(forms.Form):
    """A form of a signed-in `user` that asks for their present password, which is checked like an attempt to sign in;
    `not_checked` is as in SignInForm."""

    request: HttpRequest
    user: StaffUser
    not_checked: TooManyTries | Busy | None = None

    def right_password(self, password: str) -> str:
        """Return the password. Raises ValidationError for a wrong one, and for one that was not checked."""
        try:
            user = authenticate(self.request, username=self.user.get_username(), password=password)
        except (TooManyTries, Busy) as reason:
            self.not_checked = reason
            raise ValidationError(not_checked_message(reason)) from None
        if user is None:
            raise ValidationError(_("A senha atual não confere. Digite-a de novo."), code="password_incorrect")
        return password


class PasswordForm(AsksPassword, PasswordChangeForm):
    """Change the password."""

    error_messages = {"password_mismatch": gettext_lazy("As duas senhas novas não são iguais.")}

    def __init__(self, request: HttpRequest, user: StaffUser, data: QueryDict | None = None) -> None:
        super().__init__(user, data)
        self.request = request

    def clean_old_password(self) -> str:
        return self.right_password(self.cleaned_data["old_password"])

    def save(self, commit: bool = True) -> StaffUser:
        """Store only the password: rights that were taken away since the request began stay so. Links for a new
        password end."""
        user = super().save(commit=False)
        if commit:
            with transaction.atomic():
                user.save(update_fields=["password"])
                staff_links.end_links(user, by=user)
        return user


class PinForm(AsksPassword):
    """Give a manager a PIN, or with `remove` none. What was typed is never sent back."""

    pin_password = forms.CharField(
        label=gettext_lazy("Senha atual"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_pin = forms.CharField(
        label=gettext_lazy("PIN novo"),
        required=False,
        help_text=gettext_lazy("De 4 a 8 números, que não sejam todos iguais nem seguidos."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    new_pin_again = forms.CharField(
        label=gettext_lazy("PIN novo, mais uma vez"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def __init__(self, request: HttpRequest, user: StaffUser, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.request = request
        self.user = user

    def clean_pin_password(self) -> str:
        return self.right_password(self.cleaned_data["pin_password"])

    def clean_new_pin(self) -> str:
        """Return the PIN, "" where it is to be removed."""
        pin: str = self.cleaned_data["new_pin"]
        if "remove" in self.data:
            return ""
        if not pins.is_pin(pin):
            raise ValidationError(_("Um PIN tem de 4 a 8 números, e mais nada."))
        if pins.is_guessable(pin):
            raise ValidationError(_("Este PIN se adivinha: os números são todos iguais ou seguidos. Escolha outro."))
        return pin

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        pin = values.get("new_pin")  # none after an error, "" to remove it
        if pin and pin != values.get("new_pin_again"):
            self.add_error("new_pin_again", _("Os dois PINs não são iguais."))
        return values

    def save(self) -> None:
        pins.set_pin(self.user, self.cleaned_data["new_pin"])


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
