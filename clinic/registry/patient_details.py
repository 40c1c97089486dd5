"""What a patient's data must look like, for every entry point. Asks no database."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import Enum

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email

from clinic.models import Clinic, Patient, documents, phones
from clinic.models.limits import max_length
from clinic.models.names import has_letter
from clinic.models.phones import Fault
from clinic.refusals import Reason, Refusal

NAME_LIMIT = max_length(Patient, "name")
SOCIAL_NAME_LIMIT = max_length(Patient, "social_name")
NOTES_LIMIT = max_length(Patient, "notes")
EMAIL_LIMIT = max_length(Patient, "email")
FINAL_CONSUMER = "999999990"  # on invoices of Portugal to people who give no NIF
PHONE_EXAMPLES = {"BR": "(81) 99999-9999", "PT": "912 345 678"}
# Of a foreign number that is possible nobody here knows better; all others are refused where a person can be asked.
PHONE_FAULTS: dict[Fault, Reason] = {
    fault: Reason[f"PHONE_{fault.name}"] for fault in Fault if fault is not Fault.NOT_ABROAD
}
# Texts with characters that cannot be stored, or that control, are refused at every entry point: mended in silence,
# nobody could read back what was sent. In names blanks are folded and invisible marks left out, nothing else.
# What a keyboard makes of the characters that control; and halves of a UTF-16 pair, which no UTF-8 can hold.
_BLANKS = "\t\n\r"
_CONTROLS, _HALVES = "Cc", "Cs"
# Stands where a letter was lost on its way.
_LOST = "\N{REPLACEMENT CHARACTER}"
# From here on a text reads from right to left: nobody may read a dose backwards.
_TURNING = "\u202b\u202d\u202e\u2067"
_MOST_NAMED = 3


class Policy(Enum):
    """STRICT: a person is there to ask, so a doubtful CPF or phone is refused. LENIENT: a machine sent it, so the
    booking is kept, with a phone that may not exist ("telefone a confirmar") and without a doubtful CPF ("CPF a
    confirmar"; the CPF of ImageMais' own sample is one). EXACT_CPF: a machine sent it where no booking could be
    lost, so the phone is as with LENIENT and the CPF as with STRICT."""

    STRICT = "strict"
    LENIENT = "lenient"
    EXACT_CPF = "exact_cpf"


@dataclass(frozen=True, kw_only=True)
class PatientDetails:
    """A patient as typed or sent. CPF, NIF and phone with or without punctuation."""

    name: str = ""
    phone: str = ""
    birth_date: date | None = None
    cpf: str = ""
    nif: str = ""
    email: str = ""
    social_name: str = ""
    notes: str = ""
    died: bool = False
    died_on: date | None = None


@dataclass(frozen=True)
class Examined:
    """Details made storable: E.164 phone, bare digits; `unverified_cpf` is a CPF that was forgiven but not believed."""

    details: PatientDetails
    cpf: str | None
    unverified_cpf: str
    refusals: list[Refusal]


def tidy(text: str) -> str:
    """One line of text without doubled blanks and the marks that nobody sees; emoji's joiners stay."""
    kept = (char for char in text if char == "\u200d" or unicodedata.category(char) != "Cf")
    return " ".join("".join(kept).split())


def tidy_notes(text: str) -> str:
    """Text of several lines, each ended by a line feed, without blanks around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def unstorable(text: str) -> str:
    """The code points ("U+0000, U+D800") that no text may hold, "" if there are none: controls, lone surrogates, and
    the sign of a lost letter. A text that has one is refused and not mended: its author must find what was sent."""
    return _code_points(
        char
        for char in text
        if char == _LOST or (unicodedata.category(char) in {_CONTROLS, _HALVES} and char not in _BLANKS)
    )


def unstorable_in_json(value) -> str:
    """Those of a JSON value that PostgreSQL cannot hold, in keys and values: NUL and lone surrogates."""
    texts = "".join(_texts(value))
    return _code_points(char for char in texts if char == "\0" or unicodedata.category(char) == _HALVES)


def unstorable_line(text: str, reason: Reason) -> list[Refusal]:
    return _refused(unstorable(text), reason)


def name_without_letters(name: str, reason: Reason) -> list[Refusal]:
    """Refuse a name without a letter; one that cannot be stored has a refusal of its own."""
    return [] if has_letter(name) or unstorable(name) else [Refusal(reason)]


def unstorable_notes(text: str) -> list[Refusal]:
    """Names lose the marks that turn the direction; notes keep every mark, so that these are refused."""
    turning = _code_points(char for char in text if char in _TURNING)
    return _refused(unstorable(text) or turning, Reason.NOTES_UNSTORABLE)


def unstorable_metadata(value) -> list[Refusal]:
    return _refused(unstorable_in_json(value), Reason.METADATA_UNSTORABLE)


def _refused(code_points, reason):
    return [Refusal(reason, {"characters": code_points})] if code_points else []


def _code_points(chars):
    return ", ".join(f"U+{ord(char):04X}" for char in list(dict.fromkeys(chars))[:_MOST_NAMED])


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value:
            yield from _texts(inner)
        for inner in value.values() if isinstance(value, dict) else ():
            yield from _texts(inner)


def examine(
    details: PatientDetails, clinic: Clinic, *, today: date, policy: Policy, stored: PatientDetails | None = None
) -> Examined:
    """Every broken rule about the details alone, without asking the database.

    A phone, a NIF or a name as it is `stored` may be one that is no longer taken from anybody.
    """
    stored = stored or PatientDetails()
    refusals = [
        *unstorable_line(details.name, Reason.NAME_UNSTORABLE),
        *unstorable_line(details.social_name, Reason.SOCIAL_NAME_UNSTORABLE),
        *unstorable_notes(details.notes),
    ]
    cpf, unverified_cpf = _settle_cpf(details.cpf, policy is not Policy.LENIENT or clinic.strict_cpf, refusals)
    clean = PatientDetails(
        name=_short(tidy(details.name), Reason.NAME_TOO_LONG, NAME_LIMIT, refusals),
        social_name=_short(tidy(details.social_name), Reason.SOCIAL_NAME_TOO_LONG, SOCIAL_NAME_LIMIT, refusals),
        phone=_phone(details.phone, stored.phone, clinic, policy, refusals),
        birth_date=_birth_date(details.birth_date, today, refusals),
        cpf=cpf or "",
        nif=_nif(details.nif, stored.nif, refusals),
        email=_email(details.email, refusals),
        notes=_short(tidy_notes(details.notes), Reason.NOTES_TOO_LONG, NOTES_LIMIT, refusals),
        died=details.died,
        died_on=_died_on(details, today, refusals),
    )
    if not clean.name:
        refusals.append(Refusal(Reason.NAME_MISSING))
    elif clean.name != stored.name:
        refusals += name_without_letters(clean.name, Reason.NAME_WITHOUT_LETTERS)
    if clean.social_name and clean.social_name != stored.social_name:
        refusals += name_without_letters(clean.social_name, Reason.SOCIAL_NAME_WITHOUT_LETTERS)
    return Examined(clean, cpf, unverified_cpf, refusals)


def _settle_cpf(raw, strict, refusals):
    """(the patient's CPF or None, digits that were typed but are not believed): the one place that decides."""
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


def _phone(raw, stored, clinic, policy, refusals):
    example = {"example": PHONE_EXAMPLES[clinic.country]}
    if not raw.strip():
        refusals.append(Refusal(Reason.PHONE_MISSING, example))
        return ""
    if unstorable(raw):
        refusals.append(Refusal(Reason.PHONE_IMPOSSIBLE, example))
        return ""
    phone = phones.read(raw, clinic.country)
    if stored and phone == phones.read(stored, clinic.country):
        return phone.number
    if phone.fault in PHONE_FAULTS and (policy is Policy.STRICT or not phone.number):
        params = phone.params | example | {"number": phone.suggested}
        refusals.append(Refusal(PHONE_FAULTS[phone.fault], params))
    return phone.number


def _birth_date(born, today, refusals):
    if born is not None and not date(1900, 1, 1) <= born < today:
        refusals.append(Refusal(Reason.BIRTH_DATE_IMPOSSIBLE))
        return None
    return born


def _died_on(details, today, refusals):
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


def _nif(raw, stored, refusals):
    digits = documents.read_nif(raw)
    if not digits or digits == stored:
        return digits
    if digits == FINAL_CONSUMER:
        refusals.append(Refusal(Reason.NIF_OF_NOBODY))
        return ""
    if not documents.is_nif(digits):
        refusals.append(Refusal(Reason.NIF_INVALID))
        return ""
    return digits


def _email(raw, refusals):
    address = raw.strip()
    if not address:
        return ""
    try:
        if unstorable(address):
            raise ValidationError("unstorable")
        validate_email(address)
        MaxLengthValidator(EMAIL_LIMIT)(address)
    except ValidationError:
        refusals.append(Refusal(Reason.EMAIL_INVALID))
        return ""
    return address


def _short(text, reason, limit, refusals):
    if len(text) > limit:
        refusals.append(Refusal(reason, {"length": len(text), "limit": limit}))
        return text[:limit]
    return text
