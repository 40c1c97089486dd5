import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, TypedDict

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from clinic import booking, registry
from clinic.booking import Proposal
from clinic.form_fields import TypedDateField, TypedEndField, TypedTimeField
from clinic.form_questions import AsksAboutAge, AsksAboutDoubles, AsksAboutNif, AsksAboutPhone
from clinic.models import Appointment, Clinic, Procedure, Recall
from clinic.models.doctor import end_of_hours
from clinic.models.patient import is_minor
from clinic.queries import booking_options, history
from clinic.refusals import Reason, Refused
from clinic.registry import PatientDetails
from clinic.schedule import Opening
from clinic.web.booking_panel.encaixe import ENCAIXE_FIELDS, AsksAboutEncaixe
from clinic.web.booking_panel.finder_fields import is_wide
from clinic.web.booking_panel.free_return import AsksAboutReturn
from clinic.web.booking_panel.instants import ReadsInstants
from clinic.web.booking_panel.lines import (
    LineRow,
    LinesForm,
    changed_message,
    end_of_lines,
    id_field,
    is_elsewhere,
    rows_with_prices,
)
from clinic.web.booking_panel.payer import AsksWhoPays
from clinic.web.fields import SharedFields

NEW_PATIENT = ["name", "phone", "birth_date", "cpf", "nif", "health_number", "guardian_name", "guardian_relation"]


class DoctorField(forms.IntegerField):
    """Read a doctor's id; None also where any doctor, or any of a speciality, is asked for."""

    def to_python(self, value: str | None) -> int | None:
        return None if value and is_wide(value) else super().to_python(value)


def keep_length(data: QueryDict) -> QueryDict:
    """Return the fields with the end moved along with the start, when only the start differs from `seen`."""
    seen_start, _, seen_end = data.get("seen", "").partition("|")
    if not seen_end or data.get("ends") != seen_end:
        return data
    try:
        before = TypedTimeField().clean(seen_start)
        now = TypedTimeField().clean(data.get("starts", ""))
        end = TypedEndField().clean(seen_end)
    except forms.ValidationError:
        return data
    if before == now:
        return data
    any_day = datetime.date(2000, 1, 1)
    later_by = datetime.datetime.combine(any_day, now) - datetime.datetime.combine(any_day, before)
    moved = data.copy()
    moved["ends"] = end_of_hours((datetime.datetime.combine(any_day, end) + later_by).time())
    return moved


class WhenForm(AsksAboutEncaixe, ReadsInstants):
    """Doctor, local date and times of an appointment; the times are read into instants.

    The posted field `seen` holds start and end, as start|end, as the form was last rendered.
    """

    refused_at: ClassVar = {
        "procedures": "procedure",
        "starts_at": "starts",
        "ends_at": "ends",
        "encaixe_reason": "motive",
        "approval": "approver",
    }
    sent_as: ClassVar = {"discount": ["discount", "whole_discount"], "patient": ["patient", "q"]}

    doctor = id_field(DoctorField)
    date = TypedDateField(required=False)
    starts = TypedTimeField(required=False)
    ends = TypedEndField(required=False)

    def __init__(self, data: QueryDict, *, clinic: Clinic) -> None:
        super().__init__(keep_length(data))
        self.end_was_moved = self.data is not data
        self.clinic = clinic
        self.alternatives: list[Opening] = []

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        day, starts, ends = cleaned.get("date"), cleaned.get("starts"), cleaned.get("ends")
        cleaned["starts_at"] = self.instant("starts", day, starts)
        cleaned["ends_at"] = self.instant("ends", booking.day_of_end(day, starts, ends) if day and ends else None, ends)
        if self.is_wide:
            self.add_error("doctor", _("Escolha um dos horários livres: cada um diz com quem."))
        return cleaned

    @property
    def is_wide(self) -> bool:
        """Whether any doctor, or any of a speciality, is asked for."""
        return is_wide(self.data.get("doctor", ""))

    def drop_untouched_errors(self, *, just_left: str | None) -> None:
        super().drop_untouched_errors(just_left=just_left)
        if self.is_wide:
            self.errors.pop("doctor", None)

    @property
    def seen_value(self) -> str:
        """The next value of the hidden field `seen`: both times, or the old value while one of them cannot be read."""
        starts, ends = self.cleaned_data.get("starts"), self.cleaned_data.get("ends")
        return f"{starts:%H:%M}|{self.data['ends']}" if starts and ends else self.data.get("seen", "")

    def refuse(self, refused: Refused) -> None:
        """Show every refusal; those of the start only if the date is not the cause."""
        super().refuse(refused)
        self.alternatives = refused.alternatives
        only_date_is_wrong = self._only_date_is_wrong()
        self.show_refusals(
            refusal for refusal in refused.refusals if not (only_date_is_wrong and refusal.field == "starts_at")
        )

    def _only_date_is_wrong(self) -> bool:
        values = self.cleaned_data
        return "date" in self.errors and values.get("starts") is not None and values.get("starts_at") is None


