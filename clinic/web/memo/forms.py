from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic.form_fields import TypedDateField, TypedTimeField
from clinic.models import Appointment, Clinic, Memo, Patient, StaffUser
from clinic.models.limits import max_length
from clinic.refusals import Refused
from clinic.registry import MemoDetails, clean_clinic_phone, unstorable
from clinic.web.reading import key_of_form


class About(NamedTuple):
    """What a memo is about: a patient, or an appointment with its patient; nothing where both are None."""

    patient: Patient | None = None
    appointment: Appointment | None = None


def validate_storable(text: str) -> None:
    """Raise ValidationError for a text with characters that no row can hold."""
    if found := unstorable(text):
        sentence = _("Há caracteres que não podem ser gravados (%(characters)s). Escreva de novo.")
        raise ValidationError(sentence, params={"characters": found})


def _line(label: Any, name: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=max_length(Memo, name), validators=[validate_storable]
    )


class MemoForm(forms.Form):
    """A memo as it is typed. Name, phone and hour are of a person to be called back, and left out of a note.

    `key` makes two clicks on one form one memo. The form is of the clinic's local date and time `local_now`.
    """

    kind = forms.ChoiceField(choices=Memo.Kind)
    name = _line(_("Nome"), "name")
    phone = forms.CharField(label=_("Telefone"), required=False, max_length=100)
    text = _line(_("Assunto ou recado"), "text")
    day = TypedDateField(label=_("Dia"), required=False)
    hour = TypedTimeField(label=_("Hora"), required=False)
    recipient: Any = forms.ModelChoiceField(
        None,
        label=_("Para quem"),
        required=False,
        empty_label=_("Quem estiver no turno"),
        error_messages={"invalid_choice": _("Esta pessoa não trabalha mais aqui. Escolha outra.")},
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        clinic: Clinic,
        now: datetime,
        about: About,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial={"kind": Memo.Kind.CALL} | (initial or {}))
        self.clinic, self.about = clinic, about
        self.local_now = clinic.local(now).replace(tzinfo=None)
        self.key = key_of_form(self.data.get("key"))
        field: Any = self.fields["recipient"]
        field.queryset = StaffUser.objects.of(clinic).filter(is_active=True, doctor=None)  # who reads memos

    def clean_phone(self) -> str:
        """Return the number as E.164."""
        if self.cleaned_data.get("kind") == Memo.Kind.NOTE:
            return ""
        try:
            return clean_clinic_phone(self.cleaned_data["phone"], self.clinic.country, self.clinic.area_code)
        except Refused as refused:
            raise ValidationError([refusal.message for refusal in refused.refusals]) from None

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if typed.get("kind") == Memo.Kind.CALL:
            self._require("name", _("Escreva o nome de quem pediu para ligar."))
            self._require("phone", _("Escreva o número para o qual ligar."))
            self._refuse_past_hour(typed)
        else:
            self._require("text", _("Escreva o recado."))
        if (day := typed.get("day")) and day < self.local_now.date():
            self.add_error("day", _("Esta data já passou. Escolha hoje ou uma data futura."))
        return typed

    def _require(self, name: str, sentence: Any) -> None:
        if name not in self.errors and not self.cleaned_data.get(name):
            self.add_error(name, sentence)

    def _refuse_past_hour(self, typed: dict[str, Any]) -> None:
        """Complain about an hour that is over; one without a date is of today."""
        hour, today = typed.get("hour"), self.local_now.date()
        if hour and typed.get("day") in (None, today) and hour < self.local_now.time():
            self.add_error("hour", _("Esta hora já passou. Escolha outra ou outro dia."))

    @property
    def details(self) -> MemoDetails:
        """The memo that was typed; the form is valid."""
        typed = self.cleaned_data
        is_call = typed["kind"] == Memo.Kind.CALL
        hour = typed["hour"] if is_call else None
        recipient, (patient, appointment) = typed["recipient"], self.about
        return MemoDetails(
            kind=typed["kind"],
            name=typed["name"] if is_call else "",
            phone=typed["phone"],
            text=typed["text"],
            day=typed["day"] or (self.local_now.date() if hour else None),
            hour=hour,
            patient_id=patient.pk if patient and appointment is None else None,
            appointment_id=appointment.pk if appointment else None,
            recipient_id=recipient.pk if recipient else None,
        )

    @property
    def first_wrong(self) -> str:
        """The name of the field that has the focus: the first one with a complaint, else the first one to fill in."""
        if self.errors:
            return next(iter(self.errors))
        return "text" if self["kind"].value() == Memo.Kind.NOTE or self["name"].value() else "name"
