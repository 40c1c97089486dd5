from math import ceil

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.access.guessing import TooManyFromAddress, TooManyOfName, TooManyTries
from clinic.access.hashing import Busy

BUSY_SECONDS = 2


class SignInForm(AuthenticationForm):
    """One sentence for an unknown user, a wrong password and a switched-off account: strangers learn nothing.

    `not_checked` is what kept the password from being checked, if anything did."""

    # Django gives the field the model's length too late for it to be checked.
    username = UsernameField(
        label=gettext_lazy("Usuário"), max_length=60, widget=forms.TextInput(attrs={"autofocus": True})
    )
    error_messages = {
        "invalid_login": gettext_lazy("Usuário ou senha incorretos."),
        "inactive": gettext_lazy("Usuário ou senha incorretos."),
    }
    not_checked = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.data.get("username"):
            # After a refusal it is nearly always the password that is typed again.
            del self.fields["username"].widget.attrs["autofocus"]
            self.fields["password"].widget.attrs["autofocus"] = True

    def clean(self):
        try:
            return super().clean()
        except (TooManyTries, Busy) as reason:
            self.not_checked = reason
            raise ValidationError(sentence(reason)) from None


class PasswordForm(PasswordChangeForm):
    """The present password is asked for as at sign-in, and counts as one. `not_checked` as there."""

    error_messages = {
        "password_incorrect": gettext_lazy("A senha atual não confere. Digite-a de novo."),
        "password_mismatch": gettext_lazy("As duas senhas novas não são iguais."),
    }
    not_checked = None

    def __init__(self, request, data=None):
        super().__init__(request.user, data)
        self.request = request

    def save(self, commit=True):
        """Nothing but the password: rights that were taken away since the request began stay so."""
        user = super().save(commit=False)
        if commit:
            user.save(update_fields=["password"])
        return user

    def clean_old_password(self):
        password = self.cleaned_data["old_password"]
        try:
            user = authenticate(self.request, username=self.user.get_username(), password=password)
        except (TooManyTries, Busy) as reason:
            self.not_checked = reason
            raise ValidationError(sentence(reason)) from None
        if user is None:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


def retry_after(reason: TooManyTries | Busy) -> int:
    """Seconds."""
    return BUSY_SECONDS if isinstance(reason, Busy) else reason.wait


def too_many_from_address(seconds: int) -> str:
    return ngettext(
        "Foram muitas tentativas de entrar a partir deste endereço. Espere %(seconds)s segundo e tente de novo.",
        "Foram muitas tentativas de entrar a partir deste endereço. Espere %(seconds)s segundos e tente de novo.",
        seconds,
    ) % {"seconds": seconds}


def sentence(reason: TooManyTries | Busy) -> str:
    """Why the password was not checked, and what to do."""
    if isinstance(reason, TooManyFromAddress):
        return too_many_from_address(reason.wait)
    if isinstance(reason, TooManyOfName):
        return _(
            "Foram muitas tentativas de entrar com este usuário. Tente de novo daqui a %(minutes)s min, ou agora em um "
            "navegador em que você já entrou antes. Com pressa, peça à gestão da clínica que desbloqueie o acesso."
        ) % {"minutes": ceil(reason.wait / 60)}
    return _("Há muita gente entrando neste instante. Espere alguns segundos, digite a senha e tente de novo.")
