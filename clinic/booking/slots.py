"""The subjects of the rules: a candidate as requested, and the slot of a doctor's time that it would take."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from clinic.booking.pricing import PricedLine
from clinic.models import Appointment, Clinic, Discount, Doctor, Patient, Procedure
from clinic.models.appointment import FREES_THE_TIME
from clinic.models.row_change import PROGRAMS
from clinic.registry import Author
from clinic.schedule import Booked, Schedules


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A booking or a move as requested: the wanted time and the rows it concerns, None where unknown.

    `performed` are the ids of those procedures that the doctor performs. `moving` is the appointment of a move.
    `encaixe_reason` asks for an encaixe where the doctor is not free, and with `is_approved` beyond their number a day.
    `duration` is how long it has to be at least, None where nobody asks for that. `discount_limit` is the most that its
    author may take off, in percent of all prices, None for no limit; `given_before` is what is taken off already.
    `with_notice` is for a program, which is held to the notice that doctor and procedures take.
    """

    clinic: Clinic
    now: datetime
    doctor: Doctor | None
    patient: Patient | None
    procedures: list[Procedure | None]
    performed: frozenset[int]
    starts_at: datetime | None
    ends_at: datetime | None
    discounts: list[Discount | None] = field(default_factory=list)
    notes: str = ""
    moving: Appointment | None = None
    lines: list[PricedLine] = field(default_factory=list)
    shown_total: Decimal | None = None
    encaixe_reason: str | None = None
    is_approved: bool = False
    duration: timedelta | None = None
    discount_limit: int | None = None
    given_before: Decimal = Decimal(0)
    with_notice: bool = False

    @property
    def present_start(self) -> datetime | None:
        """When the appointment of a move begins, while it stands with this very doctor; None else."""
        present, doctor = self.moving, self.doctor
        if present is None or doctor is None or present.status in FREES_THE_TIME:
            return None
        return present.starts_at if present.doctor_id == doctor.pk else None


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A span of a doctor's time that an appointment would take; `ends_at` is after `starts_at`.

    `moving` is the appointment that already exists, whose own time counts as free. As an encaixe it takes the patient's
    time, not the doctor's; one that `is_approved` may be beyond the doctor's number a day. `procedures` are those whose
    limits are to be asked. `with_notice` is that of a Candidate, for the free times that are offered instead.
    """

    clinic: Clinic
    now: datetime
    doctor: Doctor
    patient: Patient | None
    starts_at: datetime
    ends_at: datetime
    moving: Appointment | None
    is_encaixe: bool = False
    is_approved: bool = False
    procedures: tuple[Procedure, ...] = ()
    with_notice: bool = False

    @property
    def local_date(self) -> date:
        return local_date(self.clinic, self.starts_at)


@dataclass(frozen=True)
class OverlappingAppointment:
    """A standing appointment that shares time with a slot; `doctor_name` is the whole name as it is now."""

    id: int
    doctor_id: int
    doctor_name: str
    doctor_title: str
    patient_id: int
    starts_at: datetime
    ends_at: datetime
    is_encaixe: bool

    def occupies(self, doctor: Doctor) -> bool:
        """Return whether it takes time of that doctor; an encaixe takes the patient's only."""
        return self.doctor_id == doctor.pk and not self.is_encaixe


@dataclass(frozen=True)
class ScheduleContext:
    """The stored data around a slot: the doctor's hours and absences that day, and the overlapping appointments of
    doctor and patient in order of time. `time_zone` is the clinic's as it is stored now. `encaixes` counts those of the
    doctor on the slot's local date, where the slot is for one; `booked` counts the appointments of that date."""

    schedules: Schedules
    overlapping: list[OverlappingAppointment]
    time_zone: str
    encaixes: int = 0
    booked: Booked = field(default_factory=Booked)


def slot_of(candidate: Candidate) -> Slot | None:
    """Return the slot that a candidate would take; None without a doctor, or without a start and a later end."""
    doctor, starts_at, ends_at = candidate.doctor, candidate.starts_at, candidate.ends_at
    if doctor is None or starts_at is None or ends_at is None or ends_at <= starts_at:
        return None
    return Slot(
        clinic=candidate.clinic,
        now=candidate.now,
        doctor=doctor,
        patient=candidate.patient,
        starts_at=starts_at,
        ends_at=ends_at,
        moving=candidate.moving,
        procedures=tuple(procedure for procedure in dict.fromkeys(candidate.procedures) if procedure),
        with_notice=candidate.with_notice,
    )


def present_slot(appointment: Appointment, now: datetime, by: Author | None = None) -> Slot:
    """Return the slot in which an appointment is, to ask whether its time is open and free of others; `by` is the
    author, to which no free time is offered within the notice if it is a program."""
    return Slot(
        clinic=appointment.clinic,
        now=now,
        doctor=appointment.doctor,
        patient=appointment.patient,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        moving=appointment,
        is_encaixe=appointment.is_encaixe,
        is_approved=appointment.encaixe_approved_by_id is not None,
        with_notice=by is not None and by.channel in PROGRAMS,
    )


def local_date(clinic: Clinic, instant: datetime) -> date:
    """Return the clinic's date; in the first and the last hours of the calendar that of the instant itself."""
    try:
        return clinic.local(instant).date()
    except OverflowError:
        return instant.date()


def clock(clinic: Clinic, instant: datetime) -> str:
    """Return the time of the instant on the clinic's clock, as 08:30."""
    return f"{clinic.local(instant):%H:%M}"
