"""Changing the status of an appointment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.booking import transitions
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.audit import Author, record
from clinic.booking.examine import free_violations, retake_violations
from clinic.booking.reschedule import place
from clinic.booking.slots import present_slot
from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.models.appointment import Status
from clinic.models.limits import max_length
from clinic.refusals import Reason, Refusal
from clinic.registry.patient_details import tidy, unstorable_line
from clinic.transactions import run_in_transaction

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MAX_REASON_LENGTH = max_length(Appointment, "cancel_reason")
# The statuses of a patient who is in the clinic, each with the act for the sentence that refuses it on another day.
IN_THE_CLINIC: "dict[str, StrPromise]" = {
    Status.CHECKED_IN: _("faz check-in"),
    Status.IN_SERVICE: _("inicia o atendimento"),
    Status.FINISHED: _("finaliza o atendimento"),
}


def change_status(
    appointment_id: int,
    status: str,
    *,
    clinic: Clinic,
    by: Author,
    now: datetime | None = None,
    cancelled_by: str = "",
    reason: str = "",
    seen: str | None = None,
) -> Appointment:
    """Give an appointment another status, by one of `transitions.TRANSITIONS`.

    `cancelled_by` and `reason` belong to Cancelado. `seen` is the `state` that the author saw: with it, an appointment
    that has another state by now is not changed (CHANGED_MEANWHILE).

    Locks the doctor's row, the patient's, then the appointment's. Raises Refused, with the nearest free times
    where the time is at fault, and Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    raw_reason, reason = reason, tidy(reason)

    def work() -> Appointment:
        appointment = lock_appointment(clinic, appointment_id)
        if seen not in (None, state(appointment)):
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        refusals = transition_refusals(appointment, status, now)
        refusals += _cancel_refusals(status, cancelled_by, raw_reason, reason)
        refuse(refusals, present_slot(appointment, now))
        return set_status(appointment, status, by, now, cancelled_by=cancelled_by, cancel_reason=reason)

    return run_in_transaction(work)


def state(appointment: Appointment) -> str:
    """Return the status, doctor and start of an appointment as one text, only to be compared."""
    return f"{appointment.status}|{place(appointment)}"


def next_statuses(appointment: Appointment, *, now: datetime | None = None) -> list[Status]:
    """Return the statuses that the appointment may get now, in the order of a visit. One query if Em atendimento is
    among them, none otherwise."""
    possible = _possible_statuses(appointment, now or timezone.now())
    return [status for status in possible if not _in_service_refusals(appointment, status)]


@dataclass(frozen=True)
class Steps:
    """The buttons of an appointment, as (status, label), and the refusals for which the next step has to wait."""

    forward: "list[tuple[Status, StrPromise]]"
    backward: "list[tuple[Status, StrPromise]]"
    may_cancel: bool
    in_the_way: list[Refusal]


def steps(appointment: Appointment, *, now: datetime | None = None) -> Steps:
    """Return the `next_statuses` as buttons, those that go on and those that go back; the same queries."""
    possible = _possible_statuses(appointment, now or timezone.now())
    refusals = {status: _in_service_refusals(appointment, status) for status in possible}
    offered = [status for status in possible if not refusals[status]]
    back = {status for status in offered if transitions.is_step_back(Status(appointment.status), status)}
    return Steps(
        forward=[
            (status, label) for status, label in transitions.FORWARD.items() if status in offered and status not in back
        ],
        backward=[(status, label) for status, label in transitions.BACKWARD.items() if status in back],
        may_cancel=Status.CANCELLED in offered,
        in_the_way=[refusal for of_status in refusals.values() for refusal in of_status],
    )


