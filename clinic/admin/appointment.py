import re
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import (
    ClinicRowAdmin,
    ClinicRowInline,
    LargeTable,
    ListMixin,
    OwnRowsFilter,
    ReadOnlyAdminMixin,
    admin_request,
    column,
)
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
    titles,
)
from clinic.models.appointment import AppointmentQuerySet
from clinic.queries import patients
from clinic.queries.history import sentence

TOKEN = re.compile("(?:token )?([0-9a-f]{8})")
MAX_PATIENTS = 50  # the patients whose appointments a search lists, best matches first


def doctors_named(clinic: Clinic, text: str) -> list[int]:
    """Return the ids of the doctors whose name or title contains every word of the text."""
    words = names.words(text)
    conditions = [names.contains_word("sort_name", word) | titles.contains_word("title", word) for word in words]
    return list(Doctor.objects.of(clinic).filter(*conditions).values_list("pk", flat=True)) if conditions else []


def events_by(clinic: Clinic, text: str) -> Q | None:
    """Return the condition of events by the users, key or token that every word of the text matches, None without a
    match.

    Names of commands are stored in the events only, so events of commands are not found by them.
    """
    words = text.replace("\0", " ").split()
    matches = [Q(username__icontains=word) | Q(name__unaccent__icontains=word) for word in words]
    users = list(StaffUser.objects.of(clinic).filter(*matches).values_list("pk", flat=True))
    keys = ApiKey.objects.of(clinic).filter(*(Q(name__unaccent__icontains=word) for word in words))
    credentials = {*keys.values_list("name", flat=True), *_tokens(clinic, text)}
    lookups = {"user__in": users, "credential__in": sorted(credentials)}
    conditions = [Q((lookup, values)) for lookup, values in lookups.items() if values]
    return Q.create([*conditions], connector=Q.OR) if conditions else None


def _tokens(clinic: Clinic, text: str) -> list[str]:
    """Return the name under which events store a token, given the first eight digits of its id."""
    if not (match := TOKEN.fullmatch(text.strip().lower())):
        return []
    start = match[1]
    span = UUID(start.ljust(32, "0")), UUID(start.ljust(32, "f"))
    return [f"token {start}"] if AccessToken.objects.of(clinic).filter(jti__range=span).exists() else []


class LinesInline(ReadOnlyAdminMixin, ClinicRowInline):
    """The procedures of an appointment."""

    model = AppointmentProcedure
    verbose_name_plural = _("procedimentos")
    fields = ["procedure_name", "amount"]
    readonly_fields = ["amount"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("clinic")

    @admin.display(description=_("preço"))
    def amount(self, line: AppointmentProcedure) -> str:
        return line.clinic.money(line.price)


class EventColumns:
    """The columns of lists of appointments' events."""

    when = column("at", _("quando"))
    what = column("kind", _("o que houve"))
    via = column("channel", _("por onde"))

    @admin.display(description=_("quem"))
    def who(self, event: AppointmentEvent) -> StaffUser | str:
        return event.user or event.credential

    @admin.display(description=_("mudança"))
    def change(self, event: AppointmentEvent) -> str:
        return sentence(event, event.appointment.clinic.zone)


class EventsInline(EventColumns, ReadOnlyAdminMixin, ClinicRowInline):
    """The history of an appointment."""

    model = AppointmentEvent
    readonly_fields = ["when", "what", "who", "via", "change"]
    fields = [*readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")


class PersonSearchMixin(ListMixin):
    """Search a list by patient, as on the patients' page, or by doctor.

    The ids of both are queried first: joined in one statement, PostgreSQL would have to read all rows.
    """

    appointment: ClassVar[str] = ""  # lookups that lead to the appointment
    search_help_text = format_lazy(
        _("Por paciente ou médico(a). Aparecem as visitas de no máximo {limit} pacientes."), limit=MAX_PATIENTS
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        clinic = admin_request(request).clinic
        if not search_term.strip() or clinic is None:
            return super().get_search_results(request, queryset, search_term)
        matches = patients.search(clinic, search_term, MAX_PATIENTS, dead_too=True)
        ids = {"patient": [patient.pk for patient in matches], "doctor": doctors_named(clinic, search_term)}
        conditions = [Q((f"{self.appointment}{field}__in", pks)) for field, pks in ids.items()]
        return queryset.filter(Q.create([*conditions], connector=Q.OR)), False


@admin.register(Appointment)
class AppointmentAdmin(PersonSearchMixin, LargeTable, ReadOnlyAdminMixin, ClinicRowAdmin):
    """Read only: changes have to go through booking."""

    inlines = [LinesInline, EventsInline]
    fields = [
        ("starts_at", "ends_at"),
        ("doctor_name", "patient_name"),
        ("status", "source"),
        "notes",
        ("cancelled_by", "cancel_reason"),
        ("encaixe_by", "encaixe_reason", "encaixe_approved_by"),
        ("payer", "authorization_number"),
        ("booked_by", "booked_at"),
    ]
    readonly_fields = ["patient_name", "booked_by", "booked_at"]
    list_display = ["starts_at", "ends_at", "doctor_name", "patient_name", "status", "source"]
    list_filter = ["status", ("doctor", OwnRowsFilter), "source"]
    list_select_related = ["patient"]
    search_fields = ["patient__phone"]
    folded_fields = ["patient__search", "doctor__sort_name"]
    title_fields = ["doctor__title"]
    date_hierarchy = "starts_at"
    ordering = ["-starts_at", "-pk"]
    sortable_by = ["starts_at"]

    patient_name = column("patient", _("paciente"))
    booked_by = column("created_by", _("agendado por"))
    booked_at = column("created_at", _("agendado em"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return cast("AppointmentQuerySet", super().get_queryset(request)).kept()


@admin.register(AppointmentEvent)
class AppointmentEventAdmin(PersonSearchMixin, EventColumns, LargeTable, ReadOnlyAdminMixin, ClinicRowAdmin):
    """The history of all appointments; read only."""

    readonly_fields = ["when", "what", "patient", "starts_at", "who", "via", "change"]
    fields = [*readonly_fields]
    list_display = ["when", "what", "patient", "starts_at", "who", "via"]
    list_filter = ["kind", "channel"]
    list_select_related = ["appointment__patient", "user"]
    appointment: ClassVar[str] = "appointment__"
    search_help_text = format_lazy(
        _("Por paciente, médico(a) ou quem fez. Aparecem as mudanças de no máximo {limit} pacientes."),
        limit=MAX_PATIENTS,
    )
    search_fields = ["credential", "user__username"]
    folded_fields = ["appointment__patient__search"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]
    sortable_by = ["when"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Query the events of a person and those by an author separately, each with its own index."""
        rows, has_duplicates = super().get_search_results(request, queryset, search_term)
        clinic = admin_request(request).clinic
        authored = events_by(clinic, search_term) if clinic and search_term.strip() else None
        if authored is None:
            return rows, has_duplicates
        of_person, by_author = (part.order_by().values("pk") for part in (rows, queryset.filter(authored)))
        return queryset.filter(pk__in=of_person.union(by_author)), False

    patient = column("appointment__patient", _("paciente"))
    starts_at = column("appointment__starts_at", _("agendamento"))
