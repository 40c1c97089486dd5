"""The rules about a patient's data, for every entry point. Asks no database."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email

from clinic.models import Clinic, Patient, documents, phones
from clinic.models.characters import without_direction_marks, without_invisible
from clinic.models.limits import max_length
from clinic.models.names import has_letter
from clinic.models.phones import Fault, Phone
from clinic.refusals import Reason, Refusal
from clinic.registry.other_documents import clean_document, clean_health_number, clean_reason
from clinic.registry.plans import clean_plan

MAX_NAME_LENGTH = max_length(Patient, "name")
MAX_LABEL_LENGTH = max_length(Patient, "phone_of")
MAX_SOCIAL_NAME_LENGTH = max_length(Patient, "social_name")
MAX_ALERT_LENGTH = max_length(Patient, "alert")
MAX_PATIENT_NOTES_LENGTH = max_length(Patient, "notes")
MAX_EMAIL_LENGTH = max_length(Patient, "email")
PHONE_EXAMPLES = {"BR": "(81) 99999-9999", "PT": "912 345 678"}
# A foreign number of a possible length is taken, since nobody here can tell; all other faults are refused where a
# person can be asked.
PHONE_FAULTS: dict[Fault, Reason] = {
    fault: Reason[f"PHONE_{fault.name}"] for fault in Fault if fault is not Fault.NOT_ABROAD
}
# A text with control characters, or with characters that cannot be stored, is refused at every entry point. If it were
# corrected silently, its author could not read back what was sent. Marks of direction are left out everywhere; in names
# spaces are folded and all invisible marks left out, nothing else.
# Control characters, and halves of a UTF-16 pair, which no UTF-8 can hold; but for what a keyboard types.
_SURROGATE_CATEGORY = "Cs"
_FORBIDDEN_CATEGORIES = {"Cc", _SURROGATE_CATEGORY}
_ALLOWED_CONTROLS = "\t\n\r"
# Replaces a letter that was lost in a conversion.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MAX_NAMED = 3


class Policy(Enum):
    """How a doubtful CPF or phone is treated.

    STRICT: a person can be asked, so both are refused. LENIENT: a machine sent them, so the booking is kept, with a
    phone that may not exist ("telefone a confirmar") and without a doubtful CPF ("CPF a confirmar"; the CPF of
    ImageMais' own sample is one). EXACT_CPF: a machine sent them where no booking could be lost, so the phone is as
    with LENIENT, or missing, and the CPF as with STRICT. SPREADSHEET: people wrote them long ago, and nobody can be
    asked now: as with EXACT_CPF, but a phone may lack its area code, and who has a CPF must have the name.
    """

    STRICT = "strict"
    LENIENT = "lenient"
    EXACT_CPF = "exact_cpf"
    SPREADSHEET = "spreadsheet"

    @property
    def is_by_people(self) -> bool:
        """True for what people wrote, today or once; False for what a program sent."""
        return self in {Policy.STRICT, Policy.SPREADSHEET}

    @property
    def may_lack_phone(self) -> bool:
        return self in {Policy.EXACT_CPF, Policy.SPREADSHEET}


@dataclass(frozen=True, kw_only=True)
class PatientDetails:
    """A patient's data as typed or sent. CPF, NIF, phone and card with or without punctuation."""

    name: str = ""
    social_name: str = ""
    phone: str = ""
    phone_of: str = ""
    second_phone: str = ""
    second_phone_of: str = ""
    guardian_name: str = ""
    guardian_relation: str = ""
    birth_date: date | None = None
    cpf: str = ""
    nif: str = ""
    health_number: str = ""
    document_type: str = ""
    document_number: str = ""
    document_country: str = ""
    no_document: str = ""
    payer_id: int | None = None
    card_number: str = ""
    card_expires_on: date | None = None
    accepts_whatsapp: bool | None = None
    email: str = ""
    notes: str = ""
    alert: str = ""
    died: bool = False
    died_on: date | None = None


NO_DETAILS = PatientDetails()
# By a field those that go with it: a card's number is worth nothing without its payer.
TOGETHER = {
    "phone": ("phone", "phone_of"),
    "second_phone": ("second_phone", "second_phone_of"),
    "guardian_name": ("guardian_name", "guardian_relation"),
    "document_number": ("document_type", "document_number", "document_country"),
    "payer_id": ("payer_id", "card_number", "card_expires_on"),
    "died": ("died", "died_on"),
}
HEADS = {name: head for head, together in TOGETHER.items() for name in together if name != head}


@dataclass(frozen=True)
class CleanedDetails:
    """Details made storable: E.164 phone, bare digits. `unverified_cpf` is a CPF of wrong check digits, accepted and
    not stored as the patient's CPF."""

    details: PatientDetails
    cpf: str | None
    unverified_cpf: str
    refusals: list[Refusal]


def tidy(text: str) -> str:
    """Return the text as one line without doubled spaces and invisible marks; emoji's joiners stay. A letter and an
    accent that were sent apart become one character (Unicode's form NFC), which every program shows alike."""
    return " ".join(without_invisible(unicodedata.normalize("NFC", text), "\u200d").split())


def tidy_notes(text: str) -> str:
    """Return the text with line feeds as its only line ends, without marks of direction and spaces around it."""
    return without_direction_marks(text).replace("\r\n", "\n").replace("\r", "\n").strip()


def unstorable(text: str) -> str:
    """Return the code points ("U+0000, U+D800") that no text may hold, "" if there are none.

    They are control characters, lone surrogates, and the sign of a lost letter. A text that has one is refused and not
    corrected: its author must find what was sent.
    """
    if text.isprintable() and _REPLACEMENT not in text:
        return ""
    return _code_points(
        char
        for char in text
        if char == _REPLACEMENT
        or (unicodedata.category(char) in _FORBIDDEN_CATEGORIES and char not in _ALLOWED_CONTROLS)
    )


def unstorable_in_json(value: Any) -> str:
    """Return the code points of a JSON value that PostgreSQL cannot hold, in keys and values: NUL, lone surrogates."""
    texts = "".join(_texts(value))
    return _code_points(char for char in texts if char == "\0" or unicodedata.category(char) == _SURROGATE_CATEGORY)


def unstorable_line(text: str, reason: Reason) -> list[Refusal]:
    """Refuse a text of one line with characters that cannot be stored."""
    return _as_refusals(unstorable(text), reason)


def name_without_letters(name: str, reason: Reason) -> list[Refusal]:
    """Refuse a name without a letter; a name that cannot be stored has a refusal of its own."""
    return [] if has_letter(name) or unstorable(name) else [Refusal(reason)]


def unstorable_notes(text: str) -> list[Refusal]:
    """Refuse notes with characters that cannot be stored."""
    return _as_refusals(unstorable(text), Reason.NOTES_UNSTORABLE)


def unstorable_metadata(value: Any) -> list[Refusal]:
    """Refuse a JSON value that cannot be stored."""
    return _as_refusals(unstorable_in_json(value), Reason.METADATA_UNSTORABLE)


def _as_refusals(code_points: str, reason: Reason) -> list[Refusal]:
    return [Refusal(reason, {"characters": code_points})] if code_points else []


def _code_points(chars: Iterable[str]) -> str:
    return ", ".join(f"U+{ord(char):04X}" for char in list(dict.fromkeys(chars))[:_MAX_NAMED])


def _texts(value: Any) -> Iterator[str]:
    """Yield every key and every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value:
            yield from _texts(inner)
        for inner in value.values() if isinstance(value, dict) else ():
            yield from _texts(inner)


def clean_details(
    details: PatientDetails, clinic: Clinic, *, today: date, policy: Policy, stored: PatientDetails | None = None
) -> CleanedDetails:
    """Return the details in the form in which they are stored, with every rule they break. Asks no database.

    `today` is the clinic's local date. A phone, a NIF or a name equal to that in `stored` is accepted though the rules
    of today would refuse it; so is no phone, where none is stored.
    """
    may_lack_phone = not stored.phone if stored else policy.may_lack_phone
    stored = stored or NO_DETAILS
    refusals = [
        *unstorable_line(details.name, Reason.NAME_UNSTORABLE),
        *unstorable_line(details.social_name, Reason.SOCIAL_NAME_UNSTORABLE),
        *unstorable_notes(details.notes),
        *unstorable_line(details.alert, Reason.ALERT_UNSTORABLE),
    ]
    cpf, unverified_cpf = _clean_cpf(details.cpf, policy is not Policy.LENIENT or clinic.strict_cpf, refusals)
    phone = Phone()
    if details.phone.strip() or not may_lack_phone:
        phone = _clean_phone(details.phone, stored.phone, clinic, policy, refusals)
    phone_of = clean_label(details.phone_of or phone.whose, "phone_of", refusals)
    second = _clean_second_phone(details.second_phone, stored.second_phone, clinic, policy, refusals)
    guardian = clean_label(details.guardian_name, "guardian_name", refusals, MAX_NAME_LENGTH)
    nif = _clean_nif(details.nif, stored.nif, refusals)
    document = clean_document(details.document_number, details.document_type, refusals)
    plan = clean_plan(details.payer_id, details.card_number, details.card_expires_on, refusals)
    cleaned = PatientDetails(
        name=_clean_line(details.name, Reason.NAME_TOO_LONG, MAX_NAME_LENGTH, refusals),
        social_name=_clean_line(details.social_name, Reason.SOCIAL_NAME_TOO_LONG, MAX_SOCIAL_NAME_LENGTH, refusals),
        phone=phone.number,
        phone_of=phone_of,
        second_phone=second.number,
        second_phone_of=clean_label(details.second_phone_of or second.whose, "second_phone_of", refusals),
        guardian_name=guardian,
        guardian_relation=clean_label(details.guardian_relation, "guardian_relation", refusals)
        or (phone_of if guardian else ""),
        birth_date=_clean_birth_date(details.birth_date, stored.birth_date, today, policy, refusals),
        cpf=cpf or "",
        nif=nif,
        health_number=clean_health_number(details.health_number, stored.health_number, nif, refusals),
        document_type=document.type,
        document_number=document.number,
        document_country=clean_label(details.document_country, "document_country", refusals),
        no_document=clean_reason(details.no_document, has_tax_number=bool(cpf or nif)),
        payer_id=plan.payer_id,
        card_number=plan.card_number,
        card_expires_on=plan.card_expires_on,
        accepts_whatsapp=details.accepts_whatsapp,
        email=_clean_email(details.email, refusals),
        notes=_shortened(tidy_notes(details.notes), Reason.NOTES_TOO_LONG, MAX_PATIENT_NOTES_LENGTH, refusals),
        alert=_clean_line(details.alert, Reason.ALERT_TOO_LONG, MAX_ALERT_LENGTH, refusals),
        died=details.died,
        died_on=_clean_died_on(details, today, refusals),
    )
    refusals += _name_refusals(cleaned, stored)
    return CleanedDetails(cleaned, cpf, unverified_cpf, refusals)


def _name_refusals(cleaned: PatientDetails, stored: PatientDetails) -> list[Refusal]:
    if not cleaned.name:
        refusals = [Refusal(Reason.NAME_MISSING)]
    elif cleaned.name != stored.name:
        refusals = name_without_letters(cleaned.name, Reason.NAME_WITHOUT_LETTERS)
    else:
        refusals = []
    if cleaned.social_name and cleaned.social_name != stored.social_name:
        refusals += name_without_letters(cleaned.social_name, Reason.SOCIAL_NAME_WITHOUT_LETTERS)
    return refusals


def _clean_cpf(raw: str, strict: bool, refusals: list[Refusal]) -> tuple[str | None, str]:
    """Return (the patient's CPF or None, digits of a CPF that is not valid): the one place that decides."""
    digits = documents.read_cpf(raw)
    if not digits:
        return None, ""
    if documents.is_cnpj(raw):
        refusals.append(Refusal(Reason.CPF_IS_CNPJ))
        return None, ""
    if len(digits) != documents.CPF_LENGTH or not digits.isascii() or not digits.isdigit():
        refusals.append(Refusal(Reason.CPF_SHAPE))
        return None, ""
    if documents.is_cpf(digits):
        return digits, ""
    if strict:
        refusals.append(Refusal(Reason.CPF_INVALID))
        return None, ""
    return None, digits


def _clean_phone(raw: str, stored: str, clinic: Clinic, policy: Policy, refusals: list[Refusal]) -> Phone:
    """Return the phone as it was read. Only a person sees the area code of the clinic that was added."""
    example = {"example": PHONE_EXAMPLES[clinic.country]}
    if not raw.strip():
        refusals.append(Refusal(Reason.PHONE_MISSING, example))
        return Phone()
    if unstorable(raw):
        refusals.append(Refusal(Reason.PHONE_IMPOSSIBLE, example))
        return Phone()
    phone = phones.read(raw, clinic.country, clinic.area_code if policy.is_by_people else "")
    if stored and phone == phones.read(stored, clinic.country):
        return phone
    if phone.fault in PHONE_FAULTS and (policy is Policy.STRICT or not phone.number):
        params = {**phone.params, **example, "number": phone.suggested}
        refusals.append(Refusal(PHONE_FAULTS[phone.fault], params))
    return phone


def _clean_second_phone(raw: str, stored: str, clinic: Clinic, policy: Policy, refusals: list[Refusal]) -> Phone:
    """Return the second phone as it was read, by the rules of the first. No box confirms another number here."""
    if not raw.strip():
        return Phone()
    own: list[Refusal] = []
    phone = _clean_phone(raw, stored, clinic, policy, own)
    for refusal in own:
        is_question = bool(phone.suggested) and "phone" in refusal.params
        refusals.append(
            replace(refusal, reason=Reason.PHONE_TO_WRITE if is_question else refusal.reason, at="second_phone")
        )
    return phone


def _clean_birth_date(
    born: date | None, stored: date | None, today: date, policy: Policy, refusals: list[Refusal]
) -> date | None:
    """Return the day. Only a person can enter a birth of today: a machine that sends it sent its own date."""
    latest = today if policy.is_by_people else today - timedelta(days=1)
    if born is not None and born != stored and not date(1900, 1, 1) <= born <= latest:
        refusals.append(Refusal(Reason.BIRTH_DATE_IMPOSSIBLE))
        return None
    return born


def _clean_died_on(details: PatientDetails, today: date, refusals: list[Refusal]) -> date | None:
    day = details.died_on
    if day is None:
        return None
    if not details.died:
        refusals.append(Refusal(Reason.DIED_ON_WITHOUT_MARK))
        return None
    if not (details.birth_date or date(1900, 1, 1)) <= day <= today:
        refusals.append(Refusal(Reason.DIED_ON_IMPOSSIBLE))
        return None
    return day


def _clean_nif(raw: str, stored: str, refusals: list[Refusal]) -> str:
    digits = documents.read_nif(raw)
    if not digits or digits == stored:
        return digits
    if digits == documents.FINAL_CONSUMER_NIF:
        refusals.append(Refusal(Reason.NIF_OF_NOBODY))
        return ""
    if not documents.is_nif(digits):
        refusals.append(Refusal(Reason.NIF_INVALID))
        return ""
    return digits


def _clean_email(raw: str, refusals: list[Refusal]) -> str:
    address = raw.strip()
    if not address:
        return ""
    try:
        if unstorable(address):
            raise ValidationError("unstorable")
        validate_email(address)
        MaxLengthValidator(MAX_EMAIL_LENGTH)(address)
    except ValidationError:
        refusals.append(Refusal(Reason.EMAIL_INVALID))
        return ""
    return address


def clean_label(text: str, field: str, refusals: list[Refusal], limit: int = MAX_LABEL_LENGTH) -> str:
    """Return the text of a short field as one line; a refusal is shown at the form's `field`."""
    if characters := unstorable(text):
        refusals.append(Refusal(Reason.LABEL_UNSTORABLE, {"characters": characters}, at=field))
        return ""
    label = tidy(text)
    if len(label) > limit:
        refusals.append(Refusal(Reason.LABEL_TOO_LONG, {"length": len(label), "limit": limit}, at=field))
    return label[:limit]


def _clean_line(text: str, reason: Reason, limit: int, refusals: list[Refusal]) -> str:
    return _shortened(tidy(text), reason, limit, refusals)


def _shortened(text: str, reason: Reason, limit: int, refusals: list[Refusal]) -> str:
    if len(text) > limit:
        refusals.append(Refusal(reason, {"length": len(text), "limit": limit}))
        return text[:limit]
    return text