def transition_refusals(
    appointment: Appointment, wanted: str, now: datetime, *, own_slip: bool = False
) -> list[Refusal]:
    """Return why the appointment cannot get the status `wanted` at the moment `now`.

    `own_slip`: the author takes back their own act of a moment ago, so that of the rules about time only those about
    other appointments are asked. At most two statements, on Em atendimento and where time is taken again.
    """
    if wanted not in transitions.TRANSITIONS[Status(appointment.status)]:
        labels = dict(Status.choices)
        params = {"current": appointment.get_status_display(), "wanted": labels.get(wanted, wanted)}
        return [Refusal(Reason.TRANSITION_FORBIDDEN, params)]
    refusals = list(_too_early_or_late(appointment, wanted, now))
    if transitions.takes_time_again(appointment.status, wanted):
        slot = present_slot(appointment, now)
        refusals += free_violations(slot) if own_slip else retake_violations(slot, appointment)
    return refusals + _in_service_refusals(appointment, wanted)


def set_status(
    appointment: Appointment,
    status: str,
    by: Author,
    now: datetime,
    *,
    cancelled_by: str,
    cancel_reason: str,
    undo: bool = False,
) -> Appointment:
    """Write the status and its event; the rules were asked before. With `undo` the event's `after` says so."""
    before = {"status": appointment.status}
    if appointment.status == Status.CANCELLED:
        before |= {"cancelled_by": appointment.cancelled_by, "reason": appointment.cancel_reason}
    after: dict[str, Any] = {"status": status}
    if undo:
        after["undo"] = True
    if status == Status.CANCELLED:
        after |= {"cancelled_by": cancelled_by, "reason": cancel_reason}
    else:
        cancelled_by = cancel_reason = ""
    values = {"status": status, "status_since": now, "cancelled_by": cancelled_by, "cancel_reason": cancel_reason}
    write(appointment, now, **values)
    record(appointment, AppointmentEvent.Kind.STATUS_CHANGED, by, now, before, after)
    return appointment


def _too_early_or_late(appointment: Appointment, wanted: str, now: datetime) -> Iterator[Refusal]:
    """A patient is in the clinic on the day of the appointment, or on both days of a night. A visit that nobody
    finished may be finished on a later day, because its doctor could begin no other one."""
    local = appointment.clinic.local
    first, last = local(appointment.starts_at).date(), local(appointment.ends_at - timedelta.resolution).date()
    today = local(now).date()
    if appointment.status == Status.FINISHED and not first <= today <= last:
        yield Refusal(Reason.UNDO_TOO_LATE)
    elif wanted in IN_THE_CLINIC and (today < first or today > last and wanted != Status.FINISHED):
        yield Refusal(Reason.NOT_THAT_DAY, {"act": IN_THE_CLINIC[wanted], "date": f"{first:%d/%m/%Y}"})
    if wanted == Status.NO_SHOW and appointment.starts_at > now:
        yield Refusal(Reason.NOT_YET_BEGUN, {"time": f"{local(appointment.starts_at):%H:%M}"})


def _cancel_refusals(status: str, cancelled_by: str, raw_reason: str, reason: str) -> list[Refusal]:
    if status != Status.CANCELLED:
        return []
    refusals = unstorable_line(raw_reason, Reason.CANCEL_REASON_UNSTORABLE)
    if cancelled_by not in Appointment.CancelledBy.values:
        refusals.append(Refusal(Reason.CANCELLED_BY_MISSING))
    if len(reason) > MAX_REASON_LENGTH:
        refusals.append(Refusal(Reason.CANCEL_REASON_TOO_LONG, {"length": len(reason), "limit": MAX_REASON_LENGTH}))
    return refusals


def _in_service_refusals(appointment: Appointment, wanted: str) -> list[Refusal]:
    """Refuse Em atendimento while the same doctor attends another patient. One query for it, none for others."""
    if wanted != Status.IN_SERVICE:
        return []
    others = Appointment.objects.of(appointment.clinic).in_service().filter(doctor=appointment.doctor)
    is_busy = others.exclude(pk=appointment.pk).exists()
    return [Refusal(Reason.ANOTHER_IN_SERVICE, {"doctor": appointment.doctor.name})] if is_busy else []


def _possible_statuses(appointment: Appointment, now: datetime) -> list[Status]:
    following = transitions.TRANSITIONS[Status(appointment.status)]
    return [
        status for status in Status if status in following and not list(_too_early_or_late(appointment, status, now))
    ]
