"""What a report is asked about, and the statements' conditions of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from clinic.models import Clinic, Doctor, Procedure
from clinic.models.appointment import OVERLAP_LOOKBACK

# Which appointments are counted: those that begin on the local dates, deleted ones left out. `{visits}` in a statement.
OF_PERIOD = """visit.clinic_id = %(clinic)s AND visit.starts_at >= %(since)s AND visit.starts_at < %(until)s
    AND visit.deleted_at IS NULL"""
OF_DOCTOR = "visit.doctor_id = %(doctor)s"
WITH_PROCEDURE = """EXISTS (
    SELECT FROM clinic_appointmentprocedure AS chosen
    WHERE chosen.clinic_id = visit.clinic_id AND chosen.appointment_id = visit.id
      AND chosen.procedure_id = %(procedure)s
)"""
# Which events are counted: those that were recorded on the local dates. `{events}` in a statement.
EVENTS_OF_PERIOD = "event.clinic_id = %(clinic)s AND event.at >= %(since)s AND event.at < %(until)s"
OF_CHOSEN_VISIT = """EXISTS (
    SELECT FROM clinic_appointment AS visit WHERE visit.id = event.appointment_id AND {chosen}
)"""


# Ten years of a million appointments take eight seconds of the processor at most.
MAX_SECONDS = 15  # for all statements of a report
ALWAYS_FAST = timedelta(days=366)  # such a period is read without a limit, which takes three more statements


class TooLongError(Exception):
    """The statements of a report over more than a year took longer than MAX_SECONDS."""


def is_always_fast(first: date, last: date) -> bool:
    """Return whether a report over these local dates is never too long to be read."""
    return last - first < ALWAYS_FAST


def _deadline() -> float:
    return time.monotonic() + MAX_SECONDS


@dataclass(frozen=True)
class Wanted:
    """The local dates `first` to `last`, both included, and the ids of one doctor and one procedure, None for all.

    `doctors` and `procedures` are those of the clinic by id, in the order of their lists. `deadline` of its statements
    is a time of the monotonic clock: each report is asked of a Wanted of its own."""

    clinic: Clinic
    first: date
    last: date
    doctors: Mapping[int, Doctor]
    procedures: Mapping[int, Procedure]
    doctor: int | None = None
    procedure: int | None = None
    deadline: float = field(default_factory=_deadline, init=False, compare=False)

    @property
    def chosen_doctor(self) -> Doctor | None:
        return None if self.doctor is None else self.doctors[self.doctor]

    @property
    def chosen_procedure(self) -> Procedure | None:
        return None if self.procedure is None else self.procedures[self.procedure]

    @property
    def months(self) -> list[date]:
        """The first dates of the months that the period touches, in order."""
        begins, ends = (day.year * 12 + day.month - 1 for day in (self.first, self.last))
        return [date(number // 12, number % 12 + 1, 1) for number in range(begins, ends + 1)]

    def fetch(self, statement: str, **more: str) -> list[tuple[Any, ...]]:
        """Run a statement that aggregates, and return its rows. `{visits}` and `{events}` in it are the conditions of
        clinic_appointment as visit and of clinic_appointmentevent as event, `{chosen}` that of a chosen doctor and
        procedure, and `more` what else stands in braces, never made of input. One query. Raises TooLongError."""
        parameters: dict[str, Any] = {
            "clinic": self.clinic.pk,
            "zone": self.clinic.time_zone,
            "since": self.clinic.day(self.first)[0],
            "until": self.clinic.day(self.last)[1],
            "earliest": self.clinic.day(self.first)[0] - OVERLAP_LOOKBACK,
            "months": [self.clinic.day(month)[0] for month in self.months],
            "events_until": self.clinic.day(self.last + timedelta(days=1))[1],
            "doctor": self.doctor,
            "procedure": self.procedure,
        }
        filled = self._filled(statement, more)
        if is_always_fast(self.first, self.last):
            return _rows_of(filled, parameters)
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TooLongError
        try:
            with transaction.atomic():
                _limit_statements(left)
                return _rows_of(filled, parameters)
        except OperationalError as error:
            if isinstance(error.__cause__, QueryCanceled):
                raise TooLongError from error
            raise

    def _filled(self, statement: str, more: Mapping[str, str]) -> str:
        chosen = " AND ".join(self._chosen) or "true"
        return statement.format(visits=f"{OF_PERIOD} AND {chosen}", events=self._events, chosen=chosen, **more)

    @property
    def _events(self) -> str:
        chosen = [OF_CHOSEN_VISIT.format(chosen=" AND ".join(self._chosen))] if self._chosen else []
        return " AND ".join([EVENTS_OF_PERIOD, *chosen])

    @property
    def _chosen(self) -> list[str]:
        """The conditions of doctor and procedure; they stand in the statement only where one is chosen, so that
        PostgreSQL's plan for all parameters is a good one."""
        doctor = [OF_DOCTOR] if self.doctor is not None else []
        return doctor + ([WITH_PROCEDURE] if self.procedure is not None else [])


def _rows_of(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _limit_statements(seconds: float) -> None:
    """Have PostgreSQL cancel the statements of this transaction after so many seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{ceil(seconds * 1000)}ms"])