class BookingForm(
    AsksAboutPhone, AsksAboutAge, AsksAboutNif, AsksAboutDoubles, AsksWhoPays, AsksAboutReturn, LinesForm, WhenForm
):
    """The form of the booking panel. It reads what was typed; `clinic.booking` decides whether it is allowed."""

    data: QueryDict  # in one base it is a MultiValueDict

    key = forms.UUIDField(required=False)
    recall = id_field()
    patient = id_field()
    name = forms.CharField(required=False)
    phone = forms.CharField(required=False)
    birth_date = TypedDateField(required=False, past=True)
    cpf = forms.CharField(required=False)
    nif = forms.CharField(required=False)
    health_number = forms.CharField(required=False)
    guardian_name = forms.CharField(required=False)
    guardian_relation = forms.CharField(required=False)
    notes = forms.CharField(required=False)

    field_order = ["patient", *NEW_PATIENT, "doctor", "procedure", "discount"]

    @property
    def is_new_patient(self) -> bool:
        return bool(self.data.get("is_new"))

    @property
    def typed_details(self) -> list[forms.BoundField]:
        """What was typed for a new patient, to be kept while another one is looked for by name."""
        return [self[name] for name in NEW_PATIENT[1:] if self.data.get(name)]

    @property
    def asks_guardian(self) -> bool:
        """Whether the new patient is a minor, or a person who is responsible was named already."""
        named = self.data.get("guardian_name") or self.data.get("guardian_relation")
        return is_minor(self.cleaned_data.get("birth_date")) or bool(named)

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """The fields that are on the page now and can have an error."""
        foreign = {"nif", "health_number"} if self.clinic.document == "cpf" else {"cpf"}
        if not self.asks_guardian:
            foreign |= {"guardian_name", "guardian_relation"}
        absent = foreign if self.is_new_patient else {*NEW_PATIENT}
        hidden = (
            {"key", "recall", "whole_discount", "shown_total", "plan_seen", "as_return", "return_for"}
            | ENCAIXE_FIELDS.keys()
            | absent
            | self.absent_payer_fields
        )
        return [field for field in self if field.name not in hidden]

    @property
    def day(self) -> datetime.date | None:
        day: datetime.date | None = self.cleaned_data.get("date")
        return day

    @property
    def pricing_key(self) -> str:
        """With patient and doctor, whose return may be free, and whether it is wanted."""
        return f"{super().pricing_key} {self.return_key} {self.wants_return}"

    @property
    def same_patient_id(self) -> int | None:
        """The id of the one of `doubles` who was confirmed to be the new patient."""
        return next((patient.pk for patient in self.doubles if str(patient.pk) == self.data.get("same")), None)

    @property
    def asks_about_doubles(self) -> bool:
        """Return whether one of `doubles` may be the new patient, and no answer was given yet."""
        return bool(self.doubles) and self.same_patient_id is None

    def clean(self) -> dict[str, Any]:
        self.ask_about_age()
        if self.is_new_patient and self.clinic.document == "nif":
            self.ask_about_nif(self.clinic)
        return super().clean()

    def proposal(self) -> Proposal:
        values = self.cleaned_data
        others = [patient.pk for patient in self.doubles if self.same_patient_id not in {None, patient.pk}]
        return Proposal(
            uuid=values.get("key"),
            clinic=self.clinic,
            doctor=values.get("doctor"),
            patient=None if self.is_new_patient else values.get("patient"),
            details=self._details() if self.is_new_patient else None,
            lines=self.read_lines,
            discount=values.get("whole_discount"),
            starts_at=values.get("starts_at"),
            ends_at=values.get("ends_at"),
            notes=values.get("notes", ""),
            source=Appointment.Source.MANUAL,
            shown_total=values.get("shown_total"),
            besides=(*self.besides, *others),
            encaixe_reason=self.encaixe_reason,
            approved_by=self.approved_by,
            payer=self.payer_wish,
            as_return=self.wants_return,
        )

    def refuse(self, refused: Refused) -> None:
        self.total_changed = Reason.TOTAL_CHANGED in refused.reasons
        self.remember_owners(refused.refusals)
        super().refuse(refused)

    def check(self, by: booking.Author, *, just_left: str | None = None) -> None:
        """Ask the rules of `book` about a form that is still being filled in, whose total was not shown yet."""
        self.is_valid()
        if refused := booking.check(replace(self.proposal(), shown_total=None, encaixe_reason=None), by=by):
            self.refuse(refused)
        self.drop_untouched_errors(just_left=just_left)

    def book(self, author: booking.Author) -> Appointment | None:
        """Return the appointment; None after a refusal, shown at the fields, or with `doubles` to ask about.

        A second click gets the appointment that the first one booked.
        """
        readable = self.is_valid()
        if self.is_new_patient:
            self.doubles = registry.same_patients(self.clinic, self._details(), besides=self.besides)
        try:
            if readable and not self.asks_about_doubles:
                return self._book(author)
            refused: Refused | None = booking.check(self.proposal(), by=author)
        except Refused as error:
            refused = error
        if readable and (booked := self._already_booked()):
            return booked
        if refused:
            self.refuse(refused)
        return None

    def _book(self, author: booking.Author) -> Appointment:
        """Book what was typed, and close the recall that it is a booking of, where it is one."""
        if recall := self.cleaned_data.get("recall"):
            try:
                return booking.book_recall(recall, self.proposal(), by=author)
            except Recall.DoesNotExist:
                pass  # of another clinic, or of none
        return booking.book(self.proposal(), by=author)

    def _already_booked(self) -> Appointment | None:
        key, starts_at = self.cleaned_data["key"], self.cleaned_data["starts_at"]
        if key is None:
            return None
        booked = Appointment.objects.of(self.clinic).standing().filter(uuid=key, starts_at=starts_at)
        if chosen := self.proposal().patient:
            booked = booked.filter(patient=registry.current_id(self.clinic, chosen))
        return booked.first()

    def _details(self) -> PatientDetails:
        values = self.cleaned_data
        return PatientDetails(
            name=values.get("name") or "",
            cpf=values.get("cpf") or "",
            nif=values.get("nif") or "",
            health_number=values.get("health_number") or "",
            guardian_name=values.get("guardian_name") or "",
            guardian_relation=values.get("guardian_relation") or "",
            phone=self.confirmed_phone(self.clinic),
            birth_date=values.get("birth_date"),
        )


