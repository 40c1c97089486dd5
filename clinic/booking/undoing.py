"""Taking back the last change of status or time."""

from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from clinic.booking import rules, statuses
from clinic.booking.changes import set_status, transition_refusals
from clinic.booking.moves import move
from clinic.booking.refusals import BookingRefused, Reason, Refusal
from clinic.booking.writing import Author, locked, refuse, transacted
from clinic.models import Appointment, AppointmentEvent, Clinic, Doctor
from clinic.models.appointment import Status


def undo(
    appointment_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None, seen: int | None = None
) -> Appointment:
    """Reverse the last change of status or time; with `seen`, an event's id, only if that is still the last one.

    Locks and raises like `change_status`.
    """
    now = now or timezone.now()

    def work():
        found = Appointment.objects.of(clinic).kept().get(pk=appointment_id)
        event = undoable(found)
        if event is None:
            raise BookingRefused([Refusal(Reason.NOTHING_TO_UNDO)])
        if seen is not None and seen != event.pk:
            raise BookingRefused([Refusal(Reason.CHANGED_MEANWHILE)])
        doctor_before = Doctor.objects.of(clinic).filter(pk=event.before.get("doctor")).first()
        appointment = locked(clinic, appointment_id, doctor_before)
        if undoable(appointment) != event:
            raise BookingRefused([Refusal(Reason.TRY_AGAIN)])
        if event.kind == AppointmentEvent.Kind.RESCHEDULED:
            return _move_back(appointment, event.before, by, now)
        return _status_back(appointment, event.before, by, now)

    return transacted(work)


def undoable(appointment: Appointment) -> AppointmentEvent | None:
    """The event that `undo` would reverse: the last one, if it changed status or time and was not itself an undo."""
    event = appointment.events.order_by("-pk").first()
    kinds = {AppointmentEvent.Kind.STATUS_CHANGED, AppointmentEvent.Kind.RESCHEDULED}
    return event if event and event.kind in kinds and not event.after.get("undo") else None


def _move_back(appointment, before, by, now):
    """Undoing asks only whether the time is still free: it may have begun meanwhile, or have been missed."""
    doctor = Doctor.objects.of(appointment.clinic).filter(pk=before["doctor"], active=True).first()
    refuse([] if doctor else [Refusal(Reason.DOCTOR_UNKNOWN)])
    starts_at, ends_at = (datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at"))
    if before["status"] not in statuses.FREES_THE_TIME:
        case = rules.standing_case(appointment, now)
        refuse(rules.free(replace(case, doctor=doctor, starts_at=starts_at, ends_at=ends_at)))
    return move(appointment, doctor, starts_at, ends_at, before["status"], by, now, undo=True)


def _status_back(appointment, before, by, now):
    wanted = before["status"]
    if wanted not in statuses.TRANSITIONS[appointment.status]:
        wanted = Status.SCHEDULED
    refuse(transition_refusals(appointment, wanted, now))
    cancelled_by, reason = before.get("cancelled_by", ""), before.get("reason", "")
    return set_status(appointment, wanted, by, now, cancelled_by=cancelled_by, cancel_reason=reason, undo=True)
