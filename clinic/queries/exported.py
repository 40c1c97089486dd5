"""What is exported of a clinic as a whole. Reads only."""

from collections.abc import Iterator

from clinic.models import Appointment, Clinic, Patient
from clinic.models.patient import CURRENT

AT_ONCE = 2000


def patients(clinic: Clinic) -> Iterator[Patient]:
    """Yield all patients with their payers, by name; none that were merged into another. One query; the access log
    takes them all."""
    rows = Patient.objects.of(clinic).filter(CURRENT).select_related("payer").order_by("folded_name", "pk")
    return rows.iterator(chunk_size=AT_ONCE)


def patient_ids(clinic: Clinic) -> list[int]:
    """Return the ids of all patients, merged ones too: of those that an archive of the clinic holds. One query."""
    return list(Patient.objects.of(clinic).order_by("pk").values_list("pk", flat=True))


def counts(clinic: Clinic) -> dict[str, int]:
    """Return how many `patients` and `appointments` an archive of the clinic holds. Two queries."""
    return {
        "patients": Patient.objects.of(clinic).order_by().count(),
        "appointments": Appointment.objects.of(clinic).order_by().count(),
    }
