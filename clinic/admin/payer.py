from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.admin import filled
from clinic.admin.base import ClinicRowAdmin, ClinicRowInline, admin_request, local_today
from clinic.admin.constraint_messages import CONSTRAINT_MESSAGES
from clinic.admin.forms import ClinicRowForm, ClinicRowFormSet, NamedClinicRowForm
from clinic.models import Clinic, Payer, PayerDoctor, ProcedurePrice
from clinic.models.price import holds_still

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


class PriceFormSet(ClinicRowFormSet):
    """The prices of a payer, of which one begins on a date for a procedure: of a new payer the database cannot say."""

    def validate_unique(self) -> None:
        begun = set()
        for form in self.forms:
            values = form.cleaned_data if form.is_valid() and form not in self.deleted_forms else {}
            key = values.get("procedure"), values.get("valid_from")
            if None not in key and key in begun:
                form.add_error(*CONSTRAINT_MESSAGES["procedureprice_once_a_date"])
            begun.add(key)


class PriceInline(ClinicRowInline):
    """What procedures cost for the patients of a payer: what is in force and what begins later. A page with all that
    ever were would have more fields than a request may have."""

    model = ProcedurePrice
    form = PriceForm
    formset = PriceFormSet
    fields = ["procedure", "price", "valid_from", "valid_until"]
    ordering = ["procedure__sort_name", "valid_from"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return these prices, and those that the page was filled in with, as of a day that is over since."""
        rows: QuerySet[Any] = super().get_queryset(request)
        shown = filled.rows_of(ProcedurePrice, request.POST)
        return rows.filter(holds_still(local_today(request)) | Q(pk__in=shown))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "valid_from":
            kwargs["initial"] = local_today(request)
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
    fields = [
        *("name", "kind", "ans_number", "active", "valid_from", "valid_until"),
        *("requires_authorization", "per_day", "return_days"),
    ]
    readonly_fields = ["former_prices"]
    inlines = [TakersInline, PriceInline]
    list_display = ["name", "kind", "ans_number", "valid_until", "active"]
    list_filter = ["active"]
    search_fields = ["ans_number"]
    folded_fields = ["folded_name"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = self._of_country(request, self.fields)
        return [*names, "former_prices"] if obj is not None and _former(obj).exists() else names

    @admin.display(description=_("preços que não valem mais"))
    def former_prices(self, payer: Payer) -> str:
        """List the prices that are over, which are looked at only."""
        rows = _former(payer).select_related("procedure").order_by("procedure__sort_name", "-valid_from", "pk")
        money = payer.clinic.money
        lines = format_html_join(
            "", "<li>{}: {} ({})</li>", ((row.procedure, money(row.price), _span(row)) for row in rows)
        )
        return format_html("<details><summary>{}</summary><ul>{}</ul></details>", len(rows), lines)

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


def _former(payer: Payer) -> QuerySet[ProcedurePrice]:
    """Return the prices of the payer that hold no more."""
    return payer.prices.exclude(holds_still(payer.clinic.local(timezone.now()).date()))


def _span(price: ProcedurePrice) -> str:
    """Return from when on a price held, and until when where it was ended, as dd/mm/yyyy."""
    days = {"first": f"{price.valid_from:%d/%m/%Y}"}
    if price.valid_until is None:
        return gettext("desde %(first)s") % days
    return gettext("de %(first)s a %(last)s") % (days | {"last": f"{price.valid_until:%d/%m/%Y}"})
