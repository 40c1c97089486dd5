"""Patients of a spreadsheet: who is meant by a row, by the rules of who is typed; adding and taking them back.

`clinic.exchange` reads the file and asks here. Names are compared by their letters, by PostgreSQL, as everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from clinic.models import Appointment, Clinic, Consent, Patient, PatientEvent, phones
from clinic.models.names import same_letters
from clinic.models.patient import CURRENT, DATES
from clinic.models.references import referred_to
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry.patient_details import HEADS, CleanedDetails, PatientDetails, Policy, clean_details
from clinic.registry.patient_events import Author, differences
from clinic.registry.patients import (
    NULL_WHEN_EMPTY,
    change_patient,
    check_patient,
    details_of,
    is_compatible,
    lock_all,
    match_patient,
    patient_version,
    register_all,
)
from clinic.registry.plans import payer_refusals

# What recognises a patient is not changed by a row that was recognised by it.
KEPT_AS_STORED = {"name"}
LETTERS_SQL = (
    "SELECT clinic_letters(clinic_fold(name)) FROM unnest(%s::text[]) WITH ORDINALITY AS t (name, place) ORDER BY place"
)
PERHAPS_KNOWN_SQL = """
    SELECT place FROM unnest(%(cpfs)s::text[]) WITH ORDINALITY AS row (cpf, place)
        JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND patient.cpf = row.cpf
    UNION SELECT place FROM unnest(%(numbers)s::text[]) WITH ORDINALITY AS row (number, place)
        JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND health_number = number
    UNION SELECT place FROM unnest(%(places)s::bigint[], %(phones)s::text[]) AS row (place, phone)
        JOIN clinic_patient AS patient ON clinic_id = %(clinic)s AND patient.phone = row.phone
"""
DELETE_EVENTS_SQL = "DELETE FROM clinic_patientevent WHERE clinic_id = %s AND patient_id = ANY(%s)"
# Those that came with the row; what a person was asked since keeps the patient.
DELETE_CONSENTS_SQL = "DELETE FROM clinic_consent WHERE clinic_id = %s AND patient_id = ANY(%s) AND asked = ''"
DELETE_PATIENTS_SQL = "DELETE FROM clinic_patient WHERE clinic_id = %s AND id = ANY(%s)"


@dataclass(frozen=True)
class Examined:
    """What a row's details are: `cleaned` as they would be stored, `known` the patient who is there already, None for a
    new one, `changes` their fields that would change, {name: [before, after]}, and the broken rules."""

    cleaned: CleanedDetails
    known: Patient | None
    changes: dict[str, list[Any]]
    refusals: list[Refusal]


def cleaned_row(details: PatientDetails, clinic: Clinic) -> CleanedDetails:
    """Return the details of a row as they would be stored, with the rules about them that ask no database."""
    today = clinic.local(timezone.now()).date()
    return clean_details(details, clinic, today=today, policy=Policy.SPREADSHEET)


def perhaps_known(several: Sequence[CleanedDetails], clinic: Clinic, *, lock: bool) -> set[int]:
    """Return the places of the rows that may be of a patient who is there already: all others are new, and need not be
    asked about one by one. With `lock` nobody else can add them until the transaction ends. One or two statements."""
    if lock:
        lock_all(clinic, several)
    spelled = [phones.spellings(cleaned.details.phone) for cleaned in several]
    pairs = [(place, phone) for place, each in enumerate(spelled, start=1) for phone in each]
    parameters: dict[str, Any] = {
        "clinic": clinic.pk,
        "cpfs": [cleaned.cpf for cleaned in several],
        "numbers": [cleaned.details.health_number or None for cleaned in several],
        "places": [place for place, _phone in pairs],
        "phones": [phone for _place, phone in pairs],
    }
    with connection.cursor() as cursor:
        cursor.execute(PERHAPS_KNOWN_SQL, parameters)
        found = {place - 1 for (place,) in cursor.fetchall()}
    return found | {place for place, cleaned in enumerate(several) if not cleaned.details.phone}


def examine_row(cleaned: CleanedDetails, clinic: Clinic, *, overwrites: bool, lock: bool, is_new: bool) -> Examined:
    """Return who is meant, and what would change: with `overwrites` all that the row has, without only blanks. With
    `is_new`, which `perhaps_known` has found out, nobody is sought.

    Without a phone and a document only a row with the same name and birth date is the same person: the one that an
    earlier import has made. With `lock` the patient who is meant is locked, as in `match_patient`."""
    refusals = cleaned.refusals + payer_refusals(clinic, cleaned.details.payer_id)
    if refusals:
        return Examined(cleaned, None, {}, refusals)
    if is_new:
        return Examined(cleaned, None, {}, [])
    try:
        known = match_patient(cleaned, clinic, Policy.SPREADSHEET, lock=lock)
    except Refused as refused:
        return Examined(cleaned, None, {}, refused.refusals)
    if known is None and not cleaned.details.phone:
        known = _known_by_name(cleaned, clinic)
    if known is None:
        return Examined(cleaned, None, {}, [])
    stored = details_of(known)
    given = _given(cleaned.details, stored, overwrites)
    after = replace(stored, **given)
    if stored == after:
        return Examined(cleaned, known, {}, [])
    refusals = check_patient(after, clinic=clinic, patient_id=known.pk, policy=Policy.SPREADSHEET)
    return Examined(cleaned, known, differences(stored, after), refusals)


def change_imported(patient: Patient, changes: Mapping[str, Sequence[Any]], clinic: Clinic, by: Author) -> Patient:
    """Give a known patient the values of these changes. Locks their row. Raises Refused."""
    after = {name: pair[1] for name, pair in changes.items()}
    return change_patient(patient.pk, after, clinic=clinic, policy=Policy.SPREADSHEET, by=by)


def register_imported(several: Sequence[CleanedDetails], clinic: Clinic, by: Author) -> list[Patient]:
    """Add the patients of these rows, which `examine_row` has not found; in the same order.

    Runs in the caller's transaction, in which they were examined with `lock`."""
    return register_all(clinic, several, by=by)


