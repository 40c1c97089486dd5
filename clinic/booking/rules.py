"""The rules of a booking, one small function each; every entry point asks them here.

First those about the request by itself (its shape), then those about the time. All that are broken are named at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.utils.translation import gettext as _

from clinic.booking import sql
from clinic.booking.pricing import PricedLine
from clinic.models import Appointment, Clinic, Discount, Doctor, Patient, Procedure
from clinic.models.appointment import Status
from clinic.models.clinic import EndOfDay
from clinic.models.doctor import end_of_hours
from clinic.models.limits import max_length
from clinic.refusals import Reason, Refusal
from clinic.registry.patient_details import PatientDetails, Policy, unstorable_notes
from clinic.schedule import MAX_DURATION, ClosedReason, bookable_dates

MOST_PROCEDURES = 20  # thousands of lines held a doctor's row for seconds
NOTES_LIMIT = max_length(Appointment, "notes")


@dataclass(frozen=True)
class LineRequest:
    """A procedure asked for, by id or uuid, and the discount on it."""

    procedure: int | UUID
    discount: int | None = None


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A booking that is asked for. Instants are aware; `ends_at` None means: as long as the procedures take.

    The patient is either one of the clinic's, by id, or described by `details`, which never mean those whose ids are in
    `besides`: a person has looked at them and found them to be others. `status` is Agendado or Confirmado.
    `uuid` is an optional id of the appointment, chosen by the caller; a second booking with the same one is refused.
    `shown_total` is the total that the person who books has seen, None where none was shown.
    """

    clinic: Clinic
    doctor: sql.DoctorKey | None
    lines: tuple[LineRequest, ...]
    starts_at: datetime | None
    ends_at: datetime | None = None
    patient: int | None = None
    details: PatientDetails | None = None
    discount: int | None = None
    notes: str = ""
    source: str = Appointment.Source.MANUAL
    status: Status = Status.SCHEDULED
    metadata: dict = field(default_factory=dict)
    policy: Policy = Policy.STRICT
    uuid: UUID | None = None
    besides: tuple[int, ...] = ()
    shown_total: Decimal | None = None


@dataclass(kw_only=True)
class Case:
    """One booking or move under examination: the time wanted and the rows it concerns, None where unknown."""

    clinic: Clinic
    now: datetime
    doctor: Doctor | None
    patient: Patient | None
    procedures: list[Procedure | None]
    starts_at: datetime | None
    ends_at: datetime | None
    discounts: list[Discount | None] = field(default_factory=list)
    notes: str = ""
    moving: Appointment | None = None
    lines: list[PricedLine] = field(default_factory=list)
    shown_total: Decimal | None = None

    @cached_property
    def around(self) -> sql.Around:
        """Asked for once, after the locks are held: what is seen then holds until the transaction ends."""
        span = self.starts_at, self.ends_at
        return sql.around(self.clinic, self.doctor, self.patient, *span, day=self.local_date, besides=self.moving)

    @property
    def has_readable_time(self):
        return self.starts_at is not None and self.ends_at is not None and self.starts_at < self.ends_at

    @property
    def local_date(self):
        try:
            return self.clinic.local(self.starts_at).date()
        except OverflowError:  # the first and the last hours of the calendar
            return self.starts_at.date()

    @property
    def local_dates(self):
        """The date of the start and, beyond a midnight, that of the end."""
        last = self.clinic.local(self.ends_at - timedelta.resolution).date()
        return dict.fromkeys([self.local_date, last])

    def clock(self, instant):
        return f"{self.clinic.local(instant):%H:%M}"


Rule = Iterator[Refusal]


def patient_is_alive(case: Case) -> Rule:
    if case.patient and case.patient.died:
        yield Refusal(Reason.PATIENT_DIED, {"patient": case.patient.display_name})


def procedures_are_chosen(case: Case) -> Rule:
    if not case.procedures:
        yield Refusal(Reason.PROCEDURES_MISSING)
    if len(case.procedures) > MOST_PROCEDURES:
        yield Refusal(Reason.PROCEDURES_TOO_MANY, {"count": len(case.procedures), "limit": MOST_PROCEDURES})
    if None in case.procedures:
        yield Refusal(Reason.PROCEDURE_UNKNOWN)


def doctor_performs_them(case: Case) -> Rule:
    yield from not_performed(case.doctor, case.procedures)


def not_performed(doctor: Doctor | None, procedures: list[Procedure | None]) -> Rule:
    """Procedures come annotated with `performed`: whether this doctor does them."""
    for procedure in procedures:
        if doctor and procedure and not procedure.performed:
            yield Refusal(Reason.PROCEDURE_NOT_OFFERED, {"doctor": doctor.name, "procedure": procedure.name})


