from typing import TypedDict

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import ApiKey
from clinic.models.limits import max_length
from clinic.models.names import validate_has_letter

LIVE, TEST = "live", "test"
MAX_NAME_LENGTH = max_length(ApiKey, "name")


class CreateArguments(TypedDict):
    name: str
    scopes: list[str]
    source: str
    is_live: bool


class ApiKeyForm(forms.Form):
    """The form of a new key. Reading patients is not ticked: most programs can do without."""

    name = forms.CharField(
        label=_("Nome"),
        max_length=MAX_NAME_LENGTH,
        validators=[validate_has_letter],
        help_text=_("Quem vai usar a chave, por exemplo “Central de voz”."),
        error_messages={
            "required": _("Dê um nome à chave: é por ele que ela aparece na lista e no histórico."),
            "max_length": _("Use no máximo %(limit_value)d caracteres."),
        },
    )
    scopes = forms.MultipleChoiceField(
        label=_("Permissões"),
        choices=ApiKey.Scope.choices,
        initial=[ApiKey.Scope.APPOINTMENTS_READ, ApiKey.Scope.APPOINTMENTS_WRITE, ApiKey.Scope.DIRECTORY_READ],
        error_messages={
            "required": _("Escolha pelo menos uma permissão."),
            "invalid_choice": _("Escolha as permissões da lista."),
        },
    )
    source = forms.ChoiceField(
        label=_("Origem dos agendamentos"),
        choices=ApiKey.Source.choices,
        initial=ApiKey.Source.SYNC_EXTERNAL,
        help_text=_("Como a agenda identifica o que esta chave agenda."),
        error_messages={"invalid_choice": _("Escolha uma origem da lista.")},
    )
    mode = forms.ChoiceField(
        label=_("Tipo"),
        choices=[(LIVE, _("De produção: agenda de verdade")), (TEST, _("De teste: fora dela, até a meia-noite"))],
        initial=LIVE,
        error_messages={"invalid_choice": _("Escolha o tipo da chave.")},
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError(_("Use só letras, números e sinais."))
        return name

    def create_arguments(self) -> CreateArguments:
        """Return the arguments of `api_keys.create` from a valid form."""
        values = self.cleaned_data
        scopes = [scope for scope in ApiKey.Scope.values if scope in values["scopes"]]
        return {"name": values["name"], "scopes": scopes, "source": values["source"], "is_live": values["mode"] == LIVE}
