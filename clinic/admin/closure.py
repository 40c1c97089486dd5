from django.contrib import admin

from clinic.admin.base import ClinicRowAdmin
from clinic.models import Closure


@admin.register(Closure)
class ClosureAdmin(ClinicRowAdmin):
    """Days on which the whole clinic is closed. Absences of one doctor are edited inside the doctor."""

    fields = ["reason", "starts_at", "ends_at"]
    list_display = ["reason", "starts_at", "ends_at"]
    search_fields = ["reason"]
    date_hierarchy = "starts_at"

    def get_queryset(self, request):
        return super().get_queryset(request).filter(doctor=None)
