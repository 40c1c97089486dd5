"""What the page of a doctor's own day shows."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from clinic import booking
from clinic.models import Clinic
from clinic.models.appointment import BEGUN
from clinic.queries import queue
from clinic.queries.queue import Part, Row
from clinic.web.queue.context import Act, DrawnRow
from clinic.web.responses import version_of


@dataclass(frozen=True)
class OwnRow:
    """A visit as its doctor reads it."""

    drawn: DrawnRow

    @property
    def act(self) -> Act | None:
        """The button of the visit, None for none."""
        return next((act for act in self.drawn.acts if act.status in BEGUN), None)


@dataclass(frozen=True)
class OwnBoard:
    """The visits of one doctor today, at the instant `now`; `doctor` is the id."""

    clinic: Clinic
    now: datetime
    doctor: int

    @cached_property
    def rows(self) -> list[Row]:
        return queue.rows(self.clinic, now=self.now, doctor=self.doctor)

    @property
    def ids(self) -> set[int]:
        """The ids of the appointments that have a row."""
        return {row.appointment.pk for row in self.rows}

    @property
    def in_service(self) -> list[OwnRow]:
        return self._part(Part.IN_SERVICE)

    @property
    def waiting(self) -> list[OwnRow]:
        return self._part(Part.WAITING)

    @property
    def to_come(self) -> list[OwnRow]:
        return self._part(Part.TO_COME)

    @property
    def gone(self) -> list[OwnRow]:
        return self._part(Part.GONE)

    @property
    def version(self) -> str:
        """A short hash of everything drawn that changes."""
        drawn = [
            (booking.state(row.appointment), row.appointment.pk, row.appointment.updated_at)
            + (row.appointment.patient.updated_at, 0 if row.part is Part.GONE else row.minutes)
            + (row.calls, row.called_at, row.mark)
            for row in self.rows
        ]
        return version_of(drawn)

    def _part(self, part: Part) -> list[OwnRow]:
        return [OwnRow(DrawnRow(self.clinic, row, None, 0)) for row in self.rows if row.part is part]
