from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicRowAdmin, ClinicRowInline, LookOnly, OwnRowsFilter, shown
from clinic.history import sentence
from clinic.models import Appointment, AppointmentEvent, AppointmentProcedure


class LinesInline(LookOnly, ClinicRowInline):
    model = AppointmentProcedure
    verbose_name_plural = _("procedimentos")
    fields = ["procedure_name", "price"]
    readonly_fields = ["procedure_name"]

    procedure_name = shown("procedure", _("procedimento"))

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("procedure")


class EventColumns:
    when = shown("at", _("quando"))
    what = shown("kind", _("o que houve"))
    by_door = shown("door", _("por onde"))

    @admin.display(description=_("quem"))
    def who(self, event):
        return event.user or event.credential

    @admin.display(description=_("mudança"))
    def change(self, event):
        return sentence(event, event.appointment)


class EventsInline(EventColumns, LookOnly, ClinicRowInline):
    model = AppointmentEvent
    fields = readonly_fields = ["when", "what", "who", "by_door", "change"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user")


@admin.register(Appointment)
class AppointmentAdmin(LookOnly, ClinicRowAdmin):
    """To look at only: changing it here would go round booking."""

    inlines = [LinesInline, EventsInline]
    fields = [
        ("starts_at", "ends_at"),
        ("doctor_name", "patient_name"),
        ("status", "source"),
        "notes",
        ("cancelled_by", "cancel_reason"),
        ("encaixe_by", "encaixe_reason"),
        ("booked_by", "booked_at"),
    ]
    readonly_fields = ["doctor_name", "patient_name", "booked_by", "booked_at"]
    list_display = ["starts_at", "ends_at", "doctor_name", "patient_name", "status", "source"]
    list_filter = ["status", ("doctor", OwnRowsFilter), "source"]
    list_select_related = ["doctor", "patient"]
    search_fields = ["notes", "patient__phone"]
    folded_fields = ["patient__search", "doctor__sort_name"]
    date_hierarchy = "starts_at"
    ordering = ["-starts_at", "-pk"]
    show_full_result_count = False

    doctor_name = shown("doctor", _("médico(a)"))
    patient_name = shown("patient", _("paciente"))
    booked_by = shown("created_by", _("agendado por"))
    booked_at = shown("created_at", _("agendado em"))

    def get_queryset(self, request):
        return super().get_queryset(request).kept()


@admin.register(AppointmentEvent)
class AppointmentEventAdmin(EventColumns, LookOnly, ClinicRowAdmin):
    fields = readonly_fields = ["when", "what", "patient", "starts_at", "who", "by_door", "change"]
    list_display = ["when", "what", "patient", "starts_at", "who", "by_door"]
    list_filter = ["kind", "door"]
    list_select_related = ["appointment__patient", "user"]
    search_fields = ["credential", "user__username"]
    folded_fields = ["appointment__patient__search"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]
    show_full_result_count = False

    patient = shown("appointment__patient", _("paciente"))
    starts_at = shown("appointment__starts_at", _("agendamento"))
