from dataclasses import asdict
from datetime import date
from typing import Any, ClassVar, cast

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic import registry
from clinic.form_fields import TypedDateField
from clinic.form_questions import AsksAboutAge, AsksAboutDoubles, AsksAboutNif, AsksAboutPhone
from clinic.models import Clinic, Patient, documents, phones
from clinic.models.names import same_letters, words
from clinic.models.patient import (
    GUARDIAN_HELP,
    HEALTH_NUMBER_HELP,
    PHONE_OF_HELP,
    DocumentType,
    NoDocument,
    is_minor,
)
from clinic.queries import patients, payers
from clinic.queries.namesakes import Namesakes, namesakes
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author, PatientDetails
from clinic.registry.redaction import MAX_REASON_LENGTH
from clinic.templatetags.formats import cpf, phone
from clinic.web.fields import RefusableForm
from clinic.web.reading import key_of_form

NOT_TEXT = {"birth_date", "payer_id", "accepts_whatsapp", "card_expires_on", "died", "died_on"}
WHY_NONE = [("", _("Não: falta pedir")), *((value, capfirst(label)) for value, label in NoDocument.choices)]
READERS = {
    "cpf": documents.read_cpf,
    "nif": documents.read_nif,
    "health_number": documents.read_health_number,
    "document_number": documents.read_document,
    "card_number": documents.read_document,
}
YES, NO = "sim", "nao"
ANSWERS = [("", _("não perguntado")), (YES, _("sim")), (NO, _("não"))]
RELATION_HELP = _("Mãe, pai, tutor.")


