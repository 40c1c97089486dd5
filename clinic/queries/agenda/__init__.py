"""The day of all doctors and the week of one, on a grid of five-minute rows, and a month at a glance: the queries, and
the public interface of the package.

Reads only; knows no HTTP and no booking."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

from django.db import connection
from django.db.models import BigIntegerField, DateField, DateTimeField, Exists, F, OuterRef, Q

from clinic.models import Appointment, Clinic, Doctor, WorkingHours
from clinic.models.appointment import Status
from clinic.queries.agenda.as_of import Change, DayAsOf, Difference, day_as_of, differences
from clinic.queries.agenda.layout import LOOK_AHEAD, DayLayout, Words
from clinic.queries.agenda.month_at_a_glance import month
from clinic.queries.agenda.page import (
    Badge,
    Card,
    Column,
    Day,
    DoctorChoice,
    Folded,
    Grid,
    Hour,
    Row,
    Shade,
    Slot,
    Week,
)
from clinic.queries.agenda.rows_version import rows_version
from clinic.queries.agenda.stored import stored_values
from clinic.queries.agenda.week import DAYS, WeekLayout
from clinic.queries.composed import ComposedStatement, parameter
from clinic.queries.delays import delay_of_row
from clinic.queries.memos import notes_of_day, read_notes_of_day
from clinic.queries.performed_procedures import performed_procedures
from clinic.schedule import MAX_DURATION, load_schedules

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

__all__ = [
    "Badge",
    "Card",
    "Change",
    "Column",
    "Day",
    "DayAsOf",
    "Difference",
    "DoctorChoice",
    "Folded",
    "Grid",
    "Hour",
    "Row",
    "Shade",
    "Slot",
    "Week",
    "day",
    "day_as_of",
    "differences",
    "month",
    "rows_version",
    "week",
]


class OfDay(TypedDict):
    """By how many minutes the doctor is late on the day that is shown, None for none; and the notes of that day, the
    same at every doctor, so that they cost the page no query."""

    delay: int | None
    memos: list[dict[str, Any]]


type DoctorOfDay = WithAnnotations[Doctor, OfDay]

DOCTOR_COLUMNS = "id", "title", "name", "specialty", "interval_minutes", "days_ahead", "per_day", "active"
MAX_COLUMNS = 200  # static/css/day/placement.css knows no more


def day(
    clinic: Clinic,
    on: date,
    *,
    now: datetime,
    doctors: Collection[int] = (),
    statuses: Collection[str] = (),
    hides_freed: bool = False,
) -> Day:
    """Return the local date `on` at the instant `now`; empty filters show all doctors and statuses. Four queries.

    `hides_freed` leaves out cancelled and missed appointments."""
    appointments = _appointments(clinic, on, on, now)
    next_midnight = clinic.day(on)[1]
    shown = _doctors(clinic, on, {row[1] for row in appointments if row[2] < next_midnight})
    known = {doctor.pk for doctor in shown}
    schedules = load_schedules(clinic, shown, on, on + timedelta(days=LOOK_AHEAD))
    performed = {} if on < clinic.local(now).date() else performed_procedures(clinic, known, now, on, on)
    chosen = known & set(doctors) or known
    wanted = {status for status in statuses if status in Status.values}
    layout = DayLayout(clinic, on, now, schedules, performed, Words(), statuses=wanted, hides_freed=hides_freed)
    delays = {doctor.pk: doctor.delay or 0 for doctor in shown}
    memos = read_notes_of_day(shown[0].memos) if shown else []
    return layout.lay_out(shown, chosen, appointments, delays, memos)


def week(clinic: Clinic, doctor_id: int, first: date, *, now: datetime, hides_freed: bool = False) -> Week:
    """Return a doctor's week from the Monday `first` on, at the instant `now`. Four queries.

    `hides_freed` leaves out cancelled and missed appointments. Raises Doctor.DoesNotExist."""
    last = first + timedelta(days=DAYS - 1)
    choices = _choices(clinic, doctor_id)
    doctor = next((choice for choice in choices if choice.pk == doctor_id), None)
    if doctor is None:
        raise Doctor.DoesNotExist
    appointments = _appointments(clinic, first, last, now, doctor)
    schedules = load_schedules(clinic, [doctor], first, last)
    is_past = last < clinic.local(now).date()
    performed = {} if is_past else performed_procedures(clinic, {doctor.pk}, now, first, last)
    layout = WeekLayout(clinic, first, now, schedules, performed, hides_freed=hides_freed)
    return layout.lay_out(doctor, appointments, choices)


def _appointments(
    clinic: Clinic, first: date, last: date, now: datetime, doctor: Doctor | None = None
) -> list[tuple[Any, ...]]:
    """Return the `stored_values` of these local dates, those after midnight too, of doctors who work then: they may
    take the end of a free time that begins before it. One query."""
    midnight, next_midnight = clinic.day(first)[0], clinic.day(last)[1]
    days = {"first": first, "last": last, "midnight": midnight, "next_midnight": next_midnight}
    of_doctor = {"doctor": doctor.pk} if doctor else {}
    return _composed(of_doctor=doctor is not None).rows(clinic=clinic.pk, now=now, **days, **of_doctor)


@cache
def _composed(*, of_doctor: bool) -> ComposedStatement:
    """Return the statement of `_appointments`, whose arguments and midnights are its parameters."""
    clinic = parameter("clinic", BigIntegerField())
    first, last = (parameter(name, DateField()) for name in ("first", "last"))
    midnight, next_midnight, now = (parameter(name, DateTimeField()) for name in ("midnight", "next_midnight", "now"))
    nights = WorkingHours.objects.of(clinic).valid_between(first, last).filter(ends__lte=F("starts"))
    works_past_midnight = nights.filter(doctor=OuterRef("doctor"))
    appointments = Appointment.objects.of(clinic)
    if of_doctor:
        appointments = appointments.filter(doctor=parameter("doctor", BigIntegerField()))
    shown = (
        appointments.kept()
        .overlapping(midnight, next_midnight + MAX_DURATION)
        .filter(Q(starts_at__lt=next_midnight) | Exists(works_past_midnight))
    )
    return ComposedStatement(stored_values(shown, clinic, now), prepared=of_doctor)


def _doctors(clinic: Clinic, on: date, with_appointments: Collection[int]) -> "list[DoctorOfDay]":
    """Return the active doctors, and inactive ones who have appointments."""
    wanted = Doctor.objects.of(clinic).filter(Q(active=True) | Q(pk__in=with_appointments))
    of_day = wanted.annotate(delay=delay_of_row(clinic, on), memos=notes_of_day(clinic, on))
    return list(of_day.only(*DOCTOR_COLUMNS)[:MAX_COLUMNS])


def _choices(clinic: Clinic, doctor_id: int) -> list[Doctor]:
    """Return the active doctors, and this one of the clinic in any case. One query."""
    rows = _composed_choices().rows(clinic=clinic.pk, doctor=doctor_id)
    return [Doctor.from_db(connection.alias, _doctor_columns(), row) for row in rows]


@cache
def _composed_choices() -> ComposedStatement:
    clinic, doctor = (parameter(name, BigIntegerField()) for name in ("clinic", "doctor"))
    return ComposedStatement(
        Doctor.objects.of(clinic).filter(Q(active=True) | Q(pk=doctor)).values_list(*_doctor_columns()), prepared=True
    )


@cache
def _doctor_columns() -> list[str]:
    """Return DOCTOR_COLUMNS in the model's order, in which `from_db` takes their values."""
    columns = (field.attname for field in Doctor._meta.concrete_fields)
    return [column for column in columns if column in DOCTOR_COLUMNS]
