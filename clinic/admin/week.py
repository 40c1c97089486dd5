"""The week of a doctor typed as text, "seg-sex 8-12 13:30-18; sáb 8-12", from a date on; its effect before it is saved.

As in `clinic.admin.closing` the change is made and looked at, and without the answer of who sees its effect the
transaction is rolled back."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking
from clinic.access import resumable_forms
from clinic.admin.base import ListMixin, admin_request
from clinic.form_fields import FINE_STEP, LONGEST_WEEK, USUAL_STEP, TypedDateField, WeekField, marked
from clinic.models import Clinic, Doctor, WorkingHours
from clinic.models.doctor import end_of_hours
from clinic.models.locks import get_locked, get_shared
from clinic.queries.pending import Affected, newly_pending, pending
from clinic.refusals import Refused
from clinic.registry import HoursOverlap, add_exceptions, set_week
from clinic.schedule import (
    ClosedDay,
    Exceptions,
    Hours,
    OpenDay,
    Week,
    read_exceptions,
    write_hours,
    write_week,
)
from clinic.transactions import run_in_transaction

WEEKS_COUNTED = 4


@dataclass(frozen=True)
class NewWeek:
    """Hours of a week for the local dates from `first` to `last`, both included, None for no end; and single dates that
    differ from it."""

    hours: tuple[Hours, ...]
    first: date
    last: date | None
    exceptions: tuple[OpenDay | ClosedDay, ...]


@dataclass(frozen=True)
class DayOfWeek:
    """A line of the table that reads a week back: spans as text, and how many free times are gained and lost."""

    name: str
    before: str
    after: str
    gained: int
    lost: int


@dataclass(frozen=True)
class SingleDate:
    """An exception read back: what it does on that local date, and how many free times the date gains and loses."""

    day: date
    effect: str
    gained: int
    lost: int


@dataclass(frozen=True)
class Effect:
    """What a new week changes; `seen` is sent along with the answer, `affected` are the appointments that would fall
    outside, None for none. `gained` and `lost` are the free times by local date; `replaced` are hours, as text, that
    would have begun later and then never do, "" for none."""

    seen: str
    gained: Counter[date]
    lost: Counter[date]
    affected: Affected | None
    counted_until: date
    replaced: str


class WeekForm(forms.Form):
    """A week as text, and from when and until when it holds."""

    week = WeekField()
    exceptions = forms.CharField(
        label=gettext_lazy("Dias diferentes"),
        required=False,
        strip=False,
        max_length=LONGEST_WEEK,
        widget=forms.Textarea({"rows": 3, "cols": 60, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "Um por linha. Abrir um sábado: 05/12 8-12. Fechar o dia: 24/12 fechado. Fechar uma parte: "
            "24/12 fechado 12-14 (almoço da equipe)."
        ),
    )
    first = TypedDateField(label=gettext_lazy("Vale a partir de"))
    last = TypedDateField(
        label=gettext_lazy("Até"), required=False, help_text=gettext_lazy("Vazio: sem fim. Depois volta o que valia.")
    )

    def __init__(self, *args: Any, doctor: Doctor, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["week"].widget.step = _step(doctor)
        self.today = today
        self.of_dates = Exceptions([], [])

    @cached_property
    def understood(self) -> Week:
        """What can be read of the week, as long as it is typed."""
        return WeekField().understood(self.data.get("week", ""))

    def clean_exceptions(self) -> str:
        text: str = self.cleaned_data["exceptions"]
        self.of_dates = read_exceptions(text, self._read_date)
        if self.of_dates.mistakes:
            raise ValidationError([mistake.sentence for mistake in self.of_dates.mistakes])
        return text

    def _read_date(self, text: str) -> date | None:
        """Return the date, None for one that does not exist or is over."""
        try:
            day: date = TypedDateField().clean(text)
        except ValidationError:
            return None
        return day if day >= self.today else None

    def clean_first(self) -> date:
        first: date = self.cleaned_data["first"]
        if first < self.today:
            raise ValidationError(_("O que já passou não muda. Escreva hoje ou um dia depois."))
        return first

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", _("O fim vem antes do começo. Escreva o mesmo dia ou um posterior."))
        return self.cleaned_data

    @property
    def new_week(self) -> NewWeek:
        """What a valid form says."""
        return NewWeek(
            tuple(self.understood.hours),
            self.cleaned_data["first"],
            self.cleaned_data["last"],
            tuple(self.of_dates.days),
        )

    @property
    def marked_exceptions(self) -> list[tuple[str, bool]]:
        return marked(self.data.get("exceptions", ""), self.of_dates.mistakes)


class ChangedMeanwhile(Exception):
    """Raised within the transaction: another window has changed the hours since the page was filled with them."""


class WeekOfDoctor(ListMixin):
    """The page of a doctor's week, for the admin of doctors."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.week_view)
        return [path("<int:pk>/semana/", view, name="clinic_doctor_week"), *super().get_urls()]

    @resumable_forms.resumable
    def week_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the hours as text; a POST shows what they change, and with the answer to that it saves them."""
        doctor = self.get_queryset(request).filter(pk=pk).select_related("clinic").first()
        if doctor is None:
            raise Http404
        if not self.has_change_permission(request, doctor):
            raise PermissionDenied
        today = timezone.localdate()
        typed = request.POST if request.method == "POST" else resumable_forms.take(request)
        if typed is None:
            week = write_week(_week_on(today, _stored(doctor)))
            form = WeekForm(initial={"week": week, "first": f"{today:%d/%m/%Y}"}, doctor=doctor, today=today)
            return self._week_page(request, doctor, form)
        form = WeekForm(typed, doctor=doctor, today=today)
        is_valid = form.is_valid()
        if request.method != "POST":
            sentence = _("A sessão terminou antes de gravar. Está tudo aqui: confira e salve de novo.")
            return self._week_page(request, doctor, form, reason=sentence)
        if not is_valid or "back" in request.POST:
            return self._week_page(request, doctor, form)
        try:
            effect = run_in_transaction(lambda: self._lay(request, doctor, form.new_week))
        except ChangedMeanwhile:
            sentence = _("Outra janela mudou estes horários. Agora são: %(hours)s. Confira e salve de novo.")
            return self._week_page(request, doctor, form, reason=sentence % {"hours": write_hours(_stored(doctor))})
        except HoursOverlap as overlap:
            return self._week_page(request, doctor, form, reason=crossing(overlap))
        except Refused as refused:
            return self._week_page(request, doctor, form, reason=refused.message)
        if effect is not None:
            return self._week_page(request, doctor, form, effect=effect)
        self.message_user(request, _("Os horários foram gravados."), messages.SUCCESS)
        if "move_over" in request.POST:
            return HttpResponseRedirect(reverse("web:pending-list"))
        return HttpResponseRedirect(reverse("admin:clinic_doctor_change", args=[doctor.pk]))

    def _lay(self, request: HttpRequest, doctor: Doctor, week: NewWeek) -> Effect | None:
        """Return the effect of the week, None if it is saved: who asks for that has seen this effect.

        Shares the clinic's row and locks the doctor's. Raises ChangedMeanwhile."""
        clinic, now = get_shared(Clinic, doctor.clinic_id), timezone.now()
        locked = get_locked(Doctor.objects.of(clinic).filter(pk=doctor.pk))
        locked.clinic = clinic
        stored = _version(locked)
        if request.POST.get("stored") != stored:
            raise ChangedMeanwhile
        before, free = {row.pk for row in pending(clinic, now=now)}, _free(clinic, locked, week, now)
        by = admin_request(request).user
        replaced = []
        if not _is_present(week, _stored(locked)):
            replaced = set_week(locked, week.hours, by, first=week.first, last=week.last)
        add_exceptions(locked, week.exceptions, by)
        found, after = newly_pending(clinic, before, now=now), _free(clinic, locked, week, now)
        affected = Affected(clinic, found) if found else None
        seen = _digest(stored, week, affected.asked if affected else "")
        answers = {request.POST.get(name) for name in ("save", "close_over", "move_over")}
        if request.POST.get("seen") == seen and (affected.asked if affected else "1") in answers:
            self.log_change(request, locked, [{"changed": {"fields": ["hours"]}}])
            return None
        transaction.set_rollback(True)
        return Effect(
            seen=seen,
            gained=_by_date(clinic, after - free),
            lost=_by_date(clinic, free - after),
            affected=affected,
            counted_until=_counted_until(week),
            replaced=write_hours(replaced),
        )

    def _week_page(
        self, request: HttpRequest, doctor: Doctor, form: WeekForm, *, effect: Effect | None = None, reason: Any = ""
    ) -> HttpResponse:
        stored = _stored(doctor)
        first = (form.is_bound and form.cleaned_data.get("first")) or form.today
        context = {
            **self.admin_site.each_context(request),
            "title": _("Semana: %(doctor)s") % {"doctor": doctor.full_name},
            "opts": self.opts,
            "doctor": doctor,
            "form": form,
            "reason": reason,
            "effect": effect,
            "affected": effect.affected if effect else None,
            "days": _days(form, [row for row in stored if row.holds_on(first)], effect),
            "single_dates": _single_dates(form, effect),
            "first": first,
            "stored": _version(doctor),
            "validities": write_hours(row for row in stored if not row.is_over_on(form.today)),
        }
        response = TemplateResponse(request, "admin/clinic/doctor/week.html", context)
        response.status_code = 409 if reason and request.method == "POST" else 200
        return response


def crossing(overlap: HoursOverlap) -> str:
    """Return the sentence that names both rows."""
    row, other = (
        f"{hours} ({hours.validity})" if hours.validity else str(hours) for hours in (overlap.row, overlap.other)
    )
    return _("%(row)s cruza com %(other)s. Nada foi gravado.") % {"row": row, "other": other}


def _step(doctor: Doctor) -> int:
    """Return by how many minutes hours are dragged: finely where the doctor's times are fine."""
    return USUAL_STEP if doctor.interval_minutes >= USUAL_STEP else FINE_STEP


