"""Changing procedures, discounts and length of an appointment whose doctor, patient and start stay."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from clinic.booking import lines, rules, transitions
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.alternatives import BookingRefused
from clinic.booking.audit import encaixe_snapshot, record
from clinic.booking.encaixe import TIME_FIELDS, encaixe_values, permission_refusals
from clinic.booking.examine import added_violations, retake_violations
from clinic.booking.pricing import PricedLine
from clinic.booking.proposal import LineRequest
from clinic.booking.rules.encaixe import LIFTED
from clinic.booking.rules.patient import deceased_refusals
from clinic.booking.rules.prices import discount_limit
from clinic.booking.rules.procedures import doctor_refusals
from clinic.booking.slots import Candidate, Slot, present_slot
from clinic.booking.wished_lines import WishedLines, load_wished
from clinic.models import Appointment, AppointmentEvent, Clinic, Procedure
from clinic.models.appointment import Status
from clinic.models.history import last_event
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_in_transaction


def change_procedures(
    appointment_id: int,
    *,
    clinic: Clinic,
    lines: tuple[LineRequest, ...],
    discount: int | None = None,
    ends_at: datetime | None = None,
    shown_total: Decimal | None = None,
    at_day_prices: bool = False,
    encaixe_reason: str | None = None,
    approved_by: int | None = None,
    seen: str | None = None,
    seen_event: int | None = None,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Give a standing appointment these lines, the discount on the whole, and this end; None keeps its end.

    A line of a procedure that it already has is kept, with name and price as booked, even if the procedure is no longer
    offered; with `at_day_prices` at the price that an added one would have, where no author has a limit: the discounts
    are those that it has. Added lines have the price of the appointment's day for its payer and follow the rules of a
    booking.
    Discounts are computed now, on all these prices; what is not changed at all is not computed anew. A later end is
    judged like a booking: with `encaixe_reason` the appointment becomes an encaixe where the doctor is not free until
    then, or where the date admits no more of an added procedure, which without a later end is always refused; and the
    later end of an encaixe takes the permission for one, or the approval of the manager `approved_by`, as in a
    Proposal. An earlier end is always free. What the appointment already has writes nothing, so that a second press has
    no effect. `seen` is the `contents` that the author began from: with it, an appointment that was changed since is
    left as it is (CHANGED_MEANWHILE). So is one of which `seen_event`, an event's id, is not the last one any more.

    Locks the doctor's row, the patient's, then the appointment's; for an encaixe then shares the user's and the
    approver's. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    wished = clinic, appointment_id, lines, discount, ends_at, shown_total, seen, at_day_prices
    wish = _Wish(*wished, encaixe_reason, approved_by, seen_event)
    return run_in_transaction(lambda: _change(wish, by, now))


@dataclass(frozen=True)
class CheckedChange:
    """What `change_procedures` would store: a line for each requested one, None where its procedure is unknown, and why
    it would be refused."""

    lines: list[PricedLine | None]
    refused: BookingRefused | None


def check_change(
    appointment_id: int,
    *,
    clinic: Clinic,
    lines: tuple[LineRequest, ...],
    discount: int | None = None,
    ends_at: datetime | None = None,
    encaixe_reason: str | None = None,
    approved_by: int | None = None,
    by: Author,
    now: datetime | None = None,
) -> CheckedChange:
    """Return what `change_procedures` would store and raise; nothing locked, nothing written, no total compared, no
    permission for an encaixe asked.

    Raises Appointment.DoesNotExist.
    """
    kept = Appointment.objects.of(clinic).in_use().select_related("clinic", "doctor", "patient")
    appointment = kept.get(pk=appointment_id)
    wished = clinic, appointment_id, lines, discount, ends_at
    wish = _Wish(*wished, encaixe_reason=encaixe_reason, approved_by=approved_by)
    examined = _examine(wish, appointment, by, now or timezone.now())
    refusals = change_refusals(appointment, by) or examined.refusals
    slot = examined.slot
    return CheckedChange(examined.wished.by_request, BookingRefused(refusals, slot) if refusals else None)


def contents(appointment: Appointment) -> str:
    """Return doctor, start, end and lines of an appointment as one text, only to be compared. Two queries."""
    stored = lines.load(appointment)
    place = f"{appointment.doctor_id}|{appointment.starts_at.timestamp():.0f}|{appointment.ends_at.timestamp():.0f}"
    return f"{place}|{[(line.procedure_id, sorted(lines.discount_ids(line))) for line in stored]}"


def change_refusals(appointment: Appointment, by: Author) -> list[Refusal]:
    """Return why this author may not change the procedures of an appointment of this status."""
    if appointment.status in transitions.CHANGEABLE:
        return []
    if appointment.status != Status.FINISHED:
        return [Refusal(Reason.NOT_CHANGEABLE, {"current": appointment.get_status_display()})]
    return [] if by.user and by.user.is_manager else [Refusal(Reason.FINISHED_FOR_MANAGERS)]


@dataclass(frozen=True)
class _Wish:
    clinic: Clinic
    appointment_id: int
    lines: tuple[LineRequest, ...]
    discount: int | None
    ends_at: datetime | None
    shown_total: Decimal | None = None
    seen: str | None = None
    at_day_prices: bool = False
    encaixe_reason: str | None = None
    approved_by: int | None = None
    seen_event: int | None = None


class _Examined(NamedTuple):
    """A wish beside what is stored."""

    wished: WishedLines
    slot: Slot
    refusals: list[Refusal]


def _change(wish: _Wish, by: Author, now: datetime) -> Appointment:
    appointment = lock_appointment(wish.clinic, wish.appointment_id)
    refuse(change_refusals(appointment, by))
    wished, slot, refusals = _examine(wish, appointment, by, now)
    if wished.are_stored and slot.ends_at == appointment.ends_at:
        return appointment
    if not _is_as_seen(wish, appointment):
        refuse([Refusal(Reason.CHANGED_MEANWHILE)])
    if slot.is_encaixe and slot.ends_at > appointment.ends_at:
        refusals = permission_refusals(wish.clinic, by, wish.approved_by) + refusals
    refuse(refusals, slot)
    encaixe = _encaixe(wish, slot, appointment, by)
    before = lines.snapshot(appointment, wished.stored)
    wished.write(appointment)
    return finish(appointment, slot.ends_at, before, by, now, encaixe=encaixe)


def _is_as_seen(wish: _Wish, appointment: Appointment) -> bool:
    if wish.seen not in (None, contents(appointment)):
        return False
    if wish.seen_event is None:
        return True
    last = last_event(appointment)
    return last is not None and last.pk == wish.seen_event


def finish(
    appointment: Appointment,
    ends_at: datetime,
    before: dict[str, Any],
    by: Author,
    now: datetime,
    *,
    encaixe: dict[str, Any] | None = None,
    **remarks: Any,
) -> Appointment:
    """Write the end and the event of lines that were written just now. `encaixe` are those columns of the appointment,
    where the longer time makes it an encaixe, or has it approved: then both sides of the event keep them."""
    if encaixe:
        before = before | encaixe_snapshot(appointment)
    write(appointment, now, ends_at=ends_at, **(encaixe or {}))
    after = lines.snapshot(appointment, lines.load(appointment)) | remarks
    if encaixe:
        after |= encaixe_snapshot(appointment) | {"encaixe_changed": True}
    record(appointment, AppointmentEvent.Kind.PROCEDURES, by, now, before, after)
    return appointment


def _examine(wish: _Wish, appointment: Appointment, by: Author, now: datetime) -> _Examined:
    """Price the wish and ask the rules about it; that of the status has been asked."""
    doctor, at_day_prices = appointment.doctor_id, wish.at_day_prices
    wished = load_wished(appointment, wish.lines, wish.discount, doctor=doctor, at_day_prices=at_day_prices)
    slot = _slot(wish, appointment, now)
    refusals = _input_refusals(wish, wished, slot, by)
    if slot.ends_at > appointment.ends_at and not any(refusal.field in TIME_FIELDS for refusal in refusals):
        slot, broken = _lengthened(wish, slot, wished.new_procedures)
        return _Examined(wished, slot, refusals + broken)
    if wished.adds:
        refusals += doctor_refusals(slot.doctor.pk, wished.rows.doctor) + deceased_refusals(slot.patient)
    return _Examined(wished, slot, refusals + added_violations(slot, wished.new_procedures))


def _slot(wish: _Wish, appointment: Appointment, now: datetime) -> Slot:
    present = present_slot(appointment, now)
    return replace(present, ends_at=wish.ends_at) if wish.ends_at else present


def _lengthened(wish: _Wish, slot: Slot, added: Sequence[Procedure]) -> tuple[Slot, list[Refusal]]:
    """Return the slot with the later end, that of an encaixe where one was asked for and the doctor is not free or the
    date admits no more of the `added` procedures, and a refusal for every rule of availability that it breaks."""
    if slot.is_encaixe:
        slot = replace(slot, is_approved=slot.is_approved or wish.approved_by is not None)
    refusals = retake_violations(slot) + added_violations(slot, added)
    if slot.is_encaixe or wish.encaixe_reason is None or not {refusal.reason for refusal in refusals} & LIFTED:
        return slot, refusals
    slot = replace(slot, is_encaixe=True, is_approved=wish.approved_by is not None)
    return slot, retake_violations(slot) + added_violations(slot, added)


def _encaixe(wish: _Wish, slot: Slot, appointment: Appointment, by: Author) -> dict[str, Any] | None:
    """Return the columns that make the appointment an encaixe, or say who approved its longer time; None where they
    stay."""
    if not slot.is_encaixe or slot.ends_at <= appointment.ends_at:
        return None
    values = encaixe_values(slot, by, wish.encaixe_reason, wish.approved_by)
    if not appointment.is_encaixe:
        return values
    return {"encaixe_approved_by": values["encaixe_approved_by"]} if wish.approved_by is not None else None


def _input_refusals(wish: _Wish, wished: WishedLines, slot: Slot, by: Author) -> list[Refusal]:
    """Return a refusal for every broken rule about the wish as it was requested."""
    candidate = Candidate(
        clinic=wish.clinic,
        now=slot.now,
        doctor=wished.rows.doctor,
        patient=slot.patient,
        procedures=wished.procedures,
        performed=wished.rows.performed | wished.kept_procedures,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        discounts=[] if wished.are_stored else wished.rows.discounts,
        lines=[] if wished.are_stored else wished.complete_lines,
        shown_total=wish.shown_total,
        discount_limit=None if wish.at_day_prices else discount_limit(by),
        given_before=wished.given_before,
        encaixe_reason=wish.encaixe_reason,
    )
    return rules.input_violations(candidate, rules.CHANGE_INPUT_RULES)
