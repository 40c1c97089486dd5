import datetime
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking, registry
from clinic.booking import LineRequest, Proposal
from clinic.form_fields import TypedDateField, TypedTimeField, ids_in, is_short_number
from clinic.form_questions import AsksAboutAge
from clinic.models import Appointment, Clinic, Doctor, NonexistentTime, Patient, Procedure
from clinic.models.patient import is_minor
from clinic.queries import booking_options, family, patients
from clinic.refusals import Refusal, Refused
from clinic.registry import PatientDetails
from clinic.schedule import Opening, Span
from clinic.spoken import day_in_brief
from clinic.web.fields import RefusableForm
from clinic.web.reading import key_of_form, read_number

MIN_MEMBERS = 2
FOUND = 5  # so many patients are offered for a text
# Within how many days after the date times are proposed, and what it is called.
WITHIN = {
    "0": gettext_lazy("só nesta data"),
    "7": gettext_lazy("até uma semana depois"),
    "14": gettext_lazy("até duas semanas depois"),
    "28": gettext_lazy("até quatro semanas depois"),
}


class Choices:
    """What can be chosen in every row: read once, however many rows."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic

    @cached_property
    def doctors(self) -> Sequence[Doctor]:
        return booking_options.doctors(self.clinic)

    @cached_property
    def procedures(self) -> list[Procedure]:
        return list(booking_options.procedures(self.clinic, None, []))

    def doctor(self, pk: int | None) -> Doctor | None:
        return next((doctor for doctor in self.doctors if doctor.pk == pk), None)

    def chosen(self, ids: Collection[int]) -> list[Procedure]:
        return [procedure for procedure in self.procedures if procedure.pk in ids]

    def minutes(self, ids: Iterable[int]) -> int:
        lengths = {procedure.pk: procedure.duration_minutes for procedure in self.procedures}
        return sum(lengths.get(pk, 0) for pk in ids)


class MemberForm(AsksAboutAge, RefusableForm):
    """One of the family, in the row `number`: a patient who is known, or a name and a birth date; what, with
    which doctor, when.

    The fields are sent with the number, as `starts-0`; `day` is that of all rows, `phone` that of all new patients,
    and the guardian that of those who are minors.
    """

    data: QueryDict
    refused_at: ClassVar = {"procedures": "procedure", "starts_at": "starts", "ends_at": "starts"}

    patient = forms.CharField(required=False)
    q = forms.CharField(label=gettext_lazy("Paciente"), required=False)
    name = forms.CharField(label=gettext_lazy("Nome"), required=False)
    birth_date = TypedDateField(label=gettext_lazy("Nascimento"), required=False, past=True)
    procedure = forms.CharField(label=gettext_lazy("Procedimento"), required=False)
    doctor = forms.CharField(label=gettext_lazy("Profissional"), required=False)
    starts = TypedTimeField(label=gettext_lazy("Início"), required=False)

    def __init__(self, data: QueryDict, number: int, whole: "FamilyForm") -> None:
        super().__init__(data)
        self.number, self.whole, self.clinic = number, whole, whole.clinic
        self.fields = {self.named(name): field for name, field in self.fields.items()}
        self.sentences: list[str] = []
        self.alternatives: Sequence[Opening] = ()

    def named(self, name: str) -> str:
        """Return the name under which a field of this row is sent."""
        return f"{name}-{self.number}"

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if self.is_new:
            self.ask_about_age()
        return typed

    def sent(self, name: str) -> str:
        return self.data.get(self.named(name), "").strip()

    def field(self, name: str) -> forms.BoundField:
        return self[self.named(name)]

    @property
    def boxes(self) -> dict[str, forms.BoundField]:
        """The fields by their names without the number."""
        return {name: self.field(name) for name in type(self).base_fields}

    @property
    def shown(self) -> list[forms.BoundField]:
        """The fields that are on the page now and can have an error."""
        person = ["name", "birth_date"] if self.is_new else [] if self.known else ["q"]
        return [self.field(name) for name in (*person, "procedure", "doctor", "starts")]

    @property
    def is_new(self) -> bool:
        return bool(self.data.get(self.named("is_new")))

    @cached_property
    def known(self) -> Patient | None:
        """The patient who was chosen, None for none."""
        text = self.sent("patient")
        if self.is_new or not is_short_number(text):
            return None
        return booking_options.patient(self.clinic, int(text))

    @property
    def chosen_procedures(self) -> list[int]:
        return ids_in(self.data, self.named("procedure"))

    @property
    def first_procedure(self) -> int | None:
        return next(iter(self.chosen_procedures), None)

    @property
    def second_procedure(self) -> int | None:
        return next(iter(self.chosen_procedures[1:]), None)

    @property
    def chosen_doctor(self) -> int | None:
        text = self.sent("doctor")
        return read_number(text)

    @cached_property
    def found(self) -> list[Patient]:
        """The patients that the text means, where none is chosen yet."""
        text = self.sent("q")
        return patients.search(self.clinic, text, FOUND, widely=True) if text and not self.known else []

    @property
    def offered(self) -> Sequence[Patient]:
        """The patients whose buttons the row has: who fits the text, or without one the family of who is known."""
        return self.found if self.sent("q") else self.whole.relatives

    @cached_property
    def doubles(self) -> Sequence[Patient]:
        """The patients of which the new one may be one, as long as that was not denied (`besides`)."""
        if not self.is_new or not self.is_valid():
            return []
        return registry.same_patients(self.clinic, self.details, besides=self.besides)

    @property
    def age_is_confirmed(self) -> bool:
        return self.asked_age is not None and self.sent("old_is_right") == self.asked_age[0]

    @property
    def besides(self) -> list[int]:
        return ids_in(self.data, self.named("besides"))

    @property
    def details(self) -> PatientDetails:
        """What was typed about who is new, with the phone of the family and, for a minor, who is responsible."""
        born = self.cleaned_data.get(self.named("birth_date"))
        is_child = is_minor(born)
        return PatientDetails(
            name=self.cleaned_data.get(self.named("name")) or "",
            phone=self.whole.sent("phone"),
            birth_date=born,
            guardian_name=self.whole.sent("guardian_name") if is_child else "",
            guardian_relation=self.whole.sent("guardian_relation") if is_child else "",
        )

    def proposal(self) -> Proposal:
        """Return what the row asks for. What is missing in it is refused by the rules of a booking."""
        self.is_valid()
        patient = self.known
        return Proposal(
            clinic=self.clinic,
            doctor=self.chosen_doctor,
            patient=patient.pk if patient else None,
            details=self.details if self.is_new else None,
            lines=tuple(LineRequest(pk) for pk in self.chosen_procedures),
            starts_at=self._instant(),
            besides=tuple(self.besides),
        )

    def _instant(self) -> Any:
        day, starts = self.whole.day, self.cleaned_data.get(self.named("starts"))
        if day is None or starts is None:
            return None
        try:
            return self.clinic.instant(day, starts)
        except NonexistentTime:
            self.add_error(self.named("starts"), _("Este horário não existe nesse dia: os relógios adiantam."))
            return None

    def show(self, refusals: Iterable[Refusal], checked: booking.CheckedMember) -> None:
        """Show each refusal at its field, or above the row, and the free times to choose instead."""
        self.alternatives = checked.alternatives
        if checked.is_day_full:
            self.sentences.append(_("Não há horário livre neste dia com este profissional."))
        for refusal in refusals:
            field = self.named(self.refused_at.get(refusal.field, refusal.field))
            if field not in {box.name for box in self.shown}:
                self.sentences.append(refusal.message)
            elif field not in self.errors:
                self.add_error(field, refusal.message)

    @property
    def is_empty(self) -> bool:
        """Whether nobody was named in the row yet."""
        return not (self.known or self.is_new or self.sent("q"))

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The free times of the date instead, as buttons: value and label."""
        times = [f"{self.clinic.local(each.starts_at):%H:%M}" for each in self.alternatives]
        return [(f"{self.number}|{time}", time) for time in times]


