"""Free times, found with the rules' own schedules: every opening can be booked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, islice
from operator import attrgetter

from django.db.models import Q
from django.utils import timezone

from clinic.booking.rules import LONGEST
from clinic.models import Appointment, Clinic, Doctor
from clinic.schedule.schedules import FURTHEST_DAYS, Schedules

NEAREST_DAYS = 21


@dataclass(frozen=True, order=True)
class Opening:
    """A free time of one doctor, as UTC instants."""

    starts_at: datetime
    ends_at: datetime
    doctor_id: int


def openings(
    clinic: Clinic,
    *,
    doctor: Doctor,
    minutes: int,
    first: date,
    last: date,
    now: datetime | None = None,
    limit: int | None = None,
    patient: int | None = None,
    ignoring: int | None = None,
) -> list[Opening]:
    """Free times of `minutes` on the doctor's grid, on the local dates from `first` to `last`, later than `now`.

    With `patient`, an id, the times at which that patient is elsewhere are left out. `ignoring` is the id of an
    appointment about to be moved: its own time counts as free. Two queries.
    """
    found = openings_of_any(
        clinic, doctors=[doctor], minutes=minutes, first=first, last=last, now=now, patient=patient, ignoring=ignoring
    )
    return list(islice(found, limit))


def openings_of_any(
    clinic: Clinic,
    *,
    doctors: Collection[Doctor],
    minutes: int,
    first: date,
    last: date,
    now: datetime | None = None,
    patient: int | None = None,
    ignoring: int | None = None,
) -> Iterator[Opening]:
    """Like `openings`, of several doctors, in order of time and then of the doctors' ids, found as they are asked for.
    Two queries, however many doctors."""
    now = now or timezone.now()
    today = clinic.local(now).date()
    first, last = max(first, today), min(last, today + timedelta(days=FURTHEST_DAYS))
    active = [doctor for doctor in doctors if doctor.active]
    if first > last or not active or not 0 < minutes <= LONGEST // timedelta(minutes=1):
        return
    schedules = Schedules.load(clinic, [doctor.pk for doctor in active], first, last)
    taken = _taken(clinic, active, patient, first, last, ignoring)
    length = timedelta(minutes=minutes)
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        of_each = (_openings_on(day, schedules, taken, doctor, length, now) for doctor in active)
        yield from sorted(chain.from_iterable(of_each), key=attrgetter("starts_at", "doctor_id"))


def openings_near(
    clinic: Clinic,
    *,
    doctor: Doctor,
    minutes: int,
    wanted: datetime,
    now: datetime,
    patient: int | None = None,
    ignoring: int | None = None,
    besides: Opening | None = None,
) -> list[Opening]:
    """The openings of the day of the instant `wanted` and of the three weeks after, in order of time. Two queries.

    `besides` is one not to offer: the time an appointment about to be moved has already.
    """
    day = clinic.local(max(wanted, now)).date()
    last = day + timedelta(days=NEAREST_DAYS)
    found = openings(
        clinic, doctor=doctor, minutes=minutes, first=day, last=last, now=now, patient=patient, ignoring=ignoring
    )
    return [opening for opening in found if opening != besides]


def nearest_of(found: Iterable[Opening], wanted: datetime, count: int) -> list[Opening]:
    """The `count` of them nearest to the instant `wanted`, in order of time."""
    return sorted(sorted(found, key=lambda opening: abs(opening.starts_at - wanted))[:count])


def _taken(clinic, doctors, patient, first, last, ignoring):
    """Spans by (doctor's id, local date); where the patient is elsewhere is nobody's free time."""
    ids = {doctor.pk for doctor in doctors}
    whose = Q(doctor__in=ids, encaixe_by=None)
    rows = Appointment.objects.of(clinic).standing().filter(whose | Q(patient=patient) if patient else whose)
    end = clinic.day(last + timedelta(days=1))[1]  # what begins on the last day may end on the next one
    rows = rows.exclude(pk=ignoring).overlapping(clinic.day(first)[0], end).order_by("starts_at")
    spans = defaultdict(list)
    for doctor, of, starts_at, ends_at in rows.values_list("doctor", "patient", "starts_at", "ends_at"):
        for day in {clinic.local(starts_at).date(), clinic.local(ends_at).date()}:
            for each in ids if of == patient else [doctor]:
                spans[each, day].append((starts_at, ends_at))
    return spans


def _openings_on(day, schedules, spans_taken, doctor, length, now):
    midnight, next_midnight = schedules.clinic.day(day)
    taken = [span for each in (day, day + timedelta(days=1)) for span in spans_taken[doctor.pk, each]]
    opened = schedules.open(doctor.pk, day)
    step = timedelta(minutes=doctor.interval_minutes)
    for block in schedules.blocks(doctor.pk, day):
        starts_at = block.starts_at
        if starts_at < midnight:  # a night goes on in the steps in which it began
            starts_at += -((starts_at - midnight) // step) * step
        while starts_at < next_midnight and (ends_at := starts_at + length) <= block.ends_at:
            inside = any(span.contains(starts_at, ends_at) for span in opened)
            free = not any(begin < ends_at and end > starts_at for begin, end in taken)
            if starts_at > now and inside and free:
                yield Opening(starts_at, ends_at, doctor.pk)
            starts_at += step
