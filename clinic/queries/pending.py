"""Pending appointments: those ahead that can no longer take place as they were booked, each with the cause.

The doctor does not work then, is away, is inactive or no longer performs a procedure of it; or the clinic is closed.
A procedure that is merely no longer offered is no cause: what was booked is still done, as the rules of a move allow.
An encaixe may lie outside the hours, since a person allowed that; other causes count for it too.
Reads only.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from django.db.models import CharField, OuterRef, Q, QuerySet, StringAgg, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic.models import Absence, Appointment, AppointmentEvent, AppointmentProcedure, CeasedProcedure, Clinic, Doctor
from clinic.models.appointment import NOT_BEGUN, AppointmentQuerySet, Status
from clinic.models.history import changes_encaixe, unanswered_calls
from clinic.models.procedure import performed_by
from clinic.queries.perhaps_closed import perhaps_closed
from clinic.schedule import MAX_DURATION, Away, ClosedReason, Schedules, bookable_dates, load_schedules


class Why(Enum):
    """Why an appointment is pending; `value` is how it is put into words."""

    INACTIVE = _("%(The_doctor)s não atende mais aqui")
    ABSENCE = _("%(doctor)s ausente (%(detail)s)")
    CLINIC = _("Clínica fechada (%(detail)s)")
    HOLIDAY = _("Feriado (%(detail)s)")
    HOURS = _("%(The_doctor)s não trabalha nesse horário")
    NOT_PERFORMED = _("%(The_doctor)s não realiza mais %(detail)s")


# The same in two or three words, for a card in the doctor's column.
IN_BRIEF = {
    Why.INACTIVE: _("não atende mais aqui"),
    Why.ABSENCE: _("ausente: %(detail)s"),
    Why.CLINIC: _("fechada: %(detail)s"),
    Why.HOLIDAY: _("feriado: %(detail)s"),
    Why.HOURS: _("fora do horário"),
    Why.NOT_PERFORMED: _("não realiza mais %(detail)s"),
}
WHY_CLOSED = {
    ClosedReason.ABSENCE: Why.ABSENCE,
    ClosedReason.CLINIC: Why.CLINIC,
    ClosedReason.HOLIDAY: Why.HOLIDAY,
    ClosedReason.HOURS: Why.HOURS,
}
OF_THE_CLINIC = {Why.CLINIC, Why.HOLIDAY}
CLOSED_TIME = {Why.ABSENCE, Why.CLINIC, Why.HOLIDAY}
MAX_LISTED = 20


@dataclass(frozen=True)
class Cause:
    """Why appointments are pending. `doctor` is None where the clinic is closed; `detail` is the reason of an absence,
    a closure or a holiday, or the names of the procedures."""

    why: Why
    doctor: Doctor | None
    detail: str = ""

    def __str__(self) -> str:
        """The cause in the active language, as "Dra. Ana Beatriz ausente (doença)"."""
        named = self.doctor.in_sentence if self.doctor else {}
        return str(self.why.value) % {**named, "detail": self.detail}

    @property
    def in_brief(self) -> str:
        """The cause without the doctor's name, as "ausente: doença"."""
        return str(IN_BRIEF[self.why]) % {"detail": self.detail}


class Pending(NamedTuple):
    """A pending appointment's id, its patient's, its start as a UTC instant, and why it is pending."""

    pk: int
    patient_id: int
    starts_at: datetime
    cause: Cause


class Resolved(NamedTuple):
    """An appointment that was pending, the event that moved, cancelled or changed it, and why it was pending."""

    appointment: Appointment
    event: AppointmentEvent
    cause: Cause


class _State(NamedTuple):
    """What an appointment was at some moment, as far as it can be a cause. `procedures` are pairs of id and name."""

    doctor: int
    starts_at: datetime
    ends_at: datetime
    procedures: tuple[tuple[int, str], ...]
    is_encaixe: bool


class _Change(NamedTuple):
    """An event of an appointment, and what the appointment was before and after it."""

    event: AppointmentEvent
    before: _State
    after: _State


