"""Writing the event of a change in the browser that concerns a whole clinic."""

from typing import Any

from clinic.models import AppointmentEvent, Clinic, ClinicEvent, StaffUser


def record_change(clinic: Clinic, kind: str, before: dict[str, Any], after: dict[str, Any], by: StaffUser) -> None:
    """Store the event of a change, none without a change; `kind` is a ClinicEvent.Kind."""
    if before != after:
        ClinicEvent.objects.create(
            clinic=clinic,
            kind=kind,
            channel=AppointmentEvent.Channel.BROWSER,
            user=by,
            before=before,
            after=after,
        )
