"""Recording that a patient did not answer the telephone."""

from datetime import datetime, timedelta

from django.utils import timezone

from clinic.booking.acts import refuse
from clinic.booking.audit import record
from clinic.booking.status import state
from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.models.history import unanswered_calls
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_in_transaction

SAME_CALL = timedelta(seconds=10)  # a second press of the button is not a second call


def record_not_reached(
    appointment_id: int, *, clinic: Clinic, by: Author, seen: str | None = None, now: datetime | None = None
) -> Appointment:
    """Store the event of a call that was not answered; the appointment itself stays as it is.

    `seen` is the `state` that the author saw: with it, an appointment that has changed since gets no event
    (CHANGED_MEANWHILE). Locks the appointment's row. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        appointment = get_locked(Appointment.objects.of(clinic).in_use().filter(pk=appointment_id), of=("self",))
        if seen not in (None, state(appointment)):
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        if not _is_recorded(appointment, now):
            record(appointment, AppointmentEvent.Kind.NOT_REACHED, by, now, {}, {})
        return appointment

    return run_in_transaction(work)


def take_unanswered_call_back(
    appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime
) -> Appointment:
    """Undo `record_not_reached`: the call counts no longer."""
    record(appointment, AppointmentEvent.Kind.NOT_REACHED, by, now, {}, {"undo": True})
    return appointment


def _is_recorded(appointment: Appointment, now: datetime) -> bool:
    kind = AppointmentEvent.Kind.NOT_REACHED
    return bool(unanswered_calls(appointment.events.filter(kind=kind, at__gt=now - SAME_CALL).order_by("pk")))