class FamilyForm(RefusableForm):
    """Several patients on one day. `key` makes two clicks on one form one booking. `within` says until when times are
    proposed; `other_dates` are those of further dates, as value and label of a button."""

    date = TypedDateField(label=gettext_lazy("Data"), required=False)
    phone = forms.CharField(label=gettext_lazy("Telefone de quem é novo"), required=False)
    guardian_name = forms.CharField(label=gettext_lazy("Responsável"), required=False)
    guardian_relation = forms.CharField(label=gettext_lazy("Parentesco"), required=False)
    within = forms.ChoiceField(label=gettext_lazy("Procurar"), choices=list(WITHIN.items()), required=False)

    other_dates: Sequence[tuple[str, str]] = ()

    def __init__(self, data: QueryDict, *, clinic: Clinic, booked: Appointment | None) -> None:
        super().__init__(data)
        self.clinic, self.booked, self.choices = clinic, booked, Choices(clinic)
        self.key = key_of_form(data.get("key", ""))
        self.refusals: list[str] = []
        self.members = [MemberForm(data, number, self) for number in range(_rows(data))]

    @property
    def may_add(self) -> bool:
        return len(self.members) < booking.MAX_MEMBERS

    @property
    def may_remove(self) -> bool:
        return len(self.members) > MIN_MEMBERS

    @cached_property
    def day(self) -> datetime.date | None:
        self.is_valid()
        day: datetime.date | None = self.cleaned_data.get("date")
        return day

    def sent(self, name: str) -> str:
        return self.data.get(name, "").strip()

    @cached_property
    def relatives(self) -> list[Patient]:
        """The `relatives` of one of the family who is known, without those who have a row already."""
        known = [member.known for member in self.members if member.known]
        first = self.booked.patient if self.booked else next(iter(known), None)
        chosen = {patient.pk for patient in known} | ({first.pk} if first else set())
        return [patient for patient in family.relatives(first) if patient.pk not in chosen] if first else []

    def check(self) -> None:
        """Ask the rules about the rows in which a person is named, and show what is in their way."""
        named = [member for member in self.members if not member.is_empty]
        if not named or self.day is None:
            return
        checked = booking.check_family([member.proposal() for member in named])
        for member, outcome in zip(named, checked, strict=True):
            member.show(self._worth_saying(member, outcome.refusals), outcome)

    def book(self, by: booking.Author) -> list[Appointment]:
        """Book all rows and return the appointments; none after a refusal, which stands at its row."""
        proposals = [member.proposal() for member in self.members]
        if there := booking.booked_family(proposals, self.key):
            return there
        are_readable = [member.is_valid() and not member.doubles for member in self.members]
        if not (self.is_valid() and all(are_readable)):
            self._refuse_all(proposals)
            return []
        try:
            return booking.book_family(proposals, key=self.key, by=by)
        except booking.MemberRefused:
            self._refuse_all(proposals)
        except Refused as refused:
            self.refusals = [refused.message]
        return []

    def propose(self) -> None:
        """Fill in the nearest date with times for all, at which they are over soonest, and offer the next ones; say so
        where there are none."""
        if self.day is None:
            self.refusals = [_("Escreva a data.")]
            return
        sought = [
            booking.SoughtTime(
                doctors=[doctor] if (doctor := self.choices.doctor(member.chosen_doctor)) else [],
                minutes=self.choices.minutes(member.chosen_procedures),
                patient=member.known.pk if member.known else None,
                procedures=self.choices.chosen(member.chosen_procedures),
            )
            for member in self.members
        ]
        booked, last = self.booked, self.day + datetime.timedelta(days=self.days_within)
        near = Span(booked.starts_at, booked.ends_at) if booked else None
        found = booking.times_near_each_other(self.clinic, sought, self.day, last, near=near)
        if not found:
            self.refusals = [self._nothing_until(last)]
            return
        values = [self._value_of(times) for times in found]
        self._fill_in(values[0])
        self.other_dates = [(value, self._label_of(times)) for value, times in zip(values, found, strict=True)][1:]

    @property
    def days_within(self) -> int:
        within = self.sent("within")
        return int(within) if within in WITHIN else 0

    def _nothing_until(self, last: datetime.date) -> str:
        if last == self.day:
            return _("Não há horário para todos neste dia. Escolha outro dia, ou outros profissionais.")
        sentence = _("Não há horário para todos até %(day)s. Procure mais longe, ou escolha outros profissionais.")
        return sentence % {"day": f"{last:%d/%m/%Y}"}

    def _value_of(self, times: Sequence[Opening]) -> str:
        """Return date and starts as the button sends them: 24/11/2026|08:00|08:30."""
        local = [self.clinic.local(opening.starts_at) for opening in times]
        return "|".join([f"{local[0]:%d/%m/%Y}", *(f"{each:%H:%M}" for each in local)])

    def _label_of(self, times: Sequence[Opening]) -> str:
        starts_at = self.clinic.local(min(opening.starts_at for opening in times))
        ends_at = self.clinic.local(max(opening.ends_at for opening in times))
        return f"{day_in_brief(starts_at.date())} {starts_at:%H:%M}–{ends_at:%H:%M}"

    def _fill_in(self, value: str) -> None:
        self.data = data = with_times(self.data, value)
        self.__dict__.pop("day", None)
        self.full_clean()
        self.members = [MemberForm(data, number, self) for number in range(len(self.members))]

    def _refuse_all(self, proposals: Sequence[Proposal]) -> None:
        """Show at every row what is in its way, as if those before it were booked; a missing date at the date."""
        if self.day is None and "date" not in self.errors:
            self.add_error("date", _("Escreva a data."))
        for member, outcome in zip(self.members, booking.check_family(proposals), strict=True):
            member.show([each for each in outcome.refusals if not self._is_date_missing(member, each)], outcome)
        self.refusals = [_("Nada foi agendado: veja o que falta em cada linha.")]

    def _is_date_missing(self, member: MemberForm, refusal: Refusal) -> bool:
        """Return whether a time was typed and only the date of all is in its way."""
        return self.day is None and bool(member.sent("starts")) and refusal.field in {"starts_at", "ends_at"}

    def _worth_saying(self, member: MemberForm, refusals: Sequence[Refusal]) -> list[Refusal]:
        """Return the refusals of what was typed: an empty field is not complained about before the form is sent."""
        empty = {"doctor": "doctor", "procedures": "procedure", "starts_at": "starts", "name": "name", "phone": "phone"}
        shown = []
        for refusal in refusals:
            name = empty.get(refusal.field)
            is_empty = name and not (self.sent("phone") if name == "phone" else member.sent(name))
            if not is_empty and refusal.field not in {"ends_at", "birth_date"}:
                shown.append(refusal)
        return shown


