from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from clinic.form_fields import TypedTimeField
from clinic.models import Clinic, NonexistentTime


class CallLaterForm(forms.Form):
    """The hour at which to call again, on the clinic's local date `today`; cleaned, `at` is an instant."""

    at = TypedTimeField(error_messages={"required": _("Escreva a hora de ligar, por exemplo 14:30.")})

    def __init__(self, data: Any, *, clinic: Clinic, today: date) -> None:
        super().__init__(data)
        self.clinic, self.today = clinic, today

    def clean_at(self) -> datetime:
        try:
            return self.clinic.instant(self.today, self.cleaned_data["at"])
        except NonexistentTime:
            raise ValidationError(self.fields["at"].error_messages["invalid"], code="invalid") from None

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the hour, as sentences."""
        return [str(sentence) for sentence in self.errors.get("at", [])]
