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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import booking
from clinic.access import resumable_forms
from clinic.admin.base import ListMixin, admin_request
from clinic.form_fields import TypedDateField
from clinic.models import Clinic, Doctor, WorkingHours
from clinic.models.locks import get_locked, get_shared
from clinic.queries.pending import Affected, newly_pending, pending
from clinic.refusals import Refused
from clinic.registry import HoursOverlap, set_week
from clinic.schedule import Hours, Week, read_week, write_hours, write_week
from clinic.transactions import run_in_transaction

MAX_TEXT = 1000
WEEKS_COUNTED = 4


@dataclass(frozen=True)
class NewWeek:
    """Hours of a week for the local dates from `first` to `last`, both included, None for no end."""

    hours: tuple[Hours, ...]
    first: date
    last: date | None


@dataclass(frozen=True)
class DayOfWeek:
    """A line of the table that reads a week back: spans as text, and how many free times are gained and lost."""

    name: str
    before: str
    after: str
    gained: int
    lost: int


@dataclass(frozen=True)
class Effect:
    """What a new week changes; `seen` is sent along with the answer, `affected` are the appointments that would fall
    outside, None for none."""

    seen: str
    gained: Counter[int]
    lost: Counter[int]
    affected: Affected | None
    counted_until: date


class WeekForm(forms.Form):
    """A week as text, and from when and until when it holds."""

    week = forms.CharField(
        label=gettext_lazy("Semana"),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea({"rows": 3, "cols": 60, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Por exemplo: seg-sex 8-12 13:30-18; sáb 8-12. Vazio: nenhum horário."),
    )
    first = TypedDateField(label=gettext_lazy("Vale a partir de"))
    last = TypedDateField(
        label=gettext_lazy("até"), required=False, help_text=gettext_lazy("Vazio: sem fim. Depois volta o que valia.")
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.understood = Week([], [])

    def clean_week(self) -> str:
        text: str = self.cleaned_data["week"]
        self.understood = read_week(text)
        if self.understood.mistakes:
            raise ValidationError([mistake.sentence for mistake in self.understood.mistakes])
        return text

    def clean_first(self) -> date:
        first: date = self.cleaned_data["first"]
        if first < self.today:
            raise ValidationError(_("O que já passou não muda. Escreva hoje ou um dia depois."))
        return first

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", _("O fim deve ser o começo ou um dia depois."))
        return self.cleaned_data

    @property
    def new_week(self) -> NewWeek:
        """What a valid form says."""
        return NewWeek(tuple(self.understood.hours), self.cleaned_data["first"], self.cleaned_data["last"])

    @property
    def marked(self) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is a mistake; empty without mistakes."""
        text, at, pieces = self.data.get("week", ""), 0, []
        for mistake in self.understood.mistakes:
            if mistake.start >= at:
                pieces += [(text[at : mistake.start], False), (text[mistake.start : mistake.end], True)]
                at = mistake.end
        return [*pieces, (text[at:], False)] if pieces else []


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
            held = [row for row in _stored(doctor) if row.holds_on(today) and not row.is_of_a_day]
            form = WeekForm(initial={"week": write_week(held), "first": f"{today:%d/%m/%Y}"}, today=today)
            return self._week_page(request, doctor, form)
        form = WeekForm(typed, today=today)
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
            return self._week_page(request, doctor, form, reason=_crossing(overlap))
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
        set_week(locked, week.hours, admin_request(request).user, first=week.first, last=week.last)
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
            gained=_by_weekday(clinic, after - free),
            lost=_by_weekday(clinic, free - after),
            affected=affected,
            counted_until=_counted_until(week),
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
            "first": first,
            "stored": _version(doctor),
            "validities": write_hours(row for row in stored if not row.is_over_on(form.today)),
        }
        response = TemplateResponse(request, "admin/clinic/doctor/week.html", context)
        response.status_code = 409 if reason else 200
        return response


def _crossing(overlap: HoursOverlap) -> str:
    row, other = (
        f"{hours} ({hours.validity})" if hours.validity else str(hours) for hours in (overlap.row, overlap.other)
    )
    return _("%(row)s cruza com %(other)s. Nada foi gravado.") % {"row": row, "other": other}


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
    """Return the starts of the doctor's free times, each as long as the interval of the grid. Two queries."""
    minutes = doctor.interval_minutes
    last = _counted_until(week)
    found = booking.openings(clinic, doctor=doctor, minutes=minutes, first=week.first, last=last, now=now)
    return {opening.starts_at for opening in found}


def _by_weekday(clinic: Clinic, starts: Iterable[datetime]) -> Counter[int]:
    return Counter(clinic.local(starts_at).isoweekday() for starts_at in starts)


def _days(form: WeekForm, held: list[WorkingHours], effect: Effect | None) -> list[DayOfWeek]:
    """Return the seven days, with what held on the first date and what was understood."""
    new = [WorkingHours(weekday=day, starts=starts, ends=ends) for day, starts, ends in form.understood.hours]
    return [
        DayOfWeek(
            name=str(weekday.label),
            before=_spans(held, weekday),
            after=_spans(new, weekday),
            gained=effect.gained[weekday] if effect else 0,
            lost=effect.lost[weekday] if effect else 0,
        )
        for weekday in WorkingHours.Weekday
    ]


def _spans(rows: list[WorkingHours], weekday: int) -> str:
    return ", ".join(row.span for row in rows if row.weekday == weekday and not row.is_of_a_day)
