from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic import booking
from clinic.booking import PartOfDay
from clinic.form_fields import TypedDateField, TypedTimeField, ids_in
from clinic.models import Appointment, Clinic, Doctor, Procedure, WaitingEntry
from clinic.queries import booking_options
from clinic.web.booking_panel.finder_fields import PART_LABELS, WEEKDAY_LABELS
from clinic.web.fields import RefusableForm
from clinic.web.waiting.words import hours_of, part_of

ANY_HOUR = ""


class WaitingForm(RefusableForm):
    """What a patient waits for. With an `appointment`, which is to be exchanged, no procedures are asked for.

    Typed hours are taken before the chosen part of the day."""

    weekdays = forms.MultipleChoiceField(
        label=_("Dias"), required=False, choices=[(str(day), label) for day, label in WEEKDAY_LABELS.items()]
    )
    part = forms.ChoiceField(
        label=_("Turno"),
        required=False,
        choices=[(ANY_HOUR, _("qualquer hora")), *((part.value, label) for part, label in PART_LABELS.items())],
    )
    from_time = TypedTimeField(label=_("Das"), required=False)
    to_time = TypedTimeField(label=_("Às"), required=False)
    until = TypedDateField(label=_("Até o dia"), required=False)
    is_urgent = forms.BooleanField(label=_("Urgente"), required=False)
    note = forms.CharField(label=_("Nota"), required=False)

    def __init__(self, data: QueryDict | None, *, clinic: Clinic, appointment: Appointment | None) -> None:
        super().__init__(data)
        self.clinic, self.appointment = clinic, appointment
        self.sent = data if data is not None else QueryDict()
        self.fields["procedures"] = forms.Field(label=_("Procedimentos"), required=False)
        self.fields["doctors"] = forms.Field(label=_("Com quem"), required=False)
        self.order_fields(["procedures", "doctors"])  # as on the page

    @property
    def chosen_procedures(self) -> list[int]:
        return ids_in(self.sent, "procedures")

    @property
    def chosen_doctors(self) -> list[int]:
        return ids_in(self.sent, "doctors")

    @property
    def all_procedures(self) -> list[Procedure]:
        return list(booking_options.procedures(self.clinic, None, self.chosen_procedures))

    @property
    def all_doctors(self) -> Sequence[Doctor]:
        """The doctors to choose from; where an appointment is to be exchanged, those who perform all of it."""
        doctors = booking_options.doctors(self.clinic)
        if self.appointment is None:
            return doctors
        needed = set(self.appointment.lines.values_list("procedure", flat=True))
        return booking_options.split_by_performing(self.clinic, doctors, needed, self.appointment.doctor_id)[0]

    @property
    def chosen_weekdays(self) -> list[str]:
        return self.sent.getlist("weekdays")

    @property
    def wish(self) -> booking.WaitingWish:
        """What was typed; the form is valid."""
        typed = self.cleaned_data
        from_time, to_time = self._hours(typed)
        return booking.WaitingWish(
            appointment=self.appointment.pk if self.appointment else None,
            procedures=self.chosen_procedures,
            doctors=self.chosen_doctors,
            weekdays=[int(day) for day in typed["weekdays"]],
            from_time=from_time,
            to_time=to_time,
            until=typed["until"],
            is_urgent=typed["is_urgent"],
            note=typed["note"],
        )

    def _hours(self, typed: Mapping[str, Any]) -> tuple[time | None, time | None]:
        if typed["from_time"] or typed["to_time"] or not typed["part"]:
            return typed["from_time"], typed["to_time"]
        return hours_of(PartOfDay(typed["part"]))


def fields_of(entry: WaitingEntry) -> QueryDict:
    """Return the fields of the form as the entry, read `in_full`, would fill them."""
    data = QueryDict(mutable=True)
    data.setlist("procedures", [str(pk) for pk in entry.needed])
    data.setlist("doctors", [str(pk) for pk in entry.wanted_doctors])
    data.setlist("weekdays", [str(day) for day in entry.weekdays])
    part = part_of(entry)
    data["part"] = part.value if part else ANY_HOUR
    if part is None and entry.from_time and entry.to_time:
        data["from_time"], data["to_time"] = f"{entry.from_time:%H:%M}", f"{entry.to_time:%H:%M}"
    data["until"] = f"{entry.until:%d/%m/%Y}" if entry.until else ""
    data["note"] = entry.note
    if entry.is_urgent:
        data["is_urgent"] = "1"
    return data


def wanted_in(query: QueryDict, appointment: Appointment | None) -> QueryDict:
    """Return the fields as an address fills them: `procedimento`, `medico`, `dia` (ISO weekdays), `turno`; of an
    appointment its doctor."""
    data = QueryDict(mutable=True)
    names = {"procedures": "procedimento", "doctors": "medico", "weekdays": "dia", "part": "turno"}
    for field, parameter in names.items():
        data.setlist(field, query.getlist(parameter))
    if appointment:
        data["doctors"] = str(appointment.doctor_id)
    return data
