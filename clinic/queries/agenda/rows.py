"""What is stored of a day, counted in minutes from its local midnight, ready to be laid out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from clinic.models import Doctor
from clinic.models.appointment import FREES_THE_TIME
from clinic.queries.performed_procedures import PerformedProcedure
from clinic.schedule import Span


@dataclass(slots=True)
class AppointmentRow:
    """One appointment as the day's query gives it, and its place on the page."""

    id: int
    doctor_id: int
    starts_at: datetime
    ends_at: datetime
    status: str
    source: str
    patient: str
    procedures: str
    arrived_at: datetime | None
    is_incomplete: bool
    unverified: str  # the fields of the patient that are to be confirmed, as cpf,phone
    encaixe: int | None
    has_notes: bool
    alert: str
    card_expires_on: date | None  # of the payer that the appointment was booked for
    unperformed: str
    needed: int | None  # minutes that the procedures of a program's booking take
    move: dict[str, Any] | None  # of Remarcado: both sides of the event that moved it last
    begins: int = 0  # minutes from midnight, as all numbers below; on another day below zero or beyond the length
    ends: int = 0
    start: int = 0  # the part on this day
    end: int = 0
    lane: str = ""
    strip: int = 0

    @property
    def missing(self) -> int:
        """By how many minutes it is shorter than its procedures take; 0 or less if it is not."""
        return (self.needed or 0) - (self.ends - self.begins)

    @property
    def stands(self) -> bool:
        return self.status not in FREES_THE_TIME

    @property
    def occupies_doctor(self) -> bool:
        return self.stands and not self.encaixe


@dataclass(slots=True)
class DoctorDay:
    """A doctor's day in minutes from midnight."""

    doctor: Doctor
    performed: Sequence[PerformedProcedure]  # the usual one first
    appointments: list[AppointmentRow]
    taken: list[Span]  # on the days before and after too
    blocks: list[tuple[int, int]]
    open: list[tuple[int, int]]
    closed: list[tuple[int, int, str]]
    works: bool
