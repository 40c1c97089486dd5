from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicRowAdmin
from clinic.models import Discount


@admin.register(Discount)
class DiscountAdmin(ClinicRowAdmin):
    """The discounts that a booking may take."""

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
    list_display = ["name", "percentage", "fixed", "minimum_age", "maximum_age", "expires_on"]
    search_fields = ["name__unaccent"]
    list_filter = [("percentage", admin.EmptyFieldListFilter)]
