from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from clinic import booking
from clinic.form_fields import TypedDateField, TypedTimeField
from clinic.models import Appointment, Clinic, Series
from clinic.refusals import Refused
from clinic.schedule import MAX_DATES, MAX_INTERVAL, Dates, Recurrence, bookable_dates, dates_after
from clinic.spoken import label
from clinic.web.booking_panel.finder_fields import WEEKDAY_LABELS
from clinic.web.fields import RefusableForm
from clinic.web.reading import key_of_form
from clinic.web.series.preview import (
    Row,
    Wanted,
    are_as_shown,
    in_words,
    instant_of,
    refused_in_words,
    row_of,
    sent_starts,
)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

USUAL_TOTAL = 10
SAME_WEEKDAY = ""
WEEKDAYS = [(str(day), label_) for day, label_ in WEEKDAY_LABELS.items()]


class Number(forms.IntegerField):
    """A number of one or more, written by hand."""

    def __init__(self, most: int | None = None, **options: Any) -> None:
        sentence = format_lazy(_("Use de 1 a {most}."), most=most) if most else _("Use 1 ou mais.")
        messages = dict.fromkeys(("required", "invalid", "min_value", "max_value"), sentence)
        super().__init__(min_value=1, max_value=most, error_messages=messages, **options)


class PreviewForm(RefusableForm):
    """A form whose answer is a preview, a row for each time; it is sent once more, with `save`, to act on those that
    are ticked. `refusals` are sentences about the whole. `save_label` is what the button says that acts."""

    clinic: Clinic
    save_label: "StrOrPromise"
    # `wanted` and `rows` are each form's own; the metaclass of forms leaves no room for that of abstract classes.

    def __init__(self, data: QueryDict | None, clinic: Clinic) -> None:
        super().__init__(data if data is not None else QueryDict())
        self.clinic, self.now = clinic, timezone.now()
        self.refusals: list[str] = []

    @property
    def wanted(self) -> Sequence[Wanted]:
        """The times that the form, which is valid, asks for."""
        raise NotImplementedError

    @property
    def rows(self) -> Sequence[Row]:
        """A row for each of them; none for a form that is not valid."""
        raise NotImplementedError

    @property
    def summary(self) -> str:
        return in_words(self.rows)

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences above the rows that refuse nothing."""
        return []

    def _is_ready(self, changed: str, nothing: str) -> bool:
        """Return whether what was ticked can be acted on; otherwise `refusals` say why not: on times that their author
        has not seen nothing is done."""
        if not self.is_valid():
            return False
        if not are_as_shown(self.wanted, self.data):
            self.refusals = [changed]
        elif not sent_starts(self.data):
            self.refusals = [nothing]
        return not self.refusals

    def _refuse(self, refused: Refused, nothing_done: str) -> None:
        """Say which date was refused and why."""
        if isinstance(refused, booking.SessionRefused):
            self.refusals = [f"{refused_in_words(self.clinic, refused)} {nothing_done}"]
        else:
            self.refusals = [refused.message]


class SeriesForm(PreviewForm):
    """How an appointment is repeated. `standing` are the sessions that are there already, it among them, whose dates
    are passed over. `key` makes two clicks on one form one series."""

    save_label = _("Agendar as selecionadas")
    every = Number(MAX_INTERVAL, label=_("Repetir a cada"))
    unit = forms.ChoiceField(label=_("Dias ou semanas"), choices=Series.Unit)
    weekdays = forms.MultipleChoiceField(label=_("Dias da semana"), required=False, choices=WEEKDAYS)
    starts = TypedTimeField(label=_("Início"), error_messages={"required": _("Escreva o horário das sessões.")})
    count = Number(label=_("Sessões ao todo"), required=False)
    until = TypedDateField(label=_("Ou até o dia"), required=False)

    def __init__(self, data: QueryDict, *, appointment: Appointment, standing: Sequence[Appointment]) -> None:
        super().__init__(data, appointment.clinic)
        self.appointment, self.standing = appointment, len(standing)
        self.dates_of_standing = {self.clinic.local(session.starts_at).date() for session in standing}
        self.key = key_of_form(data.get("key", ""))

    @property
    def chosen_weekdays(self) -> list[str]:
        return self.data.getlist("weekdays")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("unit") == Series.Unit.WEEK and not cleaned.get("weekdays") and "weekdays" not in self.errors:
            self.add_error("weekdays", _("Selecione pelo menos um dia da semana."))
        if cleaned.get("until"):
            self.errors.pop("count", None)
            self._clean_until(cleaned["until"])
        elif "count" not in self.errors and "until" not in self.errors:
            self._clean_count(cleaned.get("count"))
        return cleaned

    def _clean_until(self, until: date) -> None:
        if until <= max(self._first, bookable_dates(self.clinic, self.now)[0]):
            self.add_error("until", _("Escolha um dia depois desta sessão, a partir de amanhã."))

    def _clean_count(self, count: int | None) -> None:
        if count is None:
            self.add_error("count", _("Diga quantas sessões, ou até que dia."))
        elif not 0 < count - self.standing <= MAX_DATES:
            least, most = self.standing + 1, self.standing + MAX_DATES
            self.add_error("count", _("Use de %(least)s a %(most)s.") % {"least": least, "most": most})

    @cached_property
    def wanted(self) -> list[Wanted]:
        starts = self.cleaned_data["starts"]
        return [Wanted(f"{day}T{starts:%H:%M}", day, starts) for day in self._dates.dates]

    @cached_property
    def rows(self) -> list[Row]:
        if not self.is_valid():
            return []
        instants = {each: instant for each in self.wanted if (instant := instant_of(self.clinic, each))}
        checked = booking.check_series(self.appointment, list(instants.values()), now=self.now)
        by_wanted = dict(zip(instants, checked, strict=True))
        return [row_of(self.clinic, each, by_wanted.get(each), self.data) for each in self.wanted]

    @property
    def warnings(self) -> list[str]:
        return [sentence for sentence in (self._cut, self._expiring_card) if sentence]

    def book(self, by: booking.Author) -> Series | None:
        """Book the ticked dates and return their series; None where nothing was booked, with the reasons.

        A second click gets the series that the first one has booked."""
        sent, series = list(sent_starts(self.data).values()), self.appointment.series
        if series and sent and booking.are_booked(self.clinic, self.key, sent):
            return series
        changed = str(_("As datas mudaram. Veja as novas e agende de novo."))
        if not self._is_ready(changed, str(_("Selecione pelo menos uma data."))):
            return None
        try:
            return booking.book_series(
                self.appointment.pk,
                sent,
                self._rule,
                clinic=self.clinic,
                key=self.key,
                seen=self.data.get("seen", ""),
                by=by,
                now=self.now,
            )
        except Refused as refused:
            self._refuse(refused, str(_("Nada foi agendado.")))
            return None

    @property
    def _cut(self) -> str:
        """Why there are fewer dates than were asked for, "" where there are not."""
        if not self.is_valid() or not self._dates.is_cut:
            return ""
        last = bookable_dates(self.clinic, self.now)[1]
        return _("Faltam datas: de uma vez são no máximo %(most)s, e até %(date)s. Acrescente as outras depois.") % {
            "most": MAX_DATES,
            "date": f"{last:%d/%m/%Y}",
        }

    @property
    def _expiring_card(self) -> str:
        """What to say of a card of the payer that is not valid on all of the dates, "" where there is nothing."""
        patient, payer = self.appointment.patient, self.appointment.payer_id
        if not self.rows or payer is None or payer != patient.payer_id:
            return ""
        if not patient.has_expired_card(self.wanted[-1].day):
            return ""
        return _("A carteira vence em %(day)s, antes da última data.") % {"day": f"{patient.card_expires_on:%d/%m/%Y}"}

    @property
    def _first(self) -> date:
        return self.clinic.local(self.appointment.starts_at).date()

    @property
    def _rule(self) -> Recurrence:
        typed = self.cleaned_data
        in_weeks = typed["unit"] == Series.Unit.WEEK
        return Recurrence(
            every=typed["every"],
            weekdays=frozenset(int(day) for day in typed["weekdays"]) if in_weeks else frozenset(),
            count=None if typed["until"] else typed["count"] - self.standing,
            until=typed["until"],
        )

    @cached_property
    def _dates(self) -> Dates:
        bookable = bookable_dates(self.clinic, self.now)
        return dates_after(self._first, self._rule, bookable, besides=self.dates_of_standing)


class MoveSessionsForm(PreviewForm):
    """Another weekday, in the week that each session is in, and another hour for these sessions of one series."""

    save_label = _("Remarcar as selecionadas")
    weekday = forms.ChoiceField(
        label=_("Dia da semana"), required=False, choices=[(SAME_WEEKDAY, _("o mesmo dia")), *WEEKDAYS]
    )
    starts = TypedTimeField(label=_("Início"), required=False)

    def __init__(self, data: QueryDict | None, *, clinic: Clinic, sessions: Sequence[Appointment]) -> None:
        super().__init__(data, clinic)
        self.sessions = sessions

    @cached_property
    def wanted(self) -> list[Wanted]:
        return [self._wanted(session) for session in self.sessions]

    @cached_property
    def rows(self) -> list[Row]:
        """A row for each session; those that are where they are wanted cannot be had."""
        if not self.is_valid():
            return []
        wanted = dict(zip(self.sessions, self.wanted, strict=True))
        instants = {session: instant_of(self.clinic, each) for session, each in wanted.items()}
        moves = [(session, to) for session, to in instants.items() if to and to != session.starts_at]
        checked = booking.check_moves(moves, now=self.now)
        by_session = {session: row for (session, _to), row in zip(moves, checked, strict=True)}
        return [
            Row(each, sentences=[str(_("Já é este o horário."))])
            if instants[session] == session.starts_at
            else row_of(self.clinic, each, by_session.get(session), self.data)
            for session, each in wanted.items()
        ]

    def move(self, series_id: int, by: booking.Author) -> int:
        """Move the ticked sessions and return how many; 0 where nothing was moved, with the reasons.

        Raises Appointment.DoesNotExist."""
        changed = str(_("Os horários mudaram. Veja os novos e remarque de novo."))
        if not self._is_ready(changed, str(_("Selecione pelo menos uma sessão."))):
            return 0
        sent = sent_starts(self.data)
        moves = [
            booking.SessionMove(session.pk, sent[wanted.key], self.data.get(f"place-{session.pk}", ""))
            for session, wanted in zip(self.sessions, self.wanted, strict=True)
            if wanted.key in sent
        ]
        try:
            booking.move_sessions(series_id, moves, clinic=self.clinic, by=by, now=self.now)
        except Refused as refused:
            self._refuse(refused, str(_("Nada foi remarcado.")))
            return 0
        return len(moves)

    def _wanted(self, session: Appointment) -> Wanted:
        typed, local = self.cleaned_data, self.clinic.local(session.starts_at)
        day = local.date()
        if typed["weekday"]:
            day += timedelta(days=int(typed["weekday"]) - day.isoweekday())
        starts = typed["starts"] or local.time()
        return Wanted(f"{session.pk}T{day}T{starts:%H:%M}", day, starts, present=label(local))


def initial_of(appointment: Appointment, standing: Sequence[Appointment], now: datetime) -> QueryDict:
    """Return the fields as the page opens: as the series was asked for at first, on the weekdays and at the hour of its
    coming sessions, or every week at the same hour. `standing` are the sessions that are there already."""
    local, series = appointment.clinic.local(appointment.starts_at), appointment.series
    data = QueryDict(mutable=True)
    data["every"], data["unit"] = "1", Series.Unit.WEEK.value
    data["weekdays"], data["starts"] = str(local.isoweekday()), f"{local:%H:%M}"
    total = USUAL_TOTAL
    if series:
        coming = [appointment.clinic.local(each.starts_at) for each in standing if booking.is_still_ahead(each, now)]
        weekdays = _usual([at.isoweekday() for at in coming], series.weekdays)
        rule = Recurrence(series.every, frozenset(weekdays), until=series.until)
        (starts,) = _usual([at.time() for at in coming], [series.starts])
        data["every"], data["unit"], data["starts"] = str(series.every), series.unit, f"{starts:%H:%M}"
        data.setlist("weekdays", [str(day) for day in sorted(weekdays)] or [str(local.isoweekday())])
        data["until"] = _until(rule, local.date(), standing, appointment.clinic, now)
        total = series.count or 0
    data["count"] = str(max(total, len(standing) + 1))
    return data


def _usual(found: Sequence[Any], asked: Sequence[Any]) -> list[Any]:
    """Return the most frequent ones, as many as were asked for; of those that are as frequent the asked ones first."""
    counts = Counter(found)
    return sorted({*found, *asked}, key=lambda each: (-counts[each], each not in asked, each))[: len(asked)]


def _until(rule: Recurrence, first: date, standing: Sequence[Appointment], clinic: Clinic, now: datetime) -> str:
    """Return the last day of the rule as it is typed, "" where there is none or no date is left until then."""
    bookable = bookable_dates(clinic, now)
    if rule.until is None or rule.until <= bookable[0]:
        return ""
    taken = {clinic.local(session.starts_at).date() for session in standing}
    return f"{rule.until:%d/%m/%Y}" if dates_after(first, rule, bookable, besides=taken).dates else ""
