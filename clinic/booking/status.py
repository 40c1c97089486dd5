"""Changing the status of an appointment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.booking import transitions
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.audit import record
from clinic.booking.examine import free_violations, retake_violations
from clinic.booking.recalls import follow_recalls
from clinic.booking.reschedule import place
from clinic.booking.slots import present_slot
from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.models.appointment import EXPECTED, Status
from clinic.models.limits import max_length
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.registry.patient_details import tidy, unstorable_line
from clinic.transactions import run_in_transaction

MAX_REASON_LENGTH = max_length(Appointment, "cancel_reason")
VERBS_IN_THE_CLINIC = {
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
    """Make one of `transitions.TRANSITIONS`. `cancelled_by` and `reason` belong to Cancelado. `seen` is the `state`
    that the author saw: with it, an appointment that has changed since is left as it is (CHANGED_MEANWHILE).

    Locks the doctor's row, the patient's, then the appointment's. Raises Refused, with the nearest free times
    where the time is at fault, and Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    tidy_reason = tidy(reason)

    def work() -> Appointment:
        appointment = lock_appointment(clinic, appointment_id)
        if seen not in (None, state(appointment)):
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        refusals = transition_refusals(appointment, status, now)
        refusals += _cancel_refusals(status, cancelled_by, reason, tidy_reason)
        refuse(refusals, present_slot(appointment, now, by))
        return set_status(appointment, status, by, now, cancelled_by=cancelled_by, cancel_reason=tidy_reason)

    return run_in_transaction(work)


def state(appointment: Appointment) -> str:
    """Return status, doctor and start of an appointment as one text, only to be compared."""
    return f"{appointment.status}|{place(appointment)}"


def next_statuses(appointment: Appointment, *, now: datetime | None = None) -> list[Status]:
    """Return the statuses that the appointment may have next, in the order of a visit. A query if Em atendimento is
    among them."""
    possible = _possible(appointment, now or timezone.now())
    return [status for status in possible if not _blocking_refusals(appointment, status)]


@dataclass(frozen=True)
class Steps:
    """The buttons of an appointment: (status, what the button says), and why the next step has to wait."""

    current: Status
    forward: list[tuple[Status, str]]
    backward: list[tuple[Status, str]]
    may_cancel: bool
    in_the_way: list[Refusal]

    @property
    def onward(self) -> tuple[Status, str] | None:
        """The one of `forward` that the visit is expected to take next, None if it has to wait."""
        offered = dict(self.forward)
        status = transitions.onward(self.current, offered)
        return (status, offered[status]) if status else None

    @property
    def beside(self) -> list[tuple[Status, str]]:
        """The others of `forward`, while the patient is expected: each is often the right one."""
        return [step for step in self.forward if step != self.onward] if self.current in EXPECTED else []

    @property
    def seldom(self) -> list[tuple[Status, str]]:
        """The steps that are neither `onward` nor `beside`."""
        rest = [step for step in self.forward if step != self.onward and step not in self.beside]
        return rest + self.backward


def steps(appointment: Appointment, *, now: datetime | None = None) -> Steps:
    """Return `next_statuses` as steps forward and back; as many queries."""
    current, possible = Status(appointment.status), _possible(appointment, now or timezone.now())
    blocking = {status: _blocking_refusals(appointment, status) for status in possible}
    offered = [status for status in possible if not blocking[status]]
    back = {status for status in offered if transitions.is_step_back(current, status)}
    return Steps(
        current=current,
        forward=[
            (status, str(label))
            for status, label in transitions.FORWARD.items()
            if status in offered and status not in back
        ],
        backward=[(status, str(label)) for status, label in transitions.BACKWARD.items() if status in back],
        may_cancel=Status.CANCELLED in offered,
        in_the_way=[refusal for refusals in blocking.values() for refusal in refusals],
    )


def forward_verbs() -> list[tuple[str, str]]:
    """Return (status, what its button says) for the steps of a visit, in their order."""
    return [(status.value, str(verb)) for status, verb in transitions.FORWARD.items()]


def next_step(status: str, starts_at: datetime, ends_at: datetime, *, clinic: Clinic, now: datetime) -> Status | None:
    """Return the status that a visit is expected to have next, if it may have it at the instant `now`.

    The same as `Steps.onward`, without a query: whether the doctor still attends another patient is not asked."""
    dates = _dates(clinic, starts_at, ends_at)
    return _next_step(Status(status), dates, clinic.local(now).date(), starts_at <= now)


@lru_cache(maxsize=1024)
def _next_step(current: Status, dates: tuple[date, date], today: date, has_begun: bool) -> Status | None:
    possible = [
        status
        for status in transitions.TRANSITIONS[current]
        if status in transitions.FORWARD
        and not transitions.is_step_back(current, status)
        and not _untimely(current, status, dates, today, has_begun)
    ]
    return transitions.onward(current, possible)


