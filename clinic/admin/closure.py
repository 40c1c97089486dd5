from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from clinic.admin.base import ClinicRowAdmin, ClinicTimeAdminMixin
from clinic.admin.closing import ClosingForm
from clinic.admin.forms import ClinicRowForm
from clinic.models import Closure
from clinic.schedule import Span


class ClosureForm(ClosingForm, ClinicRowForm):
    """Ask before closing time with appointments that this row did not close before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        self.closed_before = [Span(row.starts_at, row.ends_at)] if row.pk else []

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and starts_at < ends_at:
            span = Span(starts_at, ends_at)
            self.ask_about(self.instance.clinic, [span], "starts_at", closed_before=self.closed_before)
        return cleaned


@admin.register(Closure)
class ClosureAdmin(ClinicTimeAdminMixin, ClinicRowAdmin):
    """Days on which the whole clinic is closed. Absences of one doctor are edited in the doctor's form."""

    form = ClosureForm
    fields = ["reason", "starts_at", "ends_at"]
    list_display = ["reason", "starts_at", "ends_at"]
    search_fields = ["reason"]
    date_hierarchy = "starts_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(doctor=None)
