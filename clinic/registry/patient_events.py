"""Recording who changed a patient's data, in the transaction of the change: for every entry point."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.utils import timezone

from clinic.copying import copy_rows
from clinic.models import Patient, PatientEvent, StaffUser
from clinic.registry.patient_details import PatientDetails

REGISTERED = PatientEvent.Kind.REGISTERED


@dataclass(frozen=True)
class Author:
    """The author of an act and their channel: a person, or a token, key or command by its name."""

    channel: str
    user: StaffUser | None = None
    credential: str = ""


def record_patient(patient: Patient, before: PatientDetails | None, after: PatientDetails, by: Author) -> None:
    """Store the event of a patient who was added (`before` is None) or changed; none without a difference.

    Runs in the caller's transaction."""
    changes = differences(before or PatientDetails(), after)
    if not changes:
        return
    record_event(patient, PatientEvent.Kind.CHANGED if before else PatientEvent.Kind.REGISTERED, changes, by)


def record_registered(patients: Iterable[tuple[Patient, PatientDetails]], by: Author) -> None:
    """Store the events of many patients who were added at once, with their data. Runs in the caller's transaction."""
    now, blank = timezone.now(), PatientDetails()
    author = by.channel, by.user.pk if by.user else None, by.credential
    copy_rows(
        PatientEvent,
        ("clinic_id", "patient_id", "kind", "at", "channel", "user_id", "credential", "changes", "reason"),
        (
            (patient.clinic_id, patient.pk, REGISTERED, now, *author, differences(blank, details), "")
            for patient, details in patients
        ),
    )


def record_event(
    patient: Patient, kind: str, changes: dict[str, list[Any]], by: Author, now: datetime | None = None
) -> None:
    """Store an event of a patient, with the `differences`. Runs in the caller's transaction."""
    _event(patient, kind, changes, by, now or timezone.now()).save(force_insert=True)


def _event(patient: Patient, kind: str, changes: dict[str, list[Any]], by: Author, now: datetime) -> PatientEvent:
    return PatientEvent(
        clinic_id=patient.clinic_id,
        patient=patient,
        kind=kind,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        changes=changes,
    )


def differences(before: PatientDetails, after: PatientDetails) -> dict[str, list[Any]]:
    """Return the fields that differ as {name: [before, after]}; every field of PatientDetails is compared."""
    values = {field.name: [getattr(before, field.name), getattr(after, field.name)] for field in fields(after)}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}
