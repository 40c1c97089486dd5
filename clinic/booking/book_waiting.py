"""Giving a time to who waits for one: a booking, or the move of the appointment that is exchanged for it."""

from datetime import datetime

from django.utils import timezone

from clinic.booking import sql
from clinic.booking.acts import lock_appointment, refuse
from clinic.booking.alternatives import BookingRefused
from clinic.booking.book import book
from clinic.booking.payer import filled_in_payer
from clinic.booking.proposal import LineRequest, PayerWish, Proposal
from clinic.booking.reschedule import reschedule
from clinic.booking.waiting_list import close_waiting, is_still_ahead, lock_waiting, reopen_waiting
from clinic.models import Appointment, AppointmentEvent, Clinic, Patient, WaitingEntry
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_as_one


def book_waiting(
    entry_id: int,
    *,
    clinic: Clinic,
    doctor: int | None,
    starts_at: datetime | None,
    seen: int | None,
    place: str | None,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Give the open entry this time and close it, in one transaction; return the appointment.

    An entry with an appointment is a swap: that appointment stays where it is until the new time is its own, and is
    moved there by the rules and the event of every move, if it is still ahead and the new time is before its own.
    Otherwise a new one is booked by the rules of every booking, with the payer that the booking panel fills in, and
    without cost where it would propose that.
    `seen` is the version of the entry that the author saw, `place` that of its appointment; None admits any. Locks what
    a booking or a move locks, then the entry's row; only then the entry is looked at, so who is second reads that it is
    closed.
    Raises Refused, with the nearest free times where the time is at fault: then nothing is written and the entry stays
    open; WaitingEntry.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        unlocked = WaitingEntry.objects.of(clinic).get(pk=entry_id)
        present = _lock_what_is_given(clinic, unlocked, doctor)
        entry = lock_waiting(clinic, entry_id, seen)
        if entry.appointment_id != unlocked.appointment_id:
            refuse([Refusal(Reason.WAITING_CHANGED)])
        if entry.appointment_id:
            refuse(_swap_refusals(present, starts_at, now))
            appointment = reschedule(
                entry.appointment_id, clinic=clinic, doctor=doctor, starts_at=starts_at, seen=place, by=by, now=now
            )
        else:
            appointment = book(_proposal(entry, clinic, doctor, starts_at), by=by, now=now)
        close_waiting(entry, appointment, by, now, _last_event(appointment))
        return appointment

    return run_as_one(work)


def reopen_after_undo(appointment: Appointment, event: AppointmentEvent, by: Author, now: datetime) -> None:
    """Open the entry again that the move in `event`, now undone, had closed; nothing where it closed none.

    A booking is undone by no act: who cancels it may be put on the list anew. The appointment's row is locked; locks
    the entry's. A second entry of the same appointment, made meanwhile, leaves the first one closed."""
    entries = WaitingEntry.objects.of(appointment.clinic_id)
    closed = entries.filter(booked=appointment, appointment=appointment, events__after__event=event.pk).first()
    if closed and not entries.open().filter(appointment=appointment).exists():
        reopen_waiting(get_locked(entries.filter(pk=closed.pk)), by, now)


def _last_event(appointment: Appointment) -> int:
    """Return the id of the event of the booking or the move that was just written."""
    return appointment.events.order_by("-pk").values_list("pk", flat=True)[0]


def _lock_what_is_given(clinic: Clinic, entry: WaitingEntry, doctor: int | None) -> Appointment | None:
    """Lock the rows of a move and return the appointment, None where it was deleted; or lock those of a booking."""
    if entry.appointment_id is None:
        sql.load_rows(clinic, doctor=doctor, patient=entry.patient_id, lock=True)
        return None
    try:
        return lock_appointment(clinic, entry.appointment_id, doctor)
    except Appointment.DoesNotExist:
        return None


def _swap_refusals(present: Appointment | None, starts_at: datetime | None, now: datetime) -> list[Refusal]:
    """Refuse to exchange the locked appointment if it is no longer ahead, or for a time that is not before its own."""
    if present is None or not is_still_ahead(present, now):
        return [Refusal(Reason.WAITING_APPOINTMENT_GONE)]
    if starts_at is None or starts_at < present.starts_at:
        return []
    stands = f"{present.clinic.local(present.starts_at):%d/%m/%Y %H:%M}"
    return [Refusal(Reason.WAITING_NOT_EARLIER, {"time": stands})]


def _proposal(entry: WaitingEntry, clinic: Clinic, doctor: int | None, starts_at: datetime | None) -> Proposal:
    """Return the booking of a locked entry without appointment; a return that the panel would propose as free is free.
    Raises Refused where it has to be asked who pays."""
    lines = tuple(LineRequest(pk) for pk in entry.procedures.values_list("pk", flat=True))
    payer = _payer(clinic, entry.patient_id, starts_at)
    return Proposal(
        clinic=clinic,
        doctor=doctor,
        lines=lines,
        starts_at=starts_at,
        patient=entry.patient_id,
        payer=payer,
        as_return=True,
    )


def _payer(clinic: Clinic, patient_id: int, starts_at: datetime | None) -> PayerWish:
    """Return the payer that the panel fills in. Raises Refused (WAITING_ASK_WHO_PAYS) if the patient's own is accepted
    no more or requires a guia, or the card is not valid on the day."""
    patient = Patient.objects.of(clinic).get(pk=patient_id)
    payer = filled_in_payer(clinic, patient, starts_at)
    if payer is None:
        raise BookingRefused([Refusal(Reason.WAITING_ASK_WHO_PAYS, {"patient": patient.display_name})])
    return payer
