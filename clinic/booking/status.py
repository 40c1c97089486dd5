"""Changing an appointment where it stands: its status, its notes, its metadata."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.booking import rules, transitions
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.audit import Author, record
from clinic.booking.reschedule import place
from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.models.appointment import Status
from clinic.models.limits import max_length
from clinic.refusals import Reason, Refusal
from clinic.registry.patient_details import tidy, unstorable_line
from clinic.transactions import run_in_transaction

REASON_LIMIT = max_length(Appointment, "cancel_reason")
IN_THE_CLINIC = {
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
    """Take one of `transitions.TRANSITIONS`. `cancelled_by` and `reason` belong to Cancelado. `seen` is the `state`
    that the author saw: with it, an appointment that is in another one since stays so (CHANGED_MEANWHILE).

    Locks the doctor's row, the patient's, then the appointment's. Raises Refused, with the nearest free times
    where the time is at fault, and Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    reason, typed = tidy(reason), reason

    def work():
        appointment = lock_appointment(clinic, appointment_id)
        if seen not in (None, state(appointment)):
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        case = rules.standing_case(appointment, now)
        refuse(transition_refusals(case, status) + _cancel_refusals(status, cancelled_by, typed, reason), case)
        return set_status(appointment, status, by, now, cancelled_by=cancelled_by, cancel_reason=reason)

    return run_in_transaction(work)


def state(appointment: Appointment) -> str:
    """Its status and where it stands, only to be compared."""
    return f"{appointment.status}|{place(appointment)}"


def next_statuses(appointment: Appointment, *, now: datetime | None = None) -> list[Status]:
    """What the appointment may become now, in the order of a visit. A query where its doctor may have another one in
    service."""
    possible = _possible(appointment, now or timezone.now())
    return [status for status in possible if not _in_the_way(appointment, status)]


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
        is_coming = self.current in transitions.COMING
        order = [status for status in transitions.ONWARD if is_coming or status != Status.NO_SHOW]
        offered = dict(self.forward)
        return next(((status, offered[status]) for status in order if status in offered), None)

    @property
    def beside(self) -> list[tuple[Status, str]]:
        """The others of `forward`, while the patient is expected: each is often the right one."""
        return [step for step in self.forward if step != self.onward] if self.current in transitions.COMING else []

    @property
    def seldom(self) -> list[tuple[Status, str]]:
        """The steps that are neither `onward` nor `beside`."""
        rest = [step for step in self.forward if step != self.onward and step not in self.beside]
        return rest + self.backward


def steps(appointment: Appointment, *, now: datetime | None = None) -> Steps:
    """`next_statuses` on either side of where the visit is; asks as many queries."""
    current, possible = appointment.status, _possible(appointment, now or timezone.now())
    in_the_way = {status: _in_the_way(appointment, status) for status in possible}
    offered = [status for status in possible if not in_the_way[status]]
    behind = {status for status in offered if transitions.is_step_back(current, status)}
    return Steps(
        current=current,
        forward=[(each, verb) for each, verb in transitions.FORWARD.items() if each in offered and each not in behind],
        backward=[(each, verb) for each, verb in transitions.BACKWARD.items() if each in behind],
        may_cancel=Status.CANCELLED in offered,
        in_the_way=[refusal for found in in_the_way.values() for refusal in found],
    )


def transition_refusals(case: rules.Case, wanted: str, *, own_slip: bool = False) -> list[Refusal]:
    """Why the appointment of this `rules.standing_case` cannot become that.

    `own_slip`: the author takes back what they did a moment ago, and only the time of others stands against it."""
    appointment, now = case.moving, case.now
    if wanted not in transitions.TRANSITIONS[appointment.status]:
        labels = dict(Status.choices)
        params = {"current": appointment.get_status_display(), "wanted": labels.get(wanted, wanted)}
        return [Refusal(Reason.TRANSITION_FORBIDDEN, params)]
    refusals = list(_too_early_or_late(appointment, wanted, now))
    if transitions.takes_time_again(appointment.status, wanted):
        ask = rules.free if own_slip else rules.taking_again
        refusals += ask(case)
    return refusals + _in_the_way(appointment, wanted)


def set_status(
    appointment: Appointment, status: str, by: Author, now: datetime, *, cancelled_by: str, cancel_reason: str, **remark
) -> Appointment:
    """Write it and its event, whose `after` also holds the remark. Whether it may be was asked before."""
    before = {"status": appointment.status}
    if appointment.status == Status.CANCELLED:
        before |= {"cancelled_by": appointment.cancelled_by, "reason": appointment.cancel_reason}
    after = {"status": status} | remark
    if status == Status.CANCELLED:
        after |= {"cancelled_by": cancelled_by, "reason": cancel_reason}
    else:
        cancelled_by = cancel_reason = ""
    values = {"status": status, "status_since": now, "cancelled_by": cancelled_by, "cancel_reason": cancel_reason}
    write(appointment, now, **values)
    record(appointment, AppointmentEvent.Kind.STATUS_CHANGED, by, now, before, after)
    return appointment


def _too_early_or_late(appointment, wanted, now):
    """A patient is there on the day of the appointment, or on both of a night. One who was forgotten in service may be
    finished on a later day: the doctor could otherwise begin no other visit."""
    local = appointment.clinic.local
    first, last = local(appointment.starts_at).date(), local(appointment.ends_at - timedelta.resolution).date()
    today = local(now).date()
    if appointment.status == Status.FINISHED and not first <= today <= last:
        yield Refusal(Reason.UNDO_TOO_LATE)
    elif wanted in IN_THE_CLINIC and (today < first or today > last and wanted != Status.FINISHED):
        yield Refusal(Reason.NOT_THAT_DAY, {"act": IN_THE_CLINIC[wanted], "date": f"{first:%d/%m/%Y}"})
    if wanted == Status.NO_SHOW and appointment.starts_at > now:
        yield Refusal(Reason.NOT_YET_BEGUN, {"time": f"{local(appointment.starts_at):%H:%M}"})


def _cancel_refusals(status, cancelled_by, typed, reason):
    if status != Status.CANCELLED:
        return []
    refusals = unstorable_line(typed, Reason.CANCEL_REASON_UNSTORABLE)
    if cancelled_by not in Appointment.CancelledBy.values:
        refusals.append(Refusal(Reason.CANCELLED_BY_MISSING))
    if len(reason) > REASON_LIMIT:
        refusals.append(Refusal(Reason.CANCEL_REASON_TOO_LONG, {"length": len(reason), "limit": REASON_LIMIT}))
    return refusals


def _in_the_way(appointment: Appointment, wanted: str) -> list[Refusal]:
    """Refuse Em atendimento while the same doctor attends another patient. One query for it, none for others."""
    if wanted != Status.IN_SERVICE:
        return []
    others = Appointment.objects.of(appointment.clinic).in_service().filter(doctor=appointment.doctor)
    is_busy = others.exclude(pk=appointment.pk).exists()
    return [Refusal(Reason.ANOTHER_IN_SERVICE, {"doctor": appointment.doctor.name})] if is_busy else []


def _possible(appointment: Appointment, now: datetime) -> list[Status]:
    following = transitions.TRANSITIONS[appointment.status]
    return [each for each in Status if each in following and not list(_too_early_or_late(appointment, each, now))]
