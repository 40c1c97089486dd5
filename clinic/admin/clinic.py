from copy import copy
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.access.middleware import choose_clinic
from clinic.admin.base import BaseAdmin, admin_request
from clinic.admin.closing import AskBeforeClosing
from clinic.admin.constraint_messages import CONSTRAINT_MESSAGES
from clinic.admin.forms import NamedForm
from clinic.booking import Ahead, AskHowToKeep, Author, Clash, Keep, TimesClash, change_time_zone, look_ahead
from clinic.models import AppointmentEvent, Clinic, ClinicEvent, phones
from clinic.models.clinic import REGIONS, TIME_ZONES, ZONE_NAMES, zone_name
from clinic.models.message_texts import OF_HEALTH, placeholders
from clinic.queries.history import in_numbers, sentence_of_clinic, sentence_of_keeping
from clinic.refusals import Refused
from clinic.registry import clean_clinic_phone
from clinic.registry.patient_details import tidy

GROUPED_ZONES: list[tuple[Any, Any]] = [
    (label, list(TIME_ZONES[country].items())) for country, label in Clinic.Country.choices
]
EXAMPLE = time(9)
EVENTS_SHOWN = 20


@dataclass(frozen=True)
class ZoneQuestion:
    """The question before a clinic changes to another time zone."""

    clinic: Clinic
    time_zone: str
    ahead: Ahead
    jumped: int
    clashes: list[Clash]
    chosen: str

    @property
    def asked(self) -> str:
        """Sent along with the answer, so that it is valid for this change only."""
        return f"{self.clinic.time_zone} {self.time_zone}"

    @property
    def numbers(self) -> str:
        return _("%(ahead)s pelo relógio de %(zone)s.") % {
            "ahead": in_numbers(self.ahead.appointments, self.ahead.absences),
            "zone": zone_name(self.clinic.time_zone),
        }

    @property
    def choices(self) -> list[tuple[str, str]]:
        names = {"old": zone_name(self.clinic.time_zone), "new": zone_name(self.time_zone), "time": f"{EXAMPLE:%H:%M}"}
        clock = _("Manter a hora do relógio: o que era às %(time)s continua às %(time)s") % names
        if self.jumped:
            words = ngettext(
                "%(clock)s (%(n)s cai numa hora que o relógio pula, e fica depois dela)",
                "%(clock)s (%(n)s caem numa hora que o relógio pula, e ficam depois dela)",
                self.jumped,
            )
            clock = words % {"clock": clock, "n": self.jumped}
        names["then"] = f"{self._example():%H:%M}"
        instant = _("Manter o instante: o que era às %(time)s em %(old)s passa a ser às %(then)s em %(new)s") % names
        offered = [] if self.clashes else [(Keep.CLOCK.value, clock)]
        return [*offered, (Keep.INSTANT.value, instant)]

    def _example(self) -> datetime:
        tomorrow = self.clinic.local(timezone.now()).date() + timedelta(days=1)
        new = copy(self.clinic)
        new.time_zone = self.time_zone
        return new.local(self.clinic.nearest_instant(tomorrow, EXAMPLE))


class ClinicForm(NamedForm):
    """Ask before future appointments change their times."""

    question: ZoneQuestion | None = None
    keep: Keep | None = None

    class Meta:
        widgets = {"time_zone": forms.Select, "region": forms.Select}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if clinic := kwargs.get("instance"):
            kwargs["initial"] = {"phone": clinic.written_phone} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.clinic_before = copy(self.instance)
        if "region" in self.fields:
            # A new clinic has no country yet: its regions are offered under both.
            countries = [self.instance.country] if self.instance.country in REGIONS else list(REGIONS)
            regions = [(code, name) for country in countries for code, name in REGIONS[country].items()]
            self.fields["region"].widget.choices = [("", "---------"), *regions]
        if "time_zone" in self.fields:
            self.fields["time_zone"].widget.choices = self._zones()

    def _zones(self) -> list[tuple[Any, Any]]:
        """Return the zones of the clinic's country, or of both where the country may be changed, and the stored one:
        a command may have given the clinic another, and a new clinic has none until one is chosen."""
        stored, known, offered = self.instance.time_zone, ZONE_NAMES, GROUPED_ZONES
        if "country" not in self.fields:
            known = TIME_ZONES[self.instance.country]
            offered = list(known.items())
        return offered if stored in known else [(stored, zone_name(stored) or "---------"), *offered]

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        # Who may not change the country has no field of it, and a constraint of two fields is not asked then.
        country = cleaned.get("country", self.instance.country)
        if cleaned.get("region") and cleaned["region"] not in REGIONS.get(country, {}):
            self.add_error("region", CONSTRAINT_MESSAGES["clinic_region_of_country"][1])
        self._clean_phone(country)
        self._refuse_texts_about_health()
        cleaned |= {name: tidy(cleaned[name]) for name in ("address", "town") if name in cleaned}
        if self.instance.pk:
            self._ask_about_zone(cleaned.get("time_zone"))
        return cleaned

    def comparable(self, name: str, value: Any) -> Any:
        if name == "phone":
            return phones.read(value or "", self.instance.country, self.instance.area_code).number or value
        return super().comparable(name, value)

    def _clean_phone(self, country: str) -> None:
        try:
            area = self.cleaned_data.get("area_code", self.instance.area_code)
            self.cleaned_data["phone"] = clean_clinic_phone(self.cleaned_data.get("phone", ""), country, area)
        except Refused as refused:
            self.add_error("phone", refused.message)

    def _refuse_texts_about_health(self) -> None:
        """Such a placeholder is written on purpose: the clinic has to choose so, too."""
        if self.cleaned_data.get("texts_tell_procedure", self.instance.texts_tell_procedure):
            return
        for name in ("confirmation_text", "confirmation_text_to_other", "recall_text", "recall_text_to_other"):
            if found := OF_HEALTH & set(placeholders(self.cleaned_data.get(name, ""))):
                sentence = _("Para dizer %(fields)s, selecione “%(choice)s”, ou tire-os do texto.")
                fields = ", ".join(f"{{{each}}}" for each in sorted(found))
                choice = Clinic._meta.get_field("texts_tell_procedure").verbose_name
                self.add_error(name, sentence % {"fields": fields, "choice": choice})

    def _ask_about_zone(self, zone: str | None) -> None:
        if zone in {None, "", self.clinic_before.time_zone} or zone not in available_timezones():
            return
        outlook = look_ahead(self.clinic_before, zone, timezone.now())
        if not outlook.ahead:
            return
        chosen = self.data.get("keep", "")
        self.question = ZoneQuestion(self.clinic_before, zone, outlook.ahead, outlook.jumped, outlook.clashes, chosen)
        if self.data.get("keep_asked") == self.question.asked and chosen in dict(self.question.choices):
            self.keep = Keep(chosen)
        else:
            sentence = _("%(numbers)s Escolha no alto o que fica igual.")
            self.add_error("time_zone", sentence % {"numbers": self.question.numbers})