def folded_letters(names: Sequence[str]) -> list[str]:
    """Return the letters by which names are compared, in the same order. One query."""
    with connection.cursor() as cursor:
        cursor.execute(LETTERS_SQL, [list(names)])
        return [letters for (letters,) in cursor.fetchall()]


def keys_of(details: PatientDetails, letters: str) -> list[str]:
    """Return what tells whether two rows are one person: each number that only one may have, and the name with each
    spelling of the phone, or without any number with the birth date."""
    numbers = {"cpf": details.cpf, "health": details.health_number}
    keys = [f"{kind}:{number}" for kind, number in numbers.items() if number]
    if details.phone:
        return keys + [f"phone:{phone}:{letters}" for phone in phones.spellings(details.phone)]
    return keys or [f"name:{letters}:{details.birth_date or ''}"]


def same_in_file(first: CleanedDetails, second: CleanedDetails, *, are_alike: bool) -> list[Refusal] | None:
    """Return of two rows that share one of the `keys_of`: [] where they are one person, the refusals where a number is
    another person's, None where they are two people. `are_alike` says whether their names have the same letters."""
    owner = Patient(birth_date=first.details.birth_date, cpf=first.cpf)
    name = {"name": first.details.social_name or first.details.name, "owner": None}
    if first.cpf and first.cpf == second.cpf:
        if not is_compatible(owner, second):
            return [Refusal(Reason.CPF_OTHER_BIRTH_DATE)]
        return [] if are_alike else [Refusal(Reason.CPF_TAKEN, name)]
    number = second.details.health_number
    if number and number == first.details.health_number:
        return [] if are_alike else [Refusal(Reason.HEALTH_NUMBER_TAKEN, name)]
    return [] if is_compatible(owner, second) else None


def delete_registered(clinic: Clinic, versions: Mapping[int, str]) -> set[int]:
    """Delete these patients, by their ids, that an import has made and nobody has changed since their version; return
    the ids of those that are gone.

    A patient with an appointment, a memo or anything else stays. The events of the making, and the
    answers about messages that came with it, go too: PostgreSQL allows it while their run is being taken back
    (migrations 0076 and 0082). Where appointments are left that were taken back too, for programs to learn of them, the
    row stays as that of a blocked patient: blank. Locks their rows; runs in the caller's transaction."""
    rows = Patient.objects.of(clinic).filter(pk__in=versions).order_by("pk").select_for_update()
    untouched = [patient.pk for patient in rows if patient_version(patient) == versions[patient.pk]]
    gone = versions.keys() - set(Patient.objects.of(clinic).filter(pk__in=versions).values_list("pk", flat=True))
    referred = referred_to(Patient, untouched, (Consent, PatientEvent))
    deleted = _deleted(clinic, [patient for patient in untouched if patient not in referred])
    return gone.union(deleted) | _blanked(clinic, [patient for patient in untouched if patient in referred])


