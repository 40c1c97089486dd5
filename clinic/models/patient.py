import hashlib
import hmac
import uuid
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField
from phonenumber_field.phonenumber import PhoneNumber

from clinic.models import shown
from clinic.models.clinic import ClinicRow
from clinic.models.names import Heard, Letters
from clinic.models.payer import Payer
from clinic.models.phones import is_certain
from clinic.models.ranges import Fold

if TYPE_CHECKING:
    StringField = models.CharField[str, str]
else:
    StringField = models.CharField

HEALTH_NUMBER_HELP = _("Nove algarismos, no verso do cartão de cidadão.")
PHONE_OF_HELP = _("Se não é da própria pessoa: mãe, filha, vizinho.")
GUARDIAN_HELP = _("O telefone é o desta pessoa; o do paciente, se tiver, é o segundo.")
ADULT = 18  # years, in both countries
OLDEST = 110  # years; for older patients a screen asks whether the birth date is right


def years_between(born: date, day: date) -> int:
    """Return the age in whole years on a day; people born on 29 February are a year older from 1 March on."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_minor(born: date | None) -> bool:
    """Return whether a person born on that day is under age today."""
    return born is not None and years_between(born, timezone.localdate()) < ADULT


def phone_hash(e164: str, clinic_id: int) -> str:
    """Return the HMAC-SHA256 of an E.164 number under a key of the clinic, in hex: the MiviCall API shows no more of a
    phone."""
    key = salted_hmac(
        "clinic.patient.phone", str(clinic_id), secret=settings.PHONE_HASH_KEY, algorithm="sha256"
    ).digest()
    return hmac.new(key, e164.encode(), hashlib.sha256).hexdigest()


def stored_phone(patient: Any) -> tuple[str | None, str]:
    """Return the phone that is stored of a row, in E.164, and its hash; None and "" without a phone. `patient` is a
    Patient, or the model of that name in a migration."""
    e164 = patient.phone.as_e164 if patient.phone else None
    return e164, phone_hash(e164, patient.clinic_id) if e164 else ""


class PhoneHashField(StringField):
    """Computed from the row's phone at every save; "" without a phone."""

    # `instance` is a Patient, or the model of that name in a migration.
    def pre_save(self, instance: Any, add: bool) -> str:
        _e164, value = stored_phone(instance)
        setattr(instance, self.attname, value)
        return value


class DocumentType(models.TextChoices):
    PASSPORT = "passport", _("passaporte")
    RESIDENCE = "residence", _("autorização de residência")
    IDENTITY = "identity", _("documento de identidade")
    OTHER = "other", _("outro documento")


class NoDocument(models.TextChoices):
    """Why a patient has no tax number of the clinic's country: then it is not asked for on every visit."""

    FOREIGNER = "foreigner", _("estrangeiro(a)")
    NEWBORN = "newborn", _("recém-nascido(a)")
    DECLINED = "declined", _("não quis informar")
    OTHER = "other", _("outro motivo")


NOT_MERGED = Q(merged_into__isnull=True)
NOT_BLOCKED = Q(blocked_at__isnull=True)
# Neither merged into another patient nor blocked; searches, lists and rules know no others.
CURRENT = NOT_MERGED & NOT_BLOCKED
# Of a row about a patient: who is called about a time or a return, neither deceased nor blocked.
OF_REACHABLE = Q(patient__died=False, patient__blocked_at__isnull=True)


def incomplete(path: str = "") -> Q:
    """Return the condition of `Patient.is_incomplete`, with the `path` of lookups that leads to the patient."""
    without_document = {"cpf": None, "nif": "", "document_number": None, "no_document": ""}
    unknown = Q((f"{path}birth_date", None)) | Q((f"{path}phone", None))
    return unknown | Q(**{f"{path}{name}": empty for name, empty in without_document.items()})


