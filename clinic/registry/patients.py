"""Which patient a description means; adding and editing patients."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError
from django.db.models import GeneratedField
from django.utils import timezone

from clinic.copying import copy_rows, next_ids
from clinic.cursors import prepared_cursor
from clinic.models import Clinic, Patient, phones
from clinic.models.locks import get_locked, hold_advisory
from clinic.models.patient import NOT_BLOCKED, stored_phone
from clinic.refusals import Reason, Refusal, Refused, refuse
from clinic.registry import sql
from clinic.registry.consents import follow_column, follow_registered
from clinic.registry.former_names import keep_former_name
from clinic.registry.merged import current_patient
from clinic.registry.patient_details import CleanedDetails, PatientDetails, Policy, clean_details
from clinic.registry.patient_events import Author, record_patient, record_registered
from clinic.registry.plans import Plan, payer_refusals
from clinic.registry.sql import FoundPatients, PatientSearch
from clinic.transactions import run_in_transaction

TRY_LOCKS_SQL = """
    SELECT text FROM unnest(%s::text[]) AS text WHERE NOT pg_try_advisory_xact_lock(%s, hashtext(text)) ORDER BY text
"""
# What is stored of a new patient; PostgreSQL computes the others.
COPIED = [
    field.attname
    for field in Patient._meta.concrete_fields
    if not isinstance(field, GeneratedField) and field.attname != "changed_at"
]
# Only one patient of a clinic may have them.
UNIQUE_NUMBERS = ("cpf", "health_number")
NULL_WHEN_EMPTY = ["phone", "cpf", "health_number", "document_number", "second_phone"]


def match_patient(
    cleaned: CleanedDetails,
    clinic: Clinic,
    policy: Policy,
    *,
    lock: bool,
    besides: Collection[int] = (),
    found: FoundPatients | None = None,
) -> Patient | None:
    """Return the patient that these details describe, None if there is none; with `lock`, locked FOR NO KEY UPDATE.

    `besides` are ids of namesakes on the same phone that are known to be others, `found` what `first_search` has found
    in this transaction, if it was asked, locked as `lock` says. Details that describe a merged patient mean the one
    that was kept.

    If nobody matches and `lock` is set, takes advisory locks on CPF and phone until the transaction ends, so that two
    bookings cannot both add the patient. Raises Refused when the CPF is another patient's.
    """
    patient = _find_match(cleaned, clinic, policy, besides, lock=lock, found=found)
    if patient is None and lock:
        _take_advisory_locks(clinic, cleaned)
        return _find_match(cleaned, clinic, policy, besides, lock=lock)
    return patient


def first_search(cleaned: CleanedDetails) -> PatientSearch:
    """Return the search that `match_patient` begins with."""
    if cleaned.cpf:
        return sql.by_cpf(cleaned.cpf)
    if number := cleaned.details.health_number:
        return sql.by_health_number(number)
    return _by_name_and_phone(cleaned)


def create_or_complete(cleaned: CleanedDetails, matched: Patient | None, clinic: Clinic, *, by: Author) -> Patient:
    """Return the matched patient, with blank fields filled and nothing overwritten; a new patient without a match.

    `matched` is what `match_patient` returned, locked.
    """
    if matched is None:
        return _create(cleaned, clinic, by)
    _fill_blanks(matched, cleaned.details, by)
    return matched


def register_patient(
    clinic: Clinic,
    details: PatientDetails,
    *,
    key: UUID | None = None,
    policy: Policy = Policy.STRICT,
    besides: Collection[int] = (),
    by: Author,
) -> Patient:
    """Add a patient; the same details sent again with the same `key` (a double click) return the same patient. Without
    a phone nobody is recognised: a name alone means no one in particular.

    A patient who may be there already, by the rule that `match_patient` has for bookings, is refused with
    PATIENT_EXISTS, unless the id of the other one is in `besides`: a person has compared the two. Takes advisory locks
    on CPF and phone, so that of two windows the second one is refused. Raises Refused.
    """
    uuid = uuid5(key, f"{clinic.pk} {details}") if key else uuid4()

    def work() -> Patient:
        cleaned = _clean_details_today(details, clinic, policy=policy)
        refuse(cleaned.refusals + _taken(clinic, cleaned) + payer_refusals(clinic, cleaned.details.payer_id))
        _take_advisory_locks(clinic, cleaned)
        if same := _compatible_namesakes(cleaned, clinic, besides):
            raise Refused([Refusal(Reason.PATIENT_EXISTS, {"name": same[0].display_name})])
        return _create(cleaned, clinic, by, uuid=uuid)

    try:
        return run_in_transaction(work)
    except (Refused, IntegrityError):
        if key and (registered := Patient.objects.of(clinic).filter(uuid=uuid).first()):
            return registered
        raise


def same_patients(clinic: Clinic, details: PatientDetails, *, besides: Collection[int] = ()) -> list[Patient]:
    """Return the patients because of which `register_patient` refuses with PATIENT_EXISTS. Reads only."""
    cleaned = _clean_details_today(details, clinic, policy=Policy.STRICT)
    if cleaned.refusals or _taken(clinic, cleaned):
        return []
    return _compatible_namesakes(cleaned, clinic, besides)


def change_patient(
    patient_id: int,
    changes: Mapping[str, Any],
    *,
    clinic: Clinic,
    policy: Policy = Policy.STRICT,
    seen: str | None = None,
    restores: bool = False,
    by: Author,
) -> Patient:
    """Return the patient with these fields of PatientDetails changed, the others as they are stored at that moment. The
    name that another one takes the place of is kept (`keep_former_name`).

    Of a merged patient it is the kept one who is changed and returned.
    A CPF that is accepted though it is not valid leaves the stored one. `seen` is the `patient_version` that the author
    began from: with it, fields that were changed since are not overwritten with another value (PATIENT_CHANGED). With
    `restores` the changes are values that were stored before, and the rules about them are not asked again.

    Locks the patient's row. Raises Refused, or Patient.DoesNotExist.
    """

    def work() -> Patient:
        patient = _kept(clinic, get_locked(Patient.objects.of(clinic).filter(NOT_BLOCKED, pk=patient_id)), lock=True)
        stored = details_of(patient)
        wanted = replace(stored, **changes)
        accepted = wanted if restores else stored
        cleaned = _clean_details_today(wanted, clinic, policy=policy, stored=accepted)
        unknown_payer = payer_refusals(clinic, cleaned.details.payer_id, accepted.payer_id)
        refuse(cleaned.refusals + _taken(clinic, cleaned, patient.pk) + unknown_payer)
        if seen not in (None, patient_version(patient)):
            unchanged = _clean_details_today(stored, clinic, policy=policy, stored=stored).details
            refuse([Refusal(Reason.PATIENT_CHANGED)] if cleaned.details != unchanged else [])
        values = _storable(cleaned)
        changed = [name for name in changes if name != "cpf" or not cleaned.unverified_cpf]
        if "phone" in changes and cleaned.details.phone_of != stored.phone_of:
            changed.append("phone_of")  # written beside the number
        for name in changed:
            setattr(patient, name, values[name])
        # The phone field computes the hash when it is saved.
        patient.save(update_fields=[*changed, "phone_hash", "updated_at"])
        _record(patient, stored, details_of(patient), by)
        if (patient.name, patient.social_name) != (stored.name, stored.social_name):
            keep_former_name(clinic, patient, stored.name, stored.social_name)
        return patient

    return run_in_transaction(work)


def keep_plan(patient: Patient, plan: Plan, *, by: Author) -> None:
    """Store the plan with which a patient was booked; an empty number or date leaves what is stored of the same payer.

    Runs in the caller's transaction, which has locked the patient's row and asked the rules. At most three queries.
    """
    stored = Patient.objects.of(patient.clinic_id).get(pk=patient.pk)
    before = details_of(stored)
    if stored.payer_id == plan.payer_id:
        number, expires_on = plan.card_number or stored.card_number, plan.card_expires_on or stored.card_expires_on
        plan = plan._replace(card_number=number, card_expires_on=expires_on)
    for name, value in plan._asdict().items():
        setattr(stored, name, value)
    after = details_of(stored)
    if after != before:
        stored.save(update_fields=[*plan._fields, "updated_at"])
        record_patient(stored, before, after, by)


def register_all(clinic: Clinic, several: Collection[CleanedDetails], *, by: Author) -> list[Patient]:
    """Add these patients, which `match_patient` has not found, with their events and their answers about messages; in
    the same order. Four statements.

    Runs in the caller's transaction, which holds the locks that `match_patient` takes."""
    now = timezone.now()
    patients = [
        Patient(pk=pk, clinic=clinic, created_at=now, updated_at=now, **_storable(cleaned))
        for pk, cleaned in zip(next_ids(Patient, len(several)), several, strict=True)
    ]
    copy_rows(Patient, COPIED, map(_copied, patients))
    record_registered([(patient, details_of(patient)) for patient in patients], by)
    follow_registered(patients, by)
    return patients