class PatientForm(AsksAboutPhone, AsksAboutAge, AsksAboutNif, AsksAboutDoubles, RefusableForm):
    """A patient's data as typed. `clinic.registry` validates them; every refusal is shown at its field.

    `key` makes two clicks on one form one patient; `version` tells whether the stored data are still those that the
    form was filled with.
    """

    refused_at: ClassVar = {"payer": "payer_id"}

    data: QueryDict  # in one base it is a MultiValueDict

    name = forms.CharField(label=_("Nome completo"), required=False)
    social_name = forms.CharField(
        label=_("Nome social"), required=False, help_text=_("Como a pessoa quer ser chamada, se for outro nome.")
    )
    phone = forms.CharField(label=_("Telefone"), required=False)
    phone_of = forms.CharField(label=_("De quem é"), required=False, help_text=PHONE_OF_HELP)
    second_phone = forms.CharField(label=_("Segundo telefone"), required=False)
    second_phone_of = forms.CharField(label=_("De quem é"), required=False)
    guardian_name = forms.CharField(label=_("Nome do responsável"), required=False, help_text=GUARDIAN_HELP)
    guardian_relation = forms.CharField(label=_("Parentesco"), required=False, help_text=RELATION_HELP)
    birth_date = TypedDateField(
        label=_("Nascimento"),
        required=False,
        past=True,
        error_messages={"invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 12/03/1984.")},
    )
    cpf = forms.CharField(label=_("CPF"), required=False)
    nif = forms.CharField(label=_("NIF"), required=False)
    health_number = forms.CharField(label=_("Número do SNS"), required=False, help_text=HEALTH_NUMBER_HELP)
    no_document = forms.ChoiceField(label=_("Sem CPF"), required=False, choices=WHY_NONE)
    document_type = forms.ChoiceField(label=_("Outro documento"), required=False, choices=DocumentType)
    document_number = forms.CharField(label=_("Número do documento"), required=False)
    document_country = forms.CharField(label=_("País do documento"), required=False)
    payer_id = forms.TypedChoiceField(
        label=_("Convênio"),
        required=False,
        coerce=int,
        empty_value=None,
        error_messages={"invalid_choice": Reason.PAYER_UNKNOWN.sentence},
    )
    card_number = forms.CharField(label=_("Carteira"), required=False)
    card_expires_on = TypedDateField(
        label=_("Validade da carteira"),
        required=False,
        error_messages={"invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 12/03/2026.")},
    )
    accepts_whatsapp = forms.TypedChoiceField(
        label=_("Aceita mensagens por WhatsApp"),
        required=False,
        choices=ANSWERS,
        coerce=lambda value: value == YES,
        empty_value=None,
    )
    email = forms.CharField(label=_("E-mail"), required=False)
    notes = forms.CharField(label=_("Observações"), required=False)
    alert = forms.CharField(
        label=_("Aviso"),
        required=False,
        help_text=_("Uma linha que aparece em destaque na busca, no painel e na agenda."),
    )
    died = forms.BooleanField(label=_("Falecido(a)"), required=False)
    died_on = TypedDateField(
        label=_("Data do falecimento (opcional)"),
        required=False,
        error_messages={"invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 12/03/2026.")},
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        clinic: Clinic,
        patient: Patient | None = None,
        initial: dict[str, str] | None = None,
    ) -> None:
        super().__init__(data, initial=formatted_details(patient, clinic) if patient and not initial else initial)
        self.clinic = clinic
        self.patient = patient
        self.payers = payers.chosen_from(clinic, patient.payer_id if patient else None)
        payer_field = cast("forms.TypedChoiceField", self.fields["payer_id"])
        payer_field.choices = [("", _("Particular")), *((str(payer.pk), payer.name) for payer in self.payers)]
        if patient is None:
            del self.fields["died"], self.fields["died_on"]
        self.fields[clinic.documents[1]].help_text = _("Só se tiver os dois.")
        if clinic.document == "nif":
            self.fields["no_document"].label = _("Sem NIF")
        else:
            del self.fields["health_number"]
        self.key = key_of_form(self.data.get("key"))
        self.version = self.data.get("version") or (registry.patient_version(patient) if patient else "")
        self.stored: dict[str, str] = {}
        self.is_held = False

    @property
    def status(self) -> int:
        """The HTTP status of the response that shows the form unsaved: 409 after a conflict, otherwise 422."""
        return 409 if self.stored or self.doubles or self.is_held else 422

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """The fields that are on the page: nobody is asked for a plan where the clinic keeps no payer."""
        hidden = set() if self.payers else {"payer_id", "card_number", "card_expires_on"}
        return [field for field in self if field.name not in hidden]

    @property
    def documents(self) -> list[forms.BoundField]:
        """CPF and NIF, the document of the clinic's country first."""
        return [self[name] for name in self.clinic.documents]

    @property
    def has_other_documents(self) -> bool:
        """Whether the part with the other documents has to be seen."""
        return self._has_any("no_document", "document_number", "document_country") or "document_type" in self.stored

    @property
    def has_second_phone(self) -> bool:
        """Whether the part with the second phone has to be seen."""
        return self._has_any("second_phone", "second_phone_of")

    @property
    def has_guardian(self) -> bool:
        """Whether the part with the guardian has to be seen."""
        return self.is_minor or self._has_any("guardian_name", "guardian_relation")

    @property
    def is_minor(self) -> bool:
        """Whether the birth date, as typed or stored, is a minor's."""
        return (
            is_minor(self.cleaned_data.get("birth_date"))
            if self.is_bound
            else bool(self.patient and self.patient.is_minor)
        )

    def _has_any(self, *names: str) -> bool:
        """Return whether one of these fields is filled in, wrong, or in conflict."""
        return any(self[name].value() or self[name].errors or name in self.stored for name in names)

    @property
    def first_field(self) -> str | None:
        """Return the field to focus: the first one that is wrong or in conflict; else the name, of a new patient or one
        whose row is held."""
        wrong = (field for field in self.fields if field in self.errors or field in self.stored)
        first = next(wrong, "name" if self.is_held or not self.patient else None)
        return "phone_is_right" if first == "phone" and self.asks_phone else first

    @cached_property
    def namesakes(self) -> Namesakes:
        """The other patients with the name that was typed, or one that is heard like it and the same birth date or
        phone, until one of them is asked about as a double. At most two queries."""
        if not self.is_bound or self.doubles or not {"name", "birth_date", "phone"} & set(self.changed_data):
            return Namesakes()
        name, born, phone = (self.cleaned_data.get(field) for field in ("name", "birth_date", "phone"))
        own = [self.patient.pk] if self.patient else []
        return namesakes(self.clinic, name or "", besides=[*self.besides, *own], born=born, phone=phone or "")

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.ask_about_age(self.patient.birth_date if self.patient else None)
        self.ask_about_nif(self.clinic, self.patient)
        return self.cleaned_data

    def details(self) -> PatientDetails:
        values: dict[str, Any] = self.cleaned_data
        texts: dict[str, Any] = {name: values.get(name) or "" for name in self.fields if name not in NOT_TEXT}
        texts["phone"] = self.confirmed_phone(self.clinic)
        died, died_on = values.get("died", False), values.get("died_on")
        if not died and self.patient and self.patient.died and died_on == self.patient.died_on:
            died_on = None  # the mark is taken back, and with it the date that is still in its field
        plan: dict[str, Any] = {name: values.get(name) for name in ("payer_id", "card_expires_on", "accepts_whatsapp")}
        return PatientDetails(**texts, **plan, birth_date=values.get("birth_date"), died=died, died_on=died_on)

    def check(self, *, just_left: str | None = None) -> None:
        """Ask the rules of the save about a form that is still being filled in."""
        self.is_valid()
        self._refuse(self._refusals())
        self.drop_untouched_errors(just_left=just_left)

    def register(self, by: Author) -> Patient | None:
        """Return the new patient; None after a refusal, shown at the fields, or with `doubles` to ask about."""
        if not self.is_valid():
            self._refuse(self._refusals())
            return None
        try:
            return registry.register_patient(self.clinic, self.details(), key=self.key, besides=self.besides, by=by)
        except Refused as refused:
            self.doubles = registry.same_patients(self.clinic, self.details(), besides=self.besides)
            is_asked = bool(self.doubles)
            self._refuse(
                [refusal for refusal in refused.refusals if not (is_asked and refusal.reason is Reason.PATIENT_EXISTS)]
            )
            return None

    def save(self, patient: Patient, by: Author) -> bool:
        """Store the data of `patient` and return True.

        Otherwise show every reason at its field; after a conflict set `stored` to what another window has written
        since the form was opened; or set `is_held`. Raises Patient.DoesNotExist.
        """
        if not self.is_valid():
            self._refuse(self._refusals())
            return False
        try:
            registry.change_patient(patient.pk, asdict(self.details()), clinic=self.clinic, seen=self.version, by=by)
            return True
        except Refused as refused:
            if Reason.PATIENT_CHANGED in refused.reasons:
                patient.refresh_from_db()
                self._find_differences(patient)
            if not self.stored:
                self._refuse(refused.refusals)
            return False

    def differs_from(self, patient: Patient) -> bool:
        """Return whether the typed data differ from the stored ones, which are then in `stored`. Asks the rules too."""
        self.check()
        return self._find_differences(patient)

    def _find_differences(self, patient: Patient) -> bool:
        typed = {name: self._comparable(name, self.data.get(name, "")) for name in self.fields}
        typed["phone"] = self._comparable("phone", self.details().phone)
        days = {"birth_date", "card_expires_on", "died_on"} & self.cleaned_data.keys()  # the others cannot be read
        typed |= {name: _formatted_date(self.cleaned_data[name]) for name in days}
        if not typed["document_number"]:
            typed["document_type"] = ""  # of no document
        self.stored = {
            name: self._in_words(name, text) or str(_("vazio"))
            for name, text in formatted_details(patient, self.clinic).items()
            if self._comparable(name, text) != typed[name]
        }
        self.patient, self.version = patient, registry.patient_version(patient)
        return bool(self.stored)

    def _in_words(self, name: str, text: str) -> str:
        """Return the stored text as it is shown, of a choice its label."""
        if name == "payer_id":
            return next((payer.name for payer in self.payers if str(payer.pk) == text), text)
        if name == "accepts_whatsapp":
            return str(dict(ANSWERS)[text])
        labels: dict[str, Any] = {"no_document": NoDocument, "document_type": DocumentType}
        return str(labels[name](text).label) if name in labels and text else text

    def _comparable(self, name: str, text: str) -> str:
        if name in {"phone", "second_phone"}:
            return phones.read(text, self.clinic.country, self.clinic.area_code).number
        if name == "notes":
            return text.replace("\r\n", "\n").strip()
        reader = READERS.get(name)
        return reader(text) if reader else " ".join(text.split())

    def _refusals(self) -> list[Refusal]:
        return registry.check_patient(
            self.details(), clinic=self.clinic, patient_id=self.patient.pk if self.patient else None
        )

    def _refuse(self, refusals: list[Refusal]) -> None:
        self.is_held = Reason.TRY_AGAIN in {refusal.reason for refusal in refusals}
        self.remember_owners(refusals)
        self.show_refusals(refusals)


