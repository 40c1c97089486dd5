"""The appointments of a day whose patients are called beforehand, in the order of calling. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from django.db.models import Prefetch, Q

from clinic.models import Appointment, AppointmentEvent, AppointmentProcedure, Clinic, StaffUser, shown
from clinic.models.appointment import STANDING, UNCONFIRMED, Status
from clinic.models.history import unanswered_calls
from clinic.queries.other_visits import Missed, missed_numbers
from clinic.queries.pending import Cause, causes_among, unperformed_procedures

CANCELLED_FOR = timedelta(minutes=10)  # so long a cancellation can be undone in the list
UNANSWERED_FOR = timedelta(minutes=5)  # so long a patient who did not answer is not called again


class Group(IntEnum):
    """The parts of the list, in their order."""

    DUE = 0  # to be called again at an hour that has come
    OPEN = 1
    PUT_OFF = 2
    DONE = 3


@dataclass(frozen=True)
class Row:
    """An appointment with clinic, doctor, patient and lines; instants of calls without an answer; its last event, and
    the last that changed its status (None for none), with their users; who is calling, and when to call again (an
    instant), None for nobody and never; whether the patient did not answer a moment ago; why it cannot take place, None
    where it can."""

    appointment: Appointment
    calls: Sequence[datetime]
    last: AppointmentEvent | None
    answer: AppointmentEvent | None
    missed: Missed
    caller: StaffUser | None
    again_at: datetime | None
    group: Group
    is_unanswered: bool
    cause: Cause | None

    @property
    def is_open(self) -> bool:
        """Whether the patient is still to be asked."""
        return self.group is not Group.DONE

    @property
    def order(self) -> tuple[Group, bool, datetime, int]:
        """Unconfirmed first, of these the patients who have missed a visit before; then by hour.

        Who wanted to be called at an hour comes first once it has come, until then after the others."""
        appointment = self.appointment
        if self.again_at and self.group in (Group.DUE, Group.PUT_OFF):
            return self.group, False, self.again_at, appointment.pk
        is_reliable = self.group is Group.DONE or not self.missed.missed
        return self.group, is_reliable, appointment.starts_at, appointment.pk


def next_day(clinic: Clinic, *, now: datetime) -> date:
    """Return the first local date after today with an appointment that stands; tomorrow without any. One query."""
    tomorrow = clinic.local(now).date() + timedelta(days=1)
    coming = Appointment.objects.of(clinic).standing().filter(starts_at__gte=clinic.day(tomorrow)[0])
    first = coming.order_by("starts_at", "pk").values_list("starts_at", flat=True).first()
    return clinic.local(first).date() if first else tomorrow


def of_day(clinic: Clinic, day: date, *, now: datetime) -> list[Row]:
    """Return the standing appointments that begin on a local date, in the order of calling, and those that were
    cancelled a moment ago. Four queries; the access log is the caller's."""
    starts, ends = clinic.day(day)
    just_cancelled = Q(status=Status.CANCELLED, status_since__gt=now - CANCELLED_FOR, deleted_at__isnull=True)
    return _rows(clinic, (STANDING | just_cancelled) & Q(starts_at__gte=starts, starts_at__lt=ends), now)


def of_appointment(clinic: Clinic, pk: int, *, now: datetime) -> Row | None:
    """Return the row of one appointment, whatever its day and status; None for none. Four queries at most."""
    return next(iter(_rows(clinic, Q(pk=pk, deleted_at__isnull=True), now)), None)


def _rows(clinic: Clinic, condition: Q, now: datetime) -> list[Row]:
    lines = AppointmentProcedure.objects.select_related("procedure").order_by("position")
    with shown.choosing():
        appointments = list(
            Appointment.objects.of(clinic)
            .filter(condition)
            .select_related("doctor", "patient", "confirmation_call__caller")
            .annotate(unperformed=unperformed_procedures(), missed=missed_numbers(clinic, now=now))
            .prefetch_related(Prefetch("lines", lines))
        )
    events = _events(clinic, [appointment.pk for appointment in appointments])
    for appointment in appointments:
        appointment.clinic = appointment.patient.clinic = clinic
    causes = causes_among(clinic, appointments, now=now)
    found = (_row(each, events[each.pk], causes.get(each.pk), now) for each in appointments)
    return sorted(found, key=lambda row: row.order)


def _events(clinic: Clinic, appointments: Iterable[int]) -> dict[int, list[AppointmentEvent]]:
    """Return the events of these appointments in their order, by the appointment's id. One query."""
    found: dict[int, list[AppointmentEvent]] = defaultdict(list)
    events = AppointmentEvent.objects.of(clinic).filter(appointment__in=appointments)
    for event in events.select_related("user").order_by("pk"):
        found[event.appointment_id].append(event)
    return found


def _row(appointment: Appointment, events: Sequence[AppointmentEvent], cause: Cause | None, now: datetime) -> Row:
    call = getattr(appointment, "confirmation_call", None)
    calls = unanswered_calls(events)
    again_at = call.again_at if call else None
    if again_at and calls and calls[-1] >= again_at:
        again_at = None  # the call that was put off has been made
    return Row(
        appointment=appointment,
        calls=calls,
        last=events[-1] if events else None,
        answer=next((each for each in reversed(events) if each.kind == AppointmentEvent.Kind.STATUS_CHANGED), None),
        missed=Missed.of(appointment.missed),  # type: ignore[attr-defined]  # `_rows` annotates it
        caller=call.caller_at(now) if call else None,
        again_at=again_at,
        group=_group(appointment, again_at, now),
        is_unanswered=bool(calls) and now - calls[-1] < UNANSWERED_FOR,
        cause=cause,
    )


def _group(appointment: Appointment, again_at: datetime | None, now: datetime) -> Group:
    if appointment.status not in UNCONFIRMED or appointment.starts_at <= now:
        return Group.DONE
    if again_at is None:
        return Group.OPEN
    return Group.DUE if again_at <= now else Group.PUT_OFF
