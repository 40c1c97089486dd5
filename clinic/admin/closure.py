from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from clinic.admin.base import ClinicRowAdmin, ClinicTimeAdminMixin
from clinic.admin.closing import AskBeforeClosing
from clinic.models import Closure


@admin.register(Closure)
class ClosureAdmin(AskBeforeClosing, ClinicTimeAdminMixin, ClinicRowAdmin):
    """Days on which the whole clinic is closed. Absences of one doctor are edited in the doctor's form."""

    fields = ["reason", "starts_at", "ends_at"]
    list_display = ["reason", "starts_at", "ends_at"]
    search_fields = ["reason"]
    date_hierarchy = "starts_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(doctor=None)
