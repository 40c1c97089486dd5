"""What was sent of a known patient and differs from what is stored: kept, since a booking overwrites nothing."""

from datetime import date
from typing import TypedDict

from clinic.models import Clinic, Patient, phones
from clinic.registry import sql
from clinic.registry.patient_details import CleanedDetails, tidy


class Unverified(TypedDict, total=False):
    """The columns of an appointment for what is to be confirmed by a person."""

    unverified_cpf: str
    unverified_name: str
    unverified_phone: str
    unverified_birth_date: date | None


def unverified_details(cleaned: CleanedDetails, patient: Patient | None, clinic: Clinic) -> Unverified:
    """Return what was sent and is not believed; `patient` is the known one that it means, None for a new one.

    At most one query, and none where the name was sent as it is stored.
    """
    sent = cleaned.details
    columns = Unverified(unverified_cpf=cleaned.unverified_cpf)
    if patient is None:
        return columns
    if _differs(sent.name, patient) and not sql.is_called(clinic, patient, sent.name):
        columns["unverified_name"] = sent.name
    if sent.phone and patient.has_phone and not _is_known(sent.phone, patient):
        columns["unverified_phone"] = sent.phone
    if sent.birth_date and patient.birth_date and sent.birth_date != patient.birth_date:
        columns["unverified_birth_date"] = sent.birth_date
    return columns


def _is_known(phone: str, patient: Patient) -> bool:
    return bool({patient.phone_e164, patient.second_phone} & set(phones.spellings(phone)))


def _differs(name: str, patient: Patient) -> bool:
    return tidy(name).casefold() not in {tidy(stored).casefold() for stored in (patient.name, patient.social_name)}
