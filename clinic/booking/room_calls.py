"""Calling a patient who has arrived to the doctor's room, and marking why a patient goes before others.

Both add a row that says who and when, and no event: nothing of the appointment changes.
"""

from datetime import datetime

from django.utils import timezone

from clinic.booking.acts import refuse
from clinic.booking.status import state
from clinic.models import Appointment, Clinic, PriorityMark, RoomCall
from clinic.models.appointment import EXPECTED, Status
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_in_transaction

IN_QUEUE = {*EXPECTED, Status.CHECKED_IN}


def call_to_room(
    appointment_id: int, *, clinic: Clinic, by: Author, seen: str | None = None, now: datetime | None = None
) -> RoomCall:
    """Store that the patient, who waits today, is called to the doctor's room now.

    `seen` is the `state` that the author saw: with it, an appointment that has changed since is left as it is
    (CHANGED_MEANWHILE). Locks the appointment's row. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> RoomCall:
        appointment = _locked(appointment_id, clinic, seen)
        if appointment.status != Status.CHECKED_IN or not _is_of_today(appointment, clinic, now):
            refuse([Refusal(Reason.NOT_WAITING, {"current": appointment.get_status_display()})])
        return RoomCall.objects.create(clinic=clinic, appointment=appointment, at=now, user=by.user)

    return run_in_transaction(work)


def mark_priority(
    appointment_id: int,
    kind: PriorityMark.Kind,
    *,
    clinic: Clinic,
    by: Author,
    seen: str | None = None,
    now: datetime | None = None,
) -> PriorityMark:
    """Store why the patient goes before others; the same mark again adds nothing.

    The patient waits, or is still to come today. `seen` as in `call_to_room`. Locks the appointment's row. Raises
    Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> PriorityMark:
        appointment = _locked(appointment_id, clinic, seen)
        if appointment.status not in IN_QUEUE or not _is_of_today(appointment, clinic, now):
            refuse([Refusal(Reason.NOT_IN_QUEUE, {"current": appointment.get_status_display()})])
        last = PriorityMark.objects.of(clinic).filter(appointment=appointment).last()
        if last and last.kind == kind:
            return last
        return PriorityMark.objects.create(clinic=clinic, appointment=appointment, kind=kind, at=now, user=by.user)

    return run_in_transaction(work)


def _is_of_today(appointment: Appointment, clinic: Clinic, now: datetime) -> bool:
    midnight, next_midnight = clinic.day(clinic.local(now).date())
    return appointment.ends_at > midnight and appointment.starts_at < next_midnight


def _locked(appointment_id: int, clinic: Clinic, seen: str | None) -> Appointment:
    kept = Appointment.objects.of(clinic).in_use().select_related("clinic")
    appointment = get_locked(kept.filter(pk=appointment_id), of=("self",))
    if seen not in (None, state(appointment)):
        refuse([Refusal(Reason.CHANGED_MEANWHILE)])
    return appointment
