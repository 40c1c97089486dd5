"""What the page of the queue shows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.translation import gettext as _

from clinic import booking
from clinic.models import AppointmentEvent, Clinic, Doctor, PriorityMark
from clinic.models.appointment import Status
from clinic.queries import queue
from clinic.queries.delay_texts import delay_text
from clinic.queries.lateness import Lateness, lateness
from clinic.queries.priority import kinds
from clinic.queries.queue import Part, Row
from clinic.web.responses import version_of
from clinic.web.whatsapp import conversation

CALLS = {AppointmentEvent.Kind.NOT_REACHED, AppointmentEvent.Kind.CALL_LATER}
KEYS = {Status.CHECKED_IN: "k", Status.IN_SERVICE: "i", Status.FINISHED: "e", Status.NO_SHOW: "f"}


@dataclass(frozen=True)
class Act:
    """A button of a row: the status that it leads to, what it is called, its key. `brief` is what it says."""

    status: str
    verb: str
    key: str
    brief: str


@dataclass(frozen=True)
class Board:
    """The queue of a clinic at the instant `now`; `doctors` are ids, without any all are meant."""

    clinic: Clinic
    now: datetime
    doctors: Collection[int] = ()

    @cached_property
    def chosen(self) -> set[int]:
        """The ids of `doctors` who have an appointment in the queue."""
        return {row.appointment.doctor_id for row in self.rows} & set(self.doctors)

    @cached_property
    def rows(self) -> list[Row]:
        return queue.rows(self.clinic, now=self.now)

    @property
    def delays(self) -> dict[Doctor, int]:
        """By how many minutes each doctor is late now, of those who are."""
        late = {doctor: found.at(self.now) for doctor, found in self._lateness.items()}
        return {doctor: minutes for doctor, minutes in late.items() if minutes}

    @cached_property
    def _lateness(self) -> dict[Doctor, Lateness]:
        return lateness(self.clinic, self.rows, now=self.now)

    def _delay(self, row: Row) -> int:
        """Return by how many minutes the visit of a patient to come will begin late."""
        appointment = row.appointment
        if row.part is not Part.TO_COME:
            return 0
        return self._lateness[appointment.doctor].at(max(appointment.starts_at, self.now))

    @property
    def choices(self) -> list[tuple[Doctor, bool]]:
        """The doctors of today by name, and whether each is chosen."""
        doctors = {row.appointment.doctor for row in self.rows}
        return [(doctor, doctor.pk in self.chosen) for doctor in sorted(doctors, key=lambda one: one.sort_name)]

    @cached_property
    def shown(self) -> list[Row]:
        return [row for row in self.rows if not self.chosen or row.appointment.doctor_id in self.chosen]

    @property
    def ids(self) -> set[int]:
        """The ids of the appointments that have a row."""
        return {row.appointment.pk for row in self.shown}

    @property
    def waiting(self) -> list["DrawnRow"]:
        return self._part(Part.WAITING)

    @property
    def in_service(self) -> list["DrawnRow"]:
        return self._part(Part.IN_SERVICE)

    @property
    def to_come(self) -> list["DrawnRow"]:
        return self._part(Part.TO_COME)

    @property
    def kinds(self) -> list[PriorityMark.Kind]:
        """The priorities that can be marked."""
        return kinds(self.clinic)

    @property
    def gone(self) -> list["DrawnRow"]:
        return self._part(Part.GONE)

    @property
    def version(self) -> str:
        """A short hash of everything drawn that changes."""
        drawn: list[object] = [(doctor.pk, minutes) for doctor, minutes in self.delays.items()]
        drawn += [
            (booking.state(row.appointment), row.appointment.pk, row.appointment.updated_at)
            + (0 if row.part is Part.GONE else row.minutes,)
            + (row.calls, row.called_at, row.mark, self._delay(row))
            + (row.appointment.patient.updated_at, row.appointment.patient.alert)
            for row in self.shown
        ]
        return version_of(drawn)

    def _part(self, part: Part) -> list["DrawnRow"]:
        return [
            DrawnRow(self.clinic, row, self.last_events.get(row.appointment.pk), self._delay(row))
            for row in self.shown
            if row.part is part
        ]

    @cached_property
    def last_events(self) -> dict[int, AppointmentEvent]:
        """The last event of each appointment, by its id. One query."""
        ids = [row.appointment.pk for row in self.rows]
        events = AppointmentEvent.objects.of(self.clinic).filter(appointment__in=ids)
        return {event.appointment_id: event for event in events.order_by("pk")}


@dataclass(frozen=True)
class DrawnRow:
    """A row with its buttons; `last` is the appointment's last event, None for none; `delay` are the minutes by which
    the visit of a patient to come will begin late."""

    clinic: Clinic
    row: Row
    last: AppointmentEvent | None
    delay: int

    @property
    def seen(self) -> str:
        return booking.state(self.row.appointment)

    @property
    def since(self) -> str:
        """When the status began by the clinic's clock, with the date if it is not today's."""
        local, today = self.clinic.local(self.row.appointment.status_since), self.clinic.local(self.row.now).date()
        return f"{local:%H:%M}" if local.date() == today else f"{local:%d/%m %H:%M}"

    @property
    def whatsapp(self) -> str:
        """The address that opens a conversation with the text about the delay; "" without a delay, or none possible."""
        appointment = self.row.appointment
        return conversation(appointment.patient, delay_text(appointment, self.delay)) if self.delay else ""

    @property
    def called(self) -> str:
        """When the patient was called to the room last, by the clinic's clock; "" if not yet."""
        return f"{self.clinic.local(self.row.called_at):%H:%M}" if self.row.called_at else ""

    @property
    def procedures(self) -> str:
        return self.row.appointment.procedures_as_booked

    @property
    def acts(self) -> list[Act]:
        """The steps forward that the visit may take now, the expected one first."""
        appointment = self.row.appointment
        verbs = dict(booking.forward_verbs())
        onward = booking.next_step(
            appointment.status, appointment.starts_at, appointment.ends_at, clinic=self.clinic, now=self.row.now
        )
        has_missed = self.row.part is Part.TO_COME and self.row.minutes > 0
        has_missed |= self.row.part is Part.WAITING and self.row.is_over
        wanted = [onward, Status.NO_SHOW if has_missed and onward != Status.NO_SHOW else None]
        return [_act(status, verbs[status.value]) for status in wanted if status in KEYS]

    @property
    def undo(self) -> tuple[int, str] | None:
        """The id of the event of today that can be undone, and what the button says; not of a call beforehand."""
        event, today = self.last, self.clinic.day(self.clinic.local(self.row.now).date())[0]
        if event is None or event.at < today or event.kind in CALLS or not booking.is_reversible(event):
            return None
        return event.pk, booking.undo_verb(event)


def _act(status: Status, verb: str) -> Act:
    """Beside the call to the room there is room for one word."""
    return Act(status.value, verb, KEYS[status], brief=_("Iniciar") if status == Status.IN_SERVICE else verb)
