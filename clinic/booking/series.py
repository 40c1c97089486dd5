"""Series: the sessions of a patient that are booked, moved or cancelled together, all of them or none.

A session is an appointment of its own, and each of these acts is the ordinary one with its rules and its event, so each
session can be undone by itself. A series begins with an appointment that is booked already: patient, doctor,
procedures, discounts, payer with its guia, notes and length of the further sessions are those of this one. It keeps its
time while the dates are agreed upon, and whatever a booking asks was asked when it was booked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from django.utils import timezone

from clinic.booking import sql
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.alternatives import BookingRefused
from clinic.booking.book import book, check_each
from clinic.booking.change_procedures import contents
from clinic.booking.lines import requested_lines
from clinic.booking.payer import payment
from clinic.booking.proposal import PayerWish, Proposal
from clinic.booking.reschedule import check_reschedule, reschedule
from clinic.booking.slots import OverlappingAppointment, Slot, present_slot
from clinic.booking.status import change_status, state
from clinic.booking.together import alternatives_for_each, overlapping, refused_by
from clinic.models import Appointment, Clinic, Series
from clinic.models.appointment import Status
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author
from clinic.schedule import Opening, Recurrence
from clinic.transactions import run_as_one


@dataclass(frozen=True)
class CheckedSession:
    """A start that is wanted, why it is refused, and the free times nearest to it; neither where it can be had."""

    starts_at: datetime
    refusals: Sequence[Refusal] = ()
    alternatives: Sequence[Opening] = ()

    @property
    def is_free(self) -> bool:
        return not self.refusals


class SessionMove(NamedTuple):
    """The id of a session, the start that it is to have, and its `place` as the author saw it."""

    appointment: int
    starts_at: datetime
    seen: str


class SessionRefused(Refused):
    """Nothing was written, because of the session that was wanted, or is, at `starts_at`."""

    def __init__(self, starts_at: datetime, refused: Refused) -> None:
        super().__init__(refused.refusals)
        self.starts_at = starts_at


def is_repeatable(appointment: Appointment) -> bool:
    """Return whether sessions like the appointment may be booked: it is not cancelled."""
    return appointment.status != Status.CANCELLED


def as_repeated(appointment: Appointment) -> str:
    """Return status, doctor, start, end, lines, payer and guia of an appointment as one text, only to be compared. Two
    queries."""
    return f"{state(appointment)}|{contents(appointment)}|{payment(appointment)}"


def repeat_refusals(appointment: Appointment, seen: str | None = None) -> list[Refusal]:
    """Return why no sessions like the appointment can be booked by an author who saw it so, `as_repeated`; None for one
    who did not look."""
    if seen not in (None, as_repeated(appointment)):
        return [Refusal(Reason.CHANGED_MEANWHILE)]
    if not is_repeatable(appointment):
        return [Refusal(Reason.NOT_REPEATABLE, {"current": appointment.get_status_display()})]
    return []


def check_series(
    appointment: Appointment, starts: Sequence[datetime], *, now: datetime | None = None
) -> list[CheckedSession]:
    """Ask the rules of a booking about sessions like the appointment, in the order of these starts. Nothing is locked
    or written. It comes with its clinic.

    No free time is proposed that another of the sessions would take. Eight queries at most, one more for each start,
    with a payer up to three more, and two more for each that is refused because of its time: without one 0.2 s for
    sixty free dates, 1.4 s for sixty taken ones.
    """
    now = now or timezone.now()
    length = appointment.ends_at - appointment.starts_at
    outcomes = check_each(_proposal_like(appointment), starts, now=now)
    wanted = [Opening(starts_at, starts_at + length, appointment.doctor_id) for starts_at in starts]
    return _checked(wanted, outcomes)


def book_series(
    appointment_id: int,
    starts: Sequence[datetime],
    rule: Recurrence,
    *,
    clinic: Clinic,
    key: UUID,
    seen: str | None = None,
    by: Author,
    now: datetime | None = None,
) -> Series:
    """Book a session like the appointment at each of these starts, all or none, and return their series.

    The series of the appointment is continued; without one it is made, with the rule as it was asked for, and the
    appointment is its first session, whose `updated_at` moves. `key` is the form's: sent twice it books once. `seen` is
    the appointment `as_repeated` that the author saw: with it, one that was changed since is not repeated
    (CHANGED_MEANWHILE).

    Locks what a booking locks, and the appointment's row after it. Raises SessionRefused for the first start that is
    refused, another Refused where the database was busy, and Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Series:
        appointment = lock_appointment(clinic, appointment_id)
        series = appointment.series
        if series and are_booked(clinic, key, starts):
            return series
        refuse(repeat_refusals(appointment, seen))
        if series is None:
            series = _begin(appointment, rule, by, now)
            write(appointment, now, series=series)
        like = replace(_proposal_like(appointment), series=series.pk)
        length = appointment.ends_at - appointment.starts_at
        for starts_at in starts:
            session = replace(like, starts_at=starts_at, ends_at=starts_at + length, uuid=_uuid(key, starts_at))
            with _named(starts_at):
                book(session, by=by, now=now)
        return series

    return run_as_one(work)


def are_booked(clinic: Clinic, key: UUID, starts: Sequence[datetime]) -> bool:
    """Return whether `book_series` has booked these starts with this key already. One query."""
    ids = {_uuid(key, starts_at) for starts_at in starts}
    return Appointment.objects.of(clinic).filter(uuid__in=ids).count() == len(ids)


