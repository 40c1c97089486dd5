"""Hand-written statements that find a patient by CPF or by phone and name; every booking with a patient's details runs
them, the first one as a part of the statement that loads its other rows."""

from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from clinic.cursors import prepared_cursor
from clinic.models import Clinic, Patient
from clinic.models.locks import LOCK, lock_of_held_row
from clinic.models.raw_sql import column_names, instance

PATIENTS_SQL = "SELECT {columns} FROM clinic_patient WHERE {where} ORDER BY id {lock}"
# A single match is locked with SKIP LOCKED, as if nobody held the row. Of several none is: they have to be locked in
# the order of their ids, and the first may be the one that is held.
MATCHING_SQL = "matching AS MATERIALIZED (SELECT id FROM clinic_patient WHERE {where})"
SINGLE_SQL = "{where} AND (SELECT count(*) FROM matching) = 1"
# Every matching patient, with NULLs for each that was not locked.
FREE_PATIENTS_SQL = f"""
    WITH {MATCHING_SQL}, free AS MATERIALIZED (
        SELECT {{columns}} FROM clinic_patient WHERE {SINGLE_SQL} {LOCK} SKIP LOCKED
    )
    SELECT free.* FROM matching LEFT JOIN free USING (id)
"""  # noqa: S608 - our own text
IS_CALLED = """
    clinic_letters(clinic_fold(%(name)s)) IN (clinic_letters(folded_name), clinic_letters(clinic_fold(social_name)))
"""
IS_CALLED_SQL = f"SELECT {IS_CALLED} FROM clinic_patient WHERE clinic_id = %(clinic)s AND id = %(patient)s"  # noqa: S608 - our own text


class PatientSearch(NamedTuple):
    """What a clinic's patients are looked for by: a condition, which is our own text, and its parameters."""

    condition: str
    parameters: dict[str, Any]

    @property
    def where(self) -> str:
        """The whole condition, with the parameter `clinic`; a blocked patient is never found."""
        return f"clinic_id = %(clinic)s AND blocked_at IS NULL AND {self.condition}"


class FoundPatients(NamedTuple):
    """All patients that a search finds."""

    search: PatientSearch
    patients: list[Patient]


def by_cpf(cpf: str) -> PatientSearch:
    """Find at most one patient."""
    return PatientSearch("cpf = %(cpf)s", {"cpf": cpf})


def by_health_number(number: str) -> PatientSearch:
    """Find by the número de utente, at most one patient."""
    return PatientSearch("health_number = %(number)s", {"number": number})


def by_name_and_phone(name: str, phones: list[str]) -> PatientSearch:
    """Find those with one of these one or two E.164 phones and this name or social name, compared by letters. An API
    that was answered with the social name books with it.

    Two parameters and no array, for which a plan for all parameters assumes ten: PostgreSQL would plan anew each time.
    """
    condition = f"phone IN (%(phone)s, %(other_phone)s) AND {IS_CALLED}"
    return PatientSearch(condition, {"name": name, "phone": phones[0], "other_phone": phones[-1]})


def is_called(clinic: Clinic, patient: Patient, name: str) -> bool:
    """Return whether the patient's name or social name is this one, compared by letters."""
    with prepared_cursor() as cursor:
        cursor.execute(IS_CALLED_SQL, {"name": name, "clinic": clinic.pk, "patient": patient.pk})
        return bool(cursor.fetchone() == (True,))


def find_patients(clinic: Clinic, search: PatientSearch, *, lock: bool) -> list[Patient]:
    """Load the patients; with `lock`, locked."""
    parts = {"columns": ", ".join(column_names(Patient)), "where": search.where}
    parameters = {"clinic": clinic.pk, **search.parameters}
    with prepared_cursor() as cursor:
        if not lock:
            return _fetch_patients(cursor, PATIENTS_SQL.format(**parts, lock=""), parameters)
        patients = _fetch_patients_or_none(cursor, FREE_PATIENTS_SQL.format(**parts), parameters)
        free = [patient for patient in patients if patient]
        if len(free) == len(patients):
            return free
        with lock_of_held_row() as clause:
            return _fetch_patients(cursor, PATIENTS_SQL.format(**parts, lock=clause), parameters)


def _fetch_patients(cursor: CursorWrapper, statement: str, parameters: dict[str, Any]) -> list[Patient]:
    return [patient for patient in _fetch_patients_or_none(cursor, statement, parameters) if patient]


def _fetch_patients_or_none(cursor: CursorWrapper, statement: str, parameters: dict[str, Any]) -> list[Patient | None]:
    cursor.execute(statement, parameters)
    return [instance(Patient, row) for row in cursor.fetchall()]