class Patient(ClinicRow):
    """A person who is treated. `nif` and `email` are "" when unknown, `phone`, `cpf`, `health_number` and
    `document_number` are None.

    `document_number` and `card_number` hold letters and digits only, in capitals. `phone` may be another person's,
    named by `phone_of`. `payer` is what the next booking proposes, None for a private patient; the card is of that
    payer, and valid through the local date `card_expires_on`.

    A patient who died is marked (`died`), not deleted, and the mark can be removed. Marked patients are not offered for
    booking and not in the APIs' lists, but are found on the patients' page. Their future visits stay until a person
    cancels them.

    A patient with `blocked_at` asked for deletion or for no further use (`DataRequest`): the row is blank but for a
    name that says so, and stays for the appointments that refer to it.

    A patient with `merged_into` turned out to be that one. The row stays, for its history and for 30 days of undoing,
    and has neither appointments nor a number that only one patient may have; see `PatientMerge`.
    """

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(_("nome"), max_length=160)
    social_name = models.CharField(
        _("nome social"), max_length=160, blank=True, help_text=_("Como a pessoa quer ser chamada.")
    )
    cpf = models.CharField(_("CPF"), max_length=11, null=True, blank=True)
    nif = models.CharField(_("NIF"), max_length=9, blank=True)
    health_number = models.CharField(
        _("número do SNS"), max_length=9, null=True, blank=True, help_text=HEALTH_NUMBER_HELP
    )
    document_type = models.CharField(
        _("tipo do documento"), max_length=9, choices=DocumentType, blank=True, default="", db_default=""
    )
    document_number = models.CharField(_("número do documento"), max_length=30, null=True, blank=True)
    document_country = models.CharField(_("país do documento"), max_length=60, blank=True, default="", db_default="")
    no_document = models.CharField(
        _("sem CPF ou NIF"), max_length=9, choices=NoDocument, blank=True, default="", db_default=""
    )
    phone = PhoneNumberField(_("telefone"), null=True, blank=True)
    phone_of = models.CharField(
        _("de quem é o telefone"), max_length=60, blank=True, default="", db_default="", help_text=PHONE_OF_HELP
    )
    second_phone = models.CharField(_("segundo telefone"), max_length=16, null=True, blank=True)
    second_phone_of = models.CharField(
        _("de quem é o segundo telefone"), max_length=60, blank=True, default="", db_default=""
    )
    guardian_name = models.CharField(
        _("responsável"), max_length=160, blank=True, default="", db_default="", help_text=GUARDIAN_HELP
    )
    guardian_relation = models.CharField(
        _("parentesco do responsável"), max_length=60, blank=True, default="", db_default=""
    )
    # The database holds it by the composite key `patient_payer_of_clinic`.
    payer = models.ForeignKey(
        Payer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("convênio"),
    )
    card_number = models.CharField(_("carteira"), max_length=30, blank=True, default="", db_default="")
    card_expires_on = models.DateField(_("validade da carteira"), null=True, blank=True)
    phone_hash = PhoneHashField(max_length=64, editable=False)
    # None: not asked yet.
    accepts_whatsapp = models.BooleanField(_("aceita mensagens por WhatsApp"), null=True, blank=True)
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
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="merged", db_index=False
    )
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)
    folded_name = models.GeneratedField(expression=Fold("name"), output_field=models.TextField(), db_persist=True)
    search = models.GeneratedField(
        expression=Fold(Concat(F("name"), Value(" "), F("social_name"))),
        output_field=models.TextField(),
        db_persist=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # When the row was written last, by the database's clock: a trigger of 0051 sets it at every write.
    changed_at = models.DateTimeField(db_default=Now(), editable=False)
    # The former name by which a search has found the patient, "" for another reason.
    found_by = ""

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
            models.UniqueConstraint(
                fields=["clinic", "health_number"],
                condition=Q(health_number__isnull=False),
                name="patient_health_number_once",
            ),
            models.CheckConstraint(
                condition=Q(health_number__isnull=True) | Q(health_number__regex=r"^\d{9}$"),
                name="patient_health_number_digits",
            ),
            models.CheckConstraint(
                condition=Q(document_number__isnull=True) | Q(document_number__regex="^[0-9A-Z]+$"),
                name="patient_document_letters_digits",
            ),
            models.CheckConstraint(condition=Q(phone__regex=r"^\+[1-9]\d{1,14}$"), name="patient_phone_e164"),
            models.CheckConstraint(
                condition=Q(second_phone__isnull=True) | Q(second_phone__regex=r"^\+[1-9]\d{1,14}$"),
                name="patient_second_phone_e164",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="patient_name_present"),
            models.CheckConstraint(condition=Q(died_on__isnull=True) | Q(died=True), name="patient_died_on_if_died"),
            models.CheckConstraint(
                condition=Q(card_number__regex="^[0-9A-Z]*$"), name="patient_card_number_letters_digits"
            ),
            models.CheckConstraint(
                condition=Q(payer__isnull=False) | Q(card_number="", card_expires_on__isnull=True),
                name="patient_card_of_payer",
            ),
            models.CheckConstraint(
                condition=NOT_MERGED | Q(~Q(merged_into=F("id")), cpf__isnull=True, health_number__isnull=True),
                name="patient_merged_without_numbers",
            ),
            models.CheckConstraint(
                condition=NOT_BLOCKED
                | Q(
                    social_name="",
                    cpf__isnull=True,
                    nif="",
                    health_number__isnull=True,
                    document_number__isnull=True,
                    phone__isnull=True,
                    second_phone__isnull=True,
                    guardian_name="",
                    birth_date__isnull=True,
                    email="",
                    notes="",
                    alert="",
                ),
                name="patient_blocked_is_blank",
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], opclasses=["gin_trgm_ops"], name="patient_search_trigram"),
            GinIndex(OpClass(Letters("search"), name="gin_trgm_ops"), name="patient_letters_trigram"),
            GinIndex(OpClass(Heard("search"), name="gin_trgm_ops"), name="patient_heard_trigram"),
            GinIndex(fields=["phone"], opclasses=["gin_trgm_ops"], name="patient_phone_trigram"),
            GinIndex(fields=["second_phone"], opclasses=["gin_trgm_ops"], name="patient_second_phone_trigram"),
            models.Index(fields=["clinic", "phone"], name="patient_clinic_phone"),
            models.Index(fields=["clinic", "phone_hash"], name="patient_clinic_phone_hash"),
            models.Index(fields=["clinic", "folded_name"], name="patient_clinic_folded_name"),
            models.Index(fields=["clinic", "nif"], condition=~Q(nif=""), name="patient_clinic_nif"),
            models.Index(
                fields=["clinic", "document_number"],
                condition=Q(document_number__isnull=False),
                name="patient_clinic_document",
            ),
            models.Index(fields=["clinic", "birth_date"], name="patient_clinic_birth_date"),
            models.Index(fields=["payer"], condition=Q(payer__isnull=False), name="patient_payer"),
            models.Index(fields=["clinic", "changed_at", "id"], name="patient_clinic_changed_at"),
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="patient_merged_into"),
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
    def first_name(self) -> str:
        """The first word of the name, by which a message begins."""
        return self.display_name.split()[0]

    @property
    def answers_phone(self) -> str:
        """Whose the phone is, as Ana (mãe); "" if it is the patient's own, as far as is known.

        It is the guardian's, unless another person is named beside it.
        """
        is_guardians = self.guardian_name and self.phone_of in {"", self.guardian_relation}
        return self.guardian if is_guardians else self.phone_of

    @property
    def guardian(self) -> str:
        """The person who is responsible for a minor or a ward, as Ana (mãe); "" for none."""
        relation = f" ({self.guardian_relation})" if self.guardian_relation else ""
        return f"{self.guardian_name}{relation}" if self.guardian_name else ""

    @property
    def is_minor(self) -> bool:
        return is_minor(self.birth_date)

    @property
    def other_phone(self) -> PhoneNumber | None:
        """The second phone, None for none."""
        return PhoneNumber.from_string(self.second_phone) if self.second_phone else None

    def has_expired_card(self, day: date) -> bool:
        """Return whether the payer's card is no longer valid on that local date."""
        return self.card_expires_on is not None and self.card_expires_on < day

    @property
    def is_incomplete(self) -> bool:
        """True if the front desk should ask for missing data on arrival ("cadastro incompleto")."""
        return self.birth_date is None or not self.has_phone or not self.has_document

    @property
    def has_phone(self) -> bool:
        """True if there is a phone. The truth of a number itself takes checking and formatting it."""
        return isinstance(self.phone, PhoneNumber)

    @property
    def phone_e164(self) -> str:
        """The phone in E.164, "" without one."""
        return self.phone.as_e164 if isinstance(self.phone, PhoneNumber) else ""

    @property
    def has_document(self) -> bool:
        """True if the patient has any document, or a reason for having no CPF or NIF."""
        return bool(self.cpf or self.nif or self.document_number or self.no_document)

    @property
    def missing(self) -> list[str]:
        """The fields that make the data incomplete; of the two documents, that of the clinic's country."""
        given = {
            "phone": self.has_phone,
            "birth_date": self.birth_date is not None,
            self.clinic.document: self.has_document,
        }
        return [name for name, is_given in given.items() if not is_given]

    @property
    def has_doubtful_phone(self) -> bool:
        """True if there is a phone that is not known to exist ("telefone a confirmar")."""
        return isinstance(self.phone, PhoneNumber) and not is_certain(self.phone)


DATES = {field.name for field in Patient._meta.fields if type(field) is models.DateField}  # dates, no instants
