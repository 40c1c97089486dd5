"""The event that says who took a whole clinic along, or brought it. It is in no archive itself (`Table.condition`)."""

from datetime import datetime

from clinic.models import Clinic, ClinicEvent
from clinic.registry import Author, record_change


def record_export(clinic: Clinic, by: Author) -> None:
    """Store who has had the clinic written as an archive, once it is whole and before it leaves."""
    record_change(clinic, ClinicEvent.Kind.ARCHIVE, {}, {"act": "exported"}, by)


def record_import(clinic: Clinic, made_at: datetime, by: Author) -> None:
    """Store that the clinic came from the archive of that instant."""
    record_change(clinic, ClinicEvent.Kind.ARCHIVE, {}, {"act": "imported", "made_at": made_at.isoformat()}, by)
