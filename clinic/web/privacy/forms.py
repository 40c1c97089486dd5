"""The forms of the pages about patients' rights."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.form_fields import TypedDateField, TypedTimeField
from clinic.models import Clinic, Consent, DataRequest, Incident, Patient, PrivacySettings, StaffUser
from clinic.models.limits import max_length
from clinic.models.names import letters
from clinic.models.staff import COULD_SIGN_IN
from clinic.queries.breach import Asked
from clinic.web.memo.forms import validate_storable


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, error_messages={"required": _("Escolha."), "invalid_choice": _("Escolha.")}
    )


class ConsentForm(forms.Form):
    """A patient's answer about one channel and purpose, as `registry.record_consent` takes it."""

    channel = _choice(_("Canal"), Consent.Channel)
    purpose = _choice(_("Para quê"), Consent.Purpose)
    answer = _choice(_("Resposta"), Consent.Answer)
    asked = _choice(_("Como respondeu"), Consent.Asked)
    text = forms.CharField(
        label=_("O que foi perguntado"),
        required=False,
        max_length=max_length(Consent, "text"),
        validators=[validate_storable],
        help_text=_("Vazio: a nossa pergunta, que está na lista."),
    )


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=_("Motivo"),
        max_length=max_length(DataRequest, "reason"),
        validators=[validate_storable],
        error_messages={"required": _("Escreva o motivo.")},
        help_text=_("Fica no registro do pedido. Sem nomes e sem dados de saúde."),
    )


class AskForm(forms.Form):
    """What a patient asks about their data; `typed` is their name, asked for where nobody else confirms a deletion."""

    kind = _choice(_("Pedido"), DataRequest.Kind)
    reason = reason_field()
    typed = forms.CharField(label=_("Nome do paciente, para confirmar"), required=False)

    def __init__(self, *args: Any, patient: Patient, needs_typing: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.patient, self.needs_typing = patient, needs_typing

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        is_deletion = values.get("kind") == DataRequest.Kind.DELETION
        names = {letters(name).casefold() for name in (self.patient.name, self.patient.social_name) if name}
        if is_deletion and self.needs_typing and letters(values.get("typed", "")).casefold() not in names:
            self.add_error(
                "typed", _("Escreva o nome como está na ficha: não há outra pessoa da gestão para confirmar.")
            )
        return values


class ReasonForm(forms.Form):
    """Why a restriction is taken off, or who a blocked patient is is looked at."""

    reason = reason_field()


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What the clinic writes itself; the term counts where no law says another one."""

    class Meta:
        model = PrivacySettings
        fields = ("officer_name", "officer_contact", "purposes", "measures", "records_kept_years")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["officer_name"].label = _("Encarregado: nome")
        self.fields["officer_contact"].label = _("Encarregado: contato")
        for field in self.fields.values():
            if isinstance(field, forms.CharField):
                field.validators.append(validate_storable)
        if self.instance.clinic.country == Clinic.Country.BRAZIL:
            del self.fields["records_kept_years"]


def _time(label: Any) -> TypedTimeField:
    return TypedTimeField(label=label, error_messages={"required": _("Escreva a hora.")})


def _date(label: Any) -> TypedDateField:
    return TypedDateField(label=label, past=True, error_messages={"required": _("Escreva a data.")})


class BreachForm(forms.Form):
    """Who has seen what in which time: at most MAX_DAYS, in the clinic's own time."""

    MAX_DAYS = 92

    de = _date(_("De"))
    de_hora = _time(_("às"))
    ate = _date(_("Até"))
    ate_hora = _time(_("às"))
    pessoa: Any = forms.ModelChoiceField(None, label=_("Pessoa"), required=False, empty_label=_("Todas"))
    programa = forms.CharField(label=_("Token ou chave"), required=False, max_length=80, help_text=_("O nome inteiro."))
    sessao = forms.CharField(label=_("Sessão"), required=False, max_length=16)

    def __init__(self, data: Any = None, *, clinic: Clinic) -> None:
        super().__init__(data)
        self.clinic = clinic
        people = StaffUser.objects.of(clinic).filter(COULD_SIGN_IN)
        self.fields["pessoa"].queryset = people.order_by("name", "pk")  # type: ignore[attr-defined]  # of a choice of rows

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if all(values.get(name) is not None for name in ("de", "de_hora", "ate", "ate_hora")):
            asked = self.asked
            if asked.until <= asked.since:
                self.add_error("ate_hora", _("O fim vem antes do começo. Troque os dois."))
            elif asked.until - asked.since > timedelta(days=self.MAX_DAYS):
                self.add_error("ate", _("No máximo %(days)s dias de cada vez.") % {"days": self.MAX_DAYS})
        return values

    @property
    def asked(self) -> Asked:
        values, clinic = self.cleaned_data, self.clinic
        return Asked(
            since=clinic.nearest_instant(values["de"], values["de_hora"]),
            until=clinic.nearest_instant(values["ate"], values["ate_hora"]),
            user=values["pessoa"].pk if values.get("pessoa") else None,
            credential=values.get("programa", ""),
            session=values.get("sessao", ""),
        )


class IncidentForm(forms.Form):
    """An entry of the book of incidents; with `about`, what was done since about an earlier one."""

    about: Any = forms.ModelChoiceField(None, label=_("Continua"), required=False, empty_label=_("Incidente novo"))
    day = _date(_("Quando se soube"))
    hour = _time(_("às"))
    affected = forms.IntegerField(label=_("Pessoas afetadas"), required=False, min_value=0, max_value=10**9)
    text = forms.CharField(
        label=_("O que aconteceu e o que foi feito"),
        max_length=max_length(Incident, "text"),
        validators=[validate_storable],
        widget=forms.Textarea,
        error_messages={"required": _("Escreva o que aconteceu.")},
        help_text=_("Sem nomes de pacientes: a lista de quem foi afetado se tira em Lista para incidente."),
    )

    def __init__(self, data: Any = None, *, clinic: Clinic) -> None:
        super().__init__(data)
        self.clinic = clinic
        self.fields["about"].queryset = Incident.objects.of(clinic).filter(about=None)  # type: ignore[attr-defined]  # of a choice of rows

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        is_dated = values.get("day") is not None and values.get("hour") is not None
        if is_dated and self.clinic.nearest_instant(values["day"], values["hour"]) > timezone.now():
            self.add_error("hour", _("Isto ainda não aconteceu."))
        return values

    @property
    def entry(self) -> dict[str, Any]:
        """The columns of the row."""
        values = self.cleaned_data
        known_at = self.clinic.nearest_instant(values["day"], values["hour"])
        return {"known_at": known_at, **{name: values[name] for name in ("about", "affected", "text")}}
