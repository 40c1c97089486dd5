"""Which patient is meant; adding and editing patients."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError
from django.utils import timezone

from clinic.cursors import prepared_cursor
from clinic.models import Clinic, Patient, phones
from clinic.models.locks import get_locked, hold_advisory
from clinic.refusals import Reason, Refusal, Refused, refuse
from clinic.registry import sql
from clinic.registry.patient_details import Examined, PatientDetails, Policy, examine
from clinic.transactions import run_in_transaction


def find(
    examined: Examined, clinic: Clinic, policy: Policy, *, lock: bool, besides: Collection[int] = ()
) -> Patient | None:
    """Return the patient that these details describe, with `lock` held (FOR NO KEY UPDATE); None if nobody fits.

    `besides` are ids of namesakes on the same phone that are known to be others.

    If nobody matches and `lock` is set, takes advisory locks on CPF and phone until the transaction ends, so that two
    bookings cannot both add the patient. Raises Refused when the CPF is another patient's.
    """
    patient = _known(examined, clinic, policy, lock, besides)
    if patient is None and lock:
        _hold(clinic, examined)
        return _known(examined, clinic, policy, lock, besides)
    return patient


def store(examined: Examined, found: Patient | None, clinic: Clinic) -> Patient:
    """Return the patient that `find` matched, with blanks filled and nothing overwritten; a new one without a match."""
    if found is None:
        return Patient.objects.create(clinic=clinic, **_storable(examined))
    _fill_blanks(found, examined.details)
    return found


def register_patient(
    clinic: Clinic,
    details: PatientDetails,
    *,
    key: UUID | None = None,
    policy: Policy = Policy.STRICT,
    besides: Collection[int] = (),
) -> Patient:
    """A new patient; the same details sent again with the same `key` (a double click) mean the same one.

    Nobody is registered twice: who may be there already, by the rule that `find` has for bookings, is refused with
    PATIENT_EXISTS, unless the id is in `besides`: a person has found that one to be another. Holds advisory locks on
    CPF and phone, so that of two windows the second one is refused. Raises Refused.
    """
    once = uuid5(key, f"{clinic.pk} {details}") if key else uuid4()

    def work():
        examined = _examined(details, clinic, policy=policy)
        refuse(examined.refusals + _cpf_owner(clinic, examined.cpf))
        _hold(clinic, examined)
        if same := _same(examined, clinic, besides):
            raise Refused([Refusal(Reason.PATIENT_EXISTS, {"name": same[0].display_name})])
        return Patient.objects.create(clinic=clinic, uuid=once, **_storable(examined))

    try:
        return run_in_transaction(work)
    except (Refused, IntegrityError):
        if key and (registered := Patient.objects.of(clinic).filter(uuid=once).first()):
            return registered
        raise


def same_patients(clinic: Clinic, details: PatientDetails, *, besides: Collection[int] = ()) -> list[Patient]:
    """Return the patients because of which `register_patient` refuses with PATIENT_EXISTS. Reads only."""
    examined = _examined(details, clinic, policy=Policy.STRICT)
    if examined.refusals or examined.cpf and sql.patients_with_cpf(clinic, examined.cpf, lock=False):
        return []
    return _same(examined, clinic, besides)


def change_patient(
    patient_id: int,
    changes: Mapping[str, Any],
    *,
    clinic: Clinic,
    policy: Policy = Policy.STRICT,
    seen: str | None = None,
) -> Patient:
    """The patient with these fields of PatientDetails changed, and the others as they are stored at that moment.

    A CPF that is forgiven but not believed leaves the stored one. `seen` is the `patient_version` that the author began
    from: with it, what another has stored since is not replaced by something else (PATIENT_CHANGED).

    Locks the patient's row. Raises Refused, or Patient.DoesNotExist.
    """

    def work():
        patient = get_locked(Patient.objects.of(clinic).filter(pk=patient_id))
        stored = details_of(patient)
        examined = _examined(replace(stored, **changes), clinic, policy=policy, stored=stored)
        refuse(examined.refusals + _cpf_owner(clinic, examined.cpf, patient_id))
        if seen not in (None, patient_version(patient)):
            unchanged = _examined(stored, clinic, policy=policy, stored=stored).details
            refuse([Refusal(Reason.PATIENT_CHANGED)] if examined.details != unchanged else [])
        values = _storable(examined)
        changed = [name for name in changes if name != "cpf" or not examined.unverified_cpf]
        for name in changed:
            setattr(patient, name, values[name])
        # The hash follows the phone, as the field sees to when it is saved.
        patient.save(update_fields=[*changed, "phone_hash", "updated_at"])
        return patient

    return run_in_transaction(work)


def patient_version(patient: Patient) -> str:
    """Another one with every change of the stored data; only to be compared."""
    return patient.updated_at.isoformat()


def check_patient(
    details: PatientDetails, *, clinic: Clinic, patient_id: int | None = None, policy: Policy = Policy.STRICT
) -> list[Refusal]:
    """What `register_patient`, or with an id `change_patient`, would refuse."""
    patient = Patient.objects.of(clinic).filter(pk=patient_id).first() if patient_id else None
    examined = _examined(details, clinic, policy=policy, stored=details_of(patient) if patient else None)
    return examined.refusals + _cpf_owner(clinic, examined.cpf, patient_id)


def details_of(patient: Patient) -> PatientDetails:
    """What is stored of a patient, as the form and the rules have it."""
    stored = {field.name: getattr(patient, field.name) for field in fields(PatientDetails)}
    return PatientDetails(**stored | {"phone": patient.phone.as_e164, "cpf": patient.cpf or ""})


def _examined(details, clinic, *, policy, stored=None):
    """`examine`; what an older rule let into the row is refused only when it is changed."""
    return examine(details, clinic, today=clinic.local(timezone.now()).date(), policy=policy, stored=stored)


def _cpf_owner(clinic, cpf, patient_id=None):
    if not cpf:
        return []
    owner = Patient.objects.of(clinic).filter(cpf=cpf).exclude(pk=patient_id).first()
    return [Refusal(Reason.CPF_TAKEN, {"name": owner.display_name})] if owner else []


def _hold(clinic, examined):
    with prepared_cursor() as cursor:
        for known_by in filter(None, [examined.cpf, phones.spellings(examined.details.phone)[0]]):
            hold_advisory(cursor, "%s, hashtext(%s)", [clinic.pk, known_by])


def _known(examined, clinic, policy, lock, besides):
    if examined.cpf:
        for owner in sql.patients_with_cpf(clinic, examined.cpf, lock=lock):
            return _believed(owner, examined.details, clinic, policy)
    return next(iter(_same(examined, clinic, besides, lock=lock)), None)


def _same(examined, clinic, besides, *, lock=False):
    spellings = phones.spellings(examined.details.phone)
    namesakes = sql.patients_called(clinic, examined.details.name, spellings, lock=lock)
    return [patient for patient in namesakes if patient.pk not in besides and _may_be(patient, examined)]


def _may_be(patient, examined):
    """Return False for a namesake on the same phone with another CPF or birth date: a father, a twin. Mixing two
    records is worse than a duplicate."""
    other_cpf = examined.cpf and patient.cpf and patient.cpf != examined.cpf
    born = examined.details.birth_date
    return not other_cpf and not (born and patient.birth_date and patient.birth_date != born)


def _believed(owner, details, clinic, policy):
    if details.birth_date and owner.birth_date and owner.birth_date != details.birth_date:
        raise Refused([Refusal(Reason.CPF_OTHER_BIRTH_DATE)])
    if policy is Policy.STRICT and not sql.is_called(clinic, owner, details.name):
        raise Refused([Refusal(Reason.CPF_TAKEN, {"name": owner.display_name})])
    return owner


def _fill_blanks(patient, details):
    filled = [
        field.name
        for field in fields(details)
        if field.name != "notes" and getattr(details, field.name) and not getattr(patient, field.name)
    ]
    for name in filled:
        setattr(patient, name, getattr(details, name))
    if filled:
        patient.save(update_fields=[*filled, "updated_at"])


def _storable(examined):
    values = {field.name: getattr(examined.details, field.name) for field in fields(examined.details)}
    return values | {"cpf": examined.cpf}
