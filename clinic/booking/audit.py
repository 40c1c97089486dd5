"""The event of every act on an appointment."""

from datetime import datetime
from typing import Any

from clinic.models import Appointment, AppointmentEvent
from clinic.models.titles import title_beside
from clinic.registry import Author


def record(
    appointment: Appointment, kind: str, by: Author, now: datetime, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Store the event of an act."""
    event(appointment, kind, by, now, before, after).save()


def event(
    appointment: Appointment, kind: str, by: Author, now: datetime, before: dict[str, Any], after: dict[str, Any]
) -> AppointmentEvent:
    """Return the event of an act, not yet stored. `before` and `after` are JSON."""
    return AppointmentEvent(
        clinic=appointment.clinic,
        appointment=appointment,
        doctor_id=appointment.doctor_id,
        kind=kind,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        before=before,
        after=after,
    )


def payer_snapshot(appointment: Appointment) -> dict[str, Any]:
    """Return what an event keeps of who pays: id and name of the payer, None and "" for a private appointment."""
    return {
        "payer": appointment.payer_id,
        "payer_name": appointment.payer.name if appointment.payer else "",
        "authorization_number": appointment.authorization_number,
        "authorization_password": appointment.authorization_password,
    }


def snapshot(appointment: Appointment) -> dict[str, Any]:
    """Return the fields that an event keeps of an appointment that is booked or moved; instants as ISO 8601.

    `doctor_title` is among them where the name alone has no article, and the keys of `encaixe_snapshot`."""
    values = {
        "doctor": appointment.doctor_id,
        "doctor_name": appointment.doctor_name,
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "status": appointment.status,
    }
    if title := title_beside(appointment.doctor_name, appointment.doctor.title):
        values["doctor_title"] = title
    return values | encaixe_snapshot(appointment)


def encaixe_snapshot(appointment: Appointment) -> dict[str, Any]:
    """Return what an event keeps of an encaixe, {} for an ordinary appointment: `encaixe_by`, the id of the user who
    allowed it, `encaixe_reason`, and of an approved one `encaixe_approved_by` and that manager's name,
    `encaixe_approver`."""
    if not appointment.is_encaixe:
        return {}
    values = {"encaixe_by": appointment.encaixe_by_id, "encaixe_reason": appointment.encaixe_reason}
    if approver := appointment.encaixe_approved_by:
        values |= {"encaixe_approved_by": approver.pk, "encaixe_approver": str(approver)}
    return values
