"""Acts on recalls that take no time: write, postpone, close, reopen; and what follows when a booking of one falls.

Locks: whatever the caller holds, then the rows of the recalls, in order of id. In `book_recall` what `book` shares for
an encaixe comes after them.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from clinic.booking.acts import lock_appointment, refuse
from clinic.booking.performers import doctors_performing_all
from clinic.booking.rules.patient import deceased_refusals
from clinic.models import Appointment, Clinic, Doctor, Procedure, Recall, RecallEvent
from clinic.models.appointment import BEGUN, FREES_THE_TIME
from clinic.models.limits import max_length
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.registry.patient_details import tidy, unstorable_line
from clinic.schedule import bookable_dates
from clinic.transactions import run_in_transaction

MAX_NOTE_LENGTH = max_length(Recall, "note")


@dataclass(frozen=True, kw_only=True)
class RecallWish:
    """Another visit that a patient is to be called for: `due_on` is a local date, the ids are of the clinic's rows, and
    no doctor means any who performs the procedure."""

    due_on: date
    procedure: int
    doctor: int | None = None
    note: str = ""


def may_be_recalled(appointment: Appointment) -> bool:
    """Return whether a recall can be written at the appointment: its visit has begun."""
    return appointment.deleted_at is None and appointment.status in BEGUN


def write_recall(
    appointment_id: int, wish: RecallWish, *, clinic: Clinic, by: Author, now: datetime | None = None
) -> Recall:
    """Store a recall of the appointment's patient, and its event. Locks the doctor's row, the patient's, then the
    appointment's. Raises Refused with every broken rule, Appointment.DoesNotExist."""
    now = now or timezone.now()

    def work() -> Recall:
        appointment = lock_appointment(clinic, appointment_id)
        refuse(_wish_refusals(appointment, wish, now))
        recall = Recall.objects.create(
            clinic=clinic,
            patient=appointment.patient,
            appointment=appointment,
            procedure_id=wish.procedure,
            doctor_id=wish.doctor,
            due_on=wish.due_on,
            note=tidy(wish.note),
            created_by=by.user,
            created_at=now,
        )
        _record(recall, RecallEvent.Kind.WRITTEN, by, now, {}, _snapshot(recall))
        return recall

    return run_in_transaction(work)


def postpone_recall(
    recall_id: int, due_on: date, *, clinic: Clinic, by: Author, seen: int | None, now: datetime | None = None
) -> Recall:
    """Give the open recall another local date; `seen` is the version that the author saw (RECALL_CHANGED). Locks its
    row. Raises Refused, Recall.DoesNotExist."""
    now = now or timezone.now()

    def work() -> Recall:
        recall = lock_recall(clinic, recall_id, seen)
        refuse(_due_refusals(clinic, due_on, now))
        before = {"due_on": recall.due_on.isoformat()}
        recall.due_on = due_on
        _save(recall, "due_on")
        _record(recall, RecallEvent.Kind.POSTPONED, by, now, before, {"due_on": due_on.isoformat()})
        return recall

    return run_in_transaction(work)


def close_recall(
    recall_id: int, outcome: str, *, clinic: Clinic, by: Author, seen: int | None, now: datetime | None = None
) -> Recall:
    """Close the open recall with one of `Recall.CHOSEN`. Locks its row. Raises Refused, Recall.DoesNotExist."""
    now = now or timezone.now()

    def work() -> Recall:
        recall = lock_recall(clinic, recall_id, seen)
        refuse([] if outcome in Recall.CHOSEN else [Refusal(Reason.RECALL_OUTCOME_UNKNOWN)])
        _end(recall, outcome, now)
        _record(recall, RecallEvent.Kind.CLOSED, by, now, {}, {"outcome": outcome})
        return recall

    return run_in_transaction(work)


def reopen_recall(
    recall_id: int, *, clinic: Clinic, by: Author, seen: int | None, now: datetime | None = None
) -> Recall:
    """Open a recall again that a person has closed, as in the version `seen` (RECALL_CHANGED); one that was booked is
    opened by cancelling the appointment. Locks its row. Raises Refused, Recall.DoesNotExist."""
    now = now or timezone.now()

    def work() -> Recall:
        recall = get_locked(Recall.objects.of(clinic).filter(pk=recall_id))
        refuse([] if seen in (None, recall.version) else [Refusal(Reason.RECALL_CHANGED)])
        refuse([] if recall.outcome in Recall.CHOSEN else [Refusal(Reason.RECALL_NOT_CLOSED)])
        refuse([Refusal(Reason.RECALL_TWICE)] if _is_twice(recall.appointment, recall.procedure_id) else [])
        _reopen(recall, by, now)
        return recall

    return run_in_transaction(work)


def lock_recall(clinic: Clinic, recall_id: int, seen: int | None = None) -> Recall:
    """Return the open recall with its row locked. Raises Refused if it is closed (RECALL_BOOKED or RECALL_CLOSED, which
    name its author), or not of the version `seen` (RECALL_CHANGED); Recall.DoesNotExist."""
    recall = get_locked(Recall.objects.of(clinic).filter(pk=recall_id))
    if recall.closed_at is not None:
        refuse([_closed(clinic, recall)])
    if seen not in (None, recall.version):
        refuse([Refusal(Reason.RECALL_CHANGED)])
    return recall


def close_with_booking(recall: Recall, booked: Appointment, by: Author, now: datetime) -> None:
    """Write that the locked open recall ended with that appointment, and its event."""
    recall.booked = booked
    _end(recall, Recall.Outcome.BOOKED, now)
    _record(recall, RecallEvent.Kind.BOOKED, by, now, {}, {"appointment": booked.pk})