def discounts_are_valid_that_day(case: Case) -> Rule:
    """The day of the appointment counts, not the day of the call: then the money changes hands."""
    if None in case.discounts:
        yield Refusal(Reason.DISCOUNT_UNKNOWN)
    for discount in expired_discounts(case):
        params = {"discount": discount.name, "date": f"{discount.expires_on:%d/%m/%Y}"}
        yield Refusal(Reason.DISCOUNT_LEFT_BEHIND if case.moving else Reason.DISCOUNT_EXPIRED, params)


def total_is_the_one_shown(case: Case) -> Rule:
    """Prices and discounts may change while a panel is open; nobody books another total than they have seen.

    The APIs show no total, so they send none."""
    total = sum(line.total for line in case.lines)
    if case.lines and not expired_discounts(case) and case.shown_total not in {None, total}:
        money = case.clinic.money
        yield Refusal(Reason.TOTAL_CHANGED, {"shown": money(case.shown_total), "total": money(total)})


def expired_discounts(case: Case) -> list[Discount]:
    """Those that are not valid any more on the day wanted."""
    day = case.local_date if case.starts_at else case.clinic.local(case.now).date()
    given = dict.fromkeys(filter(None, case.discounts))
    return [discount for discount in given if not discount.is_valid_on(day)]


def notes_can_be_stored(case: Case) -> Rule:
    yield from unstorable_notes(case.notes)


def notes_are_not_too_long(case: Case) -> Rule:
    if len(case.notes) > NOTES_LIMIT:
        yield Refusal(Reason.NOTES_TOO_LONG, {"length": len(case.notes), "limit": NOTES_LIMIT})


def time_is_given(case: Case) -> Rule:
    if case.starts_at is None:
        yield Refusal(Reason.START_MISSING)


def time_is_in_whole_minutes(case: Case) -> Rule:
    """What the screen cannot show must not be taken. Of what is ahead only: before there were time zones, a clock's
    minute did not begin with a minute of UTC."""
    ahead = [instant for instant in (case.starts_at, case.ends_at) if instant and instant > case.now]
    if any(instant.second or instant.microsecond for instant in ahead):
        yield Refusal(Reason.TIME_HAS_SECONDS)


