from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from clinic.admin.base import ClinicRowAdmin, ClinicTimeAdminMixin, admin_request
from clinic.admin.closing import AskBeforeClosing
from clinic.models import Closure
from clinic.registry import absences


@admin.register(Closure)
class ClosureAdmin(AskBeforeClosing, ClinicTimeAdminMixin, ClinicRowAdmin):
    """Days on which the whole clinic is closed. Absences of one doctor are edited in the doctor's form."""

    fields = ["reason", "starts_at", "ends_at"]
    list_display = ["reason", "starts_at", "ends_at"]
    search_fields = ["reason"]
    date_hierarchy = "starts_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(doctor=None)

    def save_model(self, request: HttpRequest, obj: Closure, form: Any, change: bool) -> None:
        before = absences.stored(obj)
        super().save_model(request, obj, form, change)
        absences.note(obj.clinic, before, absences.snapshot(obj), admin_request(request).user)

    def delete_model(self, request: HttpRequest, obj: Closure) -> None:
        absences.delete_absence(obj, admin_request(request).user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Closure]) -> None:
        for closure in queryset:
            absences.delete_absence(closure, admin_request(request).user)
