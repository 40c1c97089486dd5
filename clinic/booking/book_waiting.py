"""Giving a time to who waits for one: a booking, or the move of the appointment that is exchanged for it."""

from datetime import datetime

from django.utils import timezone

from clinic.booking.acts import refuse
from clinic.booking.book import book
from clinic.booking.proposal import LineRequest, Proposal
from clinic.booking.reschedule import reschedule
from clinic.booking.waiting_list import close_waiting, lock_waiting, reopen_waiting
from clinic.models import Appointment, AppointmentEvent, Clinic, WaitingEntry
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author
from clinic.transactions import run_as_one


def book_waiting(
    entry_id: int,
    *,
    clinic: Clinic,
    doctor: int | None,
    starts_at: datetime | None,
    seen: int | None = None,
    place: str | None = None,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Give the open entry this time and close it, in one transaction; return the appointment.

    An entry with an appointment is a swap: that appointment stays where it is until the new time is its own, and is
    moved there by the rules and the event of every move. Otherwise a new one is booked by the rules of every booking.
    `seen` is the version of the entry that the author saw, `place` that of its appointment. Locks what a booking or a
    move locks, then the entry's row. Raises Refused, with the nearest free times where the time is at fault: then
    nothing is written and the entry stays open; WaitingEntry.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        entry = WaitingEntry.objects.of(clinic).select_related("appointment").get(pk=entry_id)
        if entry.closed_at is not None:
            refuse([Refusal(Reason.WAITING_CLOSED)])
        if entry.appointment:
            appointment = _swap(entry.appointment, clinic, doctor, starts_at, place, by, now)
        else:
            lines = tuple(LineRequest(pk) for pk in entry.procedures.values_list("pk", flat=True))
            wanted = Proposal(clinic=clinic, doctor=doctor, lines=lines, starts_at=starts_at, patient=entry.patient_id)
            appointment = book(wanted, by=by, now=now)
        locked = lock_waiting(clinic, entry_id, seen)
        if locked.appointment_id != entry.appointment_id:
            refuse([Refusal(Reason.WAITING_CHANGED)])
        close_waiting(locked, appointment, by, now, _last_event(appointment))
        return appointment

    return run_as_one(work)


def reopen_after_undo(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> None:
    """Open the entry again that the move in `event`, now undone, had closed; nothing where it closed none.

    A booking is undone by no act: who cancels it may be put on the list anew. The appointment's row is locked; locks
    the entry's. A second entry of the same appointment, made meanwhile, leaves the first one closed."""
    entries = WaitingEntry.objects.of(appointment.clinic_id)
    closed = entries.filter(booked=appointment, appointment=appointment, events__after__event=event.pk).first()
    if closed and not entries.open().filter(appointment=appointment).exists():
        reopen_waiting(get_locked(entries.filter(pk=closed.pk)), by, now)


def _last_event(appointment: Appointment) -> int:
    """Return the id of the event of the booking or the move that was just written."""
    return appointment.events.order_by("-pk").values_list("pk", flat=True)[0]


def _swap(
    present: Appointment,
    clinic: Clinic,
    doctor: int | None,
    starts_at: datetime | None,
    place: str | None,
    by: Author,
    now: datetime,
) -> Appointment:
    try:
        return reschedule(present.pk, clinic=clinic, doctor=doctor, starts_at=starts_at, seen=place, by=by, now=now)
    except Appointment.DoesNotExist:
        raise Refused([Refusal(Reason.WAITING_APPOINTMENT_GONE)]) from None
    except Refused as refused:
        if Reason.NOT_MOVABLE in refused.reasons:
            raise Refused([Refusal(Reason.WAITING_APPOINTMENT_GONE)]) from None
        raise
