from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.form_fields import TypedDateField, TypedEndField, TypedTimeField
from clinic.models import Absence, Clinic, Delay, Doctor, StaffUser
from clinic.models.clinic import END_OF_DAY, NonexistentTime
from clinic.models.delay import MAX_MINUTES
from clinic.models.limits import max_length
from clinic.queries import booking_options
from clinic.registry import DelayChanged, record_delay
from clinic.schedule import Away, bookable_dates
from clinic.web.reading import read_number


class When(TextChoices):
    TODAY = "hoje", _("Hoje")
    TOMORROW = "amanha", _("Amanhã")
    UNTIL = "ate", _("Até")


class Motive(TextChoices):
    ILLNESS = "doenca", _("doença")
    MEETING = "reuniao", _("reunião")
    OTHER = "outro", _("outro")


OF_DOCTOR = {
    "required": _("Escolha o médico ou a médica."),
    "invalid_choice": _("Este profissional não atende mais aqui. Escolha outro."),
}


class AbsenceForm(forms.Form):
    """A doctor who does not come: which days, from when until when, and why.

    Without `starts` the absence begins now, or tomorrow at midnight; without `ends` it lasts until the end of its day.
    """

    doctor: Any = forms.ModelChoiceField(
        None, label=_("Médico(a)"), empty_label=_("Escolha…"), error_messages=OF_DOCTOR
    )
    when = forms.ChoiceField(label=_("Quando"), choices=When)
    until = TypedDateField(label=_("Até o dia"), required=False)
    starts = TypedTimeField(label=_("Das"), required=False)
    ends = TypedEndField(label=_("Às"), required=False)
    motive = forms.ChoiceField(label=_("Motivo"), choices=Motive)
    other = forms.CharField(label=_("Qual motivo?"), required=False, max_length=max_length(Absence, "reason"))

    def __init__(self, *args: Any, clinic: Clinic, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic, self.now = clinic, now
        self.doctors = booking_options.doctors(clinic)
        field: Any = self.fields["doctor"]
        field.queryset = Doctor.objects.of(clinic).filter(active=True)

    def clean(self) -> dict[str, Any]:
        super().clean()
        typed = self.cleaned_data
        if typed.get("motive") == Motive.OTHER and not typed.get("other"):
            self.add_error("other", _("Escreva o motivo: aparece na agenda."))
        if typed.get("when") == When.UNTIL and not typed.get("until") and "until" not in self.errors:
            self.add_error("until", _("Informe o último dia da ausência."))
        if not self.errors:
            self._read_span(typed)
        return typed

    def _read_span(self, typed: dict[str, Any]) -> None:
        today = self.clinic.local(self.now).date()
        first = today + timedelta(days=1) if typed["when"] == When.TOMORROW else today
        last = typed["until"] if typed["when"] == When.UNTIL else first
        if last < today:
            self.add_error("until", _("Esta data já passou. Escolha hoje ou uma data futura."))
            return
        starts_at = self._instant("starts", first, typed["starts"], self._begin(first, today))
        ends_at = self._instant("ends", last, typed["ends"] or END_OF_DAY, None)
        if starts_at and ends_at and ends_at <= max(starts_at, self.now):
            self.add_error("ends", _("O fim deve ser depois do início e ainda não ter passado."))
        self.cleaned_data |= {"starts_at": starts_at, "ends_at": ends_at}

    def _begin(self, first: date, today: date) -> datetime:
        """Return where the absence begins if no time is typed: this minute, or the midnight before tomorrow."""
        return self.now.replace(second=0, microsecond=0) if first == today else self.clinic.day(first)[0]

    def _instant(self, field: str, day: date, wall: time | None, otherwise: datetime | None) -> datetime | None:
        if wall is None:
            return otherwise
        try:
            return self.clinic.instant(day, wall)
        except NonexistentTime:
            self.add_error(field, _("Nesse dia o relógio pula esta hora. Escolha outra."))
            return None

    @property
    def reason(self) -> str:
        motive = Motive(self.cleaned_data["motive"])
        return str(self.cleaned_data["other"] if motive is Motive.OTHER else motive.label)

    @property
    def absence(self) -> Absence:
        """The absence as it was typed, not stored; the form is valid."""
        typed = self.cleaned_data
        return Absence(
            clinic=self.clinic,
            doctor=typed["doctor"],
            starts_at=typed["starts_at"],
            ends_at=typed["ends_at"],
            reason=self.reason,
        )

    @property
    def away(self) -> Away:
        absence = self.absence
        return Away(absence.doctor_id, absence.starts_at, absence.ends_at, absence.reason)


class DelayForm(forms.Form):
    """By how many minutes a doctor is late on a day that can be booked; 0, and the button `none`, for no delay.

    `seen` are the delays that the page showed when the form was opened, as “12:30 15:45”: a doctor's id, and minutes.
    """

    doctor: Any = forms.ModelChoiceField(None, error_messages=OF_DOCTOR)
    day = TypedDateField()
    minutes = forms.IntegerField(
        min_value=0,
        max_value=MAX_MINUTES,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Informe o atraso em minutos: de 0 a 480.")
        ),
    )
    seen = forms.CharField(required=False)
    was_changed_meanwhile = False

    def __init__(self, *args: Any, clinic: Clinic, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        self.today, self.last = bookable_dates(clinic, now)
        self.seen_value = self.data.get("seen", "")
        self.fields["minutes"].required = "none" not in self.data
        field: Any = self.fields["doctor"]
        field.queryset = Doctor.objects.of(clinic).filter(active=True)

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if day < self.today:
            raise forms.ValidationError(_("Este dia já passou. Abra a agenda de hoje para registrar o atraso."))
        if day > self.last:
            sentence = _("Este dia está longe demais. Abra a agenda de hoje ou de amanhã para registrar o atraso.")
            raise forms.ValidationError(sentence)
        return day

    @property
    def wanted_minutes(self) -> int:
        return 0 if "none" in self.data else self.cleaned_data["minutes"] or 0

    def record(self, by: StaffUser) -> bool:
        """Record the delay and return True. Where a colleague has recorded another one since the page showed it, say
        so at `minutes`; that one then counts as seen."""
        typed = self.cleaned_data
        try:
            record_delay(typed["doctor"], typed["day"], self.wanted_minutes, by=by, seen=self._seen_minutes())
        except DelayChanged as changed:
            self.was_changed_meanwhile = True
            self.seen_value += f" {typed['doctor'].pk}:{changed.stored.minutes if changed.stored else 0}"
            self.add_error("minutes", self._stored_sentence(typed["doctor"], changed.stored))
        return not self.was_changed_meanwhile

    def _seen_minutes(self) -> int:
        """Return the delay of the chosen doctor that the page showed last, 0 for none."""
        prefix = f"{self.cleaned_data['doctor'].pk}:"
        shown = [pair.removeprefix(prefix) for pair in self.cleaned_data["seen"].split() if pair.startswith(prefix)]
        return (read_number(shown[-1]) or 0) if shown else 0

    def _stored_sentence(self, doctor: Doctor, stored: Delay | None) -> str:
        if stored is None:
            sentence = gettext("%(doctor)s: o atraso foi retirado depois do que você viu. Confira e registre de novo.")
            return sentence % {"doctor": doctor.full_name}
        at = self.clinic.local(stored.recorded_at)
        words = {"who": stored.recorded_by, "minutes": stored.minutes, "at": f"{at:%d/%m %H:%M}"}
        sentence = gettext(
            "%(doctor)s: já há um atraso de %(minutes)s min, que %(who)s registrou em %(at)s. Confira e registre de"
            " novo se o seu vale."
        )
        return sentence % {"doctor": doctor.full_name, **words}
