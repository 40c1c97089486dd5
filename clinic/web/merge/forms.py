"""Whose data the merged patient gets, field by field."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from clinic.models import Clinic, Patient
from clinic.registry import (
    CHOICES,
    Side,
    details_of,
    differing,
    patient_version,
    side_without_choice,
    sides_of,
)
from clinic.templatetags.formats import cpf, phone
from clinic.web.patient.forms import ANSWERS, formatted_details

# Who differs in one of them is seldom the same person.
DOUBTS = ("birth_date", "cpf", "health_number", "died")


@dataclass(frozen=True)
class Row:
    """What is known of both patients for one choice, in words, "" for nothing; `field` asks where both are known."""

    name: str
    label: str
    kept: str
    merged: str
    field: forms.BoundField | None


class MergeForm(forms.Form):
    """One choice for each thing that both patients have and that differs (`registry.differing`): whose it is.

    `kept_version` and `merged_version` tell whether the stored data are still those that were compared."""

    kept_version = forms.CharField(widget=forms.HiddenInput)
    merged_version = forms.CharField(widget=forms.HiddenInput)

    data: QueryDict

    def __init__(self, data: QueryDict | None, *, kept: Patient, merged: Patient) -> None:
        versions = {"kept_version": patient_version(kept), "merged_version": patient_version(merged)}
        super().__init__(data, initial=versions)
        self.kept, self.merged = kept, merged
        pair = details_of(kept), details_of(merged)
        for name in differing(*pair):
            choices = [(side.value, side.value) for side in sides_of(name, *pair)]
            first = side_without_choice(name, *pair).value
            self.fields[name] = forms.ChoiceField(required=False, choices=choices, initial=first)

    def again(self, kept: Patient, merged: Patient) -> "MergeForm":
        """Return the form for the two as they are stored by now, with the choices that were made."""
        data = self.data.copy()
        data["kept_version"], data["merged_version"] = patient_version(kept), patient_version(merged)
        for name, field in MergeForm(None, kept=kept, merged=merged).fields.items():
            data.setdefault(name, field.initial)
        return MergeForm(data, kept=kept, merged=merged)

    @property
    def rows(self) -> list[Row]:
        """Everything that is known of at least one of them, in the order of the patient's form."""
        clinic = self.kept.clinic
        one, other = _in_words(self.kept, clinic), _in_words(self.merged, clinic)
        labels = {field.attname: capfirst(str(field.verbose_name)) for field in Patient._meta.fields}
        if one["died"] or other["died"]:
            one["died"], other["died"] = (words["died"] or _("não consta como falecido(a)") for words in (one, other))
        return [
            Row(name, labels[name], one[name], other[name], self[name] if name in self.fields else None)
            for name in CHOICES
            if one[name] or other[name]
        ]

    @property
    def doubts(self) -> list[str]:
        """The labels of what only one person can have, and the two have differently."""
        return [row.label for row in self.rows if row.field and row.name in DOUBTS]

    @property
    def sides(self) -> dict[str, Side]:
        """The choices, as `booking.merge_patients` takes them."""
        return {name: Side(self.cleaned_data[name]) for name in CHOICES if self.cleaned_data.get(name)}

    @property
    def seen(self) -> dict[int, str]:
        """The versions that were compared, by the patients' ids."""
        versions = self.cleaned_data
        return {self.kept.pk: versions["kept_version"], self.merged.pk: versions["merged_version"]}


def _in_words(patient: Patient, clinic: Clinic) -> dict[str, str]:
    """Return what is stored for each choice as people of the clinic's country write it, "" for nothing."""
    texts: dict[str, Any] = formatted_details(patient, clinic)
    card = patient.card_expires_on
    return {name: texts.get(name, "") for name in CHOICES} | {
        "phone": _beside(phone(patient.phone, clinic), patient.phone_of),
        "second_phone": _beside(phone(patient.other_phone, clinic), patient.second_phone_of),
        "guardian_name": patient.guardian,
        "cpf": cpf(patient.cpf),
        "health_number": patient.health_number or "",
        "document_number": _joined(
            patient.get_document_type_display() if patient.document_number else "",
            _beside(patient.document_number or "", patient.document_country),
        ),
        "no_document": patient.get_no_document_display() if patient.no_document else "",
        "payer_id": _joined(
            patient.payer.name if patient.payer else "",
            patient.card_number,
            _("válida até %(day)s") % {"day": f"{card:%d/%m/%Y}"} if card else "",
        ),
        "accepts_whatsapp": str(dict(ANSWERS)[texts["accepts_whatsapp"]]) if texts["accepts_whatsapp"] else "",
        "died": _joined(texts["died"], texts["died_on"]),
    }


def _beside(text: str, more: str) -> str:
    return f"{text} ({more})" if text and more else text


def _joined(*texts: str) -> str:
    return " · ".join(filter(None, texts))