def cancel_sessions(
    series_id: int,
    seen: Mapping[int, str],
    *,
    clinic: Clinic,
    cancelled_by: str,
    reason: str = "",
    by: Author,
    now: datetime | None = None,
) -> None:
    """Cancel these sessions of the series, ids with the `state` that the author saw, all or none.

    Locks the doctors' rows in order of id, the patient's, then the appointments'. Raises SessionRefused for the first
    that is refused, another Refused where the database was busy, and Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def cancel(pk: int) -> None:
        change_status(
            pk,
            Status.CANCELLED,
            clinic=clinic,
            cancelled_by=cancelled_by,
            reason=reason,
            seen=seen[pk],
            by=by,
            now=now,
        )

    _act_on_sessions(clinic, series_id, list(seen), cancel)


def check_moves(moves: Sequence[tuple[Appointment, datetime]], *, now: datetime | None = None) -> list[CheckedSession]:
    """Ask the rules of a move about these sessions and their new starts, with their doctors, in their order. Nothing is
    locked or written. A time that an earlier of them would take counts as taken, and so does one that another of them
    is about to leave. About ten queries each."""
    now = now or timezone.now()
    slots = [_slot_at(session, starts_at, now) for session, starts_at in moves]
    accepted: list[OverlappingAppointment] = []
    outcomes = []
    for slot, (session, _starts_at) in zip(slots, moves, strict=True):
        doctor, starts_at = session.doctor_id, slot.starts_at
        outcome = check_reschedule(session.pk, clinic=session.clinic, doctor=doctor, starts_at=starts_at, now=now)
        outcome = outcome or refused_by(accepted, slot)
        if outcome is None:
            accepted.append(overlapping(slot, session.pk, session.patient_id))
        outcomes.append(outcome)
    return _checked([Opening(slot.starts_at, slot.ends_at, slot.doctor.pk) for slot in slots], outcomes)


def move_sessions(
    series_id: int, moves: Sequence[SessionMove], *, clinic: Clinic, by: Author, now: datetime | None = None
) -> None:
    """Move these sessions of the series to other times of their doctors, all or none. Locks and raises like
    `cancel_sessions`."""
    now = now or timezone.now()
    wanted = {move.appointment: move for move in moves}

    def move(pk: int) -> None:
        doctor = Appointment.objects.of(clinic).values_list("doctor", flat=True).get(pk=pk)
        starts_at, seen = wanted[pk].starts_at, wanted[pk].seen
        reschedule(pk, clinic=clinic, doctor=doctor, starts_at=starts_at, seen=seen, by=by, now=now)

    _act_on_sessions(clinic, series_id, list(wanted), move)


def _uuid(key: UUID, starts_at: datetime) -> UUID:
    """Return the id of the session at this start, the same each time a form is sent."""
    return uuid5(key, starts_at.astimezone(UTC).isoformat())


def _proposal_like(appointment: Appointment) -> Proposal:
    lines, discount = requested_lines(appointment)
    payer = PayerWish(appointment.payer_id, appointment.authorization_number, appointment.authorization_password)
    return Proposal(
        clinic=appointment.clinic,
        doctor=appointment.doctor_id,
        lines=tuple(lines),
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        patient=appointment.patient_id,
        discount=discount,
        notes=appointment.notes,
        payer=payer,
        is_repeated=True,
    )


def _begin(appointment: Appointment, rule: Recurrence, by: Author, now: datetime) -> Series:
    return Series.objects.create(
        clinic=appointment.clinic,
        every=rule.every,
        unit=Series.Unit.WEEK if rule.weekdays else Series.Unit.DAY,
        weekdays=sorted(rule.weekdays),
        count=None if rule.count is None else rule.count + 1,
        until=rule.until,
        starts=appointment.clinic.local(appointment.starts_at).time(),
        created_by=by.user,
        created_at=now,
    )


def _slot_at(session: Appointment, starts_at: datetime, now: datetime) -> Slot:
    """Return the slot of a session that is moved to another start of its doctor, no encaixe any more."""
    ends_at = starts_at + (session.ends_at - session.starts_at)
    slot = present_slot(session, now)
    return replace(slot, starts_at=starts_at, ends_at=ends_at, is_encaixe=False, is_approved=False)


def _checked(wanted: Sequence[Opening], outcomes: Sequence[BookingRefused | None]) -> list[CheckedSession]:
    alternatives = alternatives_for_each(wanted, outcomes, of_one_patient=True)
    return [
        CheckedSession(time.starts_at, refused.refusals if refused else (), free)
        for time, refused, free in zip(wanted, outcomes, alternatives, strict=True)
    ]


def _act_on_sessions(clinic: Clinic, series_id: int, wanted: Sequence[int], act: Callable[[int], None]) -> None:
    """Call `act` for each of these sessions of the series, by id and in order of time, in one transaction. Raises
    Appointment.DoesNotExist where one of them is none, and Refused (TRY_AGAIN) where an act for which this waited, a
    move or a merge of patients, has given them another doctor or patient."""

    def work() -> None:
        sessions = Appointment.objects.of(clinic).kept().filter(series=series_id, pk__in=wanted)
        found = list(sessions.order_by("starts_at", "pk"))
        if len(found) < len(wanted):
            raise Appointment.DoesNotExist
        if found:
            sql.lock_rows(clinic, {session.doctor_id for session in found}, found[0].patient_id)
        whose = {session.pk: (session.doctor_id, session.patient_id) for session in found}
        locked = {pk: (doctor, patient) for pk, doctor, patient in sessions.values_list("pk", "doctor", "patient")}
        refuse([Refusal(Reason.TRY_AGAIN)] if locked != whose else [])
        for session in found:
            with _named(session.starts_at):
                act(session.pk)

    run_as_one(work)


@contextmanager
def _named(starts_at: datetime) -> Iterator[None]:
    """Raise SessionRefused, of the session at `starts_at`, in the place of what the rules refuse."""
    try:
        yield
    except Refused as refused:
        raise SessionRefused(starts_at, refused) from refused
