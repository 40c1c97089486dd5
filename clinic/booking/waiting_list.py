"""Acts on the entries of the waiting list that move no appointment: put, change, withdraw, put back, note a call.

Locks: the patient's row (FOR NO KEY UPDATE), then the entry's; `book_waiting` takes those of a booking or a move
before them, so the order is always doctor, patient, appointment, entry.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from django.utils import timezone

from clinic.booking import sql, transitions
from clinic.booking.acts import refuse
from clinic.booking.replacements import able_doctors
from clinic.booking.rules.patient import deceased_refusals
from clinic.models import Appointment, Clinic, Doctor, Patient, Procedure, WaitingEntry, WaitingEvent
from clinic.models.limits import max_length
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.registry.patient_details import tidy, unstorable_line
from clinic.transactions import run_in_transaction

MAX_NOTE_LENGTH = max_length(WaitingEntry, "note")
MIDNIGHT, LAST_MINUTE = time(0), time(23, 59)
OFFERED_TIMES = 3  # so many free times are offered at once, on different half-days


class OfferedTime(NamedTuple):
    """A time that is offered: the doctor by id, and the instant of its start."""

    doctor_id: int
    starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class WaitingWish:
    """What a patient wants: all are ids, weekdays are ISO, times and `until` the clinic's local ones.

    With an `appointment`, which is to be moved, `procedures` are not read. No doctors means any, no weekdays any day;
    of the hours between which it may begin, both included, one alone leaves the other side open.
    """

    appointment: int | None = None
    procedures: Sequence[int] = ()
    doctors: Sequence[int] = ()
    weekdays: Sequence[int] = ()
    from_time: time | None = None
    to_time: time | None = None
    until: date | None = None
    is_urgent: bool = False
    note: str = ""


def put_on_waiting_list(
    patient_id: int, wish: WaitingWish, *, clinic: Clinic, by: Author, now: datetime | None = None
) -> WaitingEntry:
    """Store the entry and its event. Locks the patient's row. Raises Refused with every broken rule."""
    now = now or timezone.now()

    def work() -> WaitingEntry:
        patient = _locked_patient(clinic, patient_id)
        refuse([*deceased_refusals(patient), *_wish_refusals(clinic, patient, wish, now)])
        entry = WaitingEntry(clinic=clinic, patient=patient, created_by=by.user, created_at=now)
        _store(entry, wish)
        record_waiting(entry, WaitingEvent.Kind.PUT, by, now, {}, _snapshot(entry))
        return entry

    return run_in_transaction(work)


def change_waiting(
    entry_id: int,
    wish: WaitingWish,
    *,
    clinic: Clinic,
    by: Author,
    seen: int,
    may_have_run_out: bool = False,
    now: datetime | None = None,
) -> WaitingEntry:
    """Replace what is wanted by `wish`; `seen` is the version that the author saw (WAITING_CHANGED).

    Without its appointment the entry keeps that one's procedures, if `wish` names none. With `may_have_run_out` its
    date may be over: the list says so, and asks for another. Locks the patient's row, then the entry's. Raises Refused,
    WaitingEntry.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> WaitingEntry:
        patient = _locked_patient(clinic, WaitingEntry.objects.of(clinic).get(pk=entry_id).patient_id)
        entry = lock_waiting(clinic, entry_id, seen)
        refuse(_wish_refusals(clinic, patient, wish, now, besides=entry, may_have_run_out=may_have_run_out))
        before = _snapshot(entry)
        entry.version += 1
        _store(entry, wish)
        record_waiting(entry, WaitingEvent.Kind.CHANGED, by, now, before, _snapshot(entry))
        return entry

    return run_in_transaction(work)


def withdraw_waiting(
    entry_id: int, *, clinic: Clinic, by: Author, seen: int | None, now: datetime | None = None
) -> WaitingEntry:
    """Close the entry: nothing is wanted any more. Locks its row. Raises Refused, WaitingEntry.DoesNotExist."""

    def work(entry: WaitingEntry, at: datetime) -> None:
        close_waiting(entry, None, by, at)

    return _act(entry_id, clinic, seen, now, work)


def put_back_waiting(
    entry_id: int, *, clinic: Clinic, by: Author, seen: int | None, now: datetime | None = None
) -> WaitingEntry:
    """Open an entry again that was withdrawn, as in the version `seen` (WAITING_CHANGED), unless its patient has
    another one for the same. Locks the patient's row, then the entry's. Raises Refused, WaitingEntry.DoesNotExist."""
    now = now or timezone.now()

    def work() -> WaitingEntry:
        patient = _locked_patient(clinic, WaitingEntry.objects.of(clinic).get(pk=entry_id).patient_id)
        entry = get_locked(WaitingEntry.objects.of(clinic).filter(pk=entry_id))
        if seen not in (None, entry.version):
            refuse([Refusal(Reason.WAITING_CHANGED)])
        if entry.outcome != WaitingEntry.Outcome.WITHDRAWN:
            refuse([Refusal(Reason.WAITING_CLOSED)])
        procedures = list(entry.procedures.values_list("pk", flat=True))
        refuse(_twice(clinic, patient, entry.appointment_id, procedures, besides=entry))
        reopen_waiting(entry, by, now)
        return entry

    return run_in_transaction(work)


def note_not_reached(entry_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None) -> WaitingEntry:
    """Store the event of a call that was not answered. Locks the entry's row. Raises Refused,
    WaitingEntry.DoesNotExist."""

    def work(entry: WaitingEntry, at: datetime) -> None:
        record_waiting(entry, WaitingEvent.Kind.NOT_REACHED, by, at, {}, {})

    return _act(entry_id, clinic, None, now, work)


def note_declined(
    entry_id: int, times: Sequence[OfferedTime], *, clinic: Clinic, by: Author, now: datetime | None = None
) -> WaitingEntry:
    """Store that the patient was offered these times, of which the first OFFERED_TIMES are kept, and wants none of
    them: they are not offered again. Locks the entry's row. Raises Refused, WaitingEntry.DoesNotExist."""
    values = [time_value(*offered) for offered in times[:OFFERED_TIMES]]

    def work(entry: WaitingEntry, at: datetime) -> None:
        record_waiting(entry, WaitingEvent.Kind.DECLINED, by, at, {}, {"times": values})

    return _act(entry_id, clinic, None, now, work)


