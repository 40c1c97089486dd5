"""Which patients are meant by rows that name them without changing them: those of a spreadsheet of appointments.

A number names its owner; otherwise the name does, with the phone or the birth date. Names are compared by their
letters, by PostgreSQL, as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from django.db import connection

from clinic.models import Clinic, phones
from clinic.registry.merged import current_patient
from clinic.registry.patient_details import CleanedDetails

# The owner of a number comes first; the others have the phone, or the birth date and the name.
MEANT_SQL = """
    WITH wanted AS MATERIALIZED (
        SELECT *, clinic_letters(clinic_fold(name)) AS letters FROM unnest(
            %(places)s::int[], %(names)s::text[], %(cpfs)s::text[], %(nifs)s::text[], %(numbers)s::text[],
            %(births)s::date[]
        ) AS wanted (place, name, cpf, nif, number, born)
    ), found AS (
        SELECT place, patient.id, TRUE AS is_owner FROM wanted
            JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND patient.cpf = wanted.cpf
        UNION SELECT place, patient.id, TRUE FROM wanted
            JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND patient.nif = wanted.nif AND patient.nif <> ''
        UNION SELECT place, patient.id, TRUE FROM wanted
            JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND health_number = number
        UNION SELECT place, patient.id, FALSE
            FROM unnest(%(phone_places)s::int[], %(phones)s::text[]) AS called (place, phone)
            JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND patient.phone = called.phone
        UNION SELECT place, patient.id, FALSE FROM wanted
            JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND birth_date = born
    )
    SELECT place, patient.id, merged_into_id IS NOT NULL, is_owner, patient.cpf, birth_date,
        letters IN (clinic_letters(folded_name), clinic_letters(clinic_fold(social_name)))
    FROM found JOIN wanted USING (place) JOIN clinic_patient AS patient ON patient.id = found.id
    WHERE blocked_at IS NULL ORDER BY place, is_owner DESC, patient.id
"""


class MeantFault(Enum):
    """Why no patient is meant: there is none, a number is another person's, or several people are called so."""

    UNKNOWN = auto()
    ANOTHER = auto()
    SEVERAL = auto()


@dataclass(frozen=True)
class Meant:
    """The id of the patient who is meant, or why there is none."""

    patient: int | None = None
    fault: MeantFault | None = None


class _Found(NamedTuple):
    place: int
    patient: int
    is_merged: bool
    is_owner: bool
    cpf: str | None
    birth_date: Any
    is_called_so: bool


def meant_patients(several: Sequence[CleanedDetails], clinic: Clinic) -> list[Meant]:
    """Return the patients that these details mean, in the same order; of a merged one the patient who was kept. One
    statement, and one or two more for each merged patient."""
    by_place: dict[int, list[_Found]] = {}
    for row in _found(several, clinic):
        by_place.setdefault(row.place, []).append(row)
    return [_meant(cleaned, by_place.get(place, []), clinic) for place, cleaned in enumerate(several)]


def _meant(cleaned: CleanedDetails, found: Sequence[_Found], clinic: Clinic) -> Meant:
    owners = [row for row in found if row.is_owner]
    if owners:
        is_named = all(row.is_called_so for row in owners) or not cleaned.details.name
        return _one(owners, clinic) if is_named else Meant(fault=MeantFault.ANOTHER)
    return _one([row for row in found if row.is_called_so and _is_compatible(row, cleaned)], clinic)


def _is_compatible(row: _Found, cleaned: CleanedDetails) -> bool:
    """Return False for a namesake with another CPF or birth date."""
    born = cleaned.details.birth_date
    has_other_birth_date = born and row.birth_date and row.birth_date != born
    return not has_other_birth_date and not (cleaned.cpf and row.cpf and row.cpf != cleaned.cpf)


def _one(rows: Sequence[_Found], clinic: Clinic) -> Meant:
    patients = {_kept(row, clinic) for row in rows} - {None}
    if len(patients) == 1:
        return Meant(patients.pop())
    return Meant(fault=MeantFault.SEVERAL if patients else MeantFault.UNKNOWN)


def _kept(row: _Found, clinic: Clinic) -> int | None:
    if not row.is_merged:
        return row.patient
    patient = current_patient(clinic, row.patient)
    return patient.pk if patient else None


def _found(several: Sequence[CleanedDetails], clinic: Clinic) -> list[_Found]:
    called = [
        (place, phone)
        for place, cleaned in enumerate(several)
        if cleaned.details.name and cleaned.details.phone
        for phone in phones.spellings(cleaned.details.phone)
    ]
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "places": list(range(len(several))),
        "names": [cleaned.details.name for cleaned in several],
        "cpfs": [cleaned.cpf for cleaned in several],
        "nifs": [cleaned.details.nif for cleaned in several],
        "numbers": [cleaned.details.health_number or None for cleaned in several],
        "births": [cleaned.details.birth_date for cleaned in several],
        "phone_places": [place for place, _phone in called],
        "phones": [phone for _place, phone in called],
    }
    with connection.cursor() as cursor:
        cursor.execute(MEANT_SQL, parameters)
        return [_Found(*row) for row in cursor.fetchall()]
