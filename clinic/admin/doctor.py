from itertools import groupby

from django import forms
from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import ClinicRowAdmin, ClinicRowInline
from clinic.admin.forms import ClinicRowForm, ClinicRowFormSet
from clinic.models import Absence, Doctor, WorkingHours


class WorkingHoursFormSet(ClinicRowFormSet):
    def clean(self):
        super().clean()
        typed = [
            form
            for form in self.forms
            if form not in self.deleted_forms
            and {"weekday", "starts", "ends"} <= getattr(form, "cleaned_data", {}).keys()
        ]
        typed.sort(key=lambda form: (form.cleaned_data["weekday"], form.cleaned_data["starts"]))
        for __, day in groupby(typed, key=lambda form: form.cleaned_data["weekday"]):
            refuse_overlaps(list(day))


def refuse_overlaps(day):
    longest = day[0]
    for form in day[1:]:
        if form.cleaned_data["starts"] < longest.cleaned_data["ends"]:
            span = "{starts:%H:%M}–{ends:%H:%M}".format(**longest.cleaned_data)
            form.add_error("starts", _("Este horário cruza com %(span)s do mesmo dia.") % {"span": span})
        longest = max(longest, form, key=lambda one: one.cleaned_data["ends"])


class HoursInline(ClinicRowInline):
    model = WorkingHours
    formset = WorkingHoursFormSet
    verbose_name = gettext_lazy("horário")


class AbsenceInline(ClinicRowInline):
    model = Absence


class DoctorForm(ClinicRowForm):
    class Meta:
        widgets = {"procedures": forms.CheckboxSelectMultiple}


@admin.register(Doctor)
class DoctorAdmin(ClinicRowAdmin):
    form = DoctorForm
    fields = ["name", "specialty", "council_number", "interval_minutes", "active", "procedures"]
    inlines = [HoursInline, AbsenceInline]
    list_display = ["name", "specialty", "council_number", "hours_summary", "active"]
    list_filter = ["active", "specialty"]
    search_fields = ["specialty", "council_number"]
    folded_fields = ["sort_name"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("hours")

    @admin.display(description=gettext_lazy("horário de atendimento"))
    def hours_summary(self, doctor):
        return summary(doctor.hours.all())


def summary(hours) -> str:
    """`Seg–Sex 08:00–12:00, 13:00–18:00 · Sáb 08:00–12:00`, from hours ordered by weekday and start."""
    days = [
        (day, ", ".join(f"{row.starts:%H:%M}–{row.ends:%H:%M}" for row in rows))
        for day, rows in groupby(hours, key=lambda row: row.weekday)
    ]
    # Neighbouring days with the same spans share one entry: their weekday minus position is the same number.
    runs = groupby(enumerate(days), key=lambda item: (item[1][0] - item[0], item[1][1]))
    parts = []
    for (__, spans), run in runs:
        names = [WorkingHours.Weekday(day).label[:3] for __, (day, __) in run]
        parts.append(f"{names[0]}–{names[-1]} {spans}" if len(names) > 1 else f"{names[0]} {spans}")
    return " · ".join(parts)
