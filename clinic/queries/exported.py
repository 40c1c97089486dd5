"""What is exported of a clinic as a whole. Reads only."""

from collections.abc import Iterator

from clinic.models import Clinic, Patient
from clinic.models.patient import CURRENT

AT_ONCE = 2000


def patients(clinic: Clinic) -> Iterator[Patient]:
    """Yield all patients with their payers, by name; none that were merged into another. One query; the access log
    takes them all."""
    rows = Patient.objects.of(clinic).filter(CURRENT).select_related("payer").order_by("folded_name", "pk")
    return rows.iterator(chunk_size=AT_ONCE)
