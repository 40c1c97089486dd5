"""Free times, found with the rules' own schedules: every opening can be booked."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from clinic.booking.rules import FURTHEST_DAYS, LONGEST
from clinic.models import Appointment, Clinic, Doctor
from clinic.models.schedule import Schedules

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
    now = now or timezone.now()
    today = clinic.local(now).date()
    first, last = max(first, today), min(last, today + timedelta(days=FURTHEST_DAYS))
    if first > last or not doctor.active or not 0 < minutes <= LONGEST // timedelta(minutes=1):
        return []
    schedules = Schedules.load(clinic, [doctor.pk], first, last)
    taken = _taken(clinic, doctor, patient, first, last, ignoring)
    found = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        found += _openings_on(day, schedules, taken[day], doctor, timedelta(minutes=minutes), now)
        if limit is not None and len(found) >= limit:
            return found[:limit]
    return found


def nearest(
    clinic: Clinic,
    *,
    doctor: Doctor,
    minutes: int,
    wanted: datetime,
    now: datetime,
    count: int = 3,
    patient: int | None = None,
    ignoring: int | None = None,
    besides: Opening | None = None,
) -> list[Opening]:
    """The `count` openings nearest to the instant `wanted`, on its day or in the three weeks after, in order of time.

    `besides` is one not to offer: the time an appointment about to be moved has already.
    """
    day = clinic.local(max(wanted, now)).date()
    last = day + timedelta(days=NEAREST_DAYS)
    found = openings(
        clinic, doctor=doctor, minutes=minutes, first=day, last=last, now=now, patient=patient, ignoring=ignoring
    )
    found = [opening for opening in found if opening != besides]
    found.sort(key=lambda opening: abs(opening.starts_at - wanted))
    return sorted(found[:count])


def _taken(clinic, doctor, patient, first, last, ignoring):
    whose = Q(doctor=doctor, encaixe_by=None) | Q(patient=patient) if patient else Q(doctor=doctor, encaixe_by=None)
    rows = Appointment.objects.of(clinic).standing().filter(whose).exclude(pk=ignoring)
    spans = rows.overlapping(clinic.day(first)[0], clinic.day(last)[1]).values_list("starts_at", "ends_at")
    by_day = defaultdict(list)
    for starts_at, ends_at in spans.order_by("starts_at"):
        for day in {clinic.local(starts_at).date(), clinic.local(ends_at).date()}:
            by_day[day].append((starts_at, ends_at))
    return by_day


def _openings_on(day, schedules, taken, doctor, length, now):
    opened = schedules.open(doctor.pk, day)
    step = timedelta(minutes=doctor.interval_minutes)
    for block in schedules.blocks(doctor.pk, day):
        starts_at = block.starts_at
        while (ends_at := starts_at + length) <= block.ends_at:
            inside = any(span.contains(starts_at, ends_at) for span in opened)
            free = not any(begin < ends_at and end > starts_at for begin, end in taken)
            if starts_at > now and inside and free:
                yield Opening(starts_at, ends_at, doctor.pk)
            starts_at += step
