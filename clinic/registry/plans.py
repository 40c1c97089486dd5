"""The plan of a patient: who pays, and the card. Its rules, for every entry point."""

from datetime import date
from typing import NamedTuple

from clinic.models import Clinic, Patient, Payer, documents
from clinic.refusals import Reason, Refusal


class Plan(NamedTuple):
    """The id of the payer, None for a private patient; letters and digits of the card, "" if unknown; the local date
    through which it is valid."""

    payer_id: int | None = None
    card_number: str = ""
    card_expires_on: date | None = None


def clean_plan(payer_id: int | None, number: str, expires_on: date | None, refusals: list[Refusal]) -> Plan:
    """Return the plan as it is stored; a private patient has no card. Asks no database."""
    if payer_id is None:
        return Plan()
    key = documents.read_document(number)
    if key and not documents.is_card_number(key):
        refusals.append(Refusal(Reason.CARD_NUMBER_SHAPE, {"most": documents.LONGEST_CARD}))
        key = ""
    return Plan(payer_id, key, expires_on)


def payer_refusals(clinic: Clinic, payer_id: int | None, stored: int | None = None) -> list[Refusal]:
    """Refuse a payer that the clinic does not have or accepts no more, unless it is `stored`. At most one query."""
    if payer_id is None or payer_id == stored:
        return []
    is_accepted = Payer.objects.of(clinic).filter(pk=payer_id, active=True).exists()
    return [] if is_accepted else [Refusal(Reason.PAYER_UNKNOWN)]


def accepted_plan(clinic: Clinic, patient_id: int) -> Plan:
    """Return the plan with which a booking of the patient begins: a private one for who has none, and where the clinic
    accepts the payer no more. One query."""
    patients = Patient.objects.of(clinic).filter(pk=patient_id, payer__active=True)
    return Plan(*(patients.values_list(*Plan._fields).first() or ()))
