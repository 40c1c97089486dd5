from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import DisplayLink
from clinic.models.limits import max_length
from clinic.models.names import validate_has_letter


class DisplayLinkForm(forms.Form):
    """The form of a new link."""

    name = forms.CharField(
        label=_("Onde fica a tela"),
        max_length=max_length(DisplayLink, "name"),
        validators=[validate_has_letter],
        help_text=_("Por exemplo “Recepção”: é o nome na lista."),
        error_messages={
            "required": _("Diga onde fica a tela, por exemplo “Recepção”."),
            "max_length": _("Use no máximo %(limit_value)d caracteres."),
        },
    )