def time_value(doctor_id: int, starts_at: datetime) -> str:
    """Return a free time as text, `12|2026-11-23T12:00:00+00:00`: the doctor's id and the UTC instant of its start."""
    return f"{doctor_id}|{starts_at.astimezone(UTC).isoformat()}"


def lock_waiting(clinic: Clinic, entry_id: int, seen: int | None) -> WaitingEntry:
    """Return the open entry with its row locked. Raises Refused if it is closed (WAITING_CLOSED), or not of the
    version `seen` (WAITING_CHANGED); WaitingEntry.DoesNotExist."""
    entry = get_locked(WaitingEntry.objects.of(clinic).select_related("clinic").filter(pk=entry_id), of=("self",))
    if entry.closed_at is not None:
        refuse([Refusal(Reason.WAITING_CLOSED)])
    if seen not in (None, entry.version):
        refuse([Refusal(Reason.WAITING_CHANGED)])
    return entry


def close_waiting(
    entry: WaitingEntry, booked: Appointment | None, by: Author, now: datetime, event: int | None = None
) -> None:
    """Write that the locked entry ended at the instant `now`, with that appointment or withdrawn; and its event,
    which names that of the booking or the move by its id `event`."""
    outcomes = WaitingEntry.Outcome
    _write_end(entry, outcomes.BOOKED if booked else outcomes.WITHDRAWN, now, booked)
    kind = WaitingEvent.Kind.BOOKED if booked else WaitingEvent.Kind.WITHDRAWN
    record_waiting(entry, kind, by, now, {}, {"appointment": booked.pk, "event": event} if booked else {})


def reopen_waiting(entry: WaitingEntry, by: Author, now: datetime) -> None:
    """Write that the locked entry is open again, and its event."""
    before = {"outcome": entry.outcome}
    _write_end(entry, "", None, None)
    record_waiting(entry, WaitingEvent.Kind.REOPENED, by, now, before, {})


def _write_end(entry: WaitingEntry, outcome: str, at: datetime | None, booked: Appointment | None) -> None:
    entry.outcome, entry.closed_at, entry.booked = outcome, at, booked
    entry.version += 1
    entry.save(update_fields=["outcome", "closed_at", "booked", "version"])


