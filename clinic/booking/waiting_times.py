"""Which free times fit the entries of the waiting list: the next ones of each, and who fits one that became free."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from itertools import islice

from django.db.models import Q

from clinic.booking.booked import load_booked
from clinic.booking.openings import spread
from clinic.booking.replacements import AbleDoctor, able_doctors
from clinic.booking.waiting_list import OFFERED_TIMES, is_still_ahead, time_value
from clinic.booking.walk import TakenTime, Walk, load_taken, present_day
from clinic.models import Appointment, AppointmentEvent, Clinic, Doctor, Procedure, WaitingEntry
from clinic.models.appointment import FREES_THE_TIME, Status
from clinic.schedule import Booked, Limits, Opening, Span, bookable_dates, load_schedules

SEARCHED_DAYS = 21
FREED_FOR = timedelta(hours=1)
READ = 40  # so many free times in order are read, of which OFFERED_TIMES on different half-days are chosen


@dataclass(frozen=True)
class Freed:
    """The time of one doctor, by id, that an appointment gave up: UTC instants, half-open."""

    doctor_id: int
    starts_at: datetime
    ends_at: datetime

    def meets(self, opening: Opening) -> bool:
        """Return whether the opening takes some of this time."""
        is_same = opening.doctor_id == self.doctor_id
        return is_same and opening.starts_at < self.ends_at and opening.ends_at > self.starts_at

    def distance(self, opening: Opening) -> tuple[bool, timedelta]:
        """Return by what openings are compared: those from the start of this time on first, then the nearer ones."""
        return opening.starts_at < self.starts_at, abs(opening.starts_at - self.starts_at)


class WaitingList:
    """The open entries of a clinic, read `in_full` and `in_order`, at the instant `now`."""

    def __init__(self, clinic: Clinic, entries: Sequence[WaitingEntry], *, now: datetime) -> None:
        self.clinic, self.entries, self.now = clinic, entries, now
        for entry in entries:
            entry.clinic = entry.patient.clinic = clinic
            if entry.appointment:
                entry.appointment.clinic = clinic

    def is_lost(self, entry: WaitingEntry) -> bool:
        """Return whether the entry's appointment can no longer be exchanged: a person has to decide."""
        return entry.appointment is not None and not is_still_ahead(entry.appointment, self.now)

    def is_waiting(self, entry: WaitingEntry) -> bool:
        """Return whether a time is still sought: the last date is not over, and the appointment not lost."""
        return not self.is_lost(entry) and not entry.has_run_out(self.now)

    @cached_property
    def doctors(self) -> "dict[int, AbleDoctor]":
        """The active doctors who perform some of what is wanted, by id. One query."""
        needed = {pk for entry in self.entries for pk in entry.needed}
        return {doctor.pk: doctor for doctor in able_doctors(self.clinic, needed)} if needed else {}

    @cached_property
    def restricted(self) -> dict[int, Procedure]:
        """The wanted procedures that restrict how far ahead or how often a day, by id. One query."""
        needed = {pk for entry in self.entries for pk in entry.needed}
        with_limits = Q(days_ahead__isnull=False) | Q(per_day__isnull=False)
        return {row.pk: row for row in Procedure.objects.of(self.clinic).filter(with_limits, pk__in=needed)}

    def able(self, entry: WaitingEntry) -> list[Doctor]:
        """Return the wanted doctors who perform all of it, in the order of their names."""
        needed, wanted = set(entry.needed), entry.wanted_doctors
        if not entry.is_offered:
            return []
        performing = [doctor for doctor in self.doctors.values() if needed <= self._performed[doctor.pk]]
        return [doctor for doctor in performing if not wanted or doctor.pk in wanted]

    def next_times(self, entries: Collection[WaitingEntry], *, doctor: int | None = None) -> dict[int, list[Opening]]:
        """Return up to OFFERED_TIMES free times for each of these entries, by its id, in order of time and on different
        half-days, of the next SEARCHED_DAYS dates; none that the patient has declined, with `doctor` those of the one
        with that id. A time may be there for several of them. Two queries, three where there is a number a day, however
        many entries, beside those of `doctors` and `restricted`."""
        sought = [entry for entry in entries if self.is_waiting(entry)]
        doctors = {each.pk: each for entry in sought for each in self.able(entry) if doctor in (None, each.pk)}
        if not doctors:
            return {}
        search = self._search([*doctors.values()], sought, self._days())
        found = {entry.pk: list(islice(search.fitting(entry), READ)) for entry in sought}
        return {pk: spread(self.clinic, openings, OFFERED_TIMES) for pk, openings in found.items()}

    def fitting(self, freed: Freed) -> dict[int, Opening]:
        """Return for every entry that the freed time fits, by its id and in the order of the entries, a free time
        that takes some of it: the first one from its start on, else the last one before. Five queries at most, none
        where nobody waits."""
        doctor = self.doctors.get(freed.doctor_id)
        if doctor is None or freed.ends_at <= self.now:
            return {}
        sought = [entry for entry in self.entries if self.is_waiting(entry) and doctor in self.able(entry)]
        if not sought:
            return {}
        first, last = (self.clinic.local(at).date() for at in (freed.starts_at, freed.ends_at))
        search = self._search([doctor], sought, [first] if first == last else [first, last])
        found = {entry.pk: list(filter(freed.meets, search.fitting(entry))) for entry in sought}
        return {pk: min(openings, key=freed.distance) for pk, openings in found.items() if openings}

    def follower(self, entry: WaitingEntry) -> WaitingEntry | None:
        """Return the first other entry that the time fits which this one's appointment would give up, None for none.

        It is only looked forward to: whether its patient is elsewhere then is asked when it is free. No query but that
        of `doctors`."""
        given_up = entry.appointment
        if given_up is None or given_up.is_encaixe:
            return None
        length = given_up.ends_at - given_up.starts_at
        doctor = self.doctors.get(given_up.doctor_id)
        for other in self.entries:
            opening = Opening(given_up.starts_at, given_up.starts_at + other.length, given_up.doctor_id)
            is_another = other.patient_id != entry.patient_id and self.is_waiting(other)
            if is_another and other.length <= length and doctor in self.able(other) and self._accepts(other, opening):
                return other
        return None

    @cached_property
    def _performed(self) -> dict[int, set[int]]:
        return {pk: set(doctor.performed) for pk, doctor in self.doctors.items()}

    def _days(self) -> list[date]:
        first, last = bookable_dates(self.clinic, self.now)
        last = min(last, first + timedelta(days=SEARCHED_DAYS - 1))
        return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]

    def _search(self, doctors: list[Doctor], entries: list[WaitingEntry], days: list[date]) -> "_Search":
        patients = {entry.patient_id for entry in entries}
        taken = load_taken(self.clinic, [doctor.pk for doctor in doctors], patients, days)
        schedules = load_schedules(self.clinic, doctors, days[0], days[-1])
        booked = load_booked(self.clinic, doctors, self.restricted.values(), days[0], days[-1])
        return _Search(self, Walk(schedules, taken.of_doctor, self.now), taken, doctors, days, booked)

    def _accepts(self, entry: WaitingEntry, opening: Opening) -> bool:
        """Return whether the patient wants a time of a doctor that is `able`: date, day, hours, and earlier than the
        present one."""
        local = self.clinic.local(opening.starts_at)
        if entry.appointment and opening.starts_at >= entry.appointment.starts_at:
            return False
        if entry.until and local.date() > entry.until:
            return False
        if entry.weekdays and local.isoweekday() not in entry.weekdays:
            return False
        if entry.from_time and entry.to_time:
            return entry.from_time <= local.time().replace(second=0, microsecond=0) <= entry.to_time
        return True


