"""Patients who are, or may be, one person: what was merged, what a merge moves, and who is probably there twice. Reads
only."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q

from clinic.models import Appointment, Clinic, Patient, PatientMerge
from clinic.models.appointment import STANDING
from clinic.models.patient import CURRENT
from clinic.models.patient_merge import UNDOABLE
from clinic.queries.namesakes import SHOWN, heard_alike


class VisitCounts(NamedTuple):
    """How many appointments of a patient are still to take place, and how many are not: over, cancelled or missed."""

    ahead: int
    past: int


def undoable_merges(patient: Patient, now: datetime) -> list[PatientMerge]:
    """Return the merges into this patient that can be undone at `now`, the newest first, with who was merged and who
    did it. One query."""
    merges = PatientMerge.objects.of(patient.clinic_id).filter(kept=patient, undone_at=None, at__gte=now - UNDOABLE)
    return list(merges.select_related("merged", "user").order_by("-at", "-pk"))


def visit_counts(clinic: Clinic, patients: Iterable[Patient], now: datetime) -> list[VisitCounts]:
    """Return the counts of each patient, in their order. One query."""
    patients = list(patients)
    kept = Appointment.objects.of(clinic).kept().filter(patient__in=patients)
    ahead = Count("pk", filter=STANDING & Q(ends_at__gt=now))
    rows = kept.order_by("patient").values_list("patient").annotate(ahead=ahead, every=Count("pk"))
    found = {patient: VisitCounts(ahead, every - ahead) for patient, ahead, every in rows}
    return [found.get(patient.pk, VisitCounts(0, 0)) for patient in patients]


def probable_doubles(patient: Patient) -> list[Patient]:
    """Return at most SHOWN other patients who are probably the same person (`heard_alike`). At most one query."""
    others = Patient.objects.of(patient.clinic_id).filter(CURRENT).exclude(pk=patient.pk)
    numbers = [patient.phone_e164, patient.second_phone]
    return list(heard_alike(others, patient.name, patient.birth_date, numbers)[:SHOWN])
