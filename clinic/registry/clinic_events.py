"""Writing the event of a change that concerns a whole clinic."""

from typing import Any

from clinic.models import Clinic, ClinicEvent
from clinic.registry.patient_events import Author


def record_change(clinic: Clinic, kind: str, before: dict[str, Any], after: dict[str, Any], by: Author) -> None:
    """Store the event of a change, none without a change; `kind` is a ClinicEvent.Kind."""
    if before != after:
        ClinicEvent.objects.create(
            clinic=clinic,
            kind=kind,
            channel=by.channel,
            user=by.user,
            credential=by.credential,
            before=before,
            after=after,
        )


def record_directory(clinic: Clinic, before: dict[str, Any], after: dict[str, Any], by: Author) -> None:
    """Store what a program changed of a doctor, a procedure or the clinic, by the names of their columns; with
    `name` in both. {} before: added; {} after: switched off. People's changes are in Django's log of the admin."""
    record_change(clinic, ClinicEvent.Kind.DIRECTORY, before, after, by)
