"""Taking back the last change of status, time, procedures or payer, the hour of another call, a call that was not
answered, or what was discarded of the patient."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from clinic.booking import lines, transitions
from clinic.booking.acts import lock_appointment, refuse
from clinic.booking.alternatives import BookingRefused
from clinic.booking.book_waiting import reopen_after_undo
from clinic.booking.calls import take_call_back
from clinic.booking.change_procedures import change_refusals, finish
from clinic.booking.encaixe import stored_encaixe
from clinic.booking.examine import free_violations, retake_violations
from clinic.booking.not_reached import take_unanswered_call_back
from clinic.booking.payer import store_payer
from clinic.booking.reschedule import LinesChanged, move, restore_discounts
from clinic.booking.rules.procedures import doctor_refusals
from clinic.booking.slots import present_slot
from clinic.booking.status import set_status, transition_refusals
from clinic.booking.unverified import bring_back
from clinic.models import Appointment, AppointmentEvent, Clinic, Doctor, Payer
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.models.history import changes_encaixe, last_event
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author
from clinic.transactions import run_in_transaction

SLIP_PERIOD = timedelta(minutes=1)
OWN_ACT_PERIOD = timedelta(minutes=10)


def undo(
    appointment_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None, seen: int | None = None
) -> Appointment:
    """Reverse the last act that is `undoable`; with `seen`, an event's id, only if that is still the last one.

    The author can take back a change of less than a minute ago wherever the time is still free, however many a day are
    booked. Later, or for others, the rules of a booking hold (but for a start that has passed), since a holiday or new
    hours may have been added. No payer is ever asked whether it still pays. Locks and raises like `change_status`.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        event = undoable(Appointment.objects.of(clinic).in_use().get(pk=appointment_id))
        if event is None:
            raise Refused([Refusal(Reason.NOTHING_TO_UNDO)])
        if seen is not None and seen != event.pk:
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        appointment = lock_appointment(clinic, appointment_id, event.before.get("doctor"))
        if undoable(appointment) != event:
            raise Refused([Refusal(Reason.TRY_AGAIN)])
        return _REVERSALS[AppointmentEvent.Kind(event.kind)](appointment, event, by, now)

    return run_in_transaction(work)


def undoable(appointment: Appointment) -> AppointmentEvent | None:
    """Return the event that `undo` would reverse: the last one, if it `is_reversible`. One query."""
    event = last_event(appointment)
    return event if event and is_reversible(event) else None


def is_reversible(event: AppointmentEvent) -> bool:
    """Return whether `undo` could reverse the event while it is its appointment's last one: it changed status, time,
    procedures, payer or the hour of another call, was a call that was not answered, or discarded what was to be
    confirmed, and was no undo itself. What was used is the patient's, and changed there."""
    return event.kind in _REVERSALS and not (event.after.get("undo") or event.after.get("used"))


def last_own_act(clinic: Clinic, by: Author) -> AppointmentEvent | None:
    """Return the event of the author's last act on any appointment, wherever it was made, in the last ten minutes.

    `undo` takes it back if it is `undoable`: not everything can be undone, and something else may have happened since.
    One query."""
    since = timezone.now() - OWN_ACT_PERIOD
    own = AppointmentEvent.objects.of(clinic).filter(user=by.user, credential=by.credential, at__gt=since)
    kept = own.filter(appointment__deleted_at=None).select_related("appointment__patient")
    return kept.order_by("-at", "-pk").first()


def undo_verb(event: AppointmentEvent) -> str:
    """Return what the button says that undoes an `undoable` event."""
    if event.kind == AppointmentEvent.Kind.RESCHEDULED:
        return str(transitions.UNDO_MOVE)
    if event.kind == AppointmentEvent.Kind.PROCEDURES:
        return str(transitions.UNDO_PROCEDURES)
    if event.kind == AppointmentEvent.Kind.PAYER:
        return str(transitions.UNDO_PAYER)
    if event.kind == AppointmentEvent.Kind.UNVERIFIED:
        return str(transitions.UNDO_DISCARD)
    if event.kind == AppointmentEvent.Kind.CALL_LATER:
        return str(transitions.UNDO_CALL_LATER)
    if event.kind == AppointmentEvent.Kind.NOT_REACHED:
        return str(transitions.UNDO_NOT_REACHED)
    before, after = Status(event.before["status"]), Status(event.after["status"])
    verbs = transitions.UNDO_STEP_BACK if transitions.is_step_back(before, after) else transitions.UNDO
    return str(verbs[after])


def is_own_slip(event: AppointmentEvent, by: Author, now: datetime) -> bool:
    """Return whether the author `by` made the change less than a minute ago. `undo` takes it back then wherever the
    time is still free, although the doctor does not work then; any other only where the rules of a booking allow it."""
    author = by.channel, by.user.pk if by.user else None, by.credential
    is_own = (event.channel, event.user_id, event.credential) == author
    return is_own and slip_left(event, now) > timedelta()


