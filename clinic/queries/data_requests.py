"""What patients asked about their data. Reads only."""

from clinic.models import Clinic, DataRequest, Patient
from clinic.registry import record_ids

MAX_LISTED = 200


def listed(clinic: Clinic) -> list[DataRequest]:
    """Return at most MAX_LISTED requests, those that wait for a second person first, then the newest. One query."""
    rows = DataRequest.objects.of(clinic).select_related("requested_by", "decided_by").defer("kept")
    return sorted(rows.order_by("-requested_at", "-pk")[:MAX_LISTED], key=lambda row: row.outcome != "")


def waiting(patient: Patient) -> DataRequest | None:
    """Return the request about a patient that waits for a second person, None for none."""
    rows = DataRequest.objects.of(patient.clinic_id).filter(patient__in=record_ids(patient), outcome="")
    return rows.select_related("requested_by").order_by("pk").first()


def get(clinic: Clinic, pk: int) -> DataRequest | None:
    """Return a request with its people, None for an unknown one; what it keeps is not read."""
    rows = DataRequest.objects.of(clinic).select_related("requested_by", "decided_by", "clinic").defer("kept")
    return rows.filter(pk=pk).first()
