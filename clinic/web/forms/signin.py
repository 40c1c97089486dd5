from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, UsernameField
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """One sentence for an unknown user, a wrong password and a switched-off account: strangers learn nothing."""

    # Django gives the field the model's length too late for it to be checked.
    username = UsernameField(label=_("Usuário"), max_length=60, widget=forms.TextInput(attrs={"autofocus": True}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.data.get("username"):
            # After a refusal it is nearly always the password that is typed again.
            del self.fields["username"].widget.attrs["autofocus"]
            self.fields["password"].widget.attrs["autofocus"] = True

    error_messages = {
        "invalid_login": _("Usuário ou senha não conferem."),
        "inactive": _("Usuário ou senha não conferem."),
    }


class PasswordForm(PasswordChangeForm):
    error_messages = {
        "password_incorrect": _("A senha atual não confere. Digite-a de novo."),
        "password_mismatch": _("As duas senhas novas não são iguais."),
    }
