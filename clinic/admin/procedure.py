from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import NamesakesAdmin, local_today
from clinic.admin.forms import NamedClinicRowForm
from clinic.admin.price_rise import PriceRises
from clinic.models import Procedure
from clinic.models.price import PriceOn
from clinic.registry import coming_prices, price_today, procedures_named, set_price


class ProcedureForm(NamedClinicRowForm):
    """A procedure with the price of today; those that begin later are named below it."""

    class Meta:
        widgets: ClassVar = {"preparation": AdminTextareaWidget({"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        stored = kwargs.get("instance")
        if stored is not None and stored.pk:
            kwargs["initial"] = {"price": price_today(stored)} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        if stored is not None and stored.pk and "price" in self.fields and (coming := coming_prices(stored)):
            texts = [
                _("a partir de %(day)s, %(price)s")
                % {"day": f"{price.valid_from:%d/%m/%Y}", "price": stored.clinic.money(price.price)}
                for price in coming
            ]
            self.fields["price"].help_text = _("O de hoje. %(coming)s.") % {"coming": capfirst("; ".join(texts))}


@admin.register(Procedure)
class ProcedureAdmin(PriceRises, NamesakesAdmin):
    """The services of the clinic."""

    rows_named = staticmethod(procedures_named)
    form = ProcedureForm
    fields = [
        *("name", "code", "price", "duration_minutes", "return_days"),
        *("per_day", "days_ahead", "notice_hours"),
        *("preparation", "active"),
    ]
    list_display = ["name", "code", "amount", "duration_minutes", "active"]
    list_filter = ["active"]
    search_fields = ["code"]
    folded_fields = ["sort_name"]
    actions = ["raise_chosen"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        priced: QuerySet[Any] = rows.annotate(price_now=PriceOn(local_today(request)))
        return priced

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Store the price that was typed as that of today on."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        typed = obj.price
        obj.price = Procedure.objects.of(obj.clinic_id).values_list("price", flat=True).get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        set_price(obj, typed)

    @admin.display(description=gettext_lazy("preço"), ordering="price_now")
    def amount(self, procedure: Any) -> str:
        written: str = procedure.clinic.money(procedure.price_now)
        return written
