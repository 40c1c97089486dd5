"""Memos of the front desk: those to be done, those that were done, and those of a day, a patient or an appointment.

Reads only; patients come with the memos that are about them.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Q
from django.db.models.functions import JSONObject, Left
from django.utils.text import Truncator

from clinic.models import Appointment, Clinic, Memo, Patient, StaffUser
from clinic.models.memo import MemoQuerySet

DONE_SHOWN = timedelta(days=30)
JUST_DONE = timedelta(minutes=10)  # so long one that was done stays among the open ones, to be taken back
MAX_LISTED = 300
MAX_ON_DAY = 5
MAX_BESIDE = 10
LETTERS_ON_DAY = 150


class DayMemo(NamedTuple):
    """A memo in the head of a day, of which at most LETTERS_ON_DAY letters are shown."""

    pk: int
    text: str
    author: str


def to_do(clinic: Clinic, now: datetime, *, user: StaffUser | None = None, most: int | None = MAX_LISTED) -> list[Memo]:
    """Return at most `most`, None for all, that are open or were done within JUST_DONE of `now`: the earliest agreed
    hour first, then those of a day without an hour, then those without a day, the older one first. With `user`, those
    for this user or for anybody. One query."""
    found = _listed(clinic, user).filter(Q(done_at=None) | Q(done_at__gt=now - JUST_DONE))
    return list(found.order_by(F("day").asc(nulls_last=True), F("hour").asc(nulls_last=True), "pk")[:most])


def done(clinic: Clinic, now: datetime, *, user: StaffUser | None = None, most: int | None = MAX_LISTED) -> list[Memo]:
    """Return at most `most`, None for all, that were done within DONE_SHOWN of `now`, the last one first. One query."""
    found = _listed(clinic, user).filter(done_at__gt=now - DONE_SHOWN)
    return list(found.order_by("-done_at", "-pk")[:most])


def get(clinic: Clinic, pk: int) -> Memo | None:
    """Return a memo with what it is about and who has to do with it, None if there is none."""
    return _listed(clinic, None).filter(pk=pk).first()


def number_due(clinic: Clinic, user: StaffUser, today: date) -> int:
    """Return how many are open, for this user or for anybody, and not for a later date than `today`. One query."""
    due = Memo.objects.of(clinic).open().filter(Q(day=None) | Q(day__lte=today))
    return due.for_user(user).count()


def about_patient(patient: Patient) -> list[Memo]:
    """Return at most MAX_BESIDE open ones about the patient or an appointment of theirs, the newest first.

    One query."""
    of_patient = Q(patient=patient) | Q(appointment__patient=patient)
    return _beside(patient.clinic_id, of_patient)


def about_appointment(appointment: Appointment) -> list[Memo]:
    """Return at most MAX_BESIDE open ones about the appointment or its patient, the newest first. One query."""
    return _beside(appointment.clinic_id, Q(appointment=appointment) | Q(patient=appointment.patient_id))


def notes_of_day(clinic: Clinic, day: date) -> ArraySubquery:
    """Return the expression of the open notes of a local date, one more than are shown; `read_notes_of_day` reads them.

    It hangs on no row of the query that holds it, so PostgreSQL looks for them once."""
    notes = Memo.objects.of(clinic).open().filter(kind=Memo.Kind.NOTE, day=day).order_by("pk")
    found = JSONObject(pk="pk", text=Left("text", LETTERS_ON_DAY + 1), author="written_by__name")
    return ArraySubquery(notes.values(found=found)[: MAX_ON_DAY + 1])


def read_notes_of_day(found: list[dict[str, Any]]) -> list[DayMemo]:
    """Return what `notes_of_day` has found."""
    return [DayMemo(memo["pk"], Truncator(memo["text"]).chars(LETTERS_ON_DAY), memo["author"]) for memo in found]


def _listed(clinic: Clinic, user: StaffUser | None) -> MemoQuerySet:
    memos = Memo.objects.of(clinic)
    found = memos.for_user(user) if user else memos
    return found.select_related("recipient", "written_by", "done_by", "patient", "appointment__patient")


def _beside(clinic_id: int, about: Q) -> list[Memo]:
    found = Memo.objects.of(clinic_id).open().filter(about).select_related("written_by", "recipient")
    return list(found.order_by("-pk")[:MAX_BESIDE])
