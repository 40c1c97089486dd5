"""The day of all doctors and the week of one, on a grid of five-minute rows, and a month at a glance: the queries, and
the public interface of the package.

Reads only; knows no HTTP and no booking."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import Case, CharField, Exists, F, JSONField, OuterRef, Q, StringAgg, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf

from clinic.models import Appointment, AppointmentProcedure, Clinic, Doctor, WorkingHours
from clinic.models.appointment import Status
from clinic.models.patient import incomplete
from clinic.models.unverified import unverified_fields
from clinic.queries.agenda.layout import LOOK_AHEAD, DayLayout
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
from clinic.queries.agenda.week import DAYS, WeekLayout
from clinic.queries.delays import delay_of_row
from clinic.queries.memos import notes_of_day, read_notes_of_day
from clinic.queries.moved_from import last_move
from clinic.queries.pending import NOT_BEGUN, unperformed_procedures
from clinic.queries.performed_procedures import performed_procedures
from clinic.queries.short_visits import needed_minutes
from clinic.schedule import MAX_DURATION, load_schedules

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

__all__ = [
    "Badge",
    "Card",
    "Column",
    "Day",
    "DoctorChoice",
    "Folded",
    "Grid",
    "Hour",
    "Row",
    "Shade",
    "Slot",
    "Week",
    "day",
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

MOST_COLUMNS = 200  # static/css/day/placement.css knows no more


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
    performed = {} if on < clinic.local(now).date() else performed_procedures(clinic, known, now)
    chosen = known & set(doctors) or known
    wanted = {status for status in statuses if status in Status.values}
    layout = DayLayout(clinic, on, now, schedules, performed, wanted, hides_freed=hides_freed)
    delays = {doctor.pk: doctor.delay or 0 for doctor in shown}
    memos = read_notes_of_day(shown[0].memos) if shown else []
    return layout.lay_out(shown, chosen, appointments, delays, memos)


def week(clinic: Clinic, doctor: Doctor, first: date, *, now: datetime, hides_freed: bool = False) -> Week:
    """Return a doctor's week from the Monday `first` on, at the instant `now`. Four queries.

    `hides_freed` leaves out cancelled and missed appointments."""
    last = first + timedelta(days=DAYS - 1)
    appointments = _appointments(clinic, first, last, now, doctor)
    choices = list(Doctor.objects.of(clinic).filter(Q(active=True) | Q(pk=doctor.pk)).only("title", "name"))
    schedules = load_schedules(clinic, [doctor], first, last)
    is_past = last < clinic.local(now).date()
    performed = {} if is_past else performed_procedures(clinic, {doctor.pk}, now)
    layout = WeekLayout(clinic, first, now, schedules, performed, hides_freed=hides_freed)
    return layout.lay_out(doctor, appointments, choices)


def _appointments(
    clinic: Clinic, first: date, last: date, now: datetime, doctor: Doctor | None = None
) -> list[tuple[Any, ...]]:
    """Return tuples in the order of AppointmentRow's fields: models cost too much for a page of hundreds.

    Those after midnight too, of doctors who work then: they may take the end of a free time that begins before it."""
    midnight, next_midnight = clinic.day(first)[0], clinic.day(last)[1]
    nights = WorkingHours.objects.of(clinic).valid_between(first, last).filter(ends__lte=F("starts"))
    works_past_midnight = nights.filter(doctor=OuterRef("doctor"))
    procedures = (
        AppointmentProcedure.objects.of(clinic)
        .filter(appointment=OuterRef("pk"))
        .order_by()
        .values("appointment")
        .annotate(names=StringAgg("procedure_name", delimiter=Value(", "), order_by="position"))
        .values("names")
    )
    appointments = Appointment.objects.of(clinic)
    if doctor:
        appointments = appointments.filter(doctor=doctor)
    return list(
        appointments.kept()
        .overlapping(midnight, next_midnight + MAX_DURATION)
        .filter(Q(starts_at__lt=next_midnight) | Exists(works_past_midnight))
        .annotate(
            patient_name=Coalesce(NullIf("patient__social_name", Value("")), "patient__name"),
            procedures=Coalesce(Subquery(procedures), Value(""), output_field=CharField()),
            arrived_at=Case(When(status=Status.CHECKED_IN, then="status_since")),
            incomplete=Case(When(incomplete("patient__"), then=Value(True)), default=Value(False)),
            has_notes=Case(When(notes="", then=Value(False)), default=Value(True)),
            card_expires_on=Case(When(payer=F("patient__payer"), then="patient__card_expires_on")),
            unperformed=_unperformed(now),
            unverified=unverified_fields(),
            needed=needed_minutes(clinic),
            move=Case(When(status=Status.RESCHEDULED, then=last_move()), output_field=JSONField()),
        )
        .order_by("starts_at", "pk")
        .values_list(
            "pk", "doctor_id", "starts_at", "ends_at", "status", "source", "patient_name", "procedures", "arrived_at",
            "incomplete", "unverified", "encaixe_by_id", "has_notes", "patient__alert",
            "card_expires_on", "unperformed", "needed", "move",
        )
    )  # fmt: skip


def _unperformed(now: datetime) -> Case:
    """Return the expression of the procedures that the doctor does not perform; "" where nothing hangs on it."""
    is_ahead = Q(status__in=NOT_BEGUN, ends_at__gt=now)
    return Case(When(is_ahead, then=unperformed_procedures()), default=Value(""), output_field=CharField())


def _doctors(clinic: Clinic, on: date, with_appointments: Collection[int]) -> "list[DoctorOfDay]":
    """Return the active doctors, and inactive ones who have appointments."""
    wanted = Doctor.objects.of(clinic).filter(Q(active=True) | Q(pk__in=with_appointments))
    of_day = wanted.annotate(delay=delay_of_row(clinic, on), memos=notes_of_day(clinic, on))
    return list(of_day.only("title", "name", "specialty", "interval_minutes", "active")[:MOST_COLUMNS])
