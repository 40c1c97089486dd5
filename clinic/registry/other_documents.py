"""The rules about the documents beside CPF and NIF: número de utente, passport or another, and why there is none."""

from typing import NamedTuple

from clinic.models import documents
from clinic.models.patient import DocumentType, NoDocument
from clinic.refusals import Reason, Refusal


class OtherDocument(NamedTuple):
    """A document as it is stored: letters and digits in capitals, and its type; "" for both without a number."""

    type: str
    number: str


def clean_health_number(raw: str, stored: str, nif: str, refusals: list[Refusal]) -> str:
    """Return the nine digits of a número de utente, "" for none. The `nif` of the same patient is none."""
    digits = documents.read_health_number(raw)
    if not digits or digits == stored:
        return digits
    if not documents.is_health_number(digits):
        refusals.append(Refusal(Reason.HEALTH_NUMBER_SHAPE))
        return ""
    if digits == nif:
        refusals.append(Refusal(Reason.HEALTH_NUMBER_IS_NIF))
        return ""
    return digits


def clean_document(raw: str, type: str, refusals: list[Refusal]) -> OtherDocument:
    """Return the document; a number without a known type is of another document."""
    number = documents.read_document(raw)
    if not number:
        return OtherDocument("", "")
    if not documents.is_document(number):
        limits = {"least": documents.SHORTEST_DOCUMENT, "most": documents.LONGEST_DOCUMENT}
        refusals.append(Refusal(Reason.DOCUMENT_SHAPE, limits))
        return OtherDocument("", "")
    return OtherDocument(type if type in DocumentType else DocumentType.OTHER, number)


def clean_reason(reason: str, *, has_tax_number: bool) -> str:
    """Return the reason for having no CPF or NIF; "" for a patient who has one."""
    return reason if reason in NoDocument and not has_tax_number else ""
