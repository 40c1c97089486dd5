"""Writing the book of incidents."""

from typing import Any

from clinic.models import Clinic, Incident, StaffUser


def write_incident(clinic: Clinic, *, by: StaffUser, **entry: Any) -> Incident:
    """Store an entry, its columns as `Incident` has them, and return it; `about` is an entry of the same clinic."""
    return Incident.objects.create(clinic=clinic, written_by=by, **entry)
