"""The statements that find a patient by CPF or by phone and name, written out: every booking of a described patient
runs them."""

from clinic.cursors import prepared_cursor
from clinic.models import Clinic, Patient
from clinic.models.locks import LOCK, lock_of_held_row
from clinic.models.raw_sql import column_names, instance

PATIENTS = "SELECT {columns} FROM clinic_patient WHERE {condition} ORDER BY id {lock}"
# All there are, with NULLs for a patient who is held by another transaction. Of several none is locked here: they are
# locked in the order of their ids, and the first may be the one who is held.
FREE_PATIENTS = """
    WITH each AS MATERIALIZED (SELECT id FROM clinic_patient WHERE {condition}), free AS MATERIALIZED (
        SELECT {columns} FROM clinic_patient WHERE {condition} AND (SELECT count(*) FROM each) = 1 {lock} SKIP LOCKED
    )
    SELECT free.* FROM each LEFT JOIN free USING (id)
"""
IS_CALLED = """
    SELECT clinic_letters(clinic_fold(%s)) IN (clinic_letters(folded_name), clinic_letters(clinic_fold(social_name)))
    FROM clinic_patient WHERE clinic_id = %s AND id = %s
"""


def patients_with_cpf(clinic: Clinic, cpf: str, *, lock: bool) -> list[Patient]:
    """At most one; with `lock` held."""
    return _patients("cpf = %(cpf)s", {"clinic": clinic.pk, "cpf": cpf}, lock)


def is_called(clinic: Clinic, patient: Patient, name: str) -> bool:
    """Whether the patient's name or social name is this one, by its letters."""
    with prepared_cursor() as cursor:
        cursor.execute(IS_CALLED, [name, clinic.pk, patient.pk])
        return cursor.fetchone() == (True,)


def patients_called(clinic: Clinic, name: str, phones: list[str], *, lock: bool) -> list[Patient]:
    """Those with one of these E.164 phones and, by its letters, this name; with `lock` held."""
    same = "phone = ANY(%(phones)s) AND clinic_letters(folded_name) = clinic_letters(clinic_fold(%(name)s))"
    return _patients(same, {"clinic": clinic.pk, "phones": phones, "name": name}, lock)


def _patients(condition, parameters, lock):
    """Load the patients; with `lock`, a single one is first read with SKIP LOCKED, as if nobody held the row."""
    parts = {"columns": ", ".join(column_names(Patient)), "condition": f"clinic_id = %(clinic)s AND {condition}"}
    with prepared_cursor() as cursor:
        if not lock:
            return _loaded(cursor, PATIENTS.format(**parts, lock=""), parameters)
        patients = _loaded(cursor, FREE_PATIENTS.format(**parts, lock=LOCK), parameters)
        if None in patients:
            with lock_of_held_row() as clause:
                return _loaded(cursor, PATIENTS.format(**parts, lock=clause), parameters)
        return patients


def _loaded(cursor, statement, parameters):
    cursor.execute(statement, parameters)
    return [instance(Patient, row) for row in cursor.fetchall()]
