"""Calls to the patient of an appointment: who is calling now, and at which hour to call again.

That nobody answered is `not_reached`; what the patient answers is another act on the appointment.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.booking.acts import refuse
from clinic.booking.audit import record
from clinic.booking.status import state
from clinic.models import Appointment, AppointmentEvent, Clinic, ConfirmationCall, StaffUser
from clinic.models.appointment import UNCONFIRMED
from clinic.models.clinic import ClinicQuerySet
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_in_transaction


def begin_call(
    appointment_id: int, *, clinic: Clinic, caller: StaffUser, seen: str | None = None, now: datetime | None = None
) -> bool:
    """Store that the caller is calling the patient, and no other patient any more; return whether it is stored.

    It is not while another person's call lasts. `seen` is the `state` that the caller saw: with it, an appointment that
    was moved since is refused (CHANGED_MEANWHILE); one that is no longer to be confirmed always (CALL_NOT_NEEDED). No
    event: nothing of the appointment changes. Locks the appointment's row. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> bool:
        appointment = get_locked(Appointment.objects.of(clinic).in_use().filter(pk=appointment_id), of=("self",))
        refuse(_refusals_of_call(appointment, caller, seen))
        call = _call_of(appointment)
        if call.caller_at(now) not in (None, caller):
            return False
        _calls_by(clinic, caller).exclude(pk=call.pk).update(caller=None, since=None)
        call.caller, call.since = caller, now
        call.save(update_fields=["caller", "since"])
        return True

    return run_in_transaction(work)


def end_call(appointment_id: int, *, clinic: Clinic, caller: StaffUser) -> None:
    """Store that the caller is no longer calling about this appointment. One statement."""
    _calls_by(clinic, caller).filter(appointment=appointment_id).update(caller=None, since=None)


def call_later(
    appointment_id: int,
    at: datetime,
    *,
    clinic: Clinic,
    by: Author,
    seen: str | None = None,
    now: datetime | None = None,
) -> Appointment:
    """Store the instant at which the patient is to be called again, before the appointment begins, and the event.

    `seen` is the `state` that the author saw: with it, an appointment that has changed since is left as it is
    (CHANGED_MEANWHILE). Locks the appointment's row. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        kept = Appointment.objects.of(clinic).in_use().select_related("clinic")
        appointment = get_locked(kept.filter(pk=appointment_id), of=("self",))
        if seen not in (None, state(appointment)):
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        refuse(_refusals(appointment, at, now))
        set_call(appointment, at, by, now)
        return appointment

    return run_in_transaction(work)


def set_call(appointment: Appointment, at: datetime | None, by: Author, now: datetime, *, undo: bool = False) -> None:
    """Write when to call again, None for not any more, and its event; none for what is stored already.

    The appointment's row is locked."""
    call = _call_of(appointment)
    before = call.again_at
    if before == at:
        return
    call.again_at = at
    call.save(update_fields=["again_at"])
    after = {"call_at": _as_text(at)} | ({"undo": True} if undo else {})
    record(appointment, AppointmentEvent.Kind.CALL_LATER, by, now, {"call_at": _as_text(before)}, after)


def take_call_back(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> Appointment:
    """Undo `call_later`: the hour before it is kept again, or none."""
    text = event.before["call_at"]
    set_call(appointment, datetime.fromisoformat(text) if text else None, by, now, undo=True)
    return appointment


def _refusals_of_call(appointment: Appointment, caller: StaffUser, seen: str | None) -> list[Refusal]:
    if appointment.status not in UNCONFIRMED:
        params = {"author": _author_of_status(appointment, caller), "current": appointment.get_status_display()}
        return [Refusal(Reason.CALL_NOT_NEEDED, params)]
    return [Refusal(Reason.CHANGED_MEANWHILE)] if seen not in (None, state(appointment)) else []


def _author_of_status(appointment: Appointment, reader: StaffUser) -> str:
    """Return who gave the appointment its status: of the reader, who does not see it yet, another window. One query."""
    kinds = AppointmentEvent.Kind.BOOKED, AppointmentEvent.Kind.STATUS_CHANGED
    event = appointment.events.filter(kind__in=kinds).select_related("user").order_by("-pk").first()
    if event is None:
        return _("Outra pessoa")
    return _("Outra janela") if event.user == reader else str(event.user or event.credential)


def _refusals(appointment: Appointment, at: datetime, now: datetime) -> list[Refusal]:
    local = appointment.clinic.local
    if at <= now:
        return [Refusal(Reason.TIME_PAST, {"now": f"{local(now):%H:%M}"}, at="call_at")]
    if at >= appointment.starts_at:
        return [Refusal(Reason.CALL_AFTER_START, {"time": f"{local(appointment.starts_at):%d/%m/%Y %H:%M}"})]
    return []


def _call_of(appointment: Appointment) -> ConfirmationCall:
    calls = ConfirmationCall.objects.of(appointment.clinic_id).select_related("caller")
    call, _is_new = calls.get_or_create(appointment=appointment, defaults={"clinic_id": appointment.clinic_id})
    return call


def _calls_by(clinic: Clinic, caller: StaffUser) -> ClinicQuerySet[ConfirmationCall]:
    return ConfirmationCall.objects.of(clinic).filter(caller=caller)


def _as_text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
