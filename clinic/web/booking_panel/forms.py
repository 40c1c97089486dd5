from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from django import forms
from django.db.models import BigIntegerField
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic import booking, registry
from clinic.booking import LineRequest, Proposal
from clinic.form_fields import TypedDateField, TypedEndField, TypedTimeField
from clinic.form_questions import AsksAboutAge, AsksAboutDoubles, AsksAboutPhone
from clinic.models import Appointment, Clinic, NonexistentTime
from clinic.models.doctor import end_of_hours
from clinic.refusals import Reason, Refused
from clinic.registry import PatientDetails
from clinic.web.fields import RefusableForm, Unchanging

NEW_PATIENT = {"name", "phone", "birth_date", "cpf", "nif"}
LARGEST = Decimal(10) ** 10


def an_id():
    """An id as a select or a hidden field sends it; what it means is for the rules to say."""
    gone = _("Esta escolha não existe mais. Escolha de novo.")
    errors = {"invalid": gone, "max_value": gone, "min_value": gone}
    return forms.IntegerField(required=False, min_value=1, max_value=BigIntegerField.MAX_BIGINT, error_messages=errors)


ONE_ID = an_id()


def amount(text: str) -> Decimal | None:
    """An amount as a hidden field sends it."""
    try:
        sent = Decimal(text)
    except InvalidOperation:
        return None
    return sent if sent.is_finite() and abs(sent) < LARGEST else None


def with_the_same_length(data: QueryDict) -> QueryDict:
    """The fields with the end as far behind the start as it was, when only the start is another than in `seen`."""
    starts, _, ends = data.get("seen", "").partition("|")
    if not ends or data.get("ends") != ends:
        return data
    try:
        times = [TypedTimeField().clean(text) for text in (starts, data.get("starts", ""))]
        before, now, end = [*times, TypedEndField().clean(ends)]
    except forms.ValidationError:
        return data
    if before == now:
        return data
    a_day = date(2000, 1, 1)
    moved = data.copy()
    later_by = datetime.combine(a_day, now) - datetime.combine(a_day, before)
    moved["ends"] = end_of_hours((datetime.combine(a_day, end) + later_by).time())
    return moved


class WhenForm(RefusableForm):
    """A local date and time of a clinic, read into instants; with the doctor it is all that moving needs.

    `seen` are the start and the end, as start|end, with which the form was last drawn.
    """

    refused_at: ClassVar = {"procedures": "procedure", "starts_at": "starts", "ends_at": "ends"}
    sent_as: ClassVar = {"discount": ["discount", "whole_discount"], "patient": ["patient", "q"]}

    doctor = an_id()
    date = TypedDateField(required=False)
    starts = TypedTimeField(required=False)
    ends = TypedEndField(required=False)

    def __init__(self, data, *, clinic: Clinic):
        super().__init__(with_the_same_length(data))
        self.end_was_moved = self.data is not data
        self.clinic = clinic
        self.alternatives = []

    def clean(self):
        cleaned = super().clean()
        day, starts, ends = (cleaned.get(name) for name in ("date", "starts", "ends"))
        cleaned["starts_at"] = self._instant("starts", day, starts)
        cleaned["ends_at"] = self._instant("ends", day and ends and booking.day_of_end(day, starts, ends), ends)
        return cleaned

    @property
    def seen(self) -> str:
        """Both times as they are now; as long as one of them cannot be read, as they were."""
        starts, ends = self.cleaned_data.get("starts"), self.cleaned_data.get("ends")
        return f"{starts:%H:%M}|{self.data['ends']}" if starts and ends else self.data.get("seen", "")

    def refuse(self, refused: Refused) -> None:
        """Show every broken rule; of the start only what is not the date's fault."""
        self.alternatives = refused.alternatives
        date_alone = self._only_the_date_is_wrong()
        self.show_refusals(each for each in refused.refusals if not (date_alone and each.field == "starts_at"))

    def _only_the_date_is_wrong(self):
        values = self.cleaned_data
        return "date" in self.errors and values.get("starts") is not None and values.get("starts_at") is None

    def _instant(self, field, day, wall):
        if day is None or wall is None:
            return None
        try:
            return self.clinic.instant(day, wall)
        except NonexistentTime:
            self.add_error(field, _("Este horário não existe nesse dia: os relógios adiantam. Escolha outro."))
            return None