def pressed(posted: QueryDict, clinic: Clinic) -> QueryDict:
    """Return the fields as the pressed button changes them: a person picked, begun anew or forgotten, a row more or
    less, a free time chosen. The values of these buttons begin with the number of the row."""
    data = posted.copy()
    sent = (str(data[name]) for name in ("pick", "new", "forget", "choose", "remove") if name in data)
    number, _bar, value = next(sent, "").partition("|")
    if "pick" in data:
        data[f"patient-{number}"], data[f"is_new-{number}"], data[f"q-{number}"] = value, "", ""
    elif "new" in data:
        data[f"is_new-{number}"], data[f"patient-{number}"] = "1", ""
        data[f"name-{number}"] = data.get(f"name-{number}") or data.get(f"q-{number}", "")
    elif "forget" in data:
        data[f"is_new-{number}"] = data[f"patient-{number}"] = ""
    elif "choose" in data:
        data[f"starts-{number}"] = value
    elif "take" in data:
        data = with_times(data, str(data["take"]))
    elif "add" in data:
        data["rows"] = str(_rows(data) + 1)
        _copy_last(data)
    elif "remove" in data and is_short_number(number):
        _without(data, int(number))
    return data


def with_times(posted: QueryDict, value: str) -> QueryDict:
    """Return the fields with a proposed date and its starts, as `FamilyForm.other_dates` writes them."""
    data = posted.copy()
    day, *starts = value.split("|")
    data["date"] = day
    for number, start in enumerate(starts[: booking.MAX_MEMBERS]):
        data[f"starts-{number}"] = start
    return data


