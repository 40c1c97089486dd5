"""Who has come today, who is with a doctor, and who is still to come: in the order of calling. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import Count, Max, OuterRef, Prefetch, Q, QuerySet, Subquery

from clinic.models import (
    Appointment,
    AppointmentProcedure,
    Clinic,
    PriorityMark,
    RoomCall,
    shown,
)
from clinic.models.appointment import Status
from clinic.models.room_call import SINCE_STATUS
from clinic.queries.delays import delay_of_row
from clinic.queries.priority import Priority, Rank, priority

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

# Waits that are named; by the first one a patient who is expected is late on the day page.
LONG_WAIT, VERY_LONG_WAIT = timedelta(minutes=15), timedelta(minutes=30)
MINUTE = timedelta(minutes=1)


class Annotations(TypedDict):
    """The priority that was marked last, calls to the room since the patient arrived, and the doctor's delay."""

    mark: str | None
    delay: int | None
    calls: int | None
    called_at: datetime | None


type QueuedAppointment = WithAnnotations[Appointment, Annotations]


class Part(IntEnum):
    """The parts of the queue, in their order on the page."""

    WAITING = 0
    IN_SERVICE = 1
    TO_COME = 2
    GONE = 3


PARTS = {
    Status.CHECKED_IN: Part.WAITING,
    Status.IN_SERVICE: Part.IN_SERVICE,
    Status.SCHEDULED: Part.TO_COME,
    Status.CONFIRMED: Part.TO_COME,
    Status.RESCHEDULED: Part.TO_COME,
    Status.FINISHED: Part.GONE,
    Status.NO_SHOW: Part.GONE,
}
HERE = [Status.CHECKED_IN, Status.IN_SERVICE]


@dataclass(frozen=True)
class Row:
    """An appointment with doctor, patient and lines, at the instant `now`; `is_over` if its last local date is over.

    The patient was called to the doctor's room so many times since they arrived, last at the instant `called_at`;
    `mark` is the priority that was marked, "" for none; `delay` the minutes that are registered for the doctor."""

    appointment: Appointment
    part: Part
    priority: Priority
    mark: str
    delay: int
    calls: int
    called_at: datetime | None
    is_over: bool
    now: datetime

    @property
    def minutes(self) -> int:
        """For how many minutes the patient waits or is with the doctor; by how many a patient to come is late."""
        since = self.appointment.starts_at if self.part is Part.TO_COME else self.appointment.status_since
        return max((self.now - since) // MINUTE, 0)

    @property
    def is_long(self) -> bool:
        return self.part is Part.WAITING and LONG_WAIT <= self._waited < VERY_LONG_WAIT

    @property
    def is_very_long(self) -> bool:
        return self.part is Part.WAITING and self._waited >= VERY_LONG_WAIT

    @property
    def order(self) -> tuple[Part, Rank, datetime, int]:
        """Who waits: by priority, then by arrival; who is to come: by hour; who is or was with a doctor: by when."""
        by_hour = self.part is Part.TO_COME
        rank = self.priority.rank if self.part is Part.WAITING else Rank.NONE
        since = self.appointment.starts_at if by_hour else self.appointment.status_since
        return self.part, rank, since, self.appointment.pk

    @property
    def _waited(self) -> timedelta:
        return self.now - self.appointment.status_since


def rows(clinic: Clinic, *, now: datetime, doctor: int | None = None) -> list[Row]:
    """Return the appointments of today, in the order of the page, without cancelled ones and those of blocked patients;
    with the id of a `doctor`, those of this doctor. Two queries.

    So are those of yesterday that go on past midnight, or whose patients came then and have not left.
    """
    today = clinic.local(now).date()
    since, before = clinic.day(today)
    of_today = Q(ends_at__gt=since) | Q(status__in=HERE)
    whose = Q() if doctor is None else Q(doctor=doctor)
    of_day = (
        Appointment.objects.of(clinic)
        .in_use()
        .filter(of_today, whose, status__in=list(PARTS), starts_at__gte=clinic.day(today - timedelta(days=1))[0])
        .filter(starts_at__lt=before)
        .select_related("doctor", "patient")
        .prefetch_related(Prefetch("lines", AppointmentProcedure.objects.order_by("position")))
    )
    with shown.choosing():  # the page shows a whole day, and is read anew every minute
        found = list(_annotated(of_day, delay_of_row(clinic, today, doctor="doctor")))
    for appointment in found:
        appointment.clinic = appointment.patient.clinic = clinic
    queue = [
        Row(
            appointment=appointment,
            part=PARTS[Status(appointment.status)],
            priority=priority(clinic, appointment.patient.birth_date, today, appointment.mark),
            mark=appointment.mark or "",
            delay=appointment.delay or 0,
            calls=appointment.calls or 0,
            called_at=appointment.called_at,
            is_over=appointment.ends_at <= since,
            now=now,
        )
        for appointment in found
    ]
    return sorted(queue, key=lambda row: row.order)


def _annotated(appointments: QuerySet[Appointment], delay: Subquery) -> "QuerySet[QueuedAppointment]":
    return appointments.annotate(
        delay=delay,
        mark=Subquery(_marks().values("kind")[:1]),
        calls=Subquery(_calls().annotate(count=Count("pk")).values("count")),
        called_at=Subquery(_calls().annotate(last=Max("at")).values("last")),
    )


def _marks() -> QuerySet[PriorityMark]:
    """Return the marks of the outer query's appointment, the newest first."""
    return PriorityMark.objects.filter(appointment=OuterRef("pk")).order_by("-at", "-pk")


def _calls() -> QuerySet[RoomCall, Any]:
    """Return the calls of the outer query's appointment since its status began, as one group."""
    calls = RoomCall.objects.filter(SINCE_STATUS, appointment=OuterRef("pk"))
    return calls.order_by().values("appointment")