class BookingForm(AsksAboutPhone, AsksAboutAge, AsksAboutDoubles, WhenForm):
    """The booking panel. Reads what was typed; whether it may be is for `clinic.booking` to say.

    `procedure` and `discount` are repeated, a pair for each line; a line without a procedure is not there.
    `shown_total` is the total that the person has seen, and `shown_for` what it was the total of (`priced_for`).
    """

    key = forms.UUIDField(required=False)
    patient = an_id()
    name = forms.CharField(required=False)
    phone = forms.CharField(required=False)
    birth_date = TypedDateField(required=False, past=True)
    cpf = forms.CharField(required=False)
    nif = forms.CharField(required=False)
    procedure = forms.Field(required=False)
    discount = forms.Field(required=False)
    whole_discount = an_id()
    notes = forms.CharField(required=False)
    shown_total = forms.CharField(required=False)

    total_changed = False
    field_order = ["patient", "name", "phone", "birth_date", "cpf", "nif", "doctor", "procedure", "discount"]

    @property
    def is_new_patient(self):
        return bool(self.data.get("is_new"))

    @property
    def shown(self) -> list[forms.BoundField]:
        """The fields that are on the page now and can carry a complaint."""
        absent = {self.clinic.documents[1]} if self.is_new_patient else NEW_PATIENT
        hidden = {"key", "whole_discount", "shown_total"} | absent
        return [field for field in self if field.name not in hidden]

    @property
    def day(self) -> date | None:
        return self.cleaned_data.get("date")

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(procedure, discount) of each line as sent, empty ones included."""
        chosen = self.data.getlist("procedure")
        discounts = self.data.getlist("discount")
        return list(zip(chosen, discounts + [""] * len(chosen), strict=False)) or [("", "")]

    @property
    def priced_for(self) -> str:
        """What the total hangs on besides prices and discounts: the lines, the discount for the whole, the day."""
        lines = [f"{procedure}-{discount}" for procedure, discount in self.rows if procedure.strip()]
        return " ".join([*lines, self.data.get("whole_discount", ""), self.data.get("date", "")])

    def total_seen(self, total: Decimal) -> Decimal:
        """The total that the person has seen once this form is drawn with `total`.

        That is the one before, as long as it was for the same lines: a change of price is shown when they book.
        """
        seen = None if self.total_changed else self.cleaned_data.get("shown_total")
        return total if seen is None or self.data.get("shown_for") != self.priced_for else seen

    @property
    def same(self) -> int | None:
        """The id of the one who was shown and is the new patient."""
        return next((each.pk for each in self.doubles if str(each.pk) == self.data.get("same")), None)

    @property
    def asks_who(self) -> bool:
        """Whether one of `doubles` may be the new patient, and nobody has answered yet."""
        return bool(self.doubles) and self.same is None

    def clean(self):
        self.lines = [self._line(*row) for row in self.rows if row[0].strip()]
        self.cleaned_data["shown_total"] = amount(self.cleaned_data.get("shown_total", ""))
        self.ask_about_age()
        return super().clean()

    def proposal(self) -> Proposal:
        values = self.cleaned_data
        return Proposal(
            uuid=values.get("key"),
            clinic=self.clinic,
            doctor=values.get("doctor"),
            patient=None if self.is_new_patient else values.get("patient"),
            details=self._details() if self.is_new_patient else None,
            lines=tuple(line for line in self.lines if line),
            discount=values.get("whole_discount"),
            starts_at=values.get("starts_at"),
            ends_at=values.get("ends_at"),
            notes=values.get("notes", ""),
            source=Appointment.Source.MANUAL,
            shown_total=values.get("shown_total"),
            besides=tuple(self.besides + [each.pk for each in self.doubles if self.same not in {None, each.pk}]),
        )

    def refuse(self, refused: Refused) -> None:
        self.total_changed = Reason.TOTAL_CHANGED in refused.reasons
        super().refuse(refused)

    def check(self, *, left: str | None = None) -> None:
        """The same rules as `book`, for a form that is still being filled in: of its total nobody has seen the last."""
        self.is_valid()
        if refused := booking.check(replace(self.proposal(), shown_total=None)):
            self.refuse(refused)
        self.drop_untouched_errors(just_left=left)

    def book(self, author: booking.Author) -> Appointment | None:
        """The appointment, or None with every reason at its field, or with those in `doubles` who may be the new one.
        A second click finds what the first one booked."""
        readable = self.is_valid()
        if self.is_new_patient:
            self.doubles = registry.same_patients(self.clinic, self._details(), besides=self.besides)
        try:
            if readable and not self.asks_who:
                return booking.book(self.proposal(), by=author)
            refused = booking.check(self.proposal())
        except Refused as error:
            refused = error
        if readable and (booked := self._booked_already()):
            return booked
        if refused:
            self.refuse(refused)
        return None

    def _booked_already(self):
        key, starts_at = self.cleaned_data["key"], self.cleaned_data["starts_at"]
        if key is None:
            return None
        return Appointment.objects.of(self.clinic).standing().filter(uuid=key, starts_at=starts_at).first()

    def _details(self):
        values = self.cleaned_data
        texts = {name: values.get(name) or "" for name in ("name", "cpf", "nif")}
        return PatientDetails(**texts, phone=self.confirmed_phone(self.clinic), birth_date=values.get("birth_date"))

    def _line(self, procedure, discount):
        try:
            return LineRequest(ONE_ID.clean(procedure), ONE_ID.clean(discount))
        except forms.ValidationError as error:
            self.add_error("procedure", error)
            return None


BookingForm.base_fields = Unchanging(BookingForm.base_fields)


class MoveForm(WhenForm):
    """Another time, or another doctor, for an appointment; as long as it was, unless `ends` says otherwise.

    `place` is where the appointment was when the form was opened: another window may have moved it since.
    `discounts_off` are the sentences about discounts that are not valid then; ticking `without_expired` takes them off.
    """

    place = forms.CharField(required=False)
    without_expired = forms.BooleanField(required=False)
    discounts_off: Sequence[str] = ()
    was_moved_elsewhere = False

    def refuse(self, refused: Refused) -> None:
        lost = [each for each in refused.refusals if each.reason is Reason.DISCOUNT_LEFT_BEHIND]
        self.discounts_off = [each.message for each in lost]
        self.was_moved_elsewhere = Reason.CHANGED_MEANWHILE in refused.reasons
        lost += [each for each in refused.refusals if each.reason is Reason.CHANGED_MEANWHILE]
        refused.refusals = [each for each in refused.refusals if each not in lost]
        super().refuse(refused)

    def check(self, appointment: Appointment) -> None:
        """The same rules as `move`, for a form that is still being filled in."""
        self.is_valid()
        if refused := booking.check_reschedule(appointment.pk, clinic=self.clinic, **self._target()):
            self.refuse(refused)
        self.drop_untouched_errors(just_left=None)

    def move(self, appointment: Appointment, author: booking.Author) -> bool:
        """Whether it is moved; if not, every reason is at its field, and the appointment is as it is stored now."""
        try:
            if self.is_valid():
                seen = self.cleaned_data["place"] or None
                booking.reschedule(appointment.pk, clinic=self.clinic, by=author, seen=seen, **self._target())
                return True
            refused = booking.check_reschedule(appointment.pk, clinic=self.clinic, **self._target())
        except Refused as error:
            refused = error
        if refused:
            self.refuse(refused)
            appointment.refresh_from_db()
            if self.was_moved_elsewhere:
                self.add_error(None, _moved_elsewhere(appointment))
        return False

    def _target(self):
        return {name: self.cleaned_data.get(name) for name in ("doctor", "starts_at", "ends_at", "without_expired")}


def _moved_elsewhere(appointment):
    starts_at = appointment.clinic.local(appointment.starts_at)
    sentence = _(
        "Outra janela já remarcou este agendamento para %(day)s às %(time)s, com %(doctor)s. Aqui está o que você "
        "escolheu: para valer, remarque de novo."
    )
    return sentence % {"day": f"{starts_at:%d/%m}", "time": f"{starts_at:%H:%M}", "doctor": appointment.doctor}
