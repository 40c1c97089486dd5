from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic import booking
from clinic.form_fields import TypedDateField, ids_in
from clinic.models import Appointment, Doctor, Procedure
from clinic.queries import booking_options, recalls
from clinic.web.fields import RefusableForm

ANOTHER_DATE = ""
MONTHS = [("1", _("1 mês")), ("3", _("3 meses")), ("6", _("6 meses")), ("12", _("1 ano"))]
USUAL_MONTHS = "6"


class RecallForm(RefusableForm):
    """A recall that is written at an appointment: so many months after it, or on the date that was typed, which is
    taken before them."""

    months = forms.ChoiceField(label=_("Quando"), required=False, choices=[*MONTHS, (ANOTHER_DATE, _("outra data"))])
    due_on = TypedDateField(label=_("Data"), required=False)
    procedure = forms.CharField(label=_("Procedimento"), required=False)
    doctor = forms.CharField(label=_("Profissional"), required=False)
    note = forms.CharField(label=_("Nota"), required=False)

    def __init__(self, data: QueryDict, *, appointment: Appointment) -> None:
        super().__init__(data)
        self.appointment, self.clinic = appointment, appointment.clinic

    @property
    def all_procedures(self) -> Sequence[Procedure]:
        return list(booking_options.procedures(self.clinic, None, []))

    @property
    def all_doctors(self) -> Sequence[Doctor]:
        return booking_options.doctors(self.clinic)

    @property
    def chosen_procedure(self) -> int | None:
        return next(iter(ids_in(self.data, "procedure")), None)

    @property
    def chosen_doctor(self) -> int | None:
        """The id of the doctor, None for any."""
        return next(iter(ids_in(self.data, "doctor")), None)

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if not self.errors and not typed.get("due_on") and not typed.get("months"):
            self.add_error("due_on", _("Diga quando: escolha um prazo, ou escreva a data."))
        return typed

    @property
    def wish(self) -> booking.RecallWish:
        """What was typed; the form is valid."""
        typed = self.cleaned_data
        visit: date = self.clinic.local(self.appointment.starts_at).date()
        return booking.RecallWish(
            due_on=typed["due_on"] or months_later(visit, int(typed["months"])),
            procedure=self.chosen_procedure or 0,
            doctor=self.chosen_doctor,
            note=typed["note"],
        )


def months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or the last one of a month that is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def fields_of(appointment: Appointment) -> QueryDict:
    """Return the fields of a new recall at the appointment: the usual time, the doctor, and a procedure of return."""
    data = QueryDict(mutable=True)
    data["months"], data["doctor"] = USUAL_MONTHS, str(appointment.doctor_id)
    data["procedure"] = str(recalls.proposed_procedure(appointment) or "")
    return data


def read_until(text: str) -> date | None:
    """Read the date until which recalls are listed; None for anything else."""
    try:
        found: date | None = TypedDateField(required=False).clean(text)
    except ValidationError:
        return None
    return found


def read_new_date(text: str) -> date:
    """Read the date to which a recall is postponed. Raises ValidationError."""
    found: date = TypedDateField(error_messages={"required": _("Escreva a nova data.")}).clean(text)
    return found