@admin.register(Clinic)
class ClinicAdmin(AskBeforeClosing, BaseAdmin):
    """Managers edit their own clinic; masters its time zone too.

    Superusers add clinics, switch them off and choose the one they work in.
    """

    form = ClinicForm
    fields = [
        "name",
        "slug",
        "country",
        "time_zone",
        "language",
        "currency",
        "area_code",
        "phone",
        "address",
        "town",
        "observes_holidays",
        "region",
        "strict_cpf",
        "requires_duration",
        "confirmation_text",
        "confirmation_text_to_other",
        "recall_text",
        "recall_text_to_other",
        "texts_tell_procedure",
        "active",
    ]
    list_display = ["name", "slug", "country", "city", "active"]
    search_fields = ["name", "slug"]
    actions = ["work_here", "leave"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        clinics = super().get_queryset(request).filter(sandbox_of=None)
        if admin_request(request).user.is_superuser:
            return clinics
        return clinics.filter(pk=admin_request(request).user.clinic_id)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields; only in Brazil a clinic has an area code, and a manager sees the zone's name alone."""
        user = admin_request(request).user
        chooses_zone = user.is_master
        absent = "area_code" if obj and obj.country != Clinic.Country.BRAZIL else None
        fields = [name if name != "time_zone" or chooses_zone else "city" for name in self.fields if name != absent]
        return [*fields, "events"] if obj else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if admin_request(request).user.is_superuser:
            return ["events"]
        of_the_licence = ["slug", "country", "currency", "active", "events"]
        return of_the_licence if admin_request(request).user.is_master else [*of_the_licence, "city"]

    @admin.display(description=gettext_lazy("fuso horário"), ordering="time_zone")
    def city(self, clinic: Clinic) -> str:
        return zone_name(clinic.time_zone)

    @admin.display(description=gettext_lazy("histórico da clínica"))
    def events(self, clinic: Clinic) -> str:
        newest = ClinicEvent.objects.of(clinic).select_related("user", "clinic")[:EVENTS_SHOWN]
        lines = [
            (f"{clinic.local(event.at):%d/%m/%Y %H:%M}", event.user or event.credential, sentence_of_clinic(event))
            for event in newest
        ]
        return format_html_join("", "<p>{} · {}: {}</p>", lines) or self.get_empty_value_display()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form again when appointments were booked after the question about the zone."""
        view = request, object_id, form_url, extra_context
        try:
            return super().changeform_view(*view)
        except (AskHowToKeep, TimesClash):
            sentence = _("Entraram agendamentos enquanto isso, e nada foi gravado. Confira e salve de novo.")
            return self.render_unsaved(sentence, *view)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and form.clinic_before.time_zone != obj.time_zone:
            by = Author(channel=AppointmentEvent.Channel.BROWSER, user=admin_request(request).user)
            event = change_time_zone(form.clinic_before, obj.time_zone, keep=form.keep, by=by)
            if event.after["keep"]:
                self.message_user(request, sentence_of_keeping(event.after), messages.SUCCESS)
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin_request(request).user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin_request(request).user.is_superuser

    def has_choose_permission(self, request: HttpRequest) -> bool:
        return admin_request(request).user.is_superuser

    @admin.action(
        description=gettext_lazy("Trabalhar nesta clínica"),
        permissions=["choose"],
        location=[admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM],
    )
    def work_here(self, request: HttpRequest, queryset: QuerySet[Clinic]) -> None:
        clinic = queryset.first()
        choose_clinic(request, clinic)
        self.message_user(request, _("Agora você trabalha em %(clinic)s.") % {"clinic": clinic}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Ver todas as clínicas"), permissions=["choose"])
    def leave(self, request: HttpRequest, queryset: QuerySet[Clinic]) -> None:
        choose_clinic(request, None)
        self.message_user(request, _("Agora você vê todas as clínicas, sem alterar nenhuma."), messages.SUCCESS)
