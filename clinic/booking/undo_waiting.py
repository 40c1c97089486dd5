"""Taking back the end of an entry of the waiting list."""

from datetime import datetime

from clinic.booking.acts import lock_appointment, refuse
from clinic.booking.undo import undo
from clinic.booking.waiting_list import put_back_waiting
from clinic.models import AppointmentEvent, Clinic, WaitingEntry, WaitingEvent
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_as_one


def undo_waiting(entry_id: int, *, clinic: Clinic, by: Author, seen: int | None, now: datetime | None = None) -> None:
    """Open an entry again that was closed, as in the version `seen` (WAITING_CHANGED): one that was withdrawn, by
    `put_back_waiting`; a swap by `undo` of the move with which it ended, if that is still the appointment's last act.

    Locks what the undo of a move locks, then the entry's row. Raises Refused,
    WaitingEntry.DoesNotExist, Appointment.DoesNotExist.
    """

    def work() -> None:
        unlocked = WaitingEntry.objects.of(clinic).get(pk=entry_id)
        booked, event = unlocked.booked_id, _closing_event(unlocked)
        if booked is None or event is None:
            put_back_waiting(entry_id, clinic=clinic, by=by, seen=seen, now=now)
            return
        lock_appointment(clinic, booked, event.before.get("doctor"))
        entry = get_locked(WaitingEntry.objects.of(clinic).filter(pk=entry_id))
        if seen not in (None, entry.version):
            refuse([Refusal(Reason.WAITING_CHANGED)])
        undo(booked, clinic=clinic, by=by, seen=event.pk, now=now)

    run_as_one(work)


def _closing_event(entry: WaitingEntry) -> AppointmentEvent | None:
    """Return the event of the booking or the move with which the entry was closed last, None for none. Two queries."""
    booked = WaitingEvent.objects.filter(entry=entry, kind=WaitingEvent.Kind.BOOKED).order_by("-pk").first()
    return AppointmentEvent.objects.of(entry.clinic_id).get(pk=booked.after["event"]) if booked else None
