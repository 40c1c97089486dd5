"""Changing procedures, discounts and length of an appointment whose doctor, patient and start stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from clinic.booking import lines, rules, sql, transitions
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.alternatives import BookingRefused
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
    by: Author,
    now: datetime | None = None,
) -> CheckedChange:
    """Return what `change_procedures` would store and raise; nothing locked, nothing written, no total compared.

    Raises Appointment.DoesNotExist.
    """
    kept = Appointment.objects.of(clinic).kept().select_related("clinic", "doctor", "patient")
    appointment = kept.get(pk=appointment_id)
    examined = _examine(_Wish(clinic, appointment_id, lines, discount, ends_at), appointment, now or timezone.now())
    refusals = change_refusals(appointment, by) or examined.refusals
    refused = BookingRefused(refusals, examined.slot) if refusals else None
    return CheckedChange([examined.priced.get(number) for number in range(len(lines))], refused)


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


class _Choice(NamedTuple):
    """A wanted line: its number in the request, its procedure at the price that counts, its own discount's id, and the
    stored line if kept."""

    number: int
    procedure: Procedure | None
    discount: int | None
    kept: AppointmentProcedure | None


class _Examined(NamedTuple):
    """A wish beside what is stored; `priced` are its known lines by their numbers in the request."""

    stored: list[AppointmentProcedure]
    choices: list[_Choice]
    priced: dict[int, PricedLine]
    keeps_lines: bool
    slot: Slot
    refusals: list[Refusal]


def _change(wish: _Wish, by: Author, now: datetime) -> Appointment:
    appointment = lock_appointment(wish.clinic, wish.appointment_id)
    refuse(change_refusals(appointment, by))
    examined = _examine(wish, appointment, now)
    if examined.keeps_lines and examined.slot.ends_at == appointment.ends_at:
        return appointment
    if wish.seen not in (None, contents(appointment)):
        refuse([Refusal(Reason.CHANGED_MEANWHILE)])
    refuse(examined.refusals, examined.slot)
    before = lines.snapshot(appointment, examined.stored)
    if not examined.keeps_lines:
        wanted = [(examined.priced[choice.number], choice.kept) for choice in examined.choices]
        lines.write(appointment, examined.stored, wanted)
    return finish(appointment, examined.slot.ends_at, before, by, now)


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


def _examine(wish: _Wish, appointment: Appointment, now: datetime) -> _Examined:
    """Price the wish and ask the rules about it; that of the status has been asked."""
    stored = lines.load(appointment)
    rows = _load_rows(wish, appointment)
    known = {discount.pk: discount for discount in rows.discounts if discount}
    choices = _choices(wish.lines, rows.procedures, stored)
    keeps_lines = _are_stored(choices, wish.discount, stored)
    priced = _as_stored(choices, known) if keeps_lines else _price(choices, known, wish.discount)
    slot = _slot(wish, appointment, now)
    refusals = _refusals(wish, choices, priced, rows, slot, appointment)
    return _Examined(stored, choices, priced, keeps_lines, slot, refusals)


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
    for number, (wanted, procedure) in enumerate(zip(requests, procedures, strict=True)):
        line = next((line for line in remaining if _is_of(line, wanted)), None)
        if line is None:
            added.append(_Choice(number, procedure, wanted.discount, None))
        else:
            remaining.remove(line)
            kept.append((line.position, _Choice(number, lines.as_booked(line), wanted.discount, line)))
    return [choice for _, choice in sorted(kept, key=lambda pair: pair[0])] + added


def _is_of(line: AppointmentProcedure, wanted: LineRequest) -> bool:
    return wanted.procedure in (line.procedure_id, line.procedure.uuid)


def _are_stored(choices: Sequence[_Choice], whole: int | None, stored: Sequence[AppointmentProcedure]) -> bool:
    """Return whether these are the stored lines, with the same discounts."""
    if not choices or [choice.kept for choice in choices] != list(stored):
        return False
    wanted = [{choice.discount, whole} - {None} for choice in choices]
    return wanted == [lines.discount_ids(line) for line in stored]


def _as_stored(choices: Sequence[_Choice], known: Mapping[int, Discount]) -> dict[int, PricedLine]:
    """Return the kept lines with the amounts as booked."""
    return {
        choice.number: PricedLine(
            procedure,
            procedure.price,
            tuple((known[applied.discount_id], applied.value) for applied in choice.kept.discounts.all()),
        )
        for choice in choices
        if (procedure := choice.procedure) and choice.kept
    }


def _price(choices: Sequence[_Choice], known: Mapping[int, Discount], whole: int | None) -> dict[int, PricedLine]:
    """Return the lines whose procedure is known, by their numbers, without the discounts that are unknown."""
    of_known = [(choice, choice.procedure) for choice in choices if choice.procedure]
    priced = price_lines(
        [(procedure, known.get(choice.discount or 0)) for choice, procedure in of_known], known.get(whole or 0)
    )
    return {choice.number: line for (choice, _), line in zip(of_known, priced, strict=True)}


def _slot(wish: _Wish, appointment: Appointment, now: datetime) -> Slot:
    present = present_slot(appointment, now)
    return replace(present, ends_at=wish.ends_at) if wish.ends_at else present


def _refusals(
    wish: _Wish,
    choices: Sequence[_Choice],
    priced: Mapping[int, PricedLine],
    rows: sql.LoadedRows,
    slot: Slot,
    appointment: Appointment,
) -> list[Refusal]:
    """Return a refusal for every broken rule; of availability only for a later end that no input rule refuses."""
    kept = {choice.kept.procedure_id for choice in choices if choice.kept}
    is_whole = len(priced) == len(choices) and None not in rows.discounts
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
        lines=[priced[choice.number] for choice in choices] if is_whole else [],
        shown_total=wish.shown_total,
    )
    refusals = rules.input_violations(candidate, rules.CHANGE_INPUT_RULES)
    if slot.ends_at > appointment.ends_at and not any(refusal.field in TIME_FIELDS for refusal in refusals):
        refusals += retake_violations(slot)
    elif any(choice.kept is None for choice in choices):
        refusals += doctor_refusals(slot.doctor.pk, rows.doctor)
    return refusals