class Affected:
    """Appointments that a change would make pending, as the question before it shows them. Two queries."""

    def __init__(self, clinic: Clinic, found: Sequence[Pending]) -> None:
        self.count = len(found)
        listed = with_patients(clinic, [row.pk for row in found[:MAX_LISTED]])
        self.first = [listed[row.pk] for row in found if row.pk in listed]
        self.more = self.count - len(self.first)
        self._people = len({row.patient_id for row in found})
        self._is_closed_time = all(row.cause.why in CLOSED_TIME for row in found)

    @property
    def asked(self) -> str:
        """Sent along with the answer: with another number or other first appointments, the question is asked again."""
        return f"{self.count}-{'-'.join(str(appointment.pk) for appointment in self.first)}"

    @property
    def numbers(self) -> str:
        """How many there are, as a sentence without its full stop."""
        words = (
            ngettext(
                "%(n)s pessoa já está agendada nesse período",
                "%(n)s pessoas já estão agendadas nesse período",
                self._people,
            )
            if self._is_closed_time
            else ngettext(
                "%(n)s pessoa já agendada ficaria sem atendimento",
                "%(n)s pessoas já agendadas ficariam sem atendimento",
                self._people,
            )
        )
        return words % {"n": self._people}


def cause_of(
    doctor: Doctor,
    starts_at: datetime,
    ends_at: datetime,
    *,
    schedules: Schedules,
    unperformed: str = "",
    is_encaixe: bool = False,
) -> Cause | None:
    """Return why an appointment of this doctor between two instants cannot take place, None where it can.

    `schedules` are loaded for the doctor and the local dates of both instants; `unperformed` are the names that
    `unperformed_procedures` finds. Asks no database.
    """
    if not doctor.active:
        return Cause(Why.INACTIVE, doctor)
    if closing := schedules.closing(doctor.pk, starts_at, ends_at):
        why = WHY_CLOSED[closing.closed_by or ClosedReason.HOURS]
        if not (is_encaixe and why is Why.HOURS):
            detail = "" if why is Why.HOURS else closing.reason
            return Cause(why, None if why in OF_THE_CLINIC else doctor, detail)
    return Cause(Why.NOT_PERFORMED, doctor, unperformed) if unperformed else None


def unperformed_procedures() -> Coalesce:
    """Return the expression of the names of an appointment's procedures that its doctor does not perform, as text."""
    lines = AppointmentProcedure.objects.filter(clinic=OuterRef("clinic"), appointment=OuterRef("pk"))
    names = _unperformed(lines, OuterRef(OuterRef("doctor"))).values("names")
    return Coalesce(Subquery(names), Value(""), output_field=CharField())


def _unperformed(lines: QuerySet[AppointmentProcedure], doctor: OuterRef) -> Any:
    """Return rows of `appointment` and `names`: of those procedures of the lines that the doctor does not perform."""
    of_others = lines.exclude(performed_by(doctor, "procedure"))
    names = StringAgg("procedure_name", delimiter=Value(", "), order_by="position")
    return of_others.order_by().values("appointment").annotate(names=names)


def _unperformed_ahead(clinic: Clinic, now: datetime) -> dict[int, str]:
    """Return the same of all appointments ahead, by the appointment's id; those with none are left out.

    Only what a doctor has ceased to perform can be among them: of thousands of appointments few have to be looked at.
    One query, a second one if a doctor has ceased to perform anything."""
    ceased = CeasedProcedure.objects.filter(doctor__clinic=clinic).values_list("doctor", "procedure")
    if not ceased:
        return {}
    doctors, procedures = (set(ids) for ids in zip(*ceased, strict=True))
    ahead = _ahead(clinic, now).filter(doctor__in=doctors).order_by().values("pk")
    lines = AppointmentProcedure.objects.of(clinic).filter(appointment__in=ahead, procedure__in=procedures)
    return dict(_unperformed(lines, OuterRef("appointment__doctor")).values_list("appointment", "names"))


def pending(clinic: Clinic, *, now: datetime, absence: Away | None = None) -> list[Pending]:
    """Return the pending appointments at the instant `now`, by start and id. At most six queries.

    They have not ended and their visit has not begun: a patient who waits while the doctor has left is among them.
    With `absence`, those too that would be pending if it were stored."""
    unperformed = _unperformed_ahead(clinic, now)
    rows = perhaps_closed(clinic, now=now, statuses=NOT_BEGUN, absence=absence, besides=unperformed)
    doctors = Doctor.objects.of(clinic).in_bulk({row.doctor for row in rows})
    schedules = _schedules(clinic, doctors.values(), [(row.starts_at, row.ends_at) for row in rows])
    schedules = schedules.with_absence(absence) if absence else schedules
    found = []
    for row in rows:
        cause = cause_of(
            doctors[row.doctor],
            row.starts_at,
            row.ends_at,
            schedules=schedules,
            unperformed=unperformed.get(row.pk, ""),
            is_encaixe=row.encaixe_by is not None,
        )
        if cause:
            found.append(Pending(row.pk, row.patient, row.starts_at, cause))
    return found


