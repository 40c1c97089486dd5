"""Acts on the requests of the waiting list that move no appointment: put, change, withdraw, put back, note a call.

Locks: the patient's row (FOR NO KEY UPDATE), then the request's; `book_waiting` takes those of a booking or a move
before them, so the order is always doctor, patient, appointment, request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone

from clinic.booking import sql, transitions
from clinic.booking.acts import refuse
from clinic.booking.replacements import able_doctors
from clinic.booking.rules.patient import deceased_refusals
from clinic.models import Appointment, Clinic, Doctor, Patient, Procedure, WaitingEvent, WaitingRequest
from clinic.models.limits import max_length
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.registry.patient_details import tidy, unstorable_line
from clinic.schedule import Opening
from clinic.transactions import run_in_transaction

MAX_NOTE_LENGTH = max_length(WaitingRequest, "note")
MIDNIGHT, LAST_MINUTE = time(0), time(23, 59)


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
) -> WaitingRequest:
    """Store the request and its event. Locks the patient's row. Raises Refused with every broken rule."""
    now = now or timezone.now()

    def work() -> WaitingRequest:
        patient = _locked_patient(clinic, patient_id)
        refuse([*deceased_refusals(patient), *_wish_refusals(clinic, patient, wish, now)])
        request = WaitingRequest(clinic=clinic, patient=patient, created_by=by.user, created_at=now)
        _store(request, wish)
        record_waiting(request, WaitingEvent.Kind.PUT, by, now, {}, _snapshot(request))
        return request

    return run_in_transaction(work)


def change_waiting(
    request_id: int, wish: WaitingWish, *, clinic: Clinic, by: Author, seen: int, now: datetime | None = None
) -> WaitingRequest:
    """Replace what is wanted by `wish`; `seen` is the version that the author saw (WAITING_CHANGED).

    Without its appointment the request keeps that one's procedures, if `wish` names none. Locks the patient's row, then
    the request's. Raises Refused, WaitingRequest.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> WaitingRequest:
        patient = _locked_patient(clinic, WaitingRequest.objects.of(clinic).get(pk=request_id).patient_id)
        request = lock_waiting(clinic, request_id, seen)
        refuse(list(_wish_refusals(clinic, patient, wish, now, besides=request)))
        before = _snapshot(request)
        request.version += 1
        _store(request, wish)
        record_waiting(request, WaitingEvent.Kind.CHANGED, by, now, before, _snapshot(request))
        return request

    return run_in_transaction(work)


def withdraw_waiting(
    request_id: int, *, clinic: Clinic, by: Author, seen: int | None = None, now: datetime | None = None
) -> WaitingRequest:
    """Close the request: nothing is wanted any more. Locks its row. Raises Refused, WaitingRequest.DoesNotExist."""

    def work(request: WaitingRequest, at: datetime) -> None:
        close_waiting(request, None, by, at)

    return _act(request_id, clinic, seen, now, work)


def put_back_waiting(request_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None) -> WaitingRequest:
    """Open a withdrawn request again, unless its patient has another one for the same. Locks the patient's row, then
    the request's. Raises Refused, WaitingRequest.DoesNotExist."""
    now = now or timezone.now()

    def work() -> WaitingRequest:
        patient = _locked_patient(clinic, WaitingRequest.objects.of(clinic).get(pk=request_id).patient_id)
        request = get_locked(WaitingRequest.objects.of(clinic).filter(pk=request_id))
        if request.outcome != WaitingRequest.Outcome.WITHDRAWN:
            refuse([Refusal(Reason.WAITING_CLOSED)])
        procedures = list(request.procedures.values_list("pk", flat=True))
        refuse(_twice(clinic, patient, request.appointment_id, procedures, besides=request))
        reopen_waiting(request, by, now)
        return request

    return run_in_transaction(work)


def note_not_reached(request_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None) -> WaitingRequest:
    """Store the event of a call that was not answered. Locks the request's row. Raises Refused,
    WaitingRequest.DoesNotExist."""

    def work(request: WaitingRequest, at: datetime) -> None:
        record_waiting(request, WaitingEvent.Kind.NOT_REACHED, by, at, {}, {})

    return _act(request_id, clinic, None, now, work)


def note_declined(
    request_id: int, times: Sequence[str], *, clinic: Clinic, by: Author, now: datetime | None = None
) -> WaitingRequest:
    """Store that the patient was offered these times, as `time_value` writes them, and wants none of them: they are not
    offered again. Locks the request's row. Raises Refused, WaitingRequest.DoesNotExist."""

    def work(request: WaitingRequest, at: datetime) -> None:
        record_waiting(request, WaitingEvent.Kind.DECLINED, by, at, {}, {"times": list(times)})

    return _act(request_id, clinic, None, now, work)


def time_value(opening: Opening) -> str:
    """Return a free time as text, `12|2026-11-23T12:00:00+00:00`: the doctor's id and the UTC instant of its start."""
    return f"{opening.doctor_id}|{opening.starts_at.isoformat()}"


def lock_waiting(clinic: Clinic, request_id: int, seen: int | None) -> WaitingRequest:
    """Return the open request with its row locked. Raises Refused if it is closed (WAITING_CLOSED), or not of the
    version `seen` (WAITING_CHANGED); WaitingRequest.DoesNotExist."""
    request = get_locked(WaitingRequest.objects.of(clinic).select_related("clinic").filter(pk=request_id), of=("self",))
    if request.closed_at is not None:
        refuse([Refusal(Reason.WAITING_CLOSED)])
    if seen not in (None, request.version):
        refuse([Refusal(Reason.WAITING_CHANGED)])
    return request