def slip_left(event: AppointmentEvent, now: datetime) -> timedelta:
    """Return how long a change still `is_own_slip` of its author; nothing or less once it is over."""
    return event.at + SLIP_PERIOD - now


def _move_back(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    """The time may have begun meanwhile, or have been missed; the doctor may have been deleted, or a discount."""
    before = event.before
    doctor = Doctor.objects.of(appointment.clinic).filter(pk=before["doctor"]).first()
    if doctor is None:
        raise BookingRefused(doctor_refusals(before["doctor"], doctor))
    starts_at, ends_at = (datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at"))
    present = present_slot(appointment, now, by)
    encaixe = stored_encaixe(appointment.clinic, before)
    slot = replace(
        present,
        doctor=doctor,
        starts_at=starts_at,
        ends_at=ends_at,
        is_encaixe=encaixe["encaixe_by"] is not None,
        is_approved=encaixe["encaixe_approved_by"] is not None,
    )
    if before["status"] not in FREES_THE_TIME:
        violations = free_violations(slot) if is_own_slip(event, by, now) else retake_violations(slot)
        refuse(violations, present)
    gone = restore_discounts(appointment, event.after.get("discounts_off", []))
    remarks: dict[str, Any] = {"encaixe": encaixe, "undo": True}
    if "lines" in before:
        present_lines = lines.line_snapshots(lines.load(appointment))
        gone += _lines_back(appointment, before["lines"])
        remarks["procedures"] = LinesChanged(present_lines, lines.line_snapshots(lines.load(appointment)))
    reopen_after_undo(appointment, event, by, now)
    return move(appointment, doctor, starts_at, ends_at, before["status"], by, now, discounts_gone=gone, **remarks)


def _status_back(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    """What cannot become again what it was becomes Agendado. What was Remarcado is so again where it could become
    Agendado: its place is still the one it was moved to."""
    before, status = event.before, Status(event.before["status"])
    asked = status if status in transitions.TRANSITIONS[Status(appointment.status)] else Status.SCHEDULED
    refusals = transition_refusals(appointment, asked, now, is_own_slip=is_own_slip(event, by, now))
    refuse(refusals, present_slot(appointment, now, by))
    cancelled_by, reason = before.get("cancelled_by", ""), before.get("reason", "")
    restored = status if status == Status.RESCHEDULED else asked
    return set_status(appointment, restored, by, now, cancelled_by=cancelled_by, cancel_reason=reason, undo=True)


def _procedures_back(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    """The time may have been taken meanwhile, by another one too while this was an encaixe; a procedure or a discount
    may have been deleted."""
    refuse(change_refusals(appointment, by))
    before, present = event.before, present_slot(appointment, now, by)
    ends_at = datetime.fromisoformat(before["ends_at"])
    encaixe = stored_encaixe(appointment.clinic, before) if changes_encaixe(event) else None
    is_encaixe = encaixe["encaixe_by"] is not None if encaixe else present.is_encaixe
    if ends_at > appointment.ends_at or is_encaixe is not present.is_encaixe:
        slot = replace(present, ends_at=ends_at, is_encaixe=is_encaixe)
        violations = free_violations(slot) if is_own_slip(event, by, now) else retake_violations(slot)
        refuse(violations, present)
    changed = lines.snapshot(appointment, lines.load(appointment))
    gone = _lines_back(appointment, before["lines"])
    remarks = {"undo": True} | ({"discounts_gone": gone} if gone else {})
    return finish(appointment, ends_at, changed, by, now, encaixe=encaixe, **remarks)


def _lines_back(appointment: Appointment, kept: list[dict[str, Any]]) -> list[str]:
    """Replace the lines by those that an event kept; return the names of discounts that no longer exist."""
    if lines.missing_procedures(appointment, kept):
        refuse([Refusal(Reason.PROCEDURE_UNKNOWN)])
    return lines.write_back(appointment, kept)


def _payer_back(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    """The clinic may accept the payer no more, which refuses nothing here; a deleted one is refused."""
    before = event.before
    payer = Payer.objects.of(appointment.clinic).filter(pk=before["payer"]).first()
    refuse([Refusal(Reason.PAYER_UNKNOWN)] if before["payer"] and payer is None else [])
    columns = {name: before[name] for name in ("authorization_number", "authorization_password")}
    return store_payer(appointment, {"payer": payer, **columns}, by, now, undo=True)


_REVERSALS = {
    AppointmentEvent.Kind.STATUS_CHANGED: _status_back,
    AppointmentEvent.Kind.RESCHEDULED: _move_back,
    AppointmentEvent.Kind.PROCEDURES: _procedures_back,
    AppointmentEvent.Kind.PAYER: _payer_back,
    AppointmentEvent.Kind.UNVERIFIED: bring_back,
    AppointmentEvent.Kind.CALL_LATER: take_call_back,
    AppointmentEvent.Kind.NOT_REACHED: take_unanswered_call_back,
}