def _copied(patient: Patient) -> list[Any]:
    """Return the values of COPIED, as a save would store them."""
    computed = dict(zip(("phone", "phone_hash"), stored_phone(patient), strict=True))
    return [computed[name] if name in computed else getattr(patient, name) for name in COPIED]


def lock_all(clinic: Clinic, several: Collection[CleanedDetails]) -> None:
    """Take the advisory locks that `match_patient` takes where it finds nobody, for many rows at once. One statement,
    and one more for each lock that another transaction holds."""
    texts = sorted({text for cleaned in several for text in _locked_texts(cleaned)})
    with prepared_cursor() as cursor:
        cursor.execute(TRY_LOCKS_SQL, [texts, clinic.pk])
        for (held,) in cursor.fetchall():
            hold_advisory(cursor, "%s, hashtext(%s)", [clinic.pk, held])


def patient_version(patient: Patient) -> str:
    """Return a text that is another one after every change of the stored data; only to be compared."""
    return patient.updated_at.isoformat()


def check_patient(
    details: PatientDetails, *, clinic: Clinic, patient_id: int | None = None, policy: Policy = Policy.STRICT
) -> list[Refusal]:
    """Return the refusals of `register_patient` or, with an id, of `change_patient`. Writes nothing."""
    patient = current_patient(clinic, patient_id) if patient_id else None
    cleaned = _clean_details_today(details, clinic, policy=policy, stored=details_of(patient) if patient else None)
    unknown_payer = payer_refusals(clinic, cleaned.details.payer_id, patient.payer_id if patient else None)
    return cleaned.refusals + _taken(clinic, cleaned, patient.pk if patient else None) + unknown_payer


