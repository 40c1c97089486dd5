from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth.forms import SetPasswordMixin
from django.core.exceptions import ValidationError
from django.db.models import Field, Model
from django.http import QueryDict
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from clinic.models import Clinic, StaffUser
from clinic.models.clinic import TIME_ZONES, USUAL, validate_zone_of_country
from clinic.models.names import validate_has_letter

if TYPE_CHECKING:
    PasswordMixin = SetPasswordMixin[StaffUser]
else:  # Django's class takes no type arguments when it runs
    PasswordMixin = SetPasswordMixin

CLINIC_FIELDS = {"clinic_name": "name", "country": "country", "time_zone": "time_zone", "language": "language"}
MASTER_FIELDS = {"name": "name", "username": "username"}


def _field(model: type[Model], name: str, **options: Any) -> forms.Field:
    """Return the form field of a model's field."""
    field = cast("Field[Any, Any]", model._meta.get_field(name))
    return cast(forms.Field, field.formfield(**options))


class FirstClinicForm(PasswordMixin, forms.Form):
    """A clinic and its master. When valid, it has them as `clinic` and `master`, not stored yet."""

    clinic_name = _field(Clinic, "name", label=gettext_lazy("Nome da clínica"), validators=[validate_has_letter])
    country = _field(Clinic, "country", label=gettext_lazy("País"))
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Fuso horário"),
        choices=[(label, list(TIME_ZONES[country].items())) for country, label in Clinic.Country.choices],
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

    def __init__(self, data: QueryDict | None = None) -> None:
        european = get_language() == Clinic.Language.EUROPEAN
        country = Clinic.Country.PORTUGAL if european else Clinic.Country.BRAZIL
        first_guess: dict[str, Any] = {
            "country": country,
            "time_zone": USUAL[country].time_zone,
            "language": get_language(),
        }
        super().__init__(data, initial=first_guess)
        for name in ("country", "language"):
            field = cast(forms.ChoiceField, self.fields[name])
            choices = cast(Iterable[tuple[str, str]], field.choices)
            field.choices = [(code, label) for code, label in choices if code]
        self.fields["password1"].help_text = _("Pelo menos 10 caracteres, e nada que se adivinhe.")
        self.fields["password2"].help_text = ""
        self.fields["clinic_name"].widget.attrs["autofocus"] = True
        self.fields["username"].widget.attrs |= {"autocapitalize": "none", "autocomplete": "username"}

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        self.clinic = self._instance(Clinic, CLINIC_FIELDS)
        self.master = self._instance(StaffUser, MASTER_FIELDS)
        self.validate_passwords()
        self.validate_password_for_user(self.master)
        zone, country = cleaned.get("time_zone"), cleaned.get("country")
        if zone and country:
            try:
                validate_zone_of_country(zone, country)
            except ValidationError as error:
                self.add_error("time_zone", error)
        if not self.errors:
            self.clinic.currency = USUAL[cleaned["country"]].currency
            self.master.set_password(cleaned["password1"])
        return cleaned

    def _instance[M: Model](self, model: type[M], model_fields: dict[str, str]) -> M:
        """Return an unsaved instance of the typed data, and show the model's errors at the form's fields.

        `model_fields` are the names of the model's fields by those of the form's.
        """
        names = {own: name for own, name in model_fields.items() if own in self.cleaned_data}
        instance = model(**{name: self.cleaned_data[own] for own, name in names.items()})
        others = {field.name for field in model._meta.get_fields()} - set(names.values())
        try:
            instance.full_clean(exclude=others, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            for own, name in model_fields.items():
                if name in error.error_dict:
                    self.add_error(own, error.error_dict[name])
        return instance