def end_is_after_start(case: Case) -> Rule:
    if case.starts_at is None or case.ends_at is None:
        return
    if case.ends_at <= case.starts_at:
        yield Refusal(Reason.END_NOT_AFTER_START)
    elif case.ends_at - case.starts_at > MAX_DURATION:
        yield Refusal(Reason.TOO_LONG, {"hours": MAX_DURATION // timedelta(hours=1)})


def time_is_ahead(case: Case) -> Rule:
    if case.starts_at is None:
        return
    today, furthest = bookable_dates(case.clinic, case.now)
    if case.local_date < today:
        yield Refusal(Reason.DATE_PAST)
    elif case.starts_at <= case.now:
        yield Refusal(Reason.TIME_PAST, {"now": case.clock(case.now)})
    elif case.local_date > furthest:
        yield Refusal(Reason.DATE_TOO_FAR, {"date": f"{furthest:%d/%m/%Y}"})


def doctor_works_then(case: Case) -> Rule:
    schedules = case.around.schedules
    opened = schedules.open(case.doctor.pk, case.local_date)
    if any(span.contains(case.starts_at, case.ends_at) for span in opened):
        return
    closed = [span for day in case.local_dates for span in schedules.closed(case.doctor.pk, day)]
    spans = [span for span in closed if span.overlaps(case.starts_at, case.ends_at)]
    spans.sort(key=lambda span: span.closed_by is ClosedReason.HOURS)
    yield _why_closed(case, schedules, spans[0] if spans else None)


def _why_closed(case, schedules, span):
    if span is None or span.closed_by is ClosedReason.HOURS:
        blocks = schedules.blocks(case.doctor.pk, case.local_date)
        params = {"doctor": case.doctor.name, "hours": hours_in_words(case.clinic, blocks, case.local_date)}
        if any(block.starts_at <= case.starts_at < block.ends_at for block in blocks):
            return Refusal(Reason.ENDS_AFTER_HOURS, params | {"end": case.clock(case.ends_at)})
        return Refusal(Reason.OUTSIDE_HOURS, params)
    reasons = {
        ClosedReason.ABSENCE: Reason.DOCTOR_ABSENT,
        ClosedReason.CLINIC: Reason.CLINIC_CLOSED,
        ClosedReason.HOLIDAY: Reason.HOLIDAY,
    }
    return Refusal(reasons[span.closed_by], {"doctor": case.doctor.name, "reason": span.reason})


def hours_in_words(clinic: Clinic, blocks, day: date) -> str:
    """ "nesse dia atende das 08:00 às 12:00 e das 20:00 às 06:00", in the clinic's clock; without blocks: no work then.

    What began before `day` is written from its midnight on."""
    if not blocks:
        return str(_("não trabalha nesse dia"))
    midnight = clinic.day(day)[0]
    spans = [
        _("das %(starts)s às %(ends)s")
        % {
            "starts": f"{clinic.local(max(block.starts_at, midnight)):%H:%M}",
            "ends": end_of_hours(clinic.local(block.ends_at).time()),
        }
        for block in blocks
    ]
    hours = str(_(" e ")).join([", ".join(spans[:-1]), spans[-1]] if spans[:-1] else spans)
    return _("nesse dia atende %(hours)s") % {"hours": hours}


def clock_is_the_clinics(case: Case) -> Rule:
    """The zone by which the time was read is still the clinic's; it may have been changed while this waited."""
    if case.around.time_zone != case.clinic.time_zone:
        yield Refusal(Reason.TRY_AGAIN)


def doctor_is_free(case: Case) -> Rule:
    """`spans` in the refusal tells the taken times, for the API that names each slot."""
    taken = [other for other in case.around.overlapping if other.occupies(case.doctor)]
    if taken:
        spans = [(other.starts_at, other.ends_at) for other in taken]
        time = case.clock(max(case.starts_at, taken[0].starts_at))
        yield Refusal(Reason.DOCTOR_TAKEN, {"time": time, "doctor": case.doctor.name, "spans": spans})


def patient_is_in_one_place(case: Case) -> Rule:
    for other in case.around.overlapping:
        if case.patient and other.patient_id == case.patient.pk and not other.occupies(case.doctor):
            time = case.clock(other.starts_at)
            params = {"patient": case.patient.display_name, "time": time, "doctor": other.doctor_name}
            yield Refusal(Reason.PATIENT_ELSEWHERE, params)
            return


SHAPE = [
    patient_is_alive,
    procedures_are_chosen,
    doctor_performs_them,
    time_is_given,
    time_is_in_whole_minutes,
    end_is_after_start,
    time_is_ahead,
    discounts_are_valid_that_day,
    total_is_the_one_shown,
    notes_can_be_stored,
    notes_are_not_too_long,
]
SHAPE_OF_MOVE = [
    patient_is_alive,
    doctor_performs_them,
    time_is_given,
    time_is_in_whole_minutes,
    end_is_after_start,
    time_is_ahead,
    discounts_are_valid_that_day,
]


def broken(case: Case, *, shape=SHAPE) -> list[Refusal]:
    """Every rule this case breaks: shape first, then, when doctor and time are readable, availability."""
    refusals = [refusal for rule in shape for refusal in rule(case)]
    if case.doctor and case.has_readable_time and not _time_blamed(refusals):
        refusals += [*doctor_works_then(case), *free(case)]
    return refusals


def free(case: Case) -> list[Refusal]:
    """Whether doctor and patient are free then."""
    return [*clock_is_the_clinics(case), *doctor_is_free(case), *patient_is_in_one_place(case)]


def taking_again(case: Case) -> list[Refusal]:
    """Why the time of `case.moving`, which was given up, cannot be taken again: as for a booking, but that it may have
    begun. An encaixe stands outside the hours of work as well."""
    if not case.doctor.active:
        return [Refusal(Reason.DOCTOR_UNKNOWN)]
    hours = [] if case.moving.is_encaixe else doctor_works_then(case)
    return [*patient_is_alive(case), *hours, *free(case)]


def doctor_refusals(wanted: sql.DoctorKey | None, found: Doctor | None) -> list[Refusal]:
    """What is wrong with the doctor who was asked for."""
    if wanted is None:
        return [Refusal(Reason.DOCTOR_MISSING)]
    return [] if found else [Refusal(Reason.DOCTOR_UNKNOWN)]


def standing_case(appointment: Appointment, now: datetime) -> Case:
    """The appointment as it is, to ask whether its time is open and free of others."""
    return Case(
        clinic=appointment.clinic,
        now=now,
        doctor=appointment.doctor,
        patient=appointment.patient,
        procedures=[],
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        moving=appointment,
    )


def day_of_end(day: date, starts: time | None, ends: time) -> date:
    """The local date of the end of an appointment that starts on `day`: the next one for what runs over midnight.

    00:00 ends nothing but the day before; any other end that is not after the start, and is further from it than an
    appointment may last, is of the same day and wrong.
    """
    if starts is None or ends > starts or isinstance(ends, EndOfDay):
        return day
    length = datetime.combine(day + timedelta(days=1), ends) - datetime.combine(day, starts)
    return day + timedelta(days=1) if ends == time.min or length <= MAX_DURATION else day


def later(instant: datetime | None, length: timedelta) -> datetime | None:
    """None without an instant, or beyond the end of the calendar."""
    try:
        return instant and instant + length
    except OverflowError:
        return None


def _time_blamed(refusals):
    return any(refusal.field in {"date", "starts_at", "ends_at"} for refusal in refusals)
