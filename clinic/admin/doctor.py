from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from clinic.access import calendar_feeds
from clinic.admin.base import ClinicRowInline, ClinicTimeAdminMixin, NamesakesAdmin, admin_request
from clinic.admin.closing import AskBeforeClosing
from clinic.admin.forms import ClinicRowForm, ClinicRowFormSet, EndOfHoursInput, NamedClinicRowForm
from clinic.admin.week import WeekOfDoctor, crossing
from clinic.form_fields import TypedEndField, WeekField
from clinic.models import Absence, Doctor, WorkingHours
from clinic.models.titles import validate_without_title
from clinic.registry import HoursOverlap, delete_absence, doctors_named, new_hours, save_absence, save_hours
from clinic.schedule import MAX_NIGHT, are_valid_hours, overlapping_hours


class WorkingHoursFormSet(ClinicRowFormSet):
    """The hours of a doctor, which must not overlap."""

    def clean(self) -> None:
        super().clean()
        typed = [
            form
            for form in self.forms
            if form not in self.deleted_forms
            and {"weekday", "starts", "ends", "valid_from", "valid_until"} <= getattr(form, "cleaned_data", {}).keys()
        ]
        form_of = {id(form.instance): form for form in typed}  # new rows cannot be hashed yet
        for hours, other in overlapping_hours([*(form.instance for form in typed), *self.past]):
            if id(hours) in form_of:
                form_of[id(hours)].add_error("starts", _crosses(hours, other))
            elif id(other) in form_of:
                form_of[id(other)].add_error("starts", _crosses(other, hours))

    @cached_property
    def past(self) -> list[WorkingHours]:
        """The hours that hold no longer: they are shown, and not changed any more."""
        if self.instance.pk is None:
            return []
        today = timezone.localdate()
        return list(
            WorkingHours.objects.of(self.instance.clinic_id).filter(doctor=self.instance, valid_until__lt=today)
        )


def _crosses(hours: WorkingHours, other: WorkingHours) -> str:
    span = f"{other.span} ({other.validity})" if other.validity else other.span
    if hours.weekday == other.weekday:
        return _("Este horário cruza com %(span)s do mesmo dia.") % {"span": span}
    return _("Este horário cruza com %(day)s, %(span)s.") % {"day": other.get_weekday_display(), "span": span}