def formatted_details(patient: Patient, clinic: Clinic) -> dict[str, str]:
    """Return the stored data by the form's fields, formatted as people of that clinic's country write them."""
    return {
        "name": patient.name,
        "social_name": patient.social_name,
        "phone": phone(patient.phone, clinic),
        "phone_of": patient.phone_of,
        "second_phone": phone(patient.other_phone, clinic),
        "second_phone_of": patient.second_phone_of,
        "guardian_name": patient.guardian_name,
        "guardian_relation": patient.guardian_relation,
        "birth_date": _formatted_date(patient.birth_date),
        "cpf": cpf(patient.cpf),
        "nif": patient.nif,
        **({"health_number": patient.health_number or ""} if clinic.document == "nif" else {}),
        "no_document": patient.no_document,
        "document_type": patient.document_type,
        "document_number": patient.document_number or "",
        "document_country": patient.document_country,
        "payer_id": str(patient.payer_id or ""),
        "card_number": patient.card_number,
        "card_expires_on": _formatted_date(patient.card_expires_on),
        "accepts_whatsapp": {True: YES, False: NO, None: ""}[patient.accepts_whatsapp],
        "email": patient.email,
        "notes": patient.notes,
        "alert": patient.alert,
        "died": str(_("sim")) if patient.died else "",
        "died_on": _formatted_date(patient.died_on),
    }