def newly_pending(clinic: Clinic, before: Collection[int], *, now: datetime) -> list[Pending]:
    """Return the pending appointments whose ids are not in `before`: those that a change has made pending."""
    return [row for row in pending(clinic, now=now) if row.pk not in before]


def cause_now(appointment: Appointment, *, now: datetime) -> Cause | None:
    """Return why this appointment is pending at the instant `now`, None if it is not. At most two queries."""
    clinic = appointment.clinic
    found = _ahead(clinic, now).filter(pk=appointment.pk).annotate(unperformed=unperformed_procedures())
    unperformed = found.values_list("unperformed", flat=True).first()
    if unperformed is None:
        return None
    span = appointment.starts_at, appointment.ends_at
    schedules = _schedules(clinic, [appointment.doctor], [span])
    is_encaixe = appointment.is_encaixe
    return cause_of(appointment.doctor, *span, schedules=schedules, unperformed=unperformed, is_encaixe=is_encaixe)


def causes_among(clinic: Clinic, appointments: Iterable[Appointment], *, now: datetime) -> dict[int, Cause]:
    """Return why some of these appointments are pending at the instant `now`, by the appointment's id. One query.

    They come with their doctor and, as `unperformed`, with what `unperformed_procedures` finds."""
    ahead = [each for each in appointments if each.status in NOT_BEGUN and each.ends_at > now]
    doctors = {each.doctor_id: each.doctor for each in ahead}
    schedules = _schedules(clinic, doctors.values(), [(each.starts_at, each.ends_at) for each in ahead])
    causes = {
        each.pk: cause_of(
            each.doctor,
            each.starts_at,
            each.ends_at,
            schedules=schedules,
            unperformed=each.unperformed,  # type: ignore[attr-defined]  # the caller annotates it
            is_encaixe=each.is_encaixe,
        )
        for each in ahead
    }
    return {pk: cause for pk, cause in causes.items() if cause}


def resolved_today(clinic: Clinic, *, now: datetime, still: Collection[int]) -> list[Resolved]:
    """Return the appointments that were pending until a change of today, the clinic's date; the latest change first.

    Nothing is stored about it. The last move, cancellation or change of procedures of today counts that still stands
    and took away the cause that there was before it by what is stored now, if the appointment is not pending again (its
    id is in `still`). After an absence is taken back, those who were moved because of it no longer count. Five queries.
    """
    changes = [change for change in _changes_today(clinic, now) if change.event.appointment_id not in still]
    causes = _causes(clinic, [state for change in changes for state in (change.before, change.after)])
    found: dict[int, Resolved] = {}
    for event, before, after in changes:
        cause, is_left = causes[before], event.appointment.status == Status.CANCELLED or not causes[after]
        if cause and is_left and _holds(event):
            found.setdefault(event.appointment_id, Resolved(event.appointment, event, cause))
    return list(found.values())


def calls_without_answer(clinic: Clinic, appointments: Collection[int]) -> dict[int, list[datetime]]:
    """Return the instants of the calls that were not answered, in order, by the appointment's id; of appointments
    without any nothing. One query."""
    events: dict[int, list[AppointmentEvent]] = defaultdict(list)
    of_these = AppointmentEvent.objects.of(clinic).filter(appointment__in=appointments)
    for event in of_these.filter(kind=AppointmentEvent.Kind.NOT_REACHED).order_by("pk"):
        events[event.appointment_id].append(event)
    return {pk: calls for pk, found in events.items() if (calls := unanswered_calls(found))}


def absences_ahead(clinic: Clinic, *, now: datetime) -> list[Absence]:
    """Return the absences and closures that have not ended, by start. One query."""
    return list(Absence.objects.of(clinic).filter(ends_at__gt=now).order_by("starts_at", "pk"))


def with_patients(clinic: Clinic, appointments: Collection[int]) -> dict[int, Appointment]:
    """Return these appointments by id, with doctor, patient and lines. Two queries."""
    rows = Appointment.objects.of(clinic).kept().filter(pk__in=appointments)
    return {row.pk: row for row in rows.select_related("clinic", "doctor", "patient").prefetch_related("lines")}


