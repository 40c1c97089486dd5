from dataclasses import asdict
from uuid import UUID, uuid4

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.form_fields import TypedDateField
from clinic.form_questions import AsksAboutAge, AsksAboutDoubles, AsksAboutPhone
from clinic.models import Clinic, Patient, documents, phones
from clinic.models.names import same_letters, words
from clinic.refusals import Reason, Refused
from clinic.registry import PatientDetails
from clinic.templatetags.formats import cpf, phone
from clinic.web.fields import RefusableForm

OTHER_THAN_TEXT = {"birth_date", "died", "died_on"}


class PatientForm(AsksAboutPhone, AsksAboutAge, AsksAboutDoubles, RefusableForm):
    """A patient's data as typed. `clinic.registry` validates them; every refusal is shown at its field.

    `key` makes two clicks on one form one patient; `version` tells whether the stored data are still those that the
    form was filled with.
    """

    name = forms.CharField(label=_("Nome completo"), required=False)
    social_name = forms.CharField(
        label=_("Nome social"), required=False, help_text=_("Como a pessoa quer ser chamada, se for outro nome.")
    )
    phone = forms.CharField(label=_("Telefone"), required=False)
    birth_date = TypedDateField(
        label=_("Nascimento"),
        required=False,
        past=True,
        error_messages={"invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 12/03/1984.")},
    )
    cpf = forms.CharField(label=_("CPF"), required=False)
    nif = forms.CharField(label=_("NIF"), required=False)
    email = forms.CharField(label=_("E-mail"), required=False)
    notes = forms.CharField(label=_("Observações"), required=False)
    died = forms.BooleanField(label=_("Falecido(a)"), required=False)
    died_on = TypedDateField(
        label=_("Data do falecimento (opcional)"),
        required=False,
        error_messages={"invalid": _("Esta data não existe. Escreva dia/mês/ano, por exemplo 12/03/2026.")},
    )

    def __init__(self, data=None, *, clinic: Clinic, patient: Patient | None = None, initial=None):
        super().__init__(data, initial=as_written(patient, clinic) if patient and not initial else initial)
        self.clinic = clinic
        self.patient = patient
        if patient is None:
            del self.fields["died"], self.fields["died_on"]
        self.fields[clinic.documents[1]].help_text = _("Só se tiver os dois.")
        self.key = _uuid(self.data.get("key")) or uuid4()
        self.version = self.data.get("version") or (registry.patient_version(patient) if patient else "")
        self.stored = {}
        self.is_held = False

    @property
    def status(self):
        """Of the answer that shows it unsaved: a conflict is no fault of what was typed."""
        return 409 if self.stored or self.doubles or self.is_held else 422

    @property
    def documents(self):
        """The document of the clinic's country first."""
        return [self[name] for name in self.clinic.documents]

    @property
    def first_field(self):
        """Return the field to focus: the first one that is wrong or in conflict; else the name, of a new patient or one
        whose row is held."""
        wrong = (field for field in self.fields if field in self.errors or field in self.stored)
        first = next(wrong, "name" if self.is_held or not self.patient else None)
        return "phone_is_right" if first == "phone" and self.asks_phone else first

    def clean(self):
        cleaned = super().clean()
        self.ask_about_age(self.patient and self.patient.birth_date)
        return cleaned

    def details(self) -> PatientDetails:
        values = self.cleaned_data
        texts = {name: values.get(name) or "" for name in self.fields if name not in OTHER_THAN_TEXT}
        texts["phone"] = self.confirmed_phone(self.clinic)
        died, died_on = values.get("died", False), values.get("died_on")
        if not died and self.patient and self.patient.died and died_on == self.patient.died_on:
            died_on = None  # the mark is taken back, and with it the date that is still in its field
        return PatientDetails(**texts, birth_date=values.get("birth_date"), died=died, died_on=died_on)

    def check(self, *, left: str | None = None) -> None:
        """The same rules as the save, for a form that is still being filled in; `left` is the field just left."""
        self.is_valid()
        self._refuse(self._refusals())
        self.drop_untouched_errors(just_left=left)

    def register(self) -> Patient | None:
        """The new patient, or None with every reason at its field, or with those in `doubles` who may be the same."""
        if not self.is_valid():
            self._refuse(self._refusals())
            return None
        try:
            return registry.register_patient(self.clinic, self.details(), key=self.key, besides=self.besides)
        except Refused as refused:
            self.doubles = registry.same_patients(self.clinic, self.details(), besides=self.besides)
            asked = {Reason.PATIENT_EXISTS} if self.doubles else set()
            self._refuse([each for each in refused.refusals if each.reason not in asked])
            return None

    def save(self) -> bool:
        """Whether the data are stored. If not: every reason at its field, or in `stored` what another window wrote
        there since it was opened, or that the row is held. Raises Patient.DoesNotExist."""
        if not self.is_valid():
            self._refuse(self._refusals())
            return False
        try:
            registry.change_patient(self.patient.pk, asdict(self.details()), clinic=self.clinic, seen=self.version)
            return True
        except Refused as refused:
            if Reason.PATIENT_CHANGED in refused.reasons:
                self.patient.refresh_from_db()
                self._differs(self.patient)
            if not self.stored:
                self._refuse(refused.refusals)
            return False

    def compare(self) -> bool:
        """Whether what was typed is something else than what is stored, which is then in `stored`; asks the rules."""
        self.check()
        return self._differs(self.patient)

    def _differs(self, now):
        typed = {name: self._comparable(name, self.data.get(name, "")) for name in self.fields}
        typed["phone"] = self._comparable("phone", self.details().phone)
        days = {"birth_date", "died_on"} & self.cleaned_data.keys()  # the others cannot be read
        typed |= {name: _date(self.cleaned_data[name]) for name in days}
        self.stored = {
            name: text or _("vazio")
            for name, text in as_written(now, self.clinic).items()
            if self._comparable(name, text) != typed[name]
        }
        self.patient, self.version = now, registry.patient_version(now)
        return bool(self.stored)

    def _comparable(self, name, text):
        if name == "phone":
            return phones.read(text, self.clinic.country).number
        if name == "notes":
            return text.replace("\r\n", "\n").strip()
        reader = {"cpf": documents.read_cpf, "nif": documents.read_nif}.get(name)
        return reader(text) if reader else " ".join(text.split())

    def _refusals(self):
        return registry.check_patient(
            self.details(), clinic=self.clinic, patient_id=self.patient.pk if self.patient else None
        )

    def _refuse(self, refusals):
        self.is_held = Reason.TRY_AGAIN in {refusal.reason for refusal in refusals}
        self.show_refusals(refusals)


