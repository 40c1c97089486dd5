from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from clinic.admin.base import ClinicRowAdmin, admin_request
from clinic.admin.forms import NamedClinicRowForm
from clinic.models import Clinic, Payer

# The kinds that a clinic of each country may choose, by Clinic.Country.
KINDS = {
    Clinic.Country.BRAZIL: [Payer.Kind.HEALTH_PLAN, Payer.Kind.OTHER],
    Clinic.Country.PORTUGAL: [Payer.Kind.SUBSYSTEM, Payer.Kind.INSURANCE, Payer.Kind.SNS, Payer.Kind.OTHER],
}


class PayerForm(NamedClinicRowForm):
    def _get_validation_exclusions(self) -> set[str]:
        """Have the constraint of the folded name, which is no field of the form, checked too."""
        return super()._get_validation_exclusions() - {"folded_name"}


@admin.register(Payer)
class PayerAdmin(ClinicRowAdmin):
    """The institutions that pay for visits. One that is no longer accepted is switched off, and deleted only while no
    patient and no appointment has it."""

    form = PayerForm
    fields = ["name", "kind", "ans_number", "active"]
    list_display = ["name", "kind", "ans_number", "active"]
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
