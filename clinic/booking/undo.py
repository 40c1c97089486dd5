"""Undoing the last change of status or time."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils import timezone

from clinic.booking import transitions
from clinic.booking.acts import lock_appointment, refuse
from clinic.booking.alternatives import BookingRefused
from clinic.booking.audit import Author
from clinic.booking.examine import free_violations, retake_violations
from clinic.booking.reschedule import move, restore_discounts
from clinic.booking.rules.procedures import doctor_refusals
from clinic.booking.slots import present_slot
from clinic.booking.status import set_status, transition_refusals
from clinic.models import Appointment, AppointmentEvent, Clinic, Doctor
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.refusals import Reason, Refusal, Refused
from clinic.transactions import run_in_transaction

MAX_AGE_OF_SLIP = timedelta(minutes=1)


def undo(
    appointment_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None, seen: int | None = None
) -> Appointment:
    """Reverse the last change of status or time; with `seen`, an event's id, only if that is still the last one.

    Within a minute the author of the change may reverse it wherever the time is still free. Later, or for others, the
    rules of a booking hold (but for a start that has passed), since a holiday or new hours may have come in between.
    Locks and raises like `change_status`.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        event = undoable(Appointment.objects.of(clinic).kept().get(pk=appointment_id))
        if event is None:
            raise Refused([Refusal(Reason.NOTHING_TO_UNDO)])
        if seen is not None and seen != event.pk:
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        doctor_before = Doctor.objects.of(clinic).filter(pk=event.before.get("doctor")).first()
        appointment = lock_appointment(clinic, appointment_id, doctor_before)
        if undoable(appointment) != event:
            raise Refused([Refusal(Reason.TRY_AGAIN)])
        if event.kind == AppointmentEvent.Kind.RESCHEDULED:
            return _undo_move(appointment, event, by, now)
        return _undo_status(appointment, event, by, now)

    return run_in_transaction(work)


def undoable(appointment: Appointment) -> AppointmentEvent | None:
    """Return the event that `undo` would reverse: the last one, if it changed status or time and is not an undo."""
    event = appointment.events.order_by("-pk").first()
    kinds = {AppointmentEvent.Kind.STATUS_CHANGED, AppointmentEvent.Kind.RESCHEDULED}
    return event if event and event.kind in kinds and not event.after.get("undo") else None


def _is_own_slip(event: AppointmentEvent, by: Author, now: datetime) -> bool:
    """Return whether `by` is the author of the event, and it is less than a minute old."""
    author = event.channel, event.user_id, event.credential
    user_id = by.user.pk if by.user else None
    return author == (by.channel, user_id, by.credential) and now - event.at < MAX_AGE_OF_SLIP


def _undo_move(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    """The time may have begun meanwhile, or have been missed; the doctor may have been deleted, or a discount."""
    before = event.before
    doctor = Doctor.objects.of(appointment.clinic).filter(pk=before["doctor"]).first()
    if doctor is None:
        raise BookingRefused(doctor_refusals(before["doctor"], None))
    starts_at, ends_at = (datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at"))
    if before["status"] not in FREES_THE_TIME:
        present = present_slot(appointment, now)
        earlier = replace(present, doctor=doctor, starts_at=starts_at, ends_at=ends_at)
        is_own_slip = _is_own_slip(event, by, now)
        refuse(free_violations(earlier) if is_own_slip else retake_violations(earlier, appointment), present)
    return move(
        appointment,
        doctor,
        starts_at,
        ends_at,
        before["status"],
        by,
        now,
        undo=True,
        discounts_gone=restore_discounts(appointment, event.after.get("discounts_off", [])),
    )


def _undo_status(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    before = event.before
    wanted = before["status"]
    if wanted not in transitions.TRANSITIONS[Status(appointment.status)]:
        wanted = Status.SCHEDULED
    refusals = transition_refusals(appointment, wanted, now, own_slip=_is_own_slip(event, by, now))
    refuse(refusals, present_slot(appointment, now))
    cancelled_by, reason = before.get("cancelled_by", ""), before.get("reason", "")
    return set_status(appointment, wanted, by, now, cancelled_by=cancelled_by, cancel_reason=reason, undo=True)