def as_written(patient: Patient, clinic: Clinic) -> dict[str, str]:
    """The stored data as a person of that clinic's country writes them."""
    return {
        "name": patient.name,
        "social_name": patient.social_name,
        "phone": phone(patient.phone, clinic),
        "birth_date": _date(patient.birth_date),
        "cpf": cpf(patient.cpf),
        "nif": patient.nif,
        "email": patient.email,
        "notes": patient.notes,
        "died": str(_("sim")) if patient.died else "",
        "died_on": _date(patient.died_on),
    }


def completed(patient: Patient, clinic: Clinic, typed: QueryDict) -> QueryDict:
    """What was typed, and for each field that was left empty the stored data as `as_written` gives them; the name as it
    is stored where the typed one has the same letters."""
    data = typed.copy()
    for name, text in as_written(patient, clinic).items():
        if not data.get(name, "").strip():
            data[name] = text
    if _is_called(patient, data["name"]):
        data["name"] = patient.name
    return data


def begun_with(text: str) -> dict[str, str]:
    """What was searched for in vain, at the field where it belongs."""
    text = text.strip()
    if documents.is_cpf(documents.read_cpf(text)):
        return {"cpf": text}
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    if letters and letters >= digits:
        return {"name": text}
    return {"birth_date": text} if "/" in text else {"phone": text}


def phone_fault(text: str, clinic: Clinic) -> str:
    """What is wrong with a text that is meant for a phone and that no search reads as one; "" for any other."""
    meant = "phone" in begun_with(text) and not any(word.isalpha() for word in words(text))
    if not meant or phones.read(text, clinic.country).fault not in phones.UNREADABLE:
        return ""
    refusals = registry.check_patient(PatientDetails(phone=text), clinic=clinic)
    return next(each.message for each in refusals if each.field == "phone")


def _is_called(patient, name):
    same = Patient.objects.of(patient.clinic_id).filter(same_letters("folded_name", name), pk=patient.pk)
    return not registry.unstorable(name) and same.exists()


def _date(day):
    return f"{day:%d/%m/%Y}" if day else ""


def _uuid(text):
    try:
        return UUID(text or "")
    except ValueError:
        return None