def follow_recalls(appointment: Appointment, before: str, by: Author, now: datetime) -> None:
    """Open the recalls again that were booked with the locked appointment if it has ceased to stand since its status
    was `before`, or close them with it if it stands again. No query where neither happened, else one where it was
    booked of none.

    Two open recalls for one procedure of one visit cannot be: the one that would be the second stays closed."""
    is_given_up, was_given_up = appointment.status in FREES_THE_TIME, before in FREES_THE_TIME
    if is_given_up == was_given_up:
        return
    of_it = Recall.objects.of(appointment.clinic_id).filter(booked=appointment).order_by("pk")
    for recall in of_it.select_for_update(no_key=True):
        if was_given_up and recall.closed_at is None:
            close_with_booking(recall, appointment, by, now)
        is_booked = is_given_up and recall.outcome == Recall.Outcome.BOOKED
        if is_booked and not _is_twice(recall.appointment, recall.procedure_id):
            _reopen(recall, by, now)


def _closed(clinic: Clinic, recall: Recall) -> Refusal:
    """Return the refusal that says how the recall ended and who did it. At most two queries."""
    last = recall.events.filter(kind__in=RecallEvent.OF_CLOSING).select_related("user").order_by("-pk").first()
    who = str((last.user or last.credential) if last else "")
    if recall.outcome != Recall.Outcome.BOOKED or recall.booked is None:
        return Refusal(Reason.RECALL_CLOSED, {"who": who, "outcome": recall.get_outcome_display()})
    starts_at = clinic.local(recall.booked.starts_at)
    return Refusal(Reason.RECALL_BOOKED, {"who": who, "time": f"{starts_at:%d/%m/%Y %H:%M}"})


def _reopen(recall: Recall, by: Author, now: datetime) -> None:
    before = {"outcome": recall.outcome}
    _end(recall, "", None)
    _record(recall, RecallEvent.Kind.REOPENED, by, now, before, {})


def _end(recall: Recall, outcome: str, at: datetime | None) -> None:
    recall.outcome, recall.closed_at = outcome, at
    _save(recall, "outcome", "closed_at", "booked")


def _save(recall: Recall, *fields: str) -> None:
    recall.version += 1
    recall.save(update_fields=[*fields, "version"])


def _record(
    recall: Recall, kind: str, by: Author, now: datetime, before: dict[str, Any], after: dict[str, Any]
) -> None:
    RecallEvent.objects.create(
        clinic_id=recall.clinic_id,
        recall=recall,
        kind=kind,
        at=now,
        channel=by.channel,
        user=by.user,
        credential=by.credential,
        before=before,
        after=after,
    )


def _snapshot(recall: Recall) -> dict[str, Any]:
    """Return what an event keeps of a recall; the local date as ISO 8601."""
    return {
        "procedure": recall.procedure_id,
        "doctor": recall.doctor_id,
        "due_on": recall.due_on.isoformat(),
        "note": recall.note,
    }


def _wish_refusals(appointment: Appointment, wish: RecallWish, now: datetime) -> list[Refusal]:
    """Return every broken rule of a recall at the locked appointment."""
    clinic, refusals = appointment.clinic, deceased_refusals(appointment.patient)
    if not may_be_recalled(appointment):
        refusals.append(Refusal(Reason.RECALL_NOT_SERVED, {"current": appointment.get_status_display()}))
    refusals += _due_refusals(clinic, wish.due_on, now)
    refusals += _performer_refusals(clinic, wish)
    refusals += unstorable_line(wish.note, Reason.RECALL_NOTE_UNSTORABLE)
    if (length := len(tidy(wish.note))) > MAX_NOTE_LENGTH:
        refusals.append(Refusal(Reason.RECALL_NOTE_TOO_LONG, {"length": length, "limit": MAX_NOTE_LENGTH}))
    if _is_twice(appointment, wish.procedure):
        refusals.append(Refusal(Reason.RECALL_TWICE))
    return refusals


def _due_refusals(clinic: Clinic, due_on: date, now: datetime) -> list[Refusal]:
    """Refuse a date on which nothing can be booked."""
    first, last = bookable_dates(clinic, now)
    if due_on < first:
        return [Refusal(Reason.DATE_PAST, at="due_on")]
    return [Refusal(Reason.DATE_TOO_FAR, {"date": f"{last:%d/%m/%Y}"}, at="due_on")] if due_on > last else []


def _performer_refusals(clinic: Clinic, wish: RecallWish) -> list[Refusal]:
    """Refuse an unknown or inactive procedure or doctor, and a procedure that this doctor, or nobody, performs."""
    if not Procedure.objects.of(clinic).filter(pk=wish.procedure, active=True).exists():
        return [Refusal(Reason.PROCEDURE_UNKNOWN, at="procedure")]
    if wish.doctor is not None and not Doctor.objects.of(clinic).filter(pk=wish.doctor, active=True).exists():
        return [Refusal(Reason.DOCTOR_UNKNOWN, at="doctor")]
    able = [doctor.pk for doctor in doctors_performing_all(clinic, [wish.procedure])]
    return [] if (wish.doctor in able if wish.doctor else able) else [Refusal(Reason.RECALL_NOT_PERFORMED)]


def _is_twice(appointment: Appointment, procedure_id: int) -> bool:
    """Return whether the visit has an open recall for the procedure."""
    open_recalls = Recall.objects.of(appointment.clinic_id).open()
    return open_recalls.filter(appointment=appointment, procedure=procedure_id).exists()
