from django import forms
from django.contrib.auth.forms import SetPasswordMixin
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from clinic.models import Clinic, StaffUser
from clinic.models.clinic import TIME_ZONES, zone_name
from clinic.models.names import validate_has_letter

CURRENCIES = {Clinic.Country.BRAZIL: Clinic.Currency.REAL, Clinic.Country.PORTUGAL: Clinic.Currency.EURO}
CLINIC_FIELDS = {"clinic_name": "name", "country": "country", "time_zone": "time_zone", "language": "language"}
MASTER_FIELDS = {"name": "name", "username": "username"}


def _field(model, name, **options):
    return model._meta.get_field(name).formfield(**options)


class FirstClinicForm(SetPasswordMixin, forms.Form):
    """A clinic and its master. When valid, it has them as `clinic` and `master`, not stored yet."""

    clinic_name = _field(Clinic, "name", label=gettext_lazy("Nome da clínica"), validators=[validate_has_letter])
    country = _field(Clinic, "country", label=gettext_lazy("País"))
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Fuso horário"),
        choices=[
            (label, [(zone, zone_name(zone)) for zone in TIME_ZONES[country]])
            for country, label in Clinic.Country.choices
        ],
    )
    language = _field(Clinic, "language", label=gettext_lazy("Idioma"))
    name = _field(StaffUser, "name", label=gettext_lazy("Seu nome"), validators=[validate_has_letter])
    username = _field(
        StaffUser, "username", label=gettext_lazy("Usuário"), help_text=gettext_lazy("Para entrar. Exemplo: ana.souza")
    )
    password1, password2 = SetPasswordMixin.create_password_fields(
        label1=gettext_lazy("Senha"), label2=gettext_lazy("A mesma senha, outra vez")
    )
    error_messages = {"password_mismatch": gettext_lazy("As duas senhas não são iguais.")}

    def __init__(self, data=None):
        european = get_language() == Clinic.Language.EUROPEAN
        first_guess = {
            "country": Clinic.Country.PORTUGAL if european else Clinic.Country.BRAZIL,
            "time_zone": "Europe/Lisbon" if european else "America/Sao_Paulo",
            "language": get_language(),
        }
        super().__init__(data, initial=first_guess)
        for name in ("country", "language"):
            field = self.fields[name]
            field.choices = [choice for choice in field.choices if choice[0]]
        self.fields["password1"].help_text = _("Pelo menos 10 caracteres, e nada que se adivinhe.")
        self.fields["password2"].help_text = ""
        self.fields["clinic_name"].widget.attrs["autofocus"] = True
        self.fields["username"].widget.attrs |= {"autocapitalize": "none", "autocomplete": "username"}

    def clean(self):
        cleaned = super().clean()
        self.clinic = self._row(Clinic, CLINIC_FIELDS)
        self.master = self._row(StaffUser, MASTER_FIELDS)
        self.validate_passwords()
        self.validate_password_for_user(self.master)
        zone, country = cleaned.get("time_zone"), cleaned.get("country")
        if zone and country and zone not in TIME_ZONES[country]:
            self.add_error("time_zone", _("Esse fuso é de outro país. Escolha um do país da clínica."))
        if not self.errors:
            self.clinic.currency = CURRENCIES[country]
            self.master.set_password(cleaned["password1"])
        return cleaned

    def _row(self, model, names):
        """An instance of what was typed; what the model itself refuses stands at our fields."""
        row = model(**{name: self.cleaned_data[ours] for ours, name in names.items() if ours in self.cleaned_data})
        checked = {name for ours, name in names.items() if ours in self.cleaned_data}
        others = {field.name for field in model._meta.get_fields()} - checked
        try:
            row.full_clean(exclude=others, validate_unique=False, validate_constraints=False)
        except ValidationError as refused:
            for ours, name in names.items():
                if name in refused.error_dict:
                    self.add_error(ours, refused.error_dict[name])
        return row
