"""What the page of confirmations shows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import booking
from clinic.models import Appointment, AppointmentEvent, Clinic, StaffUser
from clinic.models.appointment import ATTENDED, Status
from clinic.queries import confirmations
from clinic.queries.confirmation_texts import confirmation_text
from clinic.queries.other_visits import Missed
from clinic.queries.pending import Cause
from clinic.registry import patient_version
from clinic.web.responses import version_of
from clinic.web.whatsapp import conversation

CONFIRMED = {Status.CONFIRMED, *ATTENDED}
UNDONE_HERE = {AppointmentEvent.Kind.STATUS_CHANGED, AppointmentEvent.Kind.CALL_LATER}
UNDONE_WHILE_PASSED_OVER = {AppointmentEvent.Kind.NOT_REACHED}  # later in the appointment's panel


@dataclass(frozen=True)
class Row:
    """A row of the list as one person reads it."""

    found: confirmations.Row
    reader: StaffUser

    @property
    def appointment(self) -> Appointment:
        return self.found.appointment

    @property
    def is_open(self) -> bool:
        return self.found.is_open

    @property
    def calls(self) -> list[datetime]:
        return list(self.found.calls)

    @property
    def missed(self) -> Missed:
        return self.found.missed

    @property
    def again_at(self) -> datetime | None:
        """When to call again; None also for who was reached meanwhile."""
        return self.found.again_at if self.is_open else None

    @property
    def cause(self) -> Cause | None:
        """Why the appointment cannot take place, None where it can: nobody is to be asked to confirm it then."""
        return self.found.cause

    @property
    def is_due(self) -> bool:
        return self.found.group is confirmations.Group.DUE

    @property
    def is_passed_over(self) -> bool:
        """Whether the focus passes over the row: the patient did not answer a moment ago, and is not due by now."""
        return self.is_open and not self.is_due and self.found.is_unanswered

    @property
    def seen(self) -> str:
        return booking.state(self.appointment)

    @property
    def day(self) -> date:
        return self.appointment.clinic.local(self.appointment.starts_at).date()

    @property
    def is_movable(self) -> bool:
        return booking.is_movable(self.appointment)

    @property
    def may_cancel(self) -> bool:
        return self.is_open or self.appointment.status == Status.CONFIRMED

    @property
    def procedures(self) -> str:
        return self.appointment.procedures_as_booked

    @property
    def preparations(self) -> list[str]:
        """What the patient has to prepare, each text once."""
        texts = (line.procedure.preparation for line in self.appointment.lines.all())
        return list(dict.fromkeys(filter(None, texts)))

    @property
    def whatsapp(self) -> str:
        """The address that opens a conversation with the patient, who is asked to confirm; "" for none."""
        appointment = self.appointment
        is_asked = self.is_open and not self.cause
        return conversation(appointment.patient, confirmation_text(appointment)) if is_asked else ""

    @property
    def caller(self) -> str:
        """The name of a colleague who is calling now; "" for nobody and for the reader."""
        caller = self.found.caller
        return str(caller) if caller and caller != self.reader else ""

    @property
    def answer(self) -> AppointmentEvent | None:
        """The event by which the patient is no longer to be called, None while they are."""
        return None if self.is_open else self.found.answer

    @property
    def event(self) -> AppointmentEvent | None:
        """The event that can be undone here, None for none."""
        last = self.found.last
        if last is None or not booking.is_reversible(last):
            return None
        if last.kind in UNDONE_WHILE_PASSED_OVER:
            return last if self.found.is_unanswered else None
        return last if last.kind in UNDONE_HERE else None

    @property
    def undo_verb(self) -> str:
        return booking.undo_verb(self.event) if self.event else ""

    @property
    def is_undo_brief(self) -> bool:
        """Whether the button that undoes is a sign alone: beside those of a row that is still open there is no room."""
        return self.event is not None and self.event.kind in UNDONE_WHILE_PASSED_OVER

    @property
    def drawn(self) -> tuple[object, ...]:
        """Everything on which the row's look depends."""
        appointment = self.appointment
        return (
            appointment.pk,
            self.seen,
            appointment.doctor_name,
            appointment.notes,
            patient_version(appointment.patient),
            self.procedures,
            self.preparations,
            self.whatsapp,
            str(self.cause),
            self.calls,
            self.is_passed_over,
            self.again_at,
            self.is_due,
            self.missed,
            self.caller,
            self.found.last.pk if self.found.last else None,
            self.undo_verb,
        )


@dataclass
class Board:
    """The list of a local date at the instant `now`, as one person reads it. The rows are read when first asked for."""

    clinic: Clinic
    day: date
    now: datetime
    reader: StaffUser

    @property
    def today(self) -> date:
        return self.clinic.local(self.now).date()

    @property
    def previous(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def next(self) -> date:
        return self.day + timedelta(days=1)

    @cached_property
    def rows(self) -> list[Row]:
        return [Row(row, self.reader) for row in confirmations.of_day(self.clinic, self.day, now=self.now)]

    def row(self, pk: int) -> Row | None:
        """Return the row of an appointment, also of one that is no longer on this day; None if there is none."""
        if row := next((row for row in self.rows if row.appointment.pk == pk), None):
            return row
        found = confirmations.of_appointment(self.clinic, pk, now=self.now)
        return Row(found, self.reader) if found else None

    @property
    def progress(self) -> str:
        """As "14 de 23 confirmados · 3 não atendem"."""
        statuses = [row.appointment.status for row in self.rows]
        total = sum(status != Status.CANCELLED for status in statuses)
        done = sum(status in CONFIRMED for status in statuses)
        words = ngettext("%(done)s de %(total)s confirmado", "%(done)s de %(total)s confirmados", total)
        parts = [words % {"done": done, "total": total}]
        if silent := sum(row.is_open and bool(row.calls) for row in self.rows):
            parts.append(ngettext("%(n)s não atende", "%(n)s não atendem", silent) % {"n": silent})
        return " · ".join(parts)

    @property
    def colleagues(self) -> str:
        """Who else is calling from this list now, as "Paula também está nesta lista"; "" for nobody."""
        names = list(dict.fromkeys(row.caller for row in self.rows if row.caller))
        words = ngettext("%(names)s também está nesta lista", "%(names)s também estão nesta lista", len(names))
        return words % {"names": _(" e ").join(names)} if names else ""

    @property
    def version(self) -> str:
        """A short hash of everything drawn, the order of the rows included."""
        content = [self.day, self.reader.pk, *(row.drawn for row in self.rows)]
        return version_of(content)
