"""Merging two patients who are one person, and undoing it: the only act that gives an appointment another patient."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from django.db.models import F, Q
from django.utils import timezone

from clinic.booking.acts import refuse
from clinic.models import Appointment, Clinic, Patient, PatientMerge, Recall, WaitingEntry
from clinic.models.locks import get_locked
from clinic.models.patient import NOT_BLOCKED
from clinic.models.patient_merge import UNDOABLE
from clinic.refusals import Reason, Refusal
from clinic.registry import Author, details_of, patient_version
from clinic.registry.merging import NotRestored, Side, merge_records, merged_details, notes_refusals, separate_records
from clinic.transactions import run_in_transaction

# An entry of the waiting list that follows no appointment.
WITHOUT_APPOINTMENT = Q(appointment=None, booked=None)


class Separated(NamedTuple):
    """What undoing a merge gave back, and what it could not: how many appointments went back; how many the kept patient
    has that were made since; and the fields that stay as they are."""

    merge: PatientMerge
    appointments: int
    since: int
    left: NotRestored


def merge_patients(
    kept_id: int,
    merged_id: int,
    *,
    clinic: Clinic,
    sides: Mapping[str, Side],
    seen: Mapping[int, str] | None = None,
    by: Author,
    now: datetime | None = None,
) -> PatientMerge:
    """Make the patient `merged_id` the patient `kept_id`: one transaction, undone by `undo_merge`.

    `sides` says whose data are taken where both have something else (`registry.merging`); `seen` are the
    `patient_version`s by id that the author saw (MERGE_CHANGED). Every appointment, recall, memo and entry of the
    waiting list becomes the kept patient's, and each history stays where it is. Refused while both have appointments
    that stand at one time (MERGE_AT_ONE_TIME).

    Locks both patients' rows in the order of their ids, then the appointments', the entries' and the recalls'. A
    booking that holds a patient's row is waited for, and what it has booked moves along; one that comes later finds the
    kept patient.
    Raises Refused, Patient.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> PatientMerge:
        patients = _lock_patients(clinic, kept_id, merged_id)
        kept, merged = patients[kept_id], patients[merged_id]
        refuse(_merged_already(kept) + _merged_already(merged))
        refuse([Refusal(Reason.MERGE_CHANGED)] if _has_changed(patients, seen) else [])
        after = merged_details(details_of(kept), details_of(merged), sides)
        refuse(notes_refusals(after) + _at_one_time(clinic, patients))
        moved = _move(clinic, merged, kept, now)
        return merge_records(kept, merged, after, moved, by, now)

    return run_in_transaction(work)