class _Search:
    """The free times of the loaded doctors and dates."""

    def __init__(
        self,
        waiting: WaitingList,
        walk: Walk,
        taken: TakenTime,
        doctors: list[Doctor],
        days: list[date],
        booked: Booked,
    ) -> None:
        self.waiting, self.walk, self.taken, self.doctors, self.days = waiting, walk, taken, doctors, days
        self.booked = booked
        self._of_day = cache(self._free)

    def fitting(self, entry: WaitingEntry) -> Iterator[Opening]:
        """Yield the free times that fit the entry, in order of time, one for each start."""
        able = [doctor for doctor in self.waiting.able(entry) if doctor in self.doctors]
        elsewhere = self.taken.of_patient(entry.patient_id, besides=entry.appointment_id)
        declined, limits, clinic = entry.declined, self._limits(entry), self.waiting.clinic
        for day in self.days:
            admitting = [doctor for doctor in able if limits.admit(clinic, doctor, day, self.walk.now)]
            of_day = sorted(opening for doctor in admitting for opening in self._times(entry, doctor, day))
            last_start = None
            for opening in of_day:
                is_free = not any(span.overlaps(opening.starts_at, opening.ends_at) for span in elsewhere)
                value = time_value(opening.doctor_id, opening.starts_at)
                is_new = opening.starts_at != last_start and value not in declined
                if is_free and is_new and self.waiting._accepts(entry, opening):
                    last_start = opening.starts_at
                    yield opening

    def _limits(self, entry: WaitingEntry) -> Limits:
        """Return what restricts the visit; the appointment that is given up does not count any more."""
        procedures = [self.waiting.restricted[pk] for pk in entry.needed if pk in self.waiting.restricted]
        own, booked = entry.appointment, self.booked
        if own:
            booked = booked.besides(own.doctor_id, procedures, self.waiting.clinic.local(own.starts_at).date())
        return Limits(procedures, booked, present=present_day(own))

    def _times(self, entry: WaitingEntry, doctor: Doctor, day: date) -> list[Opening]:
        """Return the doctor's free times on a date that the entry's limits admit; the time of the appointment that is
        given up counts as free."""
        own, local = entry.appointment, self.waiting.clinic.local
        if own is None or own.doctor_id != doctor.pk or local(own.starts_at).date() != day:
            return self._of_day(doctor, day, entry.length)
        given_up = Span(own.starts_at, own.ends_at)
        others = [span for span in self.taken.of_doctor(doctor.pk, day) if span != given_up]
        walk = replace(self.walk.admitting(doctor, day), taken=lambda _doctor, _day: others)
        return list(walk.of_day(day, [doctor], entry.length))

    def _free(self, doctor: Doctor, day: date, length: timedelta) -> list[Opening]:
        return list(self.walk.admitting(doctor, day).of_day(day, [doctor], length))


def freed_by(appointment: Appointment, *, now: datetime) -> Freed | None:
    """Return the time that a cancelled or missed appointment gives up, or that a moved one gave up less than FREED_FOR
    ago; None for none, and for a time that is over. An encaixe gives up none. One query for a moved one."""
    if appointment.status in FREES_THE_TIME:
        present = None if appointment.is_encaixe else appointment
        freed = present and Freed(present.doctor_id, present.starts_at, present.ends_at)
    else:
        freed = _left_place(appointment, now) if appointment.status == Status.RESCHEDULED else None
    return freed if freed and freed.ends_at > now else None


def _left_place(appointment: Appointment, now: datetime) -> Freed | None:
    moves = appointment.events.filter(kind=AppointmentEvent.Kind.RESCHEDULED, at__gt=now - FREED_FOR)
    last = moves.order_by("-pk").first()
    if last is None or "encaixe_by" in last.before:
        return None
    starts_at, ends_at = (datetime.fromisoformat(last.before[name]) for name in ("starts_at", "ends_at"))
    is_elsewhere = (last.before["doctor"], starts_at) != (appointment.doctor_id, appointment.starts_at)
    return Freed(last.before["doctor"], starts_at, ends_at) if is_elsewhere else None