class WorkingHoursForm(ClinicRowForm):
    """One row of hours; it may end after midnight."""

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts is not None and ends is not None and not are_valid_hours(starts, ends):
            self.add_error(
                "ends",
                _("O fim deve ser depois do início, ou na manhã seguinte, até %(hours)s horas depois.")
                % {"hours": MAX_NIGHT // timedelta(hours=1)},
            )
        return cleaned


class HoursInline(ClinicRowInline):
    """The weekly hours of a doctor."""

    model = WorkingHours
    form = WorkingHoursForm
    formset = WorkingHoursFormSet
    verbose_name = gettext_lazy("horário")
    template = "admin/clinic/doctor/hours.html"
    fields = ["weekday", "starts", "ends", "valid_from", "valid_until"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that hold now or will: the others are shown folded, from `WorkingHoursFormSet.past`."""
        rows: Any = super().get_queryset(request)
        still_valid: QuerySet[Any] = rows.not_over_on(timezone.localdate())
        return still_valid

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "ends":
            kwargs |= {"form_class": TypedEndField, "widget": EndOfHoursInput}
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class AbsenceInline(ClinicRowInline):
    """The absences of a doctor."""

    model = Absence
    fields = ["starts_at", "ends_at", "reason"]


class DoctorForm(NamedClinicRowForm):
    """A doctor, with a box for each procedure; a new one with the hours of a week as text too."""

    week = WeekField()

    class Meta:
        widgets = {"procedures": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:  # its week has a page of its own, which shows what a change does
            del self.fields["week"]

    def clean_name(self) -> str:
        name = super().clean_name()
        validate_without_title(name)
        return name


class SpecialtyFilter(admin.AllValuesFieldListFilter):
    """The specialties there are; a doctor may have none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lookup_choices = self.lookup_choices.exclude(specialty="")


@admin.register(Doctor)
class DoctorAdmin(WeekOfDoctor, AskBeforeClosing, ClinicTimeAdminMixin, NamesakesAdmin):
    """Doctors with their hours, absences and procedures."""

    rows_named = staticmethod(doctors_named)
    form = DoctorForm
    fields = [
        "title",
        "name",
        "specialty",
        "council_number",
        "interval_minutes",
        "per_day",
        "encaixes_per_day",
        "days_ahead",
        "notice_hours",
        "room",
        "active",
        "procedures",
        "week",
    ]
    inlines = [HoursInline, AbsenceInline]
    list_display = ["shown_name", "specialty", "council_number", "hours_summary", "active"]
    list_filter = ["active", ("specialty", SpecialtyFilter)]
    search_fields = ["specialty", "council_number"]
    folded_fields = ["sort_name"]
    title_fields = ["title"]
    actions = ["release_calendar", "revoke_calendar"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("hours")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for name in self.fields if name != "week" or obj is None]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form again where the week crosses the rows of hours beneath it."""
        view = request, object_id, form_url, extra_context
        try:
            return super().changeform_view(*view)
        except HoursOverlap as overlap:
            return self.render_unsaved(crossing(overlap), *view)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        by = admin_request(request).user
        rows = formset.save(commit=False)
        if formset.model is WorkingHours:
            if not change:
                rows += new_hours(form.instance, form.cleaned_data["week"].hours)
            save_hours(form.instance, rows, by, deleted=formset.deleted_objects)
            return
        for absence in formset.deleted_objects:
            delete_absence(absence, by)
        for absence in rows:
            save_absence(absence, by)

    @admin.action(description=gettext_lazy("Liberar endereço do calendário"), permissions=["change"])
    @sensitive_variables("secret", "released")
    def release_calendar(self, request: HttpRequest, queryset: QuerySet[Doctor]) -> HttpResponse:
        """Show the secret address of each calendar once, in this response; the one before opens nothing any more."""
        by = admin_request(request).user
        released = []
        for doctor in queryset:
            secret = calendar_feeds.release(doctor, clinic=doctor.clinic, by=by)
            self.log_change(request, doctor, _("Endereço do calendário liberado."))
            released.append((doctor, request.build_absolute_uri(reverse("web:calendar-feed", args=[secret]))))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Copie agora: não aparece de novo"),
            "opts": self.opts,
            "released": released,
        }
        response = TemplateResponse(request, "admin/clinic/doctor/calendars.html", context)
        add_never_cache_headers(response)
        return response

    @admin.action(description=gettext_lazy("Revogar endereço do calendário"), permissions=["change"])
    def revoke_calendar(self, request: HttpRequest, queryset: QuerySet[Doctor]) -> None:
        for doctor in queryset:
            if calendar_feeds.revoke(doctor, clinic=doctor.clinic):
                self.log_change(request, doctor, _("Endereço do calendário revogado."))
        self.message_user(request, _("Calendário revogado: o endereço não abre mais nada."), messages.SUCCESS)

    @admin.display(description=gettext_lazy("nome"), ordering="sort_name")
    def shown_name(self, doctor: Doctor) -> str:
        return doctor.full_name

    @admin.display(description=gettext_lazy("horário de atendimento"))
    def hours_summary(self, doctor: Doctor) -> str:
        today = doctor.clinic.local(timezone.now()).date()
        rows = [row for row in doctor.hours.all() if not row.is_over_on(today)]
        now = summary(row for row in rows if row.holds_on(today))
        change = _first_change([row for row in rows if not row.is_exception], today)
        return " · ".join(part for part in (now, change) if part)


def _first_change(rows: list[WorkingHours], today: date) -> str:
    """Return when hours begin or end next: "muda em 05/01/2027", "até 04/01/2027" if none begin then; "" for never."""
    begins = {row.valid_from for row in rows if row.valid_from and row.valid_from > today}
    after_ends = {row.valid_until + timedelta(days=1) for row in rows if row.valid_until}
    first = min(begins | after_ends, default=None)
    if first is None:
        return ""
    if first in begins:
        return _("muda em %(date)s") % {"date": f"{first:%d/%m/%Y}"}
    return _("até %(date)s") % {"date": f"{first - timedelta(days=1):%d/%m/%Y}"}


def summary(hours: Iterable[WorkingHours]) -> str:
    """Format hours, ordered by weekday and start: `Seg–Sex 08:00–12:00, 13:00–18:00 · Sáb 08:00–12:00`."""
    days = [(day, ", ".join(row.span for row in rows)) for day, rows in groupby(hours, key=lambda row: row.weekday)]
    # Consecutive days with the same spans share an entry: for them, weekday minus position is constant.
    runs = groupby(enumerate(days), key=lambda item: (item[1][0] - item[0], item[1][1]))
    parts = []
    for (_difference, spans), run in runs:
        names = [WorkingHours.Weekday(day).label[:3] for _position, (day, _spans) in run]
        parts.append(f"{names[0]}–{names[-1]} {spans}" if len(names) > 1 else f"{names[0]} {spans}")
    return " · ".join(parts)
