"""An encaixe: a patient squeezed in over taken time, or outside the hours, by a user who may."""

from typing import Any

from clinic.booking.rules.encaixe import LIFTED
from clinic.booking.slots import Slot
from clinic.models import Appointment, Clinic, StaffUser
from clinic.models.locks import get_shared
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author
from clinic.registry.patient_details import tidy

TIME_FIELDS = {"date", "starts_at", "ends_at"}


def permission_refusals(clinic: Clinic, by: Author) -> list[Refusal]:
    """Refuse an author without the permission, as it is stored at this moment; only users can have it.

    Shares a lock on the user's row, so that the permission cannot end before this transaction does. Call it after the
    locks of doctor and patient.
    """
    user = get_shared(StaffUser, by.user.pk) if by.user else None
    may = user is not None and user.is_active and user.may_squeeze_in and user.clinic_id == clinic.pk
    return [] if may else [Refusal(Reason.ENCAIXE_NOT_PERMITTED)]


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


def encaixe_values(slot: Slot, by: Author, reason: str | None) -> dict[str, Any]:
    """Return the two columns of an appointment in this slot: the author and the reason of an encaixe, or neither."""
    if slot.is_encaixe:
        return {"encaixe_by": by.user, "encaixe_reason": tidy(reason or "")}
    return {"encaixe_by": None, "encaixe_reason": ""}


def stored_encaixe(clinic: Clinic, before: dict[str, Any]) -> dict[str, Any]:
    """Return the same two columns as an event kept them, to undo it by; neither where that user no longer exists."""
    pk = before.get("encaixe_by")
    user = StaffUser.objects.filter(pk=pk, clinic=clinic).first() if pk else None
    return {"encaixe_by": user, "encaixe_reason": before["encaixe_reason"] if user else ""}