def restore_changed(patient_id: int, changes: Mapping[str, Sequence[Any]], clinic: Clinic, by: Author) -> bool:
    """Give a patient the values from before the import, whatever the rules say of them today, and return True; False
    where one of the fields was changed since, or the patient is gone. Raises Refused for a number that is another's by
    now."""
    before = _as_details({name: pair[0] for name, pair in changes.items()})
    after = _as_details({name: pair[1] for name, pair in changes.items()})
    patient = Patient.objects.of(clinic).filter(CURRENT, pk=patient_id).first()
    if patient is None or any(getattr(details_of(patient), name) != value for name, value in after.items()):
        return False
    change_patient(patient_id, before, clinic=clinic, policy=Policy.SPREADSHEET, restores=True, by=by)
    return True


def _known_by_name(cleaned: CleanedDetails, clinic: Clinic) -> Patient | None:
    details = cleaned.details
    alike = Patient.objects.of(clinic).filter(
        CURRENT, same_letters("search", details.name), phone=None, birth_date=details.birth_date
    )
    compatible = (patient for patient in alike.order_by("pk") if not details.cpf or patient.cpf in (None, details.cpf))
    return next(compatible, None)


def _given(details: PatientDetails, stored: PatientDetails, overwrites: bool) -> dict[str, Any]:
    """Return the values of a row that a known patient would get. What belongs to another field comes with it: all of it
    where that one changes, and none where the patient keeps another one."""
    names = [field.name for field in fields(details) if field.name not in KEPT_AS_STORED]
    given = {name for name in names if _is_given(name, details, stored, overwrites)}
    for name, head in HEADS.items():
        if head in given:
            given.add(name)
        elif getattr(details, head) != getattr(stored, head):
            given.discard(name)
    values = {name: getattr(details, name) for name in names if name in given}
    return {name: value for name, value in values.items() if getattr(stored, name) != value}


def _is_given(name: str, details: PatientDetails, stored: PatientDetails, overwrites: bool) -> bool:
    value, before = getattr(details, name), getattr(stored, name)
    return value != before and not _is_blank(name, value) and (overwrites or _is_blank(name, before))


def _is_blank(name: str, value: Any) -> bool:
    """A refusal of messages is an answer; who is not marked as dead is not marked at all."""
    return value in ("", None) or (name == "died" and value is False)


def _as_details(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that were stored as JSON as PatientDetails has them."""
    return {
        name: value if not value or name not in DATES else _as_day(value)  # a blank is of every type
        for name, value in values.items()
    }


def _as_day(value: Any) -> Any:
    return Patient._meta.get_field("birth_date").to_python(value)


def _deleted(clinic: Clinic, patients: Sequence[int]) -> Iterable[int]:
    """Delete them all by two statements, or one by one where one is referred to; return those that could be."""
    if _is_deleted(clinic, patients):
        return patients
    return [patient for patient in patients if _is_deleted(clinic, [patient])]


def _blanked(clinic: Clinic, patients: Sequence[int]) -> set[int]:
    """Blank the patients of these that nothing but deleted appointments refers to; return them."""
    if not patients:
        return set()
    kept = Appointment.objects.of(clinic).kept().filter(patient__in=patients).order_by("pk")
    asked = Consent.objects.of(clinic).filter(patient__in=patients).exclude(asked="").order_by("pk")
    in_use = {*kept.values_list("patient", flat=True), *asked.values_list("patient", flat=True)}
    free = set(patients) - in_use - referred_to(Patient, patients, (Appointment, Consent, PatientEvent))
    with connection.cursor() as cursor:
        cursor.execute(DELETE_EVENTS_SQL, [clinic.pk, list(free)])
        cursor.execute(DELETE_CONSENTS_SQL, [clinic.pk, list(free)])
    with override(clinic.language):
        blank = asdict(PatientDetails(name=_("Paciente apagado"))) | dict.fromkeys(NULL_WHEN_EMPTY)
    now = timezone.now()
    Patient.objects.of(clinic).filter(pk__in=free).update(**blank, phone_hash="", blocked_at=now, updated_at=now)
    return free


def _is_deleted(clinic: Clinic, patients: Sequence[int]) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(DELETE_EVENTS_SQL, [clinic.pk, list(patients)])
            cursor.execute(DELETE_CONSENTS_SQL, [clinic.pk, list(patients)])
            cursor.execute(DELETE_PATIENTS_SQL, [clinic.pk, list(patients)])
    except IntegrityError:
        return False
    return True
