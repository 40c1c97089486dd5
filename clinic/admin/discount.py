from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import NamesakesAdmin
from clinic.form_fields import PercentField
from clinic.models import Discount
from clinic.models.clinic import written_amount
from clinic.registry import discounts_named


@admin.register(Discount)
class DiscountAdmin(NamesakesAdmin):
    """The discounts that a booking may take."""

    rows_named = staticmethod(discounts_named)

    fieldsets = [
        (None, {"fields": ["name", "expires_on"]}),
        (_("Quanto"), {"fields": ["percentage", "fixed"], "description": _("Preencha um dos dois.")}),
        (
            _("Idade"),
            {
                "fields": ["minimum_age", "maximum_age"],
                "description": _("Fora destas idades, o painel avisa quem agenda; não impede."),
            },
        ),
    ]
    list_display = ["name", "part", "amount", "minimum_age", "maximum_age", "expires_on"]
    search_fields = ["name__unaccent"]
    list_filter = [("percentage", admin.EmptyFieldListFilter)]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "percentage":
            kwargs["form_class"] = PercentField
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("porcentagem"), ordering="percentage", empty_value="—")
    def part(self, discount: Discount) -> str | None:
        if discount.percentage is None:
            return None
        return f"{written_amount(discount.percentage)}\N{NO-BREAK SPACE}%".replace(",00", "")

    @admin.display(description=_("valor fixo"), ordering="fixed", empty_value="—")
    def amount(self, discount: Discount) -> str | None:
        return None if discount.fixed is None else discount.clinic.money(discount.fixed)
