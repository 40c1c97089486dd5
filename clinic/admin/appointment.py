from django.contrib import admin
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from clinic import patients
from clinic.admin.base import ClinicRowAdmin, ClinicRowInline, LargeTable, LookOnly, OwnRowsFilter, shown
from clinic.history import sentence
from clinic.models import Appointment, AppointmentEvent, AppointmentProcedure, Doctor
from clinic.models.ranges import Fold

MOST_PATIENTS = 50  # whose appointments a search shows; the best matches first


class LinesInline(LookOnly, ClinicRowInline):
    model = AppointmentProcedure
    verbose_name_plural = _("procedimentos")
    fields = ["procedure_name", "price"]


class EventColumns:
    when = shown("at", _("quando"))
    what = shown("kind", _("o que houve"))
    by_door = shown("door", _("por onde"))

    @admin.display(description=_("quem"))
    def who(self, event):
        return event.user or event.credential

    @admin.display(description=_("mudança"))
    def change(self, event):
        return sentence(event, event.appointment.clinic.zone)


class EventsInline(EventColumns, LookOnly, ClinicRowInline):
    model = AppointmentEvent
    fields = readonly_fields = ["when", "what", "who", "by_door", "change"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user")


class OfPeople:
    """A list that is searched by the patient, as at the front desk, or by the doctor. Who is meant is asked first: of
    both together with the rows PostgreSQL would have to read them all."""

    appointment = ""

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip() or request.clinic is None:
            return super().get_search_results(request, queryset, search_term)
        found = patients.search(request.clinic, search_term, MOST_PATIENTS)
        doctors = Doctor.objects.of(request.clinic)
        for word in search_term.split():
            doctors = doctors.filter(sort_name__contains=Fold(Value(word)))
        meant = {"patient": [patient.pk for patient in found], "doctor": list(doctors.values_list("pk", flat=True))}
        fits = [Q((f"{self.appointment}{field}__in", ids)) for field, ids in meant.items()]
        return queryset.filter(Q.create(fits, connector=Q.OR)), False


@admin.register(Appointment)
class AppointmentAdmin(OfPeople, LargeTable, LookOnly, ClinicRowAdmin):
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
    readonly_fields = ["patient_name", "booked_by", "booked_at"]
    list_display = ["starts_at", "ends_at", "doctor_name", "patient_name", "status", "source"]
    list_filter = ["status", ("doctor", OwnRowsFilter), "source"]
    list_select_related = ["patient"]
    search_fields = ["patient__phone"]
    folded_fields = ["patient__search", "doctor__sort_name"]
    date_hierarchy = "starts_at"
    ordering = ["-starts_at", "-pk"]
    sortable_by = ["starts_at"]

    patient_name = shown("patient", _("paciente"))
    booked_by = shown("created_by", _("agendado por"))
    booked_at = shown("created_at", _("agendado em"))

    def get_queryset(self, request):
        return super().get_queryset(request).kept()


@admin.register(AppointmentEvent)
class AppointmentEventAdmin(OfPeople, EventColumns, LargeTable, LookOnly, ClinicRowAdmin):
    fields = readonly_fields = ["when", "what", "patient", "starts_at", "who", "by_door", "change"]
    list_display = ["when", "what", "patient", "starts_at", "who", "by_door"]
    list_filter = ["kind", "door"]
    list_select_related = ["appointment__patient", "user"]
    appointment = "appointment__"
    search_fields = ["credential", "user__username"]
    folded_fields = ["appointment__patient__search"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]
    sortable_by = ["when"]

    patient = shown("appointment__patient", _("paciente"))
    starts_at = shown("appointment__starts_at", _("agendamento"))