def transition_refusals(
    appointment: Appointment, new_status: str, now: datetime, *, is_own_slip: bool = False
) -> list[Refusal]:
    """Return why the appointment cannot have the status `new_status`.

    With `is_own_slip` the author takes back what they did a moment ago: only other appointments prevent it.
    """
    if new_status not in transitions.TRANSITIONS[Status(appointment.status)]:
        labels: dict[str, Any] = dict(Status.choices)
        params = {"current": appointment.get_status_display(), "wanted": labels.get(new_status, new_status)}
        return [Refusal(Reason.TRANSITION_FORBIDDEN, params)]
    refusals = list(_date_refusals(appointment, new_status, now))
    if transitions.takes_time_again(Status(appointment.status), Status(new_status)):
        slot = present_slot(appointment, now)
        refusals += free_violations(slot) if is_own_slip else retake_violations(slot)
    return refusals + _blocking_refusals(appointment, new_status)


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
    """Write the status and its event, whose `after` also holds `undo` if it is set; the rules were asked before."""
    before: dict[str, Any] = {"status": appointment.status}
    if appointment.status == Status.CANCELLED:
        before |= {"cancelled_by": appointment.cancelled_by, "reason": appointment.cancel_reason}
    after: dict[str, Any] = {"status": status} | ({"undo": True} if undo else {})
    if status == Status.CANCELLED:
        after |= {"cancelled_by": cancelled_by, "reason": cancel_reason}
    else:
        cancelled_by = cancel_reason = ""
    values = {"status": status, "status_since": now, "cancelled_by": cancelled_by, "cancel_reason": cancel_reason}
    write(appointment, now, **values)
    record(appointment, AppointmentEvent.Kind.STATUS_CHANGED, by, now, before, after)
    follow_recalls(appointment, before["status"], by, now)
    return appointment


def _date_refusals(appointment: Appointment, new_status: str, now: datetime) -> Iterator[Refusal]:
    """Refuse what is too early or too late."""
    clinic, starts_at = appointment.clinic, appointment.starts_at
    dates = _dates(clinic, starts_at, appointment.ends_at)
    current, today = Status(appointment.status), clinic.local(now).date()
    reason = _untimely(current, new_status, dates, today, starts_at <= now)
    if reason == Reason.NOT_THAT_DAY:
        yield Refusal(reason, {"act": VERBS_IN_THE_CLINIC[Status(new_status)], "date": f"{dates[0]:%d/%m/%Y}"})
    elif reason == Reason.NOT_YET_BEGUN:
        yield Refusal(reason, {"time": _time(clinic.local(starts_at), today)})
    elif reason:
        yield Refusal(reason)


def _time(local: datetime, today: date) -> str:
    """Return a time for a sentence, with its date unless that is today."""
    return f"{local:%H:%M}" if local.date() == today else f"{local:%H:%M de %d/%m/%Y}"


def _dates(clinic: Clinic, starts_at: datetime, ends_at: datetime) -> tuple[date, date]:
    """Return the first and the last local date of a visit."""
    return clinic.local(starts_at).date(), clinic.local(ends_at - timedelta.resolution).date()


def _untimely(
    current: Status, new_status: str, dates: tuple[date, date], today: date, has_begun: bool
) -> Reason | None:
    """Return why it is too early or too late for a status, None if it is neither.

    A patient is in the clinic on the day of the appointment, or on both days of a night. A visit that was left in
    service may be finished on a later day: otherwise the doctor could begin no other."""
    first, last = dates
    if current == Status.FINISHED and not first <= today <= last:
        return Reason.UNDO_TOO_LATE
    if new_status in VERBS_IN_THE_CLINIC and (today < first or today > last and new_status != Status.FINISHED):
        return Reason.NOT_THAT_DAY
    if new_status == Status.NO_SHOW and not has_begun:
        return Reason.NOT_YET_BEGUN
    return None


def _cancel_refusals(status: str, cancelled_by: str, reason: str, tidy_reason: str) -> list[Refusal]:
    """Refuse a cancellation without its author, or with a reason that cannot be stored as it was typed."""
    if status != Status.CANCELLED:
        return []
    refusals = unstorable_line(reason, Reason.CANCEL_REASON_UNSTORABLE)
    if cancelled_by not in Appointment.CancelledBy.values:
        refusals.append(Refusal(Reason.CANCELLED_BY_MISSING))
    if len(tidy_reason) > MAX_REASON_LENGTH:
        params = {"length": len(tidy_reason), "limit": MAX_REASON_LENGTH}
        refusals.append(Refusal(Reason.CANCEL_REASON_TOO_LONG, params))
    return refusals


def _blocking_refusals(appointment: Appointment, new_status: str) -> list[Refusal]:
    """Refuse Em atendimento while the same doctor attends another patient. One query for it, none for others."""
    if new_status != Status.IN_SERVICE:
        return []
    others = Appointment.objects.of(appointment.clinic).in_service().filter(doctor=appointment.doctor)
    is_busy = others.exclude(pk=appointment.pk).exists()
    return [Refusal(Reason.ANOTHER_IN_SERVICE, appointment.doctor.in_sentence)] if is_busy else []


def _possible(appointment: Appointment, now: datetime) -> list[Status]:
    following = transitions.TRANSITIONS[Status(appointment.status)]
    return [status for status in Status if status in following and not list(_date_refusals(appointment, status, now))]
