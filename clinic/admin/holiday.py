from datetime import time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import ClinicRowAdmin, ClinicTimeAdminMixin, admin_request
from clinic.admin.closing import AnswerMissing, AskBeforeClosing, require_answer
from clinic.admin.forms import ClinicRowForm, EndOfHoursInput
from clinic.form_fields import TypedEndField
from clinic.models import Clinic, ClinicHoliday, Doctor
from clinic.models.holiday import read_date_rule
from clinic.models.locks import get_shared
from clinic.queries.holidays import coming_days
from clinic.queries.pending import Affected, pending
from clinic.registry import add_town_holidays
from clinic.schedule import TOWN_HOLIDAYS

SHOWN_AHEAD = timedelta(days=730)


class HolidayForm(ClinicRowForm):
    """A day on which the clinic closes or opens; only an opening may be for some doctors."""

    class Meta:
        widgets = {"doctors": forms.CheckboxSelectMultiple, "specialty": forms.Select}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.clinic and "specialty" in self.fields:
            doctors = Doctor.objects.of(self.clinic).exclude(specialty="").order_by("specialty")
            there = [*doctors.values_list("specialty", flat=True).distinct(), self.instance.specialty]
            choices = [(name, name) for name in sorted({*there} - {""})]
            self.fields["specialty"].widget.choices = [("", "---------"), *choices]

    def clean_falls_on(self) -> str:
        return read_date_rule(self.cleaned_data["falls_on"])

    def clean_ends(self) -> time | None:
        """Midnight, 00:00 or 24:00, is the end of the day, which is not stored."""
        ends: time | None = self.cleaned_data["ends"]
        return None if ends == time.min else ends

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("kind") == ClinicHoliday.Kind.CLOSES:
            sentence = _("Só uma abertura pode ser para alguns. Ausências ficam na ficha de cada um.")
            for name in ("specialty", "doctors"):
                if cleaned.get(name):
                    self.add_error(name, sentence)
        return cleaned


class KindFilter(admin.ChoicesFieldListFilter):
    """Whether the clinic closes or opens, under a title that reads on after "Por"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("efeito")


@admin.register(ClinicHoliday)
class ClinicHolidayAdmin(AskBeforeClosing, ClinicTimeAdminMixin, ClinicRowAdmin):
    """The clinic's own holidays and the exceptions that open it; the days ahead stand on a page of their own."""

    form = HolidayForm
    fields = ["falls_on", "name", "kind", "starts", "ends", "specialty", "doctors"]
    list_display = ["falls_on", "name", "kind", "span"]
    list_filter = [("kind", KindFilter)]
    search_fields = ["name", "falls_on"]
    actions = None  # deleting several at once would not show which appointments they strand

    @admin.display(description=gettext_lazy("horas"))
    def span(self, holiday: ClinicHoliday) -> str:
        return holiday.hours

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "ends":
            kwargs |= {"form_class": TypedEndField, "widget": EndOfHoursInput}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show whose appointments stand in the time that an exception opens, before it is deleted."""
        holiday = self.get_object(request, object_id) if request.method == "GET" else None
        affected = self._affected_without(holiday) if holiday else None
        return super().delete_view(request, object_id, {**(extra_context or {}), "affected": affected})

    def _affected_without(self, holiday: ClinicHoliday) -> Affected | None:
        """Return the appointments that deleting the row would make pending; the deletion is made and rolled back."""
        clinic, now = holiday.clinic, timezone.now()
        before = {row.pk for row in pending(clinic, now=now)}
        with transaction.atomic():
            ClinicHoliday.objects.of(clinic).filter(pk=holiday.pk).delete()
            found = [row for row in pending(clinic, now=now) if row.pk not in before]
            transaction.set_rollback(True)
        return Affected(clinic, found) if found else None

    def get_urls(self) -> list[URLPattern]:
        coming = path("proximos/", self.admin_site.admin_view(self.coming_view), name="clinic_clinicholiday_coming")
        return [coming, *super().get_urls()]

    def coming_view(self, request: HttpRequest) -> HttpResponse:
        """Show the holidays of the next 24 months; a POST takes over the list of a town."""
        clinic = admin_request(request).clinic
        if not self.has_view_permission(request) or clinic is None:
            raise PermissionDenied(_("Escolha primeiro a clínica em que quer trabalhar."))
        if request.method == "POST" and "back" not in request.POST:
            return self._take_over(request, clinic)
        return self._coming_page(request, clinic)

    def _take_over(self, request: HttpRequest, clinic: Clinic) -> HttpResponse:
        """Add the town's days that the clinic's list lacks, and ask first when that makes appointments pending."""
        town = request.POST.get("town", "")
        if town not in TOWN_HOLIDAYS[clinic.country]:
            raise Http404
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            with transaction.atomic():
                self._add_days_of(town, clinic, request)
        except AnswerMissing as missing:
            return self._coming_page(request, clinic, town=town, affected=missing.affected)
        sentence = _("Feriados acrescentados: %(town)s. Confira e altere o que for diferente.")
        self.message_user(request, sentence % {"town": town}, messages.SUCCESS)
        target = "web:pending-list" if "move_over" in request.POST else "admin:clinic_clinicholiday_coming"
        return HttpResponseRedirect(reverse(target))

    def _add_days_of(self, town: str, clinic: Clinic, request: HttpRequest) -> None:
        """Raises AnswerMissing if appointments become pending and the answer is not about them."""
        # As for every form with local times: the zone in which they are compared stays.
        clinic = get_shared(Clinic, clinic.pk)
        before = {row.pk for row in pending(clinic, now=timezone.now())}
        add_town_holidays(clinic, town)
        require_answer(request, clinic, before)

    def _coming_page(
        self, request: HttpRequest, clinic: Clinic, town: str = "", affected: Affected | None = None
    ) -> HttpResponse:
        today = clinic.local(timezone.now()).date()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Feriados dos próximos 24 meses"),
            "opts": self.opts,
            "days": coming_days(clinic, today, today + SHOWN_AHEAD),
            "towns": TOWN_HOLIDAYS[clinic.country],
            "town": town,
            "affected": affected,
            "clinic": clinic,
        }
        return TemplateResponse(request, "admin/clinic/clinicholiday/coming.html", context)
