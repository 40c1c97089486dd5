from dataclasses import fields

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicRowAdmin
from clinic.admin.forms import ClinicRowForm
from clinic.booking import BookingRefused, PatientDetails, check_patient, edit_patient, register_patient
from clinic.models import Patient

DETAILS = [field.name for field in fields(PatientDetails)]


class PatientForm(ClinicRowForm):
    """Typed text goes through the rules of the front desk, not through the model's validation."""

    name = forms.CharField(label=_("Nome"), required=False)
    social_name = forms.CharField(
        label=_("Nome social"), required=False, help_text=_("Como a pessoa quer ser chamada.")
    )
    phone = forms.CharField(label=_("Telefone"), required=False)
    cpf = forms.CharField(label=_("CPF"), required=False)
    nif = forms.CharField(label=_("NIF"), required=False)
    email = forms.CharField(label=_("E-mail"), required=False)

    def _post_clean(self):
        for refusal in check_patient(self.details(), clinic=self.instance.clinic, patient_id=self.instance.pk):
            self.add_error(refusal.field, str(refusal.message))

    def details(self):
        typed = {name: self.cleaned_data.get(name) for name in DETAILS}
        return PatientDetails(
            **{name: value or ("" if name != "birth_date" else None) for name, value in typed.items()}
        )


@admin.register(Patient)
class PatientAdmin(ClinicRowAdmin):
    form = PatientForm
    fields = ["name", "social_name", "phone", "birth_date", "cpf", "nif", "email", "notes"]
    list_display = ["called", "phone", "birth_date", "cpf", "is_complete"]
    list_filter = [("birth_date", admin.EmptyFieldListFilter), ("cpf", admin.EmptyFieldListFilter)]
    search_fields = ["email"]
    folded_fields = ["search"]
    ordering = ["folded_name", "pk"]
    show_full_result_count = False

    def get_search_results(self, request, queryset, search_term):
        digits = "".join(filter(str.isdigit, search_term))
        if len(digits) >= 3 and not any(map(str.isalpha, search_term)):
            number = Q(phone__contains=digits) | Q(cpf__startswith=digits) | Q(nif__startswith=digits)
            return queryset.filter(number), False
        return super().get_search_results(request, queryset, search_term)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except BookingRefused:
            # Somebody took the CPF between the check and the write: now the check sees it and names the field.
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        if change:
            edit_patient(obj.pk, form.details(), clinic=obj.clinic)
        else:
            obj.pk = register_patient(obj.clinic, form.details()).pk
        obj.refresh_from_db()

    @admin.display(description=_("paciente"), ordering="folded_name")
    def called(self, patient):
        return patient.called

    @admin.display(description=_("completo"), boolean=True)
    def is_complete(self, patient):
        return not patient.is_incomplete
