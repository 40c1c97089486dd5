"""How late doctors are today, and what is left of it when the next patients are to come. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from django.db import connection

from clinic.models import Clinic, Doctor
from clinic.queries.queue import MINUTE, Part, Row
from clinic.queries.visit_moments import BEGUN_SQL
from clinic.schedule import Span, load_schedules, within

LAST_VISITS = 3  # by which a doctor's delay is measured
LEAST_DELAY = 5  # minutes; a shorter one is none
# The parameters alone choose the visits, by clinic and time.
BEGUN_IN_ORDER_SQL = f"{BEGUN_SQL.format(visits='true')} SELECT doctor, late, began FROM begun ORDER BY began, id"  # noqa: S608 - no input in it


class Measured(NamedTuple):
    """By how many minutes a doctor was late at the instant `at`."""

    minutes: int
    at: datetime


@dataclass(frozen=True)
class Lateness:
    """How late a doctor is: by the minutes that were registered, 0 for none, else as was measured. `breaks` are the
    closed spans between the doctor's open ones."""

    registered: int
    measured: Sequence[Measured]
    breaks: Sequence[Span]

    def at(self, instant: datetime) -> int:
        """Return by how many minutes the doctor is late at an instant; 0 for fewer than five.

        Registered minutes hold all day. Of measured ones is left what the breaks between the measurement and the
        instant do not make up for: a doctor who is late by 67 minutes at 12:37 and has a break until 14:00 is on time
        then. Free time between two patients is not taken off, as it may still be booked."""
        if self.registered:
            return self.registered
        left = max((minutes - self._break_minutes(since, instant) for minutes, since in self.measured), default=0)
        return left if left >= LEAST_DELAY else 0

    def _break_minutes(self, since: datetime, until: datetime) -> int:
        spans = (within(span, since, until) for span in self.breaks)
        return sum((max(span.ends_at - span.starts_at, timedelta(0)) for span in spans), timedelta(0)) // MINUTE


def lateness(clinic: Clinic, queue: Iterable[Row], *, now: datetime) -> dict[Doctor, Lateness]:
    """Return how late each doctor of the queue is. One query, a second one if a delay is measured.

    Measured is the median of how late the doctor's last three visits of today began (an early one counts as 0), at
    the instant when the last of them did. While a patient waits whose hour has come and nobody is with the doctor, so
    are the minutes since the earliest such hour, at that hour: a break since then takes its length away.
    """
    today = clinic.local(now).date()
    begun = _begun(clinic, today, now)
    registered: dict[Doctor, int] = {}
    waiting: dict[int, datetime] = {}
    busy = set()
    for row in queue:
        doctor = row.appointment.doctor
        registered[doctor] = row.delay
        if row.is_over:
            continue
        if row.part is Part.IN_SERVICE:
            busy.add(doctor.pk)
        elif row.part is Part.WAITING:
            waiting[doctor.pk] = min(waiting.get(doctor.pk, now), row.appointment.starts_at)
    measured = {
        doctor: _measured(begun.get(doctor.pk, ()), now if doctor.pk in busy else waiting.get(doctor.pk, now), now)
        for doctor in registered
    }
    breaks = _breaks(clinic, [doctor for doctor, found in measured.items() if found], today)
    return {
        doctor: Lateness(minutes, measured[doctor], breaks.get(doctor.pk, ())) for doctor, minutes in registered.items()
    }


def _measured(begun: Sequence[Measured], waiting_since: datetime, now: datetime) -> list[Measured]:
    found = [Measured((now - waiting_since) // MINUTE, waiting_since)]
    if last := begun[-LAST_VISITS:]:
        found.append(Measured(int(median(visit.minutes for visit in last)), last[-1].at))
    return [one for one in found if one.minutes >= LEAST_DELAY]


def _breaks(clinic: Clinic, doctors: Sequence[Doctor], today: date) -> dict[int, list[Span]]:
    """Return the closed spans between open ones of that local date, by the doctor's id. One query, none for none."""
    if not doctors:
        return {}
    schedules = load_schedules(clinic, doctors, today, today)
    return {
        doctor.pk: [
            Span(one.ends_at, next_one.starts_at) for one, next_one in pairwise(schedules.open(doctor.pk, today))
        ]
        for doctor in doctors
    }


def _begun(clinic: Clinic, today: date, now: datetime) -> Mapping[int, list[Measured]]:
    """Return by how many minutes the visits of today began late, and when, in the order in which they did, by the
    doctor's id."""
    begun: dict[int, list[Measured]] = defaultdict(list)
    parameters: dict[str, Any] = {"clinic": clinic.pk, "since": clinic.day(today)[0], "events_until": now}
    with connection.cursor() as cursor:
        cursor.execute(BEGUN_IN_ORDER_SQL, parameters)
        for doctor, late, began in cursor.fetchall():
            begun[doctor].append(Measured(late, began))
    return begun