def initial_of(query: QueryDict, clinic: Clinic, booked: Appointment | None) -> QueryDict:
    """Return the fields of the page as it opens: beside the appointment that is booked already, or with the patient,
    doctor and date of the address (`paciente`, `medico`, `data`)."""
    data = QueryDict(mutable=True)
    data["rows"] = str(MIN_MEMBERS)
    doctor, day = query.get("medico", ""), query.get("data", "")
    if booked:
        doctor, day = str(booked.doctor_id), f"{clinic.local(booked.starts_at):%d/%m/%Y}"
        procedure = booked.lines.order_by("position").values_list("procedure", flat=True).first()
        data["phone"] = booked.patient.phone.as_national if booked.patient.phone else ""
        data.update(_guardian_of(booked.patient))
    else:
        data["patient-0"] = chosen = query.get("paciente", "")
        patient = booking_options.patient(clinic, int(chosen)) if is_short_number(chosen) else None
        data.update(_guardian_of(patient) if patient else {})
        procedure = booking_options.usual_procedure(clinic, [int(doctor)]) if is_short_number(doctor) else None
    data["date"] = day or f"{clinic.local(timezone.now()):%d/%m/%Y}"
    for number in range(MIN_MEMBERS):
        data[f"doctor-{number}"], data[f"procedure-{number}"] = doctor, str(procedure or "")
    return data


def _guardian_of(patient: Patient) -> dict[str, str]:
    """Return who is proposed as responsible for the children of a family: the adult, or who is so for the child."""
    if patient.guardian_name or is_minor(patient.birth_date):
        return {"guardian_name": patient.guardian_name, "guardian_relation": patient.guardian_relation}
    return {"guardian_name": patient.name}


FIELDS = ("patient", "q", "is_new", "name", "birth_date", "procedure", "doctor", "starts", "besides", "old_is_right")


def _copy_last(data: QueryDict) -> None:
    """Fill in doctor and procedure of a row that was added like those of the one before it."""
    last = _rows(data) - 1
    for name in ("procedure", "doctor"):
        data.setlist(f"{name}-{last}", data.getlist(f"{name}-{last - 1}"))


def _without(data: QueryDict, number: int) -> None:
    """Leave a row out, and move those that follow up."""
    rows = _rows(data)
    for at in range(number, rows):
        for name in FIELDS:
            data.setlist(f"{name}-{at}", data.getlist(f"{name}-{at + 1}"))
    data["rows"] = str(rows - 1)


def _rows(data: QueryDict) -> int:
    """Return how many rows were sent, or the nearest number that there may be."""
    text = str(data.get("rows", ""))
    number = int(text) if is_short_number(text) else 0
    return min(max(number, MIN_MEMBERS), booking.MAX_MEMBERS)
