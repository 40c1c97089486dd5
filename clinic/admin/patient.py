from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, TextChoices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from clinic.admin.base import ClinicRowAdmin, LargeTable, admin_request
from clinic.admin.forms import ClinicRowForm
from clinic.form_fields import TypedDateField
from clinic.form_questions import AsksAboutAge, AsksAboutDoubles, AsksAboutNif, AsksAboutPhone
from clinic.models import Clinic, Patient, PatientEvent, documents, phones
from clinic.models.patient import CURRENT, GUARDIAN_HELP, HEALTH_NUMBER_HELP, PHONE_OF_HELP, DocumentType, NoDocument
from clinic.queries import patients
from clinic.refusals import Reason, Refusal
from clinic.registry import (
    Author,
    PatientDetails,
    change_patient,
    check_patient,
    current_patient,
    register_patient,
    same_patients,
)
from clinic.templatetags import formats

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

DOCUMENTS = {
    "cpf": documents.read_cpf,
    "nif": documents.read_nif,
    "health_number": documents.read_health_number,
    "document_number": documents.read_document,
}
DETAILS = [field.name for field in fields(PatientDetails)]


def _or_none(choices: type[TextChoices]) -> list[tuple[str, "StrPromise | str"]]:
    return [("", "---------"), *choices.choices]


