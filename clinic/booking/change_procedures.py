"""Changing procedures, discounts and length of an appointment whose doctor, patient and start stay."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from clinic.booking import lines, rules, sql, transitions
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.audit import Author, record
from clinic.booking.encaixe import TIME_FIELDS
from clinic.booking.examine import retake_violations
from clinic.booking.pricing import PricedLine, price_lines
from clinic.booking.proposal import LineRequest
from clinic.booking.rules.procedures import doctor_refusals
from clinic.booking.slots import Candidate, Slot, present_slot
from clinic.models import Appointment, AppointmentEvent, AppointmentProcedure, Clinic, Discount, Procedure
from clinic.models.appointment import Status
from clinic.refusals import Reason, Refusal
from clinic.transactions import run_in_transaction


def change_procedures(
    appointment_id: int,
    *,
    clinic: Clinic,
    lines: tuple[LineRequest, ...],
    discount: int | None = None,
    ends_at: datetime | None = None,
    shown_total: Decimal | None = None,
    seen: str | None = None,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Give a standing appointment these lines, the discount on the whole, and this end; None keeps its end.

    A line of a procedure that it already has is kept, with name and price as booked, even if the procedure is no longer
    offered. Added lines have the present price and follow the rules of a booking. Discounts are computed now, on all
    these prices; what is not changed at all is not computed anew. A later end is judged like a booking, an earlier one
    is always free. What the appointment already has writes nothing, so that a second press has no effect. `seen` is the
    `contents` that the author began from: with it, an appointment that was changed since is left as it is
    (CHANGED_MEANWHILE).

    Locks the doctor's row, the patient's, then the appointment's. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    wish = _Wish(clinic, appointment_id, lines, discount, ends_at, shown_total, seen)
    return run_in_transaction(lambda: _change(wish, by, now))


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
    shown_total: Decimal | None
    seen: str | None


class _Choice(NamedTuple):
    """A wanted line: its procedure at the price that counts, its own discount's id, and the stored line if kept."""

    procedure: Procedure | None
    discount: int | None
    kept: AppointmentProcedure | None


def _change(wish: _Wish, by: Author, now: datetime) -> Appointment:
    appointment = lock_appointment(wish.clinic, wish.appointment_id)
    refuse(change_refusals(appointment, by))
    stored = lines.load(appointment)
    rows = _load_rows(wish, appointment)
    choices = _choices(wish.lines, rows.procedures, stored)
    priced = _price(choices, rows.discounts, wish.discount)
    slot = _slot(wish, appointment, now)
    if priced and slot.ends_at == appointment.ends_at and _is_stored(priced, choices, stored):
        return appointment
    if wish.seen not in (None, contents(appointment)):
        refuse([Refusal(Reason.CHANGED_MEANWHILE)])
    refuse(_refusals(wish, choices, priced, rows, slot, appointment), slot)
    before = lines.snapshot(appointment, stored)
    if not _is_stored(priced, choices, stored):
        lines.write(appointment, stored, [(line, choice.kept) for line, choice in zip(priced, choices, strict=True)])
    return finish(appointment, slot.ends_at, before, by, now)


def finish(
    appointment: Appointment,
    ends_at: datetime,
    before: dict[str, Any],
    by: Author,
    now: datetime,
    **remarks: Any,
) -> Appointment:
    """Write the end and the event of lines that were written just now."""
    write(appointment, now, ends_at=ends_at)
    after = lines.snapshot(appointment, lines.load(appointment)) | remarks
    record(appointment, AppointmentEvent.Kind.PROCEDURES, by, now, before, after)
    return appointment


def _load_rows(wish: _Wish, appointment: Appointment) -> sql.LoadedRows:
    discounts = [*(line.discount for line in wish.lines), wish.discount]
    return sql.load_rows(
        wish.clinic,
        doctor=appointment.doctor_id,
        procedures=[line.procedure for line in wish.lines],
        discounts=[pk for pk in discounts if pk is not None],
    )


def _choices(
    requests: Sequence[LineRequest],
    procedures: Sequence[Procedure | None],
    stored: Sequence[AppointmentProcedure],
) -> list[_Choice]:
    """Return the kept lines in their stored order, then the added ones as requested."""
    remaining, kept, added = list(stored), [], []
    for wanted, procedure in zip(requests, procedures, strict=True):
        line = next((line for line in remaining if _is_of(line, wanted)), None)
        if line is None:
            added.append(_Choice(procedure, wanted.discount, None))
        else:
            remaining.remove(line)
            kept.append((line.position, _Choice(_as_booked(line), wanted.discount, line)))
    return [choice for _, choice in sorted(kept, key=lambda pair: pair[0])] + added


def _is_of(line: AppointmentProcedure, wanted: LineRequest) -> bool:
    return wanted.procedure in (line.procedure_id, line.procedure.uuid)


def _as_booked(line: AppointmentProcedure) -> Procedure:
    """Return the procedure with the name and price that the line has."""
    procedure = copy(line.procedure)
    procedure.name, procedure.price = line.procedure_name, line.price
    return procedure


def _price(
    choices: Sequence[_Choice], discounts: Sequence[Discount | None], whole_discount: int | None
) -> list[PricedLine]:
    """Return no lines as long as a procedure or a discount is unknown."""
    known = {discount.pk: discount for discount in discounts if discount}
    chosen = [
        (choice.procedure, known[choice.discount] if choice.discount is not None else None)
        for choice in choices
        if choice.procedure and (choice.discount is None or choice.discount in known)
    ]
    if len(chosen) < len(choices) or None in discounts:
        return []
    return price_lines(chosen, known[whole_discount] if whole_discount is not None else None)


def _slot(wish: _Wish, appointment: Appointment, now: datetime) -> Slot:
    present = present_slot(appointment, now)
    return replace(present, ends_at=wish.ends_at) if wish.ends_at else present


def _is_stored(
    priced: Sequence[PricedLine], choices: Sequence[_Choice], stored: Sequence[AppointmentProcedure]
) -> bool:
    """Return whether these are the stored lines, with the same discounts."""
    if [choice.kept for choice in choices] != list(stored):
        return False
    wanted = [{discount.pk for discount, _ in line.discounts} for line in priced]
    return wanted == [lines.discount_ids(line) for line in stored]


def _refusals(
    wish: _Wish,
    choices: Sequence[_Choice],
    priced: list[PricedLine],
    rows: sql.LoadedRows,
    slot: Slot,
    appointment: Appointment,
) -> list[Refusal]:
    """Return a refusal for every broken rule; of availability only for a later end that no input rule refuses."""
    kept = {choice.kept.procedure_id for choice in choices if choice.kept}
    candidate = Candidate(
        clinic=wish.clinic,
        now=slot.now,
        doctor=rows.doctor,
        patient=slot.patient,
        procedures=[choice.procedure for choice in choices],
        performed=rows.performed | kept,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        discounts=rows.discounts,
        lines=priced,
        shown_total=wish.shown_total,
    )
    refusals = rules.input_violations(candidate, rules.CHANGE_INPUT_RULES)
    if slot.ends_at > appointment.ends_at and not any(refusal.field in TIME_FIELDS for refusal in refusals):
        refusals += retake_violations(slot)
    elif any(choice.kept is None for choice in choices):
        refusals += doctor_refusals(slot.doctor.pk, rows.doctor)
    return refusals
