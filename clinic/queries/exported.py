"""Patients as they are exported: all of a clinic, or those of a search. Reads only."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from clinic.models import Appointment, Clinic, DataRequest, Patient, shown
from clinic.models.patient import CURRENT, NOT_BLOCKED, NOT_MERGED
from clinic.queries.patients import search

AT_ONCE = 2000
MAX_SEARCHED = 10_000  # more are no search: all patients are a file of their own


def patients(clinic: Clinic) -> Iterator[Patient]:
    """Yield all patients with their payers, by name; none that were merged into another. One query; the access log
    takes them all."""
    rows = Patient.objects.of(clinic).filter(CURRENT).select_related("payer").order_by("folded_name", "pk")
    return rows.iterator(chunk_size=AT_ONCE)


def patient_ids(clinic: Clinic) -> list[int]:
    """Return the ids of all patients, merged ones too: of those that an archive of the clinic holds. One query."""
    return list(Patient.objects.of(clinic).order_by("pk").values_list("pk", flat=True))


def counts(clinic: Clinic) -> dict[str, int]:
    """Return how many `patients` and `appointments` an archive of the clinic holds: people once, also those whose
    data are sealed at their own request, and nothing that was erased, taken back or deleted, whose rows are blank. Two
    queries."""
    sealed = Exists(DataRequest.objects.filter(patient=OuterRef("pk"), outcome__in=DataRequest.SEALED))
    return {
        "patients": Patient.objects.of(clinic).filter(NOT_MERGED & (NOT_BLOCKED | sealed)).order_by().count(),
        "appointments": Appointment.objects.of(clinic).kept().order_by().count(),
    }


def searched(clinic: Clinic, text: str) -> Iterator[Patient]:
    """Yield the patients that their page finds by this text, at most MAX_SEARCHED, with their payers, by
    name. At most seven queries; the access log takes them all."""
    with shown.choosing():
        found = [patient.pk for patient in search(clinic, text, MAX_SEARCHED, dead_too=True, widely=True)]
    rows = Patient.objects.of(clinic).filter(pk__in=found).select_related("payer").order_by("folded_name", "pk")
    return rows.iterator(chunk_size=AT_ONCE)
