"""The form *Alterar*: other procedures, discounts or another end for an appointment that stays where it is."""

from datetime import datetime
from typing import Any, ClassVar, TypedDict

from django import forms
from django.http import QueryDict

from clinic import booking
from clinic.booking import LineRequest
from clinic.form_fields import TypedEndField
from clinic.models import Appointment, Procedure
from clinic.models.doctor import end_of_hours
from clinic.queries import booking_options
from clinic.refusals import Reason, Refused
from clinic.web.booking_panel.encaixe import AsksAboutEncaixe
from clinic.web.booking_panel.instants import ReadsInstants
from clinic.web.booking_panel.lines import (
    LineRow,
    LinesForm,
    apply_line_button,
    changed_message,
    end_of_lines,
    fields_of_lines,
    is_elsewhere,
    rows_with_prices,
)
from clinic.web.fields import SharedFields


class ChangeArguments(TypedDict):
    lines: tuple[LineRequest, ...]
    discount: int | None
    ends_at: datetime | None


class ChangeForm(LinesForm, AsksAboutEncaixe, ReadsInstants):
    """What an appointment is to have instead. It reads what was typed; `clinic.booking` decides whether it is allowed.

    `proposed` is the end that the form proposed last: as long as `ends` is the same, it follows the procedures.
    `seen` are the appointment's `contents` when the form was opened: another window may have changed it since.
    """

    refused_at: ClassVar = {
        "procedures": "procedure",
        "date": "ends",
        "starts_at": "ends",
        "ends_at": "ends",
        "encaixe_reason": "motive",
        "approval": "approver",
    }
    sent_as: ClassVar = {"discount": ["discount", "whole_discount"]}

    ends = TypedEndField(required=False)
    proposed = forms.CharField(required=False)
    seen = forms.CharField(required=False)

    was_changed_meanwhile = False
    field_order = ["procedure", "discount", "ends"]

    def __init__(self, data: QueryDict, *, appointment: Appointment) -> None:
        super().__init__(data.copy())
        self.appointment, self.clinic = appointment, appointment.clinic
        self.procedures = self._load_procedures()
        self.end_was_moved = self._propose_end()
        self.line_rows: list[LineRow] = []
        if appointment.is_encaixe and not (self.data.get("motive") or self.data.get("other_motive")):
            self.data["other_motive"] = appointment.encaixe_reason

    @property
    def encaixe_place(self) -> str:
        """Doctor, start and the later end that was typed, as `12|2026-11-23T12:00:00+00:00|…`; "" for any other end."""
        ends_at, present = self.cleaned_data.get("ends_at"), self.appointment
        if ends_at is None or ends_at <= present.ends_at:
            return ""
        return f"{present.doctor_id}|{present.starts_at.isoformat()}|{ends_at.isoformat()}"

    @property
    def encaixe_times(self) -> tuple[datetime, datetime | None]:
        return self.appointment.starts_at, self.cleaned_data["ends_at"]

    @property
    def is_encaixe_open(self) -> bool:
        """Of what is an encaixe already only the approval is asked for, with its reason beside."""
        return super().is_encaixe_open or (self.appointment.is_encaixe and self.needs_approval)

    def refuse(self, refused: Refused) -> None:
        """Show every refusal at its field."""
        super().refuse(refused)
        if self.appointment.is_encaixe:
            self.needs_approval = booking.needs_approval(refused)
        self.show_refusals(refused.refusals)

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """The fields that can have an error."""
        return [self[name] for name in ("procedure", "discount", "ends")]

    @property
    def seen_value(self) -> str:
        """The value of the hidden field `seen` when the form is rendered."""
        opened_with = "" if self.was_changed_meanwhile else self.data.get("seen", "")
        return opened_with or booking.contents(self.appointment)

    @property
    def place_value(self) -> str:
        """The value of the hidden field `place`, like that of `seen`: where the appointment is."""
        opened_with = "" if self.was_changed_meanwhile else self.data.get("place", "")
        return opened_with or booking.place(self.appointment)

    def clean(self) -> dict[str, Any]:
        super().clean()
        wall = self.cleaned_data.get("ends")
        starts_at = self.clinic.local(self.appointment.starts_at)
        day = booking.day_of_end(starts_at.date(), starts_at.time(), wall) if wall else None
        self.cleaned_data["ends_at"] = self.instant("ends", day, wall)
        return self.cleaned_data

    def check(self, by: booking.Author, *, just_left: str | None = None) -> None:
        """Ask the rules of `change` about a form that is still being filled in."""
        self.is_valid()
        if refused := self._examine(by):
            self.refuse(refused)
        self.drop_untouched_errors(just_left=just_left)

    def change(self, by: booking.Author) -> Appointment | None:
        """Return the appointment as it is then; None after a refusal, with every reason at its field."""
        try:
            if self.is_valid():
                seen, shown_total = self.cleaned_data["seen"] or None, self.cleaned_data["shown_total"]
                return booking.change_procedures(
                    self.appointment.pk,
                    clinic=self.clinic,
                    seen=seen,
                    shown_total=shown_total,
                    encaixe_reason=self.encaixe_reason,
                    approved_by=self.approved_by,
                    by=by,
                    **self._arguments(),
                )
        except Refused as error:
            self.total_changed = Reason.TOTAL_CHANGED in error.reasons
            self.was_changed_meanwhile = Reason.CHANGED_MEANWHILE in error.reasons
            if not self.was_changed_meanwhile:
                self.refuse(error)
                self._examine(by)
                return None
            self._begin_anew()
        if refused := self._examine(by, is_sent=True):
            self.refuse(refused)
        return None

    def _begin_anew(self) -> None:
        """Read what was typed once more, for the appointment as it is now."""
        self.appointment.refresh_from_db()
        self.procedures = self._load_procedures()
        if is_elsewhere(self, self.appointment):
            self.data["ends"] = ""  # it was typed for another doctor or start
        self._propose_end()
        self.full_clean()
        self.add_error(None, changed_message(self.appointment))

    def _load_procedures(self) -> list[Procedure]:
        """Return what the doctor performs, and what is chosen."""
        return list(booking_options.procedures(self.clinic, self.appointment.doctor_id, self.chosen_ids))

    def _examine(self, by: booking.Author, *, is_sent: bool = False) -> Refused | None:
        """Set `line_rows`; return what booking refuses, of what is sent as the encaixe that was asked for."""
        checked = booking.check_change(
            self.appointment.pk,
            clinic=self.clinic,
            encaixe_reason=self.encaixe_reason if is_sent else None,
            approved_by=self.approved_by if is_sent else None,
            by=by,
            **self._arguments(),
        )
        self.line_rows = rows_with_prices(self, checked.lines)
        return checked.refused

    def _arguments(self) -> ChangeArguments:
        return {
            "lines": self.read_lines,
            "discount": self.cleaned_data.get("whole_discount"),
            "ends_at": self.cleaned_data.get("ends_at"),
        }

    def _propose_end(self) -> bool:
        """Let the end follow the procedures unless another one was typed; return whether that moves it."""
        before = self.data.get("ends", "")
        ends_at = end_of_lines(self.appointment, self.procedures, self.chosen_ids)
        proposed = end_of_hours(self.clinic.local(ends_at).time())
        if before in {"", self.data.get("proposed", "")}:
            self.data["ends"] = proposed
        self.data["proposed"] = proposed
        return self.data["ends"] != before


ChangeForm.base_fields = SharedFields(ChangeForm.base_fields)


def data_of_lines(appointment: Appointment) -> QueryDict:
    """Return the fields of the form before anything is changed: the lines, and an empty one to be filled in."""
    data = QueryDict(mutable=True)
    fields_of_lines(appointment, data)
    data["ends"] = data["proposed"] = end_of_hours(appointment.clinic.local(appointment.ends_at).time())
    return data


def apply_change_button(posted: QueryDict) -> QueryDict:
    """Return the form's fields as the pressed button changes them."""
    data = posted.copy()
    apply_line_button(data)
    if "choose_end" in data:
        data["ends"] = data.get("choose_end", "")
    return data
