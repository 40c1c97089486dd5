from datetime import time
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError

from clinic.admin.constraint_messages import CONSTRAINT_MESSAGES
from clinic.admin.filled import FilledForm, FilledFormSet
from clinic.models import Clinic
from clinic.models.doctor import end_of_hours
from clinic.models.names import validate_has_letter
from clinic.registry.patient_details import tidy


class ShortTimeInput(forms.TimeInput):
    """Show a time as 08:00, without seconds."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"size": 5, "maxlength": 8, "placeholder": "08:00"} | (attrs or {}), format="%H:%M")


class EndOfHoursInput(ShortTimeInput):
    """Show midnight at the end of working hours as 24:00."""

    def format_value(self, value: Any) -> str | None:
        return end_of_hours(value) if isinstance(value, time) else super().format_value(value)


class DateAndShortTime(AdminSplitDateTime):
    """Show a date and a time without seconds."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.widgets[1].format = "%H:%M"


class ConstraintMessagesForm(FilledForm):
    """Show the message of a violated constraint at its field.

    `unsaved` is the reason why the form is shown again without being saved; it is added unless a field shows it
    already.
    """

    unsaved = ""

    def full_clean(self) -> None:
        super().full_clean()
        if self.unsaved and self.is_bound and not any(self.unsaved in errors for errors in self.errors.values()):
            self.add_error(None, self.unsaved)

    def validate_constraints(self) -> None:
        exclude = self._get_validation_exclusions()
        model = self.instance._meta.concrete_model
        for constraint in model._meta.constraints:
            try:
                constraint.validate(model, self.instance, exclude=exclude)
            except ValidationError:
                field, sentence = CONSTRAINT_MESSAGES[constraint.name]
                self.add_error(field if field in self.fields else None, sentence)


class NamedForm(ConstraintMessagesForm):
    """A row with the name of a person or thing, kept without invisible marks. An existing name without a letter is
    accepted until it is changed."""

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if "name" not in self.changed_data:
            return name
        validate_has_letter(name)
        return tidy(name)


class ClinicRowForm(ConstraintMessagesForm):
    """A row of `clinic`, a field that is not shown but takes part in constraints."""

    clinic: Clinic | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.clinic_id is None:
            self.instance.clinic = self.clinic

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() - {"clinic"}


class NamedClinicRowForm(NamedForm, ClinicRowForm):
    """A named row of `clinic`."""


class ClinicRowFormSet(FilledFormSet):
    """Inline rows belong to the clinic of their parent row."""

    def _construct_form(self, i: int, **kwargs: Any) -> FilledForm:
        form = super()._construct_form(i, **kwargs)
        form.instance.clinic_id = self.instance.clinic_id
        return form

    def add_fields(self, form: "forms.ModelForm[Any]", index: int | None) -> None:
        """Label the fields for screen readers: in a table only the column heading is visible."""
        super().add_fields(form, index)
        for field in form.fields.values():
            if field.label and not field.widget.is_hidden:
                field.widget.attrs["aria-label"] = field.label
