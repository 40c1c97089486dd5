"""A booking as the entry points request it."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from clinic.models import Appointment, Clinic
from clinic.models.appointment import Status
from clinic.models.clinic import EndOfDay
from clinic.registry import Plan
from clinic.registry.patient_details import PatientDetails, Policy
from clinic.schedule import MAX_DURATION

DoctorKey = int | UUID


@dataclass(frozen=True)
class LineRequest:
    """A requested procedure, by id or uuid, and the id of the discount on it."""

    procedure: int | UUID
    discount: int | None = None


@dataclass(frozen=True)
class PayerWish:
    """The id of the payer that is to pay for an appointment, None for a private one, with the guia and its password.

    `plan`, of the same payer, is what was typed of the card: it is kept on the patient for the next booking.
    """

    payer: int | None = None
    authorization_number: str = ""
    authorization_password: str = ""
    plan: Plan | None = None


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A requested booking. Instants are aware; `ends_at` None means: as long as the procedures take.

    The patient is either one of the clinic's, by id, or described by `details`, which never mean those whose ids are in
    `besides`: a person has compared them and found them to be others. `status` is Agendado or Confirmado.
    `uuid` is an optional id of the appointment, chosen by the caller; a second booking with the same one is refused.
    `shown_total` is the total that the author has seen, None where none was shown. `encaixe_reason` asks for an encaixe
    where the doctor is not free; None asks for none. `approved_by` is the id of the manager who approves it,
    whose PIN the caller has checked. `in_full` is for a program that sends an end: where the clinic requires it, the
    appointment must last as long as its procedures take. `with_notice` is for every program: it is held to the notice
    that doctor and procedures take. `series` is the id of the one that it is a session of.
    `is_repeated` is for what another appointment has already: the author's limit of discounts is not asked again.
    `as_return` has procedures cost nothing that are free as a return (`clinic.booking.returns`).
    """

    clinic: Clinic
    doctor: DoctorKey | None
    lines: tuple[LineRequest, ...]
    starts_at: datetime | None
    ends_at: datetime | None = None
    patient: int | None = None
    details: PatientDetails | None = None
    discount: int | None = None
    notes: str = ""
    source: str = Appointment.Source.MANUAL
    status: Status = Status.SCHEDULED
    metadata: dict[str, Any] = field(default_factory=dict)
    policy: Policy = Policy.STRICT
    uuid: UUID | None = None
    besides: tuple[int, ...] = ()
    shown_total: Decimal | None = None
    encaixe_reason: str | None = None
    approved_by: int | None = None
    payer: PayerWish = PayerWish()
    in_full: bool = False
    with_notice: bool = False
    series: int | None = None
    is_repeated: bool = False
    as_return: bool = False


def day_of_end(day: date, starts: time | None, ends: time) -> date:
    """Return the local date of the end of an appointment that starts on `day`: the next one if it runs over midnight.

    00:00 ends nothing but the day before. Any other end that is not after the start, and is further from it than an
    appointment may last, is on the same day and will be refused.
    """
    if starts is None or ends > starts or isinstance(ends, EndOfDay):
        return day
    length = datetime.combine(day + timedelta(days=1), ends) - datetime.combine(day, starts)
    return day + timedelta(days=1) if ends == time.min or length <= MAX_DURATION else day


def end_after(starts_at: datetime | None, length: timedelta) -> datetime | None:
    """Return the end of what lasts `length`; None without a start, or beyond the end of the calendar."""
    try:
        return starts_at and starts_at + length
    except OverflowError:
        return None
