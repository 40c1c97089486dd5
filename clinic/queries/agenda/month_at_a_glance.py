"""A month at a glance: how much of each morning and afternoon is free. Reads only."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from clinic.models import Appointment, Clinic, Doctor
from clinic.queries.agenda.page import DoctorChoice
from clinic.queries.performed_procedures import performed_procedures
from clinic.schedule import NOON, Booked, Limits, Span, load_schedules, openings_on, without

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class HalfDay:
    """The time before noon, or from noon on. `booked` counts the appointments that begin in it, `free` the times at
    which a doctor's usual procedure fits; of the `open_minutes` of all doctors `free_minutes` are not taken."""

    booked: int = 0
    free: int = 0
    open_minutes: int = 0
    free_minutes: int = 0

    @property
    def is_open(self) -> bool:
        return self.open_minutes > 0

    @property
    def fullness(self) -> int:
        """The taken part of the open time, in percent."""
        return round(100 * (1 - self.free_minutes / self.open_minutes)) if self.open_minutes else 0


@dataclass(slots=True)
class DateOfMonth:
    """A local date; `holiday` is the name of the day, open or not."""

    day: date
    is_of_month: bool
    holiday: str
    morning: HalfDay
    afternoon: HalfDay

    @property
    def halves(self) -> tuple[HalfDay, HalfDay]:
        return self.morning, self.afternoon

    @property
    def is_open(self) -> bool:
        return self.morning.is_open or self.afternoon.is_open

    @property
    def booked(self) -> int:
        return self.morning.booked + self.afternoon.booked


@dataclass(slots=True)
class Month:
    """The weeks that touch a month, each from Monday to Sunday."""

    first: date
    today: date
    weeks: list[list[DateOfMonth]]
    choices: list[DoctorChoice]


def month(clinic: Clinic, first: date, *, now: datetime, doctors: Collection[int] = ()) -> Month:
    """Return the month that begins on the local date `first` at the instant `now`; no `doctors` are all active ones.
    Four queries."""
    active = list(Doctor.objects.of(clinic).filter(Q(active=True) | Q(pk__in=doctors)).only(*DOCTOR_FIELDS))
    chosen = [doctor for doctor in active if doctor.pk in doctors] or [doctor for doctor in active if doctor.active]
    days = _days(first)
    counted = _Counts(clinic, chosen, days, now)
    weeks = [[counted.count(day, first) for day in days[start : start + 7]] for start in range(0, len(days), 7)]
    choices = [DoctorChoice(str(doctor.pk), doctor.full_name, doctor.pk in doctors) for doctor in active]
    return Month(first, clinic.local(now).date(), weeks, choices)


DOCTOR_FIELDS = "title", "name", "interval_minutes", "days_ahead", "per_day", "active"


def _days(first: date) -> list[date]:
    """Return the dates of the weeks that touch the month."""
    begins = first - timedelta(days=first.weekday())
    following = (first + timedelta(days=31)).replace(day=1)
    ends = following + timedelta(days=-following.weekday() % 7)
    return [begins + timedelta(days=number) for number in range((ends - begins).days)]


class _Counts:
    """What is stored of the doctors on these dates, counted by half-days."""

    def __init__(self, clinic: Clinic, doctors: Sequence[Doctor], days: Sequence[date], now: datetime) -> None:
        self.clinic, self.doctors, self.now = clinic, doctors, now
        ids = [doctor.pk for doctor in doctors]
        self.schedules = load_schedules(clinic, doctors, days[0], days[-1])
        self.performed = performed_procedures(clinic, ids, now, days[0], days[-1])
        self.taken: dict[tuple[int, date], list[Span]] = defaultdict(list)
        self.booked: dict[date, list[datetime]] = defaultdict(list)
        self.booked_with: Counter[tuple[int, date]] = Counter()
        self._load(ids, clinic.day(days[0])[0], clinic.day(days[-1])[1])

    def _load(self, doctors: Collection[int], since: datetime, until: datetime) -> None:
        standing = Appointment.objects.of(self.clinic).standing().filter(doctor__in=doctors).overlapping(since, until)
        rows = standing.order_by("starts_at").values_list("doctor_id", "starts_at", "ends_at", "encaixe_by_id")
        for doctor, starts_at, ends_at, encaixe in rows:
            starts, ends = self.clinic.local(starts_at), self.clinic.local(ends_at)
            self.booked[starts.date()].append(starts)
            self.booked_with[doctor, starts.date()] += 1
            if encaixe is None:
                for day in {starts.date() - timedelta(days=1), starts.date(), ends.date()}:
                    self.taken[doctor, day].append(Span(starts_at, ends_at))

    def count(self, day: date, first: date) -> DateOfMonth:
        morning, afternoon = HalfDay(), HalfDay()
        midnight, next_midnight = self.clinic.day(day)
        noon = self.clinic.nearest_instant(day, NOON)
        for starts in self.booked[day]:
            (morning if starts.time() < NOON else afternoon).booked += 1
        for doctor in self.doctors:
            taken = self.taken[doctor.pk, day]
            opened = self.schedules.open(doctor.pk, day)
            for half, since, until in ((morning, midnight, noon), (afternoon, noon, next_midnight)):
                half.open_minutes += _minutes_within(opened, since, until)
                half.free_minutes += _minutes_within(without(opened, taken), since, until)
            for starts_at in self._free(doctor, day, taken):
                (morning if starts_at < noon else afternoon).free += 1
        return DateOfMonth(day, day.month == first.month, self.schedules.day_name(day), morning, afternoon)

    def _free(self, doctor: Doctor, day: date, taken: Sequence[Span]) -> list[datetime]:
        """Return when the doctor's usual procedure fits, as the page of the day has it."""
        performed = self.performed.get(doctor.pk)
        if not performed:
            return []
        usual = performed[0]
        found = openings_on(
            day,
            doctor,
            schedules=self.schedules,
            taken=taken,
            length=timedelta(minutes=usual.minutes),
            now=self.now,
            limits=Limits([usual], Booked(self.booked_with, {(doctor.pk, usual.id, day): usual.booked.count(day)})),
        )
        return [opening.starts_at for opening in found]


def _minutes_within(spans: Sequence[Span], since: datetime, until: datetime) -> int:
    lengths = (min(span.ends_at, until) - max(span.starts_at, since) for span in spans)
    return sum((max(length, timedelta(0)) // MINUTE for length in lengths), 0)
