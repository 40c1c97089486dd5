import hashlib
import hmac
import uuid
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from clinic.models import shown
from clinic.models.clinic import ClinicRow
from clinic.models.names import Heard, Letters
from clinic.models.phones import is_certain
from clinic.models.ranges import Fold

if TYPE_CHECKING:
    StringField = models.CharField[str, str]
else:
    StringField = models.CharField

OLDEST = 110  # years; for older patients a screen asks whether the birth date is right


def years_between(born: date, day: date) -> int:
    """Return the age in whole years on a day; people born on 29 February are a year older from 1 March on."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def phone_hash(e164: str, clinic_id: int) -> str:
    """Return the HMAC-SHA256 of an E.164 number under a key of the clinic, in hex: the MiviCall API shows no more of a
    phone."""
    key = salted_hmac(
        "clinic.patient.phone", str(clinic_id), secret=settings.PHONE_HASH_KEY, algorithm="sha256"
    ).digest()
    return hmac.new(key, e164.encode(), hashlib.sha256).hexdigest()


class PhoneHashField(StringField):
    """Computed from the row's phone at every save."""

    # `instance` is a Patient, or the model of that name in a migration.
    def pre_save(self, instance: Any, add: bool) -> str:
        value = phone_hash(instance.phone.as_e164, instance.clinic_id)
        setattr(instance, self.attname, value)
        return value


def incomplete(path: str = "") -> Q:
    """Return the condition of `Patient.is_incomplete`, with the `path` of lookups that leads to the patient."""
    return Q((f"{path}birth_date", None)) | Q((f"{path}cpf", None), (f"{path}nif", ""))


class Patient(ClinicRow):
    """A person who is treated. `nif` and `email` are "" when unknown, `cpf` is None.

    A patient who died is marked (`died`), not deleted, and the mark can be removed. Marked patients are not offered for
    booking and not in the APIs' lists, but are found on the patients' page. Their future visits stay until a person
    cancels them.
    """

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(_("nome"), max_length=160)
    social_name = models.CharField(
        _("nome social"), max_length=160, blank=True, help_text=_("Como a pessoa quer ser chamada.")
    )
    cpf = models.CharField(_("CPF"), max_length=11, null=True, blank=True)
    nif = models.CharField(_("NIF"), max_length=9, blank=True)
    phone = PhoneNumberField(_("telefone"))
    phone_hash = PhoneHashField(max_length=64, editable=False)
    birth_date = models.DateField(_("data de nascimento"), null=True, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    notes = models.TextField(_("observações"), max_length=5000, blank=True)
    alert = models.CharField(
        _("aviso"),
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text=_("Uma linha que aparece em destaque na busca, no painel e na agenda."),
    )
    died = models.BooleanField(_("falecido(a)"), default=False)
    died_on = models.DateField(_("data do falecimento"), null=True, blank=True)
    folded_name = models.GeneratedField(expression=Fold("name"), output_field=models.TextField(), db_persist=True)
    search = models.GeneratedField(
        expression=Fold(Concat(F("name"), Value(" "), F("social_name"))),
        output_field=models.TextField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("paciente")
        verbose_name_plural = _("pacientes")
        ordering = ["folded_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "uuid"], name="patient_uuid_once"),
            models.UniqueConstraint(fields=["clinic", "cpf"], condition=Q(cpf__isnull=False), name="patient_cpf_once"),
            models.CheckConstraint(
                condition=Q(cpf__isnull=True) | Q(cpf__regex=r"^\d{11}$"), name="patient_cpf_digits"
            ),
            models.CheckConstraint(condition=Q(nif="") | Q(nif__regex=r"^\d{9}$"), name="patient_nif_digits"),
            models.CheckConstraint(condition=Q(phone__regex=r"^\+[1-9]\d{1,14}$"), name="patient_phone_e164"),
            models.CheckConstraint(condition=~Q(name=""), name="patient_name_present"),
            models.CheckConstraint(condition=Q(died_on__isnull=True) | Q(died=True), name="patient_died_on_if_died"),
        ]
        indexes = [
            GinIndex(fields=["search"], opclasses=["gin_trgm_ops"], name="patient_search_trigram"),
            GinIndex(OpClass(Letters("search"), name="gin_trgm_ops"), name="patient_letters_trigram"),
            GinIndex(OpClass(Heard("search"), name="gin_trgm_ops"), name="patient_heard_trigram"),
            GinIndex(fields=["phone"], opclasses=["gin_trgm_ops"], name="patient_phone_trigram"),
            models.Index(fields=["clinic", "phone"], name="patient_clinic_phone"),
            models.Index(fields=["clinic", "phone_hash"], name="patient_clinic_phone_hash"),
            models.Index(fields=["clinic", "folded_name"], name="patient_clinic_folded_name"),
            models.Index(fields=["clinic", "nif"], condition=~Q(nif=""), name="patient_clinic_nif"),
            models.Index(fields=["clinic", "birth_date"], name="patient_clinic_birth_date"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @classmethod
    def from_db(cls, *row: Any, **options: Any) -> Self:
        """Return the row, and have the access log take it."""
        patient = super().from_db(*row, **options)
        shown.add([patient])
        return patient

    @property
    def display_name(self) -> str:
        return self.social_name or self.name

    @property
    def is_incomplete(self) -> bool:
        """True if the front desk should ask for missing data on arrival ("cadastro incompleto")."""
        return self.birth_date is None or not self.has_document

    @property
    def has_document(self) -> bool:
        return bool(self.cpf or self.nif)

    @property
    def missing(self) -> list[str]:
        """The fields that make the data incomplete; of the two documents, that of the clinic's country."""
        given = {"birth_date": self.birth_date is not None, self.clinic.document: self.has_document}
        return [name for name, is_given in given.items() if not is_given]

    @property
    def has_doubtful_phone(self) -> bool:
        """True if the phone is not known to exist ("telefone a confirmar")."""
        return not is_certain(self.phone)
