"""An encaixe: a patient squeezed in over taken time, or outside the hours, by a user who may or with a manager's
approval."""

from typing import Any

from clinic.booking.rules.encaixe import APPROVABLE, LIFTED
from clinic.booking.slots import Slot
from clinic.models import Appointment, Clinic, StaffUser
from clinic.models.locks import get_shared
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author
from clinic.registry.patient_details import tidy

TIME_FIELDS = {"date", "starts_at", "ends_at"}


def permission_refusals(clinic: Clinic, by: Author, approved_by: int | None) -> list[Refusal]:
    """Refuse an author without the permission, as it is stored at this moment; only users can have it. Instead of it,
    the approval by the manager of that id serves, if the clinic has such a manager at this moment.

    Shares a lock on the user's row, then on the manager's, so that permission and role cannot end before this
    transaction does. Call it after the locks of doctor and patient.
    """
    user = get_shared(StaffUser, by.user.pk) if by.user else None
    if approved_by is not None and not _is_approver(clinic, approved_by):
        return [Refusal(Reason.ENCAIXE_NOT_APPROVED)]
    if user is None or not user.is_active or user.clinic_id != clinic.pk:
        return [Refusal(Reason.ENCAIXE_NOT_PERMITTED)]
    may = user.may_squeeze_in or approved_by is not None
    return [] if may else [Refusal(Reason.ENCAIXE_NOT_PERMITTED)]


def _is_approver(clinic: Clinic, pk: int) -> bool:
    if not StaffUser.objects.of(clinic).filter(pk=pk).exists():
        return False
    manager = get_shared(StaffUser, pk)
    return manager.may_approve and manager.clinic_id == clinic.pk


def encaixes_that_day(slot: Slot) -> int:
    """Return how many standing encaixes the doctor has on the slot's local date, besides the one that is moved."""
    first, end = slot.clinic.day(slot.local_date)
    standing = Appointment.objects.of(slot.clinic).standing().filter(doctor=slot.doctor, encaixe_by__isnull=False)
    others = standing.exclude(pk=slot.moving.pk) if slot.moving else standing
    return others.filter(starts_at__gte=first, starts_at__lt=end).count()


def could_be_encaixe(refused: Refused) -> bool:
    """Return whether an encaixe may be asked for instead: of the time nothing else is wrong. The limit a day and other
    encaixes are not looked at."""
    about_time = {reason for reason in refused.reasons if reason.field in TIME_FIELDS}
    return bool(about_time) and about_time <= LIFTED


def needs_approval(refused: Refused) -> bool:
    """Return whether an encaixe that was asked for is refused only for what a manager's approval lifts."""
    about_it = {reason for reason in refused.reasons if reason.field in TIME_FIELDS or reason in APPROVABLE}
    return bool(about_it & APPROVABLE) and about_it <= APPROVABLE | LIFTED


def encaixe_values(slot: Slot, by: Author, reason: str | None, approved_by: int | None) -> dict[str, Any]:
    """Return the three columns of an appointment in this slot: author, reason and approver of an encaixe, or none of
    them. One query for an approved one."""
    if not slot.is_encaixe:
        return {"encaixe_by": None, "encaixe_reason": "", "encaixe_approved_by": None}
    approver = _user(slot.clinic, approved_by)
    return {"encaixe_by": by.user, "encaixe_reason": tidy(reason or ""), "encaixe_approved_by": approver}


def stored_encaixe(clinic: Clinic, before: dict[str, Any]) -> dict[str, Any]:
    """Return the same three columns as an event kept them, to undo it by; none where that user no longer exists."""
    if user := _user(clinic, before.get("encaixe_by")):
        approver = _user(clinic, before.get("encaixe_approved_by"))
        return {"encaixe_by": user, "encaixe_reason": before["encaixe_reason"], "encaixe_approved_by": approver}
    return {"encaixe_by": None, "encaixe_reason": "", "encaixe_approved_by": None}


def _user(clinic: Clinic, pk: int | None) -> StaffUser | None:
    return StaffUser.objects.of(clinic).filter(pk=pk).first() if pk else None