def _changes_today(clinic: Clinic, now: datetime) -> list[_Change]:
    """Return today's moves, cancellations and changes of procedures, the latest first. Two queries."""
    kinds = AppointmentEvent.Kind.RESCHEDULED, AppointmentEvent.Kind.PROCEDURES
    # With both ends: where it is planned for any instants, a span without an end is taken for a third of all events.
    begins, ends = clinic.day(clinic.local(now).date())
    today = Q(at__gte=begins, at__lt=ends)
    events = (
        AppointmentEvent.objects.of(clinic)
        .filter(Q(kind__in=kinds) | Q(after__status=Status.CANCELLED), today)
        .select_related("clinic", "appointment__patient", "user")
        .prefetch_related("appointment__lines")
        .order_by("-pk")
    )
    changes, states = [], dict[int, _State]()
    for event in events:
        after = states.get(event.appointment_id) or _present_state(event.appointment)
        states[event.appointment_id] = before = _state_before(event, after)
        changes.append(_Change(event, before, after))
    return changes


def _present_state(appointment: Appointment) -> _State:
    return _State(
        doctor=appointment.doctor_id,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        procedures=tuple((line.procedure_id, line.procedure_name) for line in appointment.lines.all()),
        is_encaixe=appointment.is_encaixe,
    )


def _state_before(event: AppointmentEvent, after: _State) -> _State:
    """Return the state before an event: what the event kept of it, the rest as after it."""
    kept = event.before
    state: dict[str, Any] = {
        name: datetime.fromisoformat(kept[name]) for name in ("starts_at", "ends_at") if name in kept
    }
    if changes_encaixe(event):
        state["is_encaixe"] = "encaixe_by" in kept
    if event.kind == AppointmentEvent.Kind.RESCHEDULED:
        state["doctor"] = kept["doctor"]
    if "lines" in kept:
        state["procedures"] = tuple((line["procedure_id"], line["procedure"]) for line in kept["lines"])
    return after._replace(**state)


def _causes(clinic: Clinic, states: Collection[_State]) -> dict[_State, Cause | None]:
    """Return the cause of each state by what is stored now; None too where the doctor is deleted. Three queries."""
    doctors = Doctor.objects.of(clinic).in_bulk({state.doctor for state in states})
    schedules = _schedules(clinic, doctors.values(), [(state.starts_at, state.ends_at) for state in states])
    procedures = {pk for state in states for pk, _ in state.procedures}
    performing = Doctor.procedures.through.objects.filter(doctor__in=doctors, procedure__in=procedures)
    performed = set(performing.values_list("doctor", "procedure"))
    return {
        state: cause_of(
            doctors[state.doctor],
            state.starts_at,
            state.ends_at,
            schedules=schedules,
            unperformed=", ".join(name for pk, name in state.procedures if (state.doctor, pk) not in performed),
            is_encaixe=state.is_encaixe,
        )
        if state.doctor in doctors
        else None
        for state in states
    }


def _holds(event: AppointmentEvent) -> bool:
    """Return whether what the event did still stands."""
    if event.appointment.deleted_at:
        return False
    is_cancellation = event.kind == AppointmentEvent.Kind.STATUS_CHANGED
    return is_cancellation == (event.appointment.status == Status.CANCELLED)


def affected_by(clinic: Clinic, absence: Away, *, now: datetime) -> Affected:
    """Return the appointments that an absence would make pending. At most fourteen queries."""
    before = {row.pk for row in pending(clinic, now=now)}
    return Affected(clinic, [row for row in pending(clinic, now=now, absence=absence) if row.pk not in before])


def _ahead(clinic: Clinic, now: datetime) -> AppointmentQuerySet:
    last = bookable_dates(clinic, now)[1]
    ahead = Appointment.objects.of(clinic).kept().overlapping(now, clinic.day(last)[1] + MAX_DURATION)
    return ahead.filter(status__in=NOT_BEGUN).order_by("starts_at", "pk")


def _schedules(clinic: Clinic, doctors: Iterable[Doctor], spans: list[tuple[datetime, datetime]]) -> Schedules:
    """Load the schedules of all local dates that the spans touch. One query, none without spans."""
    if not spans:
        return Schedules(clinic, [], [])
    first = clinic.local(min(starts_at for starts_at, _ in spans)).date()
    last = clinic.local(max(ends_at for _, ends_at in spans)).date()
    return load_schedules(clinic, doctors, first - timedelta(days=1), last)