def _week_on(day: date, rows: Iterable[WorkingHours]) -> list[WorkingHours]:
    """Return those of the rows that hold on a local date, without exceptions."""
    return [row for row in rows if row.holds_on(day) and not row.is_exception]


def _is_present(week: NewWeek, rows: Iterable[WorkingHours]) -> bool:
    """Whether it is the week that the page was filled with: then later hours stay too."""
    today = timezone.localdate()
    present = {Hours(row.weekday, row.starts, row.ends) for row in _week_on(today, rows)}
    return (week.first, week.last, set(week.hours)) == (today, None, present)


def _stored(doctor: Doctor) -> list[WorkingHours]:
    return list(WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor))


def _version(doctor: Doctor) -> str:
    """Return a text that changes with every row of the doctor's hours."""
    columns = "pk", "weekday", "starts", "ends", "valid_from", "valid_until"
    return _digest(
        *WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor).order_by("pk").values_list(*columns)
    )


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _counted_until(week: NewWeek) -> date:
    until = week.first + timedelta(weeks=WEEKS_COUNTED) - timedelta(days=1)
    return min(until, week.last) if week.last else until


def _free(clinic: Clinic, doctor: Doctor, week: NewWeek, now: datetime) -> set[datetime]:
    """Return the starts of the doctor's free times, each as long as the interval of the grid: those of the next weeks
    and of the single dates. Two queries, and two more for each date that is further away."""
    spans = {(week.first, _counted_until(week))}
    spans |= {(day, day) for day, *_rest in week.exceptions if not week.first <= day <= _counted_until(week)}
    return {
        opening.starts_at
        for first, last in spans
        for opening in booking.openings(
            clinic, doctor=doctor, minutes=doctor.interval_minutes, first=first, last=last, now=now
        )
    }