def details_of(patient: Patient) -> PatientDetails:
    """Return the stored data of a patient in the shape that the form and the rules have."""
    stored = {field.name: getattr(patient, field.name) for field in fields(PatientDetails)}
    texts = {name: value or "" for name, value in stored.items() if name in NULL_WHEN_EMPTY}
    return PatientDetails(**stored | texts | {"phone": patient.phone_e164})


def write_values(patient: Patient, values: Mapping[str, Any], *others: str) -> None:
    """Store these values, which are in the shape of PatientDetails, and the columns `others`, which are set already.

    No rule is asked and no event is stored. Runs in the caller's transaction, which has locked the row."""
    for name, value in values.items():
        setattr(patient, name, (value or None) if name in NULL_WHEN_EMPTY else value)
    # The phone field computes the hash when it is saved.
    patient.save(update_fields=[*values, *others, "phone_hash", "updated_at"])


def is_of_another(patient: Patient, name: str, value: Any) -> bool:
    """Return whether another patient has this value of one of UNIQUE_NUMBERS; False for any other field."""
    if name not in UNIQUE_NUMBERS or not value:
        return False
    return Patient.objects.of(patient.clinic_id).filter(**{name: value}).exclude(pk=patient.pk).exists()


def _clean_details_today(
    details: PatientDetails, clinic: Clinic, *, policy: Policy, stored: PatientDetails | None = None
) -> CleanedDetails:
    return clean_details(details, clinic, today=clinic.local(timezone.now()).date(), policy=policy, stored=stored)


def _taken(clinic: Clinic, cleaned: CleanedDetails, patient_id: int | None = None) -> list[Refusal]:
    """Refuse the CPF and the número de utente of another patient than `patient_id`."""
    cpf, number = cleaned.cpf, cleaned.details.health_number
    owners = {
        Reason.CPF_TAKEN: sql.find_patients(clinic, sql.by_cpf(cpf), lock=False) if cpf else [],
        Reason.HEALTH_NUMBER_TAKEN: sql.find_patients(clinic, sql.by_health_number(number), lock=False)
        if number
        else [],
    }
    return [_taken_by(owner, reason) for reason, found in owners.items() for owner in found if owner.pk != patient_id]


def _taken_by(owner: Patient, reason: Reason) -> Refusal:
    return Refusal(reason, {"name": owner.display_name, "owner": owner.pk})


def _take_advisory_locks(clinic: Clinic, cleaned: CleanedDetails) -> None:
    """Lock the CPF and the phone, as numbers, until the transaction ends."""
    with prepared_cursor() as cursor:
        for text in _locked_texts(cleaned):
            hold_advisory(cursor, "%s, hashtext(%s)", [clinic.pk, text])


def _locked_texts(cleaned: CleanedDetails) -> list[str]:
    return [text for text in (cleaned.cpf, phones.spellings(cleaned.details.phone)[0]) if text]


def _find_match(
    cleaned: CleanedDetails,
    clinic: Clinic,
    policy: Policy,
    besides: Collection[int],
    *,
    lock: bool,
    found: FoundPatients | None = None,
) -> Patient | None:
    if cleaned.cpf:
        for owner in _search(clinic, sql.by_cpf(cleaned.cpf), found, lock=lock):
            _require_same_person(owner, cleaned.details, clinic, policy)
            return owner
    if number := cleaned.details.health_number:
        for owner in _search(clinic, sql.by_health_number(number), found, lock=lock):
            _require_called_so(owner, cleaned.details, clinic, Reason.HEALTH_NUMBER_TAKEN)
            return owner
    return next(iter(_compatible_namesakes(cleaned, clinic, besides, found, lock=lock)), None)


