from typing import ClassVar

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicRowAdmin
from clinic.admin.forms import NamedClinicRowForm
from clinic.models import Procedure


class ProcedureForm(NamedClinicRowForm):
    class Meta:
        widgets: ClassVar = {"preparation": AdminTextareaWidget({"rows": 2})}


@admin.register(Procedure)
class ProcedureAdmin(ClinicRowAdmin):
    """The services of the clinic."""

    form = ProcedureForm
    fields = ["name", "code", "price", "duration_minutes", "preparation", "active"]
    list_display = ["name", "code", "amount", "duration_minutes", "active"]
    list_filter = ["active"]
    search_fields = ["code"]
    folded_fields = ["sort_name"]

    @admin.display(description=_("preço"), ordering="price")
    def amount(self, procedure: Procedure) -> str:
        return procedure.clinic.money(procedure.price)