BookingForm.base_fields = SharedFields(BookingForm.base_fields)


class RescheduleArguments(TypedDict):
    doctor: int | None
    starts_at: datetime.datetime | None
    ends_at: datetime.datetime | None
    without_expired: bool
    encaixe_reason: str | None
    approved_by: int | None
    lines: booking.LinesWish | None


class MoveForm(LinesForm, WhenForm):
    """Another time or doctor for an appointment, and with the field `changes_lines` other procedures too.

    It keeps its length unless `ends` is given or its procedures last longer or shorter. `place` is where the
    appointment was when the form was opened: another window may have moved it since. `expired_discounts` are the
    messages about discounts not valid then; ticking `without_expired` takes them off.
    """

    place = forms.CharField(required=False)
    lines_seen = forms.CharField(required=False)
    without_expired = forms.BooleanField(required=False)
    expired_discounts: Sequence[str] = ()
    was_moved_elsewhere = False
    line_rows: Sequence[LineRow] = ()
    field_order = ["doctor", "procedure", "discount", "date", "starts"]

    def __init__(self, data: QueryDict, *, clinic: Clinic, pk: int) -> None:
        super().__init__(data, clinic=clinic)
        self.pk = pk

    @classmethod
    def of(cls, appointment: Appointment, data: QueryDict) -> Self:
        form = cls(data, clinic=appointment.clinic, pk=appointment.pk)
        form.appointment = appointment
        return form

    @cached_property
    def appointment(self) -> Appointment:
        """As it was before; a move that is not refused does not need it. Raises Appointment.DoesNotExist."""
        return booking.load(self.clinic, self.pk)

    @property
    def changes_procedures(self) -> bool:
        return bool(self.data.get("changes_lines"))

    @cached_property
    def procedures(self) -> list[Procedure]:
        """What the chosen doctor performs, and what is chosen."""
        doctor = self.cleaned_data.get("doctor")
        return list(booking_options.procedures(self.clinic, doctor, self.chosen_ids))

    @property
    def lines_seen_value(self) -> str:
        """The value of the hidden field `lines_seen`: what the procedures are changed from."""
        opened_with = "" if self.was_moved_elsewhere else self.data.get("lines_seen", "")
        return opened_with or booking.contents(self.appointment)

    @property
    def length(self) -> datetime.timedelta:
        present = self.appointment
        if not self.changes_procedures:
            return present.ends_at - present.starts_at
        return end_of_lines(present, self.procedures, self.chosen_ids) - present.starts_at

    def refuse(self, refused: Refused) -> None:
        self.total_changed = Reason.TOTAL_CHANGED in refused.reasons
        shown_elsewhere = {Reason.CHANGED_MEANWHILE}
        if not self.changes_procedures:
            shown_elsewhere.add(Reason.DISCOUNT_LEFT_BEHIND)
            self.expired_discounts = [
                refusal.message for refusal in refused.refusals if refusal.reason is Reason.DISCOUNT_LEFT_BEHIND
            ]
        self.was_moved_elsewhere = Reason.CHANGED_MEANWHILE in refused.reasons
        if self.changes_procedures and Reason.NOTHING_CHANGED in refused.reasons:
            shown_elsewhere.add(Reason.NOTHING_CHANGED)
            self.add_error(
                "starts", _("Este já é o horário. Para trocar só procedimentos, use “Alterar procedimentos”.")
            )
        refused.refusals = [refusal for refusal in refused.refusals if refusal.reason not in shown_elsewhere]
        super().refuse(refused)

    def check(self, by: booking.Author) -> None:
        """Ask the rules of `move` about a form that is still being filled in, whose total was not shown yet."""
        self.is_valid()
        if refused := self._refused(is_sent=False):
            self.refuse(refused)
        self.drop_untouched_errors(just_left=None)
        self._price_lines(by)

    def move(self, author: booking.Author) -> Appointment | None:
        """Move and return it; or show every reason at its field, and reload the appointment."""
        try:
            if self.is_valid():
                seen = self.cleaned_data["place"] or None
                return booking.reschedule(self.pk, clinic=self.clinic, by=author, seen=seen, **self._arguments())
            refused = self._refused(is_sent=True)
        except Refused as error:
            refused = error
        if refused:
            self.refuse(refused)
            self.appointment.refresh_from_db()
            if self.was_moved_elsewhere and is_elsewhere(self, self.appointment):
                self.add_error(None, _moved_elsewhere_message(self.appointment, author))
            elif self.was_moved_elsewhere:
                self.add_error(None, changed_message(self.appointment))
        self._price_lines(author)
        return None

    def _refused(self, *, is_sent: bool) -> Refused | None:
        arguments = self._arguments()
        if not is_sent:
            lines = arguments["lines"] and replace(arguments["lines"], shown_total=None, seen=None)
            arguments |= {"encaixe_reason": None, "lines": lines}
        refused = booking.check_reschedule(self.pk, clinic=self.clinic, **arguments)
        # As long as nothing is sent, the present time is only where the choice begins.
        return refused if is_sent or refused is None or refused.reasons != {Reason.NOTHING_CHANGED} else None

    def _price_lines(self, by: booking.Author) -> None:
        """Set `line_rows`: procedures that stay have their price as booked."""
        if wish := self._lines_wish():
            checked = booking.check_change(self.pk, clinic=self.clinic, lines=wish.lines, discount=wish.discount, by=by)
            self.line_rows = rows_with_prices(self, checked.lines)

    def _lines_wish(self) -> booking.LinesWish | None:
        values = self.cleaned_data
        if not self.changes_procedures:
            return None
        seen = values.get("lines_seen") or None
        return booking.LinesWish(self.read_lines, values.get("whole_discount"), values.get("shown_total"), seen)

    def _arguments(self) -> RescheduleArguments:
        values = self.cleaned_data
        return {
            "doctor": values.get("doctor"),
            "starts_at": values.get("starts_at"),
            "ends_at": values.get("ends_at") or self._end(),
            "without_expired": values.get("without_expired", False),
            "encaixe_reason": self.encaixe_reason,
            "approved_by": self.approved_by,
            "lines": self._lines_wish(),
        }

    def _end(self) -> datetime.datetime | None:
        """Return the end that follows from other procedures; None where they stay."""
        starts_at: datetime.datetime | None = self.cleaned_data.get("starts_at")
        return starts_at + self.length if starts_at and self.changes_procedures else None


MoveForm.base_fields = SharedFields(MoveForm.base_fields)


def _moved_elsewhere_message(appointment: Appointment, author: booking.Author) -> str:
    """Return the sentence about where another person, or another window of this one, has moved it. One query."""
    starts_at = appointment.clinic.local(appointment.starts_at)
    sentence = _(
        "%(who)s já remarcou este agendamento para %(day)s às %(time)s, com %(the_doctor)s. Aqui está o que você "
        "escolheu: para valer, remarque de novo."
    )
    who = history.moved_by(appointment, besides=author.user) or _("Outra janela")
    place = {"day": f"{starts_at:%d/%m}", "time": f"{starts_at:%H:%M}", **appointment.doctor.in_sentence}
    return sentence % (place | {"who": who})