def _search(clinic: Clinic, search: PatientSearch, found: FoundPatients | None, *, lock: bool) -> list[Patient]:
    """Return the patients; without a query if they are `found` already."""
    if found and found.search == search:
        return found.patients
    return sql.find_patients(clinic, search, lock=lock)


def _compatible_namesakes(
    cleaned: CleanedDetails,
    clinic: Clinic,
    besides: Collection[int],
    found: FoundPatients | None = None,
    *,
    lock: bool = False,
) -> list[Patient]:
    namesakes = sorted(
        _search(clinic, _by_name_and_phone(cleaned), found, lock=lock),
        key=lambda patient: patient.merged_into_id is not None,
    )
    kept = [_kept(clinic, patient, lock=lock) for patient in namesakes if is_compatible(patient, cleaned)]
    compatible = {patient.pk: patient for patient in kept if not _has_other_cpf(patient, cleaned)}
    return [patient for pk, patient in compatible.items() if pk not in besides]


def _by_name_and_phone(cleaned: CleanedDetails) -> PatientSearch:
    return sql.by_name_and_phone(cleaned.details.name, phones.spellings(cleaned.details.phone))


def is_compatible(namesake: Patient, cleaned: CleanedDetails) -> bool:
    """Return False for a namesake on the same phone with another CPF or birth date: a father, a twin. Mixing two
    records is worse than a duplicate."""
    born = cleaned.details.birth_date
    has_other_birth_date = born and namesake.birth_date and namesake.birth_date != born
    return not has_other_birth_date and not _has_other_cpf(namesake, cleaned)


def _has_other_cpf(patient: Patient, cleaned: CleanedDetails) -> bool:
    return bool(cleaned.cpf and patient.cpf and patient.cpf != cleaned.cpf)


def _kept(clinic: Clinic, patient: Patient, *, lock: bool) -> Patient:
    """Return the patient that a merged one has become, with `lock` locked; any other as it is."""
    while patient.merged_into_id:
        into = Patient.objects.of(clinic).filter(pk=patient.merged_into_id)
        patient = get_locked(into) if lock else into.get()
    return patient


def _require_same_person(owner: Patient, details: PatientDetails, clinic: Clinic, policy: Policy) -> None:
    """Raise Refused when the owner of the CPF has another birth date or, where people wrote it, another name."""
    if details.birth_date and owner.birth_date and owner.birth_date != details.birth_date:
        raise Refused([Refusal(Reason.CPF_OTHER_BIRTH_DATE)])
    if policy.is_by_people:
        _require_called_so(owner, details, clinic, Reason.CPF_TAKEN)


def _require_called_so(owner: Patient, details: PatientDetails, clinic: Clinic, reason: Reason) -> None:
    """Raise Refused, with this reason, when the owner of a number has another name."""
    if not sql.is_called(clinic, owner, details.name):
        raise Refused([_taken_by(owner, reason)])


def _create(cleaned: CleanedDetails, clinic: Clinic, by: Author, **values: Any) -> Patient:
    patient = Patient.objects.create(clinic=clinic, **_storable(cleaned), **values)
    _record(patient, None, details_of(patient), by)
    return patient


def _fill_blanks(patient: Patient, details: PatientDetails, by: Author) -> None:
    filled = [
        field.name
        for field in fields(details)
        if field.name != "notes" and getattr(details, field.name) and _is_blank(patient, field.name)
    ]
    if not filled:
        return
    before = details_of(patient)
    for name in filled:
        setattr(patient, name, getattr(details, name))
    # The phone field computes the hash when it is saved.
    patient.save(update_fields=[*filled, "phone_hash", "updated_at"])
    _record(patient, before, details_of(patient), by)


def _is_blank(patient: Patient, name: str) -> bool:
    return not (patient.has_phone if name == "phone" else getattr(patient, name))


def _record(patient: Patient, before: PatientDetails | None, after: PatientDetails, by: Author) -> None:
    """Store the event of a patient, and the answer about messages if it is another one."""
    record_patient(patient, before, after, by)
    follow_column(patient, before, after, by)


def _storable(cleaned: CleanedDetails) -> dict[str, Any]:
    """Return the details as fields of Patient."""
    values = {field.name: getattr(cleaned.details, field.name) for field in fields(cleaned.details)}
    return values | {name: values[name] or None for name in NULL_WHEN_EMPTY}