class PatientForm(AsksAboutPhone, AsksAboutAge, AsksAboutNif, AsksAboutDoubles, ClinicRowForm):
    """Typed text goes through the rules of the front desk, not through the model's validation."""

    name = forms.CharField(label=_("Nome"), required=False)
    social_name = forms.CharField(
        label=_("Nome social"), required=False, help_text=_("Como a pessoa quer ser chamada.")
    )
    phone = forms.CharField(label=_("Telefone"), required=False)
    phone_of = forms.CharField(label=_("De quem é o telefone"), required=False, help_text=PHONE_OF_HELP)
    second_phone = forms.CharField(label=_("Segundo telefone"), required=False)
    second_phone_of = forms.CharField(label=_("De quem é o segundo telefone"), required=False)
    guardian_name = forms.CharField(label=_("Nome do responsável"), required=False, help_text=GUARDIAN_HELP)
    guardian_relation = forms.CharField(label=_("Parentesco do responsável"), required=False)
    birth_date = TypedDateField(label=_("Nascimento"), required=False, past=True, widget=AdminDateWidget)
    cpf = forms.CharField(label=_("CPF"), required=False)
    nif = forms.CharField(label=_("NIF"), required=False)
    health_number = forms.CharField(label=_("Número do SNS"), required=False, help_text=HEALTH_NUMBER_HELP)
    no_document = forms.ChoiceField(label=_("Sem CPF ou NIF"), required=False, choices=_or_none(NoDocument))
    document_type = forms.ChoiceField(label=_("Outro documento"), required=False, choices=_or_none(DocumentType))
    document_number = forms.CharField(label=_("Número do documento"), required=False)
    document_country = forms.CharField(label=_("País do documento"), required=False)
    email = forms.CharField(label=_("E-mail"), required=False)

    age_question = _("São %(age)s anos. Confira o ano; se está certo, marque a caixa no alto e salve de novo.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        patient = kwargs.get("instance")
        if patient and patient.pk:
            kwargs["initial"] = written_numbers(patient) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    def comparable(self, name: str, value: Any) -> Any:
        if name in {"phone", "second_phone"}:
            phone = phones.read(value, self.instance.clinic.country, self.instance.clinic.area_code)
            return phone.number or value, phone.fault
        reader = DOCUMENTS.get(name)
        return reader(value) if reader else super().comparable(name, value)

    def _post_clean(self) -> None:
        clinic, patient_id = self.instance.clinic, self.instance.pk
        self.ask_about_age(self.initial.get("birth_date"))
        self.ask_about_nif(clinic, self.instance if patient_id else None)
        refusals = check_patient(self.details(), clinic=clinic, patient_id=patient_id)
        self.remember_owners(refusals)
        for refusal in refusals:
            self.add_error(refusal.field, str(refusal.message))
        if patient_id is None and not self.errors:
            self.doubles = same_patients(clinic, self.details(), besides=self.besides)
            if self.doubles:
                self.add_error(None, Refusal(Reason.PATIENT_EXISTS, {"name": self.doubles[0].display_name}).message)

    def details(self) -> PatientDetails:
        typed: dict[str, Any] = {name: self.cleaned_data.get(name) for name in DETAILS}
        typed["phone"] = self.confirmed_phone(self.instance.clinic)
        days = dict.fromkeys(("birth_date", "card_expires_on", "died_on"))
        empty: dict[str, Any] = {**days, "payer_id": None, "accepts_whatsapp": None, "died": False}
        return PatientDetails(
            **{name: empty.get(name, "") if value in (None, "") else value for name, value in typed.items()}
        )


def written_numbers(patient: Patient) -> dict[str, str]:
    """Return the fields of phones and CPF as people write them in the clinic's country."""
    return {
        "phone": formats.phone(patient.phone, patient.clinic),
        "second_phone": formats.phone(patient.other_phone, patient.clinic),
        "cpf": formats.cpf(patient.cpf),
    }


def foreign_document(clinic: Clinic | None) -> str | None:
    """Return the tax number's field that few patients of this clinic have; None where both countries' are listed."""
    return clinic.documents[1] if clinic else None


@admin.register(Patient)
class PatientAdmin(LargeTable, ClinicRowAdmin):
    """Patients, searched as on the patients' page."""

    form = PatientForm
    list_display = ["display_name", "written_phone", "birth_date_and_age", "written_cpf", "nif", "is_complete"]
    list_filter = ["died", *((field, admin.EmptyFieldListFilter) for field in ["birth_date", "cpf", "nif"])]
    search_fields = ["email"]
    ordering = ["folded_name", "pk"]
    sortable_by = ["display_name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the patients that were not merged into another."""
        return super().get_queryset(request).filter(CURRENT)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Of a merged patient lead to the kept one; what was posted is shown once more, and creates no one."""
        kept = self._kept_instead_of(request, object_id)
        if kept is None:
            return super()._get_obj_does_not_exist_redirect(request, opts, object_id)
        address = reverse("admin:clinic_patient_change", args=[kept.pk])
        if request.method != "POST":
            return redirect(address)
        link = format_html('<a href="{}">{}</a>', address, kept.display_name)
        sentence = _(
            "Este cadastro foi juntado ao de {link}, e nada foi salvo. Está tudo aqui: passe para lá o que falta."
        )
        return self.render_without_row(request, format_html(str(sentence), link=link), request.path)

    def _kept_instead_of(self, request: HttpRequest, object_id: str) -> Patient | None:
        """Return the patient that the merged one of this id has become, None for any other id."""
        try:
            pk = self.opts.pk.to_python(unquote(object_id))
        except ValidationError:
            return None
        merged = super().get_queryset(request).exclude(CURRENT).filter(pk=pk).first()
        return current_patient(merged.clinic, merged.pk) if merged else None

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields, the document of the clinic's country before the other's."""
        documents = sorted(["cpf", "nif"], key=lambda name: name == foreign_document(admin_request(request).clinic))
        clinic = obj.clinic if obj else admin_request(request).clinic
        if clinic and clinic.document == "nif":
            documents.append("health_number")
        documents += ["no_document", "document_type", "document_number", "document_country"]
        of_the_dead = ["died", "died_on"] if obj else []
        names, phone = ["name", "social_name"], ["phone", "phone_of", "second_phone", "second_phone_of"]
        guardian = ["guardian_name", "guardian_relation"]
        contact = ["email", "accepts_whatsapp"]
        return [*names, *phone, "birth_date", *guardian, *documents, *contact, "alert", "notes", *of_the_dead]

    def get_list_display(self, request: HttpRequest) -> Any:
        foreign = foreign_document(admin_request(request).clinic)
        return [name for name in super().get_list_display(request) if name.removeprefix("written_") != foreign]

    def get_list_filter(self, request: HttpRequest) -> Any:
        foreign = foreign_document(admin_request(request).clinic), admin.EmptyFieldListFilter
        return [item for item in super().get_list_filter(request) if item != foreign]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        if "@" in search_term:
            return queryset.filter(email__icontains=search_term.strip()), False
        return patients.fitting(queryset, search_term), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = Author(PatientEvent.Channel.ADMIN, user=admin_request(request).user)
        if change and form.changed_data:
            changes = {name: value for name, value in asdict(form.details()).items() if name in form.changed_data}
            change_patient(obj.pk, changes, clinic=obj.clinic, by=by)
        elif not change:
            obj.pk = register_patient(obj.clinic, form.details(), besides=form.besides, by=by).pk
        obj.refresh_from_db()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: what was written about a patient is redacted (`registry.redact_patient`), the row stays."""
        return False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        return super().log_addition(request, Patient(pk=obj.pk), message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        """Log which fields were changed, without the name; the values are in the PatientEvent."""
        return super().log_change(request, Patient(pk=obj.pk), message)

    @admin.display(description=_("paciente"), ordering="folded_name")
    def display_name(self, patient: Patient) -> str:
        return patient.display_name

    @admin.display(description=_("telefone"), ordering="phone", empty_value="—")
    def written_phone(self, patient: Patient) -> str | None:
        return formats.phone(patient.phone, patient.clinic) or None

    @admin.display(description=_("CPF"), ordering="cpf", empty_value="—")
    def written_cpf(self, patient: Patient) -> str | None:
        return formats.cpf(patient.cpf) or None

    @admin.display(description=_("Nascimento"), ordering="birth_date", empty_value="—")
    def birth_date_and_age(self, patient: Patient) -> str | None:
        return formats.born(patient) or None

    @admin.display(description=_("completo"), boolean=True)
    def is_complete(self, patient: Patient) -> bool:
        return not patient.is_incomplete