def record_waiting(
    entry: WaitingEntry, kind: str, by: Author, now: datetime, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Store the event of an act on the entry."""
    WaitingEvent.objects.create(
        clinic_id=entry.clinic_id,
        entry=entry,
        kind=kind,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        before=before,
        after=after,
    )


def is_still_ahead(appointment: Appointment, now: datetime) -> bool:
    """Return whether an appointment can still be exchanged for an earlier time: it can be moved, and has not begun."""
    is_movable = appointment.deleted_at is None and appointment.status in transitions.MOVABLE
    return is_movable and appointment.starts_at > now


def _act(
    entry_id: int,
    clinic: Clinic,
    seen: int | None,
    now: datetime | None,
    work: Callable[[WaitingEntry, datetime], None],
) -> WaitingEntry:
    """Lock the open entry and do the work on it in one transaction."""
    at = now or timezone.now()

    def locked() -> WaitingEntry:
        entry = lock_waiting(clinic, entry_id, seen)
        work(entry, at)
        return entry

    return run_in_transaction(locked)


def _locked_patient(clinic: Clinic, patient_id: int) -> Patient:
    patient = sql.load_rows(clinic, patient=patient_id, lock=True).patient
    if patient is None:
        refuse([Refusal(Reason.PATIENT_UNKNOWN)])
        raise AssertionError
    return patient


def _store(entry: WaitingEntry, wish: WaitingWish) -> None:
    kept = list(entry.appointment.lines.values_list("procedure", flat=True)) if entry.appointment else []
    entry.appointment_id = wish.appointment
    entry.weekdays = sorted(set(wish.weekdays))
    has_hours = wish.from_time is not None or wish.to_time is not None
    entry.from_time = (wish.from_time or MIDNIGHT) if has_hours else None
    entry.to_time = (wish.to_time or LAST_MINUTE) if has_hours else None
    entry.until, entry.is_urgent, entry.note = wish.until, wish.is_urgent, tidy(wish.note)
    entry.save()
    entry.procedures.set([] if wish.appointment else wish.procedures or kept)
    entry.doctors.set(wish.doctors)


def _snapshot(entry: WaitingEntry) -> dict[str, Any]:
    """Return what an event keeps of an entry; local dates and times as ISO 8601. Two queries."""
    return {
        "appointment": entry.appointment_id,
        "procedures": sorted(entry.procedures.values_list("pk", flat=True)),
        "doctors": sorted(entry.doctors.values_list("pk", flat=True)),
        "weekdays": entry.weekdays,
        "from_time": entry.from_time.isoformat() if entry.from_time else None,
        "to_time": entry.to_time.isoformat() if entry.to_time else None,
        "until": entry.until.isoformat() if entry.until else None,
        "is_urgent": entry.is_urgent,
        "note": entry.note,
    }


def _wish_refusals(
    clinic: Clinic,
    patient: Patient,
    wish: WaitingWish,
    now: datetime,
    besides: WaitingEntry | None = None,
    *,
    may_have_run_out: bool = False,
) -> list[Refusal]:
    """Return every broken rule of a wish; `besides` is the entry that is changed, `may_have_run_out` as in
    `change_waiting`."""
    refusals, procedures = _procedure_refusals(clinic, patient, wish, now, besides)
    refusals += _doctor_refusals(clinic, wish.doctors, procedures) if procedures else []
    if wish.from_time and wish.to_time and wish.to_time < wish.from_time:
        refusals.append(Refusal(Reason.END_NOT_AFTER_START, at="to_time"))
    if wish.until and wish.until < clinic.local(now).date() and not may_have_run_out:
        refusals.append(Refusal(Reason.DATE_PAST, at="until"))
    refusals += unstorable_line(wish.note, Reason.WAITING_NOTE_UNSTORABLE)
    if (length := len(tidy(wish.note))) > MAX_NOTE_LENGTH:
        refusals.append(Refusal(Reason.WAITING_NOTE_TOO_LONG, {"length": length, "limit": MAX_NOTE_LENGTH}))
    return refusals + _twice(clinic, patient, wish.appointment, procedures, besides)


def _procedure_refusals(
    clinic: Clinic, patient: Patient, wish: WaitingWish, now: datetime, besides: WaitingEntry | None
) -> tuple[list[Refusal], list[int]]:
    """Return what is wrong with the appointment or the procedures, and the ids of the procedures that are wanted."""
    if wish.appointment is not None:
        kept = Appointment.objects.of(clinic).kept().filter(pk=wish.appointment, patient=patient)
        appointment = kept.first()
        if appointment is None or not is_still_ahead(appointment, now):
            return [Refusal(Reason.WAITING_NOT_AHEAD)], []
        return [], list(appointment.lines.values_list("procedure", flat=True))
    wanted = list(wish.procedures)
    if not wanted and besides and besides.appointment:
        wanted = list(besides.appointment.lines.values_list("procedure", flat=True))
    if not wanted:
        return [Refusal(Reason.PROCEDURES_MISSING)], []
    offered = Procedure.objects.of(clinic).filter(pk__in=wanted, active=True).count()
    return ([], wanted) if offered == len(set(wanted)) else ([Refusal(Reason.PROCEDURE_UNKNOWN)], [])


def _doctor_refusals(clinic: Clinic, doctors: Sequence[int], procedures: Sequence[int]) -> list[Refusal]:
    """Refuse doctors who are unknown or inactive, and a wish that none of the wanted ones can fulfil."""
    if Doctor.objects.of(clinic).filter(pk__in=doctors, active=True).count() < len(set(doctors)):
        return [Refusal(Reason.DOCTOR_UNKNOWN, at="doctors")]
    needed = set(procedures)
    able = {doctor.pk for doctor in able_doctors(clinic, needed) if needed <= set(doctor.performed)}
    return [] if able & (set(doctors) or able) else [Refusal(Reason.WAITING_NOT_PERFORMED)]


def _twice(
    clinic: Clinic,
    patient: Patient,
    appointment: int | None,
    procedures: Sequence[int],
    besides: WaitingEntry | None,
) -> list[Refusal]:
    """Refuse a second open entry for the same appointment, or without one for a procedure that is waited for."""
    others = WaitingEntry.objects.of(clinic).open().filter(patient=patient)
    others = others.exclude(pk=besides.pk) if besides else others
    if appointment is not None:
        is_twice = others.filter(appointment=appointment).exists()
    else:
        is_twice = others.filter(appointment=None, procedures__in=procedures).exists()
    return [Refusal(Reason.WAITING_TWICE, {"patient": patient.display_name})] if is_twice else []