def close_waiting(
    request: WaitingRequest, booked: Appointment | None, by: Author, now: datetime, event: int | None = None
) -> None:
    """Write that the locked request ended at the instant `now`, with that appointment or withdrawn; and its event,
    which names that of the booking or the move by its id `event`."""
    outcomes = WaitingRequest.Outcome
    _write_end(request, outcomes.BOOKED if booked else outcomes.WITHDRAWN, now, booked)
    kind = WaitingEvent.Kind.BOOKED if booked else WaitingEvent.Kind.WITHDRAWN
    record_waiting(request, kind, by, now, {}, {"appointment": booked.pk, "event": event} if booked else {})


def reopen_waiting(request: WaitingRequest, by: Author, now: datetime) -> None:
    """Write that the locked request is open again, and its event."""
    before = {"outcome": request.outcome}
    _write_end(request, "", None, None)
    record_waiting(request, WaitingEvent.Kind.REOPENED, by, now, before, {})


def _write_end(request: WaitingRequest, outcome: str, at: datetime | None, booked: Appointment | None) -> None:
    request.outcome, request.closed_at, request.booked = outcome, at, booked
    request.version += 1
    request.save(update_fields=["outcome", "closed_at", "booked", "version"])


def record_waiting(
    request: WaitingRequest, kind: str, by: Author, now: datetime, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Store the event of an act on the request."""
    WaitingEvent.objects.create(
        clinic_id=request.clinic_id,
        request=request,
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
    request_id: int,
    clinic: Clinic,
    seen: int | None,
    now: datetime | None,
    work: Callable[[WaitingRequest, datetime], None],
) -> WaitingRequest:
    """Lock the open request and do the work on it in one transaction."""
    at = now or timezone.now()

    def locked() -> WaitingRequest:
        request = lock_waiting(clinic, request_id, seen)
        work(request, at)
        return request

    return run_in_transaction(locked)


def _locked_patient(clinic: Clinic, patient_id: int) -> Patient:
    patient = sql.load_rows(clinic, patient=patient_id, lock=True).patient
    if patient is None:
        refuse([Refusal(Reason.PATIENT_UNKNOWN)])
        raise AssertionError
    return patient


def _store(request: WaitingRequest, wish: WaitingWish) -> None:
    kept = list(request.appointment.lines.values_list("procedure", flat=True)) if request.appointment else []
    request.appointment_id = wish.appointment
    request.weekdays = sorted(set(wish.weekdays))
    has_hours = wish.from_time is not None or wish.to_time is not None
    request.from_time = (wish.from_time or MIDNIGHT) if has_hours else None
    request.to_time = (wish.to_time or LAST_MINUTE) if has_hours else None
    request.until, request.is_urgent, request.note = wish.until, wish.is_urgent, tidy(wish.note)
    request.save()
    request.procedures.set([] if wish.appointment else wish.procedures or kept)
    request.doctors.set(wish.doctors)


def _snapshot(request: WaitingRequest) -> dict[str, Any]:
    """Return what an event keeps of a request; local dates and times as ISO 8601. Two queries."""
    return {
        "appointment": request.appointment_id,
        "procedures": sorted(request.procedures.values_list("pk", flat=True)),
        "doctors": sorted(request.doctors.values_list("pk", flat=True)),
        "weekdays": request.weekdays,
        "from_time": request.from_time.isoformat() if request.from_time else None,
        "to_time": request.to_time.isoformat() if request.to_time else None,
        "until": request.until.isoformat() if request.until else None,
        "is_urgent": request.is_urgent,
        "note": request.note,
    }


def _wish_refusals(
    clinic: Clinic, patient: Patient, wish: WaitingWish, now: datetime, besides: WaitingRequest | None = None
) -> list[Refusal]:
    """Return every broken rule of a wish; `besides` is the request that is changed."""
    refusals, procedures = _procedure_refusals(clinic, patient, wish, now, besides)
    refusals += _doctor_refusals(clinic, wish.doctors, procedures) if procedures else []
    if wish.from_time and wish.to_time and wish.to_time < wish.from_time:
        refusals.append(Refusal(Reason.END_NOT_AFTER_START, at="to_time"))
    if wish.until and wish.until < clinic.local(now).date():
        refusals.append(Refusal(Reason.DATE_PAST, at="until"))
    refusals += unstorable_line(wish.note, Reason.WAITING_NOTE_UNSTORABLE)
    if (length := len(tidy(wish.note))) > MAX_NOTE_LENGTH:
        refusals.append(Refusal(Reason.WAITING_NOTE_TOO_LONG, {"length": length, "limit": MAX_NOTE_LENGTH}))
    return refusals + _twice(clinic, patient, wish.appointment, procedures, besides)


def _procedure_refusals(
    clinic: Clinic, patient: Patient, wish: WaitingWish, now: datetime, besides: WaitingRequest | None
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
    besides: WaitingRequest | None = None,
) -> list[Refusal]:
    """Refuse a second open request for the same appointment, or without one for a procedure that is waited for."""
    others = WaitingRequest.objects.of(clinic).open().filter(patient=patient)
    others = others.exclude(pk=besides.pk) if besides else others
    if appointment is not None:
        is_twice = others.filter(appointment=appointment).exists()
    else:
        is_twice = others.filter(appointment=None, procedures__in=procedures).exists()
    return [Refusal(Reason.WAITING_TWICE, {"patient": patient.display_name})] if is_twice else []
