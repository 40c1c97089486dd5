from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicRowAdmin, ClinicRowInline, admin_request
from clinic.admin.forms import ClinicRowForm, NamedClinicRowForm
from clinic.models import Clinic, Payer, PayerDoctor, ProcedurePrice

# The kinds that a clinic of each country may choose, by Clinic.Country.
KINDS = {
    Clinic.Country.BRAZIL: [Payer.Kind.HEALTH_PLAN, Payer.Kind.OTHER],
    Clinic.Country.PORTUGAL: [Payer.Kind.SUBSYSTEM, Payer.Kind.INSURANCE, Payer.Kind.SNS, Payer.Kind.OTHER],
}


class PayerForm(NamedClinicRowForm):
    def _get_validation_exclusions(self) -> set[str]:
        """Have the constraint of the folded name, which is no field of the form, checked too."""
        return super()._get_validation_exclusions() - {"folded_name"}


class PriceForm(ClinicRowForm):
    """The price of a procedure for the patients of a payer."""

    def _get_validation_exclusions(self) -> set[str]:
        """Of a payer that is added just now there are no prices yet; without its id private ones would be looked at."""
        excluded = super()._get_validation_exclusions()
        return excluded if self.instance.payer_id else excluded | {"payer"}


class PriceInline(ClinicRowInline):
    """What procedures cost for the patients of a payer."""

    model = ProcedurePrice
    form = PriceForm
    fields = ["procedure", "price", "valid_from", "valid_until"]
    ordering = ["procedure__sort_name", "valid_from"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "valid_from":
            kwargs["initial"] = timezone.localdate
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class WeekdaysField(forms.TypedMultipleChoiceField):
    """ISO weekdays, a box for each."""

    def __init__(self, **options: Any) -> None:
        for name in ("base_field", "size"):
            options.pop(name, None)
        choices = [(number + 1, str(label).capitalize()) for number, label in WEEKDAYS_ABBR.items()]
        super().__init__(**options, choices=choices, coerce=int, widget=forms.CheckboxSelectMultiple)


class TakersInline(ClinicRowInline):
    """The doctors who take the patients of a payer."""

    model = PayerDoctor
    form = ClinicRowForm
    verbose_name = _("médico(a)")
    verbose_name_plural = _("quem atende pelo convênio (sem nenhum aqui: todos)")
    fields = ["doctor", "weekdays", "per_day"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "weekdays":
            return WeekdaysField(
                label=db_field.verbose_name, required=False, help_text=_("Nenhum selecionado: todos os dias.")
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Payer)
class PayerAdmin(ClinicRowAdmin):
    """The institutions that pay for visits. One that is no longer accepted is switched off, and deleted only while no
    patient and no appointment has it."""

    form = PayerForm
    fields = ["name", "kind", "ans_number", "active", "valid_from", "valid_until", "requires_authorization", "per_day"]
    inlines = [TakersInline, PriceInline]
    list_display = ["name", "kind", "ans_number", "valid_until", "active"]
    list_filter = ["active"]
    search_fields = ["ans_number"]
    folded_fields = ["folded_name"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self._of_country(request, self.fields)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._of_country(request, super().get_list_display(request))

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        clinic = admin_request(request).clinic
        if db_field.name == "kind" and clinic:
            kinds = KINDS[Clinic.Country(clinic.country)]
            kwargs["choices"] = [(kind.value, kind.label) for kind in kinds]
            kwargs["initial"] = kinds[0]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def _of_country(self, request: HttpRequest, names: Any) -> list[str]:
        """Return these fields without the registro ANS where the clinic is in Portugal."""
        clinic = admin_request(request).clinic
        is_abroad = clinic is not None and clinic.country == Clinic.Country.PORTUGAL
        return [name for name in names if not (is_abroad and name == "ans_number")]