def _by_date(clinic: Clinic, starts: Iterable[datetime]) -> Counter[date]:
    return Counter(clinic.local(starts_at).date() for starts_at in starts)


def _of_weekday(counts: Counter[date], weekday: int, besides: set[date]) -> int:
    return sum(count for day, count in counts.items() if day.isoweekday() == weekday and day not in besides)


def _days(form: WeekForm, held: list[WorkingHours], effect: Effect | None) -> list[DayOfWeek]:
    """Return the seven days, with what held on the first date and what was understood."""
    new = [WorkingHours(weekday=day, starts=starts, ends=ends) for day, starts, ends in form.understood.hours]
    besides = {exception.day for exception in form.of_dates.days}
    return [
        DayOfWeek(
            name=str(weekday.label),
            before=_spans(held, weekday),
            after=_spans(new, weekday),
            gained=_of_weekday(effect.gained, weekday, besides) if effect else 0,
            lost=_of_weekday(effect.lost, weekday, besides) if effect else 0,
        )
        for weekday in WorkingHours.Weekday
    ]


def _single_dates(form: WeekForm, effect: Effect | None) -> list[SingleDate]:
    """Return the exceptions that were understood, in the order of the text."""
    return [
        SingleDate(
            day=exception.day,
            effect=_effect_of(exception),
            gained=effect.gained[exception.day] if effect else 0,
            lost=effect.lost[exception.day] if effect else 0,
        )
        for exception in form.of_dates.days
    ]


def _effect_of(exception: OpenDay | ClosedDay) -> str:
    """Return "aberto 08:00–12:00", "fechado 12:00–18:00 (reunião)" or "fechado"."""
    span = (
        ""
        if exception.starts is None or exception.ends is None
        else f"{exception.starts:%H:%M}–{end_of_hours(exception.ends)}"
    )
    if isinstance(exception, OpenDay):
        return _("aberto %(span)s") % {"span": span}
    reason = f"({exception.reason})" if exception.reason else ""
    return " ".join(part for part in (_("fechado"), span, reason) if part)


def _spans(rows: list[WorkingHours], weekday: int) -> str:
    return ", ".join(row.span for row in rows if row.weekday == weekday and not row.is_exception)
