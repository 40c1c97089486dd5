"""Taking back the last change of status or time."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils import timezone

from clinic.booking import rules, transitions
from clinic.booking.acts import lock_appointment, refuse
from clinic.booking.audit import Author
from clinic.booking.reschedule import give_back, move
from clinic.booking.status import set_status, transition_refusals
from clinic.models import Appointment, AppointmentEvent, Clinic, Doctor
from clinic.models.appointment import Status
from clinic.refusals import Reason, Refusal, Refused
from clinic.transactions import run_in_transaction

A_SLIP = timedelta(minutes=1)


def undo(
    appointment_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None, seen: int | None = None
) -> Appointment:
    """Reverse the last change of status or time; with `seen`, an event's id, only if that is still the last one.

    What the author did less than a minute ago is taken back wherever the time is still free; later, or by others, the
    rules of a booking hold (but for a start that has passed), since a holiday or new hours may have come in between.
    Locks and raises like `change_status`.
    """
    now = now or timezone.now()

    def work():
        found = Appointment.objects.of(clinic).kept().get(pk=appointment_id)
        event = undoable(found)
        if event is None:
            raise Refused([Refusal(Reason.NOTHING_TO_UNDO)])
        if seen is not None and seen != event.pk:
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        doctor_before = Doctor.objects.of(clinic).filter(pk=event.before.get("doctor")).first()
        appointment = lock_appointment(clinic, appointment_id, doctor_before)
        if undoable(appointment) != event:
            raise Refused([Refusal(Reason.TRY_AGAIN)])
        back = _move_back if event.kind == AppointmentEvent.Kind.RESCHEDULED else _status_back
        return back(appointment, event, by, now)

    return run_in_transaction(work)


def undoable(appointment: Appointment) -> AppointmentEvent | None:
    """The event that `undo` would reverse: the last one, if it changed status or time and was not itself an undo."""
    event = appointment.events.order_by("-pk").first()
    kinds = {AppointmentEvent.Kind.STATUS_CHANGED, AppointmentEvent.Kind.RESCHEDULED}
    return event if event and event.kind in kinds and not event.after.get("undo") else None


def undo_verb(event: AppointmentEvent) -> str:
    """Return what the button says that undoes an `undoable` event."""
    if event.kind == AppointmentEvent.Kind.RESCHEDULED:
        return str(transitions.UNDO_MOVE)
    before, after = Status(event.before["status"]), Status(event.after["status"])
    verbs = transitions.UNDO_STEP_BACK if transitions.is_step_back(before, after) else transitions.UNDO
    return str(verbs[after])


def _is_own_slip(event, by, now):
    author = event.channel, event.user_id, event.credential
    return author == (by.channel, by.user and by.user.pk, by.credential) and now - event.at < A_SLIP


def _move_back(appointment, event, by, now):
    """The time may have begun meanwhile, or have been missed; the doctor may have been deleted, or a discount."""
    before = event.before
    doctor = Doctor.objects.of(appointment.clinic).filter(pk=before["doctor"]).first()
    refuse(rules.doctor_refusals(before["doctor"], doctor))
    starts_at, ends_at = (datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at"))
    standing = rules.standing_case(appointment, now)
    case = replace(standing, doctor=doctor, starts_at=starts_at, ends_at=ends_at)
    if before["status"] not in transitions.FREES_THE_TIME:
        refuse(rules.free(case) if _is_own_slip(event, by, now) else rules.taking_again(case), standing)
    remark = give_back(appointment, event.after)
    return move(appointment, doctor, starts_at, ends_at, before["status"], by, now, undo=True, **remark)


def _status_back(appointment, event, by, now):
    before = event.before
    wanted = before["status"]
    if wanted not in transitions.TRANSITIONS[appointment.status]:
        wanted = Status.SCHEDULED
    case = rules.standing_case(appointment, now)
    refuse(transition_refusals(case, wanted, own_slip=_is_own_slip(event, by, now)), case)
    cancelled_by, reason = before.get("cancelled_by", ""), before.get("reason", "")
    return set_status(appointment, wanted, by, now, cancelled_by=cancelled_by, cancel_reason=reason, undo=True)
