import re
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicRowAdmin, ClinicRowInline, LargeTable, LookOnly, OwnRowsFilter, shown
from clinic.models import (
    AccessToken,
    ApiKey,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Doctor,
    StaffUser,
    names,
)
from clinic.queries import patients
from clinic.queries.history import sentence

TOKEN = re.compile("(?:token )?([0-9a-f]{8})")
MOST_PATIENTS = 50  # whose appointments a search shows; the best matches first


def doctors_called(clinic: Clinic, text: str) -> list[int]:
    """Ids of the doctors with every word of the text in their name."""
    called = [names.called("sort_name", word) for word in names.words(text)]
    return list(Doctor.objects.of(clinic).filter(*called).values_list("pk", flat=True)) if called else []


def of_authors(clinic: Clinic, text: str) -> Q | None:
    """Events of the users, the key or the token that every word of the text names; None when it names none of them.

    A command has no name that is stored elsewhere, so the events of commands are not found by it."""
    words = text.replace("\0", " ").split()
    named = [Q(username__icontains=word) | Q(name__unaccent__icontains=word) for word in words]
    users = list(StaffUser.objects.of(clinic).filter(*named).values_list("pk", flat=True))
    keys = ApiKey.objects.of(clinic).filter(*(Q(name__unaccent__icontains=word) for word in words))
    credentials = {*keys.values_list("name", flat=True), *_tokens(clinic, text)}
    wanted = {"user__in": users, "credential__in": sorted(credentials)}
    given = [Q((lookup, values)) for lookup, values in wanted.items() if values]
    return Q.create(given, connector=Q.OR) if given else None


def _tokens(clinic, text):
    """The token as events name it, by the first eight digits of its id."""
    if not (written := TOKEN.fullmatch(text.strip().lower())):
        return []
    begin = written[1]
    span = UUID(begin.ljust(32, "0")), UUID(begin.ljust(32, "f"))
    return [f"token {begin}"] if AccessToken.objects.of(clinic).filter(jti__range=span).exists() else []


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
    """A list that is searched by the patient, as on the patients' page, or by the doctor. Who is meant is asked first:
    of both together with the rows PostgreSQL would have to read them all."""

    appointment = ""
    search_help_text = format_lazy(
        _("Por paciente ou médico(a). Aparecem as visitas de no máximo {limit} pacientes."), limit=MOST_PATIENTS
    )

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip() or request.clinic is None:
            return super().get_search_results(request, queryset, search_term)
        found = patients.search(request.clinic, search_term, MOST_PATIENTS, dead_too=True)
        meant = {"patient": [patient.pk for patient in found], "doctor": doctors_called(request.clinic, search_term)}
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
    search_help_text = format_lazy(
        _("Por paciente, médico(a) ou quem fez. Aparecem as mudanças de no máximo {limit} pacientes."),
        limit=MOST_PATIENTS,
    )
    search_fields = ["credential", "user__username"]
    folded_fields = ["appointment__patient__search"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]
    sortable_by = ["when"]

    def get_search_results(self, request, queryset, search_term):
        """Those of a person and those by an author are asked for apart, each by its index."""
        found, is_double = super().get_search_results(request, queryset, search_term)
        authored = of_authors(request.clinic, search_term) if request.clinic and search_term.strip() else None
        if authored is None:
            return found, is_double
        either = [rows.order_by().values("pk") for rows in (found, queryset.filter(authored))]
        return queryset.filter(pk__in=either[0].union(either[1])), False

    patient = shown("appointment__patient", _("paciente"))
    starts_at = shown("appointment__starts_at", _("agendamento"))