def fill_blanks(patient: Patient, clinic: Clinic, typed: QueryDict) -> QueryDict:
    """Return the typed data with the stored ones in empty fields, and the stored name if the letters are the same."""
    data = typed.copy()
    for name, text in formatted_details(patient, clinic).items():
        if not data.get(name, "").strip():
            data[name] = text
    if _has_same_letters(patient, data.get("name", "")):
        data["name"] = patient.name
    return data


def initial_for_search(text: str) -> dict[str, str]:
    """Return the initial data of a form for the patient that this search text did not find.

    A whole number or a date beside a name goes into its own field.
    """
    text = text.strip()
    if documents.is_cpf(documents.read_cpf(text)):
        return {"cpf": text}
    wanted = patients.read(text)
    are_whole = all(len(digits) >= patients.WHOLE_PHONE for digits in wanted.numbers)
    if wanted.words and are_whole and (wanted.numbers or wanted.born):
        return _initial_of_parts(wanted, has_country_code="+" in text)
    if wanted.born and not wanted.words and not wanted.numbers:
        return {"birth_date": text}
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    if letters and letters >= digits:
        return {"name": text}
    return {"birth_date": text} if "/" in text else {"phone": text}


def _initial_of_parts(wanted: patients.ParsedSearch, *, has_country_code: bool) -> dict[str, str]:
    initial = {"name": " ".join(wanted.words)}
    if wanted.born:
        initial["birth_date"] = _written_date(wanted.born)
    for digits in wanted.numbers:
        field = "cpf" if documents.is_cpf(digits) else "phone"
        initial.setdefault(field, f"+{digits}" if has_country_code and field == "phone" else digits)
    return initial


def new_patient_label(text: str, clinic: Clinic) -> str:
    """Return the label of the button that registers the patient that this search text did not find."""
    initial = initial_for_search(text)
    if initial.keys() == {"phone"} and any(map(str.isdigit, text)):
        read = phones.read(text, clinic.country)
        is_certain = read.fault is None and patients.is_whole_number(clinic, text)
        written = phones.written(PhoneNumber.from_string(read.number), clinic.country) if is_certain else text.strip()
        return gettext("Novo paciente com telefone %(phone)s") % {"phone": written}
    if initial.keys() == {"birth_date"}:
        born = patients.read(text).born
        return gettext("Novo paciente nascido em %(date)s") % {"date": _written_date(born) or text.strip()}
    if initial.keys() == {"cpf"}:
        return gettext("Novo paciente com CPF %(cpf)s") % {"cpf": cpf(documents.read_cpf(text))}
    return gettext("Cadastrar “%(q)s”") % {"q": text}


def phone_fault(text: str, clinic: Clinic) -> str:
    """Return what is wrong with a search text that looks like a phone but is none; "" for any other."""
    is_phone = "phone" in initial_for_search(text) and not any(word.isalpha() for word in words(text))
    if not is_phone or phones.read(text, clinic.country).fault not in phones.UNREADABLE:
        return ""
    refusals = registry.check_patient(PatientDetails(phone=text), clinic=clinic)
    return next(refusal.message for refusal in refusals if refusal.field == "phone")


def _has_same_letters(patient: Patient, name: str) -> bool:
    same = Patient.objects.of(patient.clinic_id).filter(same_letters("folded_name", name), pk=patient.pk)
    return not registry.unstorable(name) and same.exists()


def _formatted_date(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _written_date(meant: tuple[date, ...]) -> str:
    """Return the date as dd/mm/yyyy, with two digits of the year where either century may be meant; "" for none."""
    if not meant:
        return ""
    return f"{meant[0]:%d/%m/%Y}" if len(meant) == 1 else f"{meant[0]:%d/%m/%y}"


class RedactionForm(forms.Form):
    """Why what was written about a patient is blanked, as `registry.redact_patient` takes it."""

    reason = forms.CharField(
        label=_("Motivo"), max_length=MAX_REASON_LENGTH, error_messages={"required": _("Escreva o motivo.")}
    )