def undo_merge(merge_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None) -> Separated:
    """Make two patients of the merged ones again, for UNDOABLE (30 days).

    Goes back what the merge had moved and is still the kept patient's. The sessions that were added to a series since
    go with it, an entry of the waiting list goes with its appointment, and a recall with the visit at which it was
    written, as does what was booked of it since. The fields of the kept one become what they were, unless they were
    changed since. Locks like `merge_patients`. Raises Refused, PatientMerge.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Separated:
        unlocked = PatientMerge.objects.of(clinic).get(pk=merge_id)
        patients = _lock_patients(clinic, unlocked.kept_id, unlocked.merged_id)
        merge = PatientMerge.objects.of(clinic).get(pk=merge_id)
        kept, merged = merge.kept, merge.merged = patients[merge.kept_id], patients[merge.merged_id]
        refuse(_not_undoable(merge, kept, now))
        left = separate_records(merge, kept, merged, by, now)
        moved = _move(clinic, kept, merged, now, only=merge)
        since = Appointment.objects.of(clinic).kept().filter(patient=kept, created_at__gt=merge.at).count()
        return Separated(merge, len(moved["appointments"]), since, left)

    return run_in_transaction(work)


def _lock_patients(clinic: Clinic, *ids: int) -> dict[int, Patient]:
    """Lock the rows in the order of their ids. Raises Patient.DoesNotExist, for a blocked patient too."""
    return {pk: get_locked(Patient.objects.of(clinic).filter(NOT_BLOCKED, pk=pk)) for pk in sorted(ids)}


def _merged_already(patient: Patient) -> list[Refusal]:
    if patient.merged_into_id is None:
        return []
    return [Refusal(Reason.MERGED_ALREADY, {"patient": patient.display_name})]


def _has_changed(patients: Mapping[int, Patient], seen: Mapping[int, str] | None) -> bool:
    return seen is not None and any(seen.get(pk) != patient_version(patient) for pk, patient in patients.items())


def _at_one_time(clinic: Clinic, patients: Collection[int]) -> list[Refusal]:
    """Refuse two patients with standing appointments that share an instant; the first two by time are named.

    Those of one patient never do, so of the appointments by start there are two neighbours that do, if any two do."""
    standing = Appointment.objects.of(clinic).standing().filter(patient__in=patients).order_by("starts_at", "pk")
    for one, other in pairwise(standing.only("starts_at", "ends_at", "doctor_name")):
        if other.starts_at < one.ends_at:
            times = {"one": _place(clinic, one), "other": _place(clinic, other)}
            return [Refusal(Reason.MERGE_AT_ONE_TIME, times)]
    return []


def _place(clinic: Clinic, appointment: Appointment) -> str:
    """Return the time and the doctor of an appointment, as 23/11/2026 09:00 (Dra. Helena Prado)."""
    return f"{clinic.local(appointment.starts_at):%d/%m/%Y %H:%M} ({appointment.doctor_name})"


def _not_undoable(merge: PatientMerge, kept: Patient, now: datetime) -> list[Refusal]:
    if merge.undone_at is not None:
        return [Refusal(Reason.MERGE_UNDONE)]
    if not merge.is_undoable(now):
        return [Refusal(Reason.MERGE_TOO_OLD, {"limit": UNDOABLE.days})]
    if kept.merged_into_id is not None:
        return [Refusal(Reason.MERGED_SINCE, {"patient": kept.display_name})]
    return []


def _move(
    clinic: Clinic, giver: Patient, receiver: Patient, now: datetime, *, only: PatientMerge | None = None
) -> dict[str, list[int]]:
    """Give the receiver the appointments, entries and recalls of the giver, `only` what this merge had moved and what
    belongs to it; return their ids. Locks their rows in the order of their ids."""
    appointments = Appointment.objects.of(clinic).filter(patient=giver).order_by("pk")
    entries = WaitingEntry.objects.of(clinic).filter(patient=giver).order_by("pk")
    if only:
        appointments = appointments.filter(pk__in=only.moved["appointments"])
    moved = {"appointments": list(appointments.select_for_update(no_key=True).values_list("pk", flat=True))}
    if only:
        going = moved["appointments"]
        while since := _booked_since(clinic, going, only) + _sessions_since(clinic, going, only, now):
            going += since
        entries = entries.filter(
            _goes_with(moved["appointments"]) | Q(WITHOUT_APPOINTMENT, pk__in=only.moved["waiting"])
        )
    moved["waiting"] = list(entries.select_for_update(no_key=True).values_list("pk", flat=True))
    recalls = Recall.objects.of(clinic).filter(patient=giver).order_by("pk")
    recalls = recalls.filter(appointment__in=moved["appointments"]) if only else recalls
    moved["recalls"] = list(recalls.select_for_update(no_key=True).values_list("pk", flat=True))
    Appointment.objects.of(clinic).filter(pk__in=moved["appointments"]).update(patient=receiver, updated_at=now)
    # A page that was drawn before has to look again.
    WaitingEntry.objects.of(clinic).filter(pk__in=moved["waiting"]).update(patient=receiver, version=F("version") + 1)
    Recall.objects.of(clinic).filter(pk__in=moved["recalls"]).update(patient=receiver, version=F("version") + 1)
    return moved


def _booked_since(clinic: Clinic, going: list[int], merge: PatientMerge) -> list[int]:
    """Return the appointments with which recalls of these visits were booked since the merge: the recall goes with its
    visit, and its booking is for the patient who was to be called."""
    recalls = Recall.objects.of(clinic).filter(appointment__in=going, booked__isnull=False)
    booked = Appointment.objects.of(clinic).filter(pk__in=recalls.order_by().values("booked"), patient=merge.kept_id)
    since = booked.filter(created_at__gt=merge.at).exclude(pk__in=going).order_by("pk")
    return list(since.select_for_update(no_key=True).values_list("pk", flat=True))


def _sessions_since(clinic: Clinic, moved: list[int], merge: PatientMerge, now: datetime) -> list[int]:
    """Return the sessions that were added since the merge to the series of the moved appointments: a series is of one
    patient. Those of a series that had sessions of the kept patient before leave it, and are not returned; so does one
    of the moved that was booked into such a series since."""
    of_moved = Appointment.objects.of(clinic).filter(pk__in=moved, series__isnull=False)
    series = set(of_moved.order_by("pk").values_list("series", flat=True))
    others = Appointment.objects.of(clinic).filter(series__in=series, patient=merge.kept_id).exclude(pk__in=moved)
    shared = set(others.filter(created_at__lte=merge.at).order_by("pk").values_list("series", flat=True))
    since = others.filter(created_at__gt=merge.at).order_by("pk").select_for_update(no_key=True)
    going: list[int] = []
    staying: list[int] = []
    for pk, of in since.values_list("pk", "series"):
        (staying if of in shared else going).append(pk)
    leaving = Q(pk__in=staying) | Q(pk__in=moved, series__in=shared, created_at__gt=merge.at)
    Appointment.objects.of(clinic).filter(leaving).update(series=None, updated_at=now)
    return going


def _goes_with(appointments: list[int]) -> Q:
    """Return the condition of entries that are about one of these appointments, or were closed with it."""
    return Q(appointment__in=appointments) | Q(appointment=None, booked__in=appointments)
