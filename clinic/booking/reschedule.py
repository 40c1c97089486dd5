"""Moving an appointment to another time, another doctor, or both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import QuerySet, Sum
from django.utils import timezone

from clinic.booking import lines, sql, transitions
from clinic.booking.acts import load, lock_appointment, write_with_event
from clinic.booking.alternatives import BookingRefused
from clinic.booking.audit import event, snapshot
from clinic.booking.change_procedures import contents
from clinic.booking.encaixe import encaixe_values, permission_refusals
from clinic.booking.examine import require_slot
from clinic.booking.paid_visits import paid_visit_refusals
from clinic.booking.proposal import DoctorKey, LineRequest, end_after
from clinic.booking.recalls import follow_recalls
from clinic.booking.rules import MOVE_INPUT_RULES, MOVE_WITH_LINES_INPUT_RULES
from clinic.booking.rules.prices import discount_limit, expired_discounts
from clinic.booking.rules.procedures import doctor_refusals
from clinic.booking.slots import Candidate, Slot, local_date
from clinic.booking.wished_lines import WishedLines, load_wished
from clinic.models import AppliedDiscount, Appointment, AppointmentEvent, Clinic, Discount, Doctor, Procedure
from clinic.models.appointment import Status
from clinic.models.procedure import performed_by
from clinic.refusals import Reason, Refusal
from clinic.registry import Author
from clinic.transactions import run_in_transaction


@dataclass(frozen=True)
class LinesWish:
    """The lines that an appointment is to have where it is moved to, the id of the discount on the whole, and the total
    that the author has seen; None where none was shown. `seen` is the `contents` that the author began from: with it,
    lines that were changed since are not replaced (CHANGED_MEANWHILE)."""

    lines: tuple[LineRequest, ...]
    discount: int | None = None
    shown_total: Decimal | None = None
    seen: str | None = None


class LinesChanged(NamedTuple):
    """The lines of an appointment before and after a change, as an event keeps them."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]


def reschedule(
    appointment_id: int,
    *,
    clinic: Clinic,
    doctor: DoctorKey | None,
    starts_at: datetime | None,
    ends_at: datetime | None = None,
    without_expired: bool = False,
    encaixe_reason: str | None = None,
    approved_by: int | None = None,
    lines: LinesWish | None = None,
    seen: str | None = None,
    in_full: bool = False,
    with_notice: bool = False,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Move a standing or missed appointment, which becomes Remarcado. `ends_at` None keeps its length.

    With `lines` it gets other procedures in the same act, all of which the doctor it is moved to performs: kept ones
    have their price as booked, and the discounts are those of `lines`. One event names both, and undoing it takes both
    back.

    A discount that is not valid on the new day is refused, or with `without_expired` removed: no price changes
    silently. The event names it, and undoing the move restores it if it still exists. `seen` is the `place` that the
    author began from: with it, an appointment that was moved since is not moved again (CHANGED_MEANWHILE). With
    `encaixe_reason` it becomes an encaixe where the doctor is not free; without it an encaixe becomes an ordinary one.
    `approved_by`, `in_full` and `with_notice` are those of a Proposal.

    Locks the new doctor's row, the patient's, then the appointment's, and then that of a payer that pays for a number
    of visits a day; for an encaixe then shares the user's and the approver's. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    wish = clinic, appointment_id, doctor, starts_at, ends_at, without_expired, encaixe_reason, approved_by
    target = _Target(*wish, lines, seen, in_full, with_notice)
    return run_in_transaction(lambda: _reschedule(target, by, now))


def check_reschedule(
    appointment_id: int,
    *,
    clinic: Clinic,
    doctor: DoctorKey | None,
    starts_at: datetime | None,
    ends_at: datetime | None = None,
    without_expired: bool = False,
    encaixe_reason: str | None = None,
    approved_by: int | None = None,
    lines: LinesWish | None = None,
    in_full: bool = False,
    with_notice: bool = False,
    now: datetime | None = None,
) -> BookingRefused | None:
    """Return what `reschedule` would raise, or None; nothing locked, nothing written, no permission asked."""
    wish = clinic, appointment_id, doctor, starts_at, ends_at, without_expired, encaixe_reason, approved_by
    target = _Target(*wish, lines, None, in_full, with_notice)
    try:
        _require_slot(target, load(clinic, appointment_id), now or timezone.now())
    except BookingRefused as refused:
        return refused
    return None


def place(appointment: Appointment) -> str:
    """Return the doctor's id and the start of an appointment as a page shows them, to be compared with what was seen:
    `12|2026-11-23|09:05`, by the clinic's clock. static/js/day/acts.js puts the same together."""
    return f"{appointment.doctor_id}|{appointment.clinic.local(appointment.starts_at):%Y-%m-%d|%H:%M}"


def is_movable(appointment: Appointment) -> bool:
    """Return whether an appointment of this status can be moved."""
    return appointment.status in transitions.MOVABLE


def move(
    appointment: Appointment,
    doctor: Doctor,
    starts_at: datetime,
    ends_at: datetime,
    status: str,
    by: Author,
    now: datetime,
    *,
    encaixe: dict[str, Any],
    undo: bool = False,
    procedures: LinesChanged | None = None,
    discounts_off: Sequence[dict[str, Any]] = (),
    discounts_gone: Sequence[str] = (),
) -> Appointment:
    """Write the new place and its event; the rules were asked before. `encaixe` are those columns of the appointment.

    With `procedures` both sides of the event hold the lines too. The event's `after` also holds `undo`, the discounts
    that the move removes, and the names of those that undoing it could not restore, where there are any.
    """
    before, status_before = snapshot(appointment), appointment.status
    values = {
        "doctor": doctor,
        "doctor_name": doctor.full_name,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "status": status,
        "status_since": now,
        **encaixe,
    }
    for name, value in values.items():
        setattr(appointment, name, value)
    remarks = {"undo": undo, "discounts_off": list(discounts_off), "discounts_gone": list(discounts_gone)}
    after = snapshot(appointment) | {name: value for name, value in remarks.items() if value}
    if procedures:
        before, after = before | {"lines": procedures.before}, after | {"lines": procedures.after}
    moved = event(appointment, AppointmentEvent.Kind.RESCHEDULED, by, now, before, after)
    write_with_event(appointment, moved, now, *values)
    follow_recalls(appointment, status_before, by, now)
    return appointment


@dataclass(frozen=True)
class _Target:
    clinic: Clinic
    appointment_id: int
    doctor: DoctorKey | None
    starts_at: datetime | None
    ends_at: datetime | None
    without_expired: bool
    encaixe_reason: str | None = None
    approved_by: int | None = None
    lines: LinesWish | None = None
    seen: str | None = None
    in_full: bool = False
    with_notice: bool = False


def _reschedule(target: _Target, by: Author, now: datetime) -> Appointment:
    appointment = lock_appointment(target.clinic, target.appointment_id, target.doctor)
    slot, wished = _require_slot(target, appointment, now, by)
    remarks: dict[str, Any] = {}
    if wished:
        remarks["procedures"] = _write_lines(wished, appointment)
    elif target.without_expired:
        remarks["discounts_off"] = _remove_expired_discounts(appointment, slot)
    new_place = slot.doctor, slot.starts_at, slot.ends_at
    encaixe = encaixe_values(slot, by, target.encaixe_reason, target.approved_by)
    return move(appointment, *new_place, Status.RESCHEDULED, by, now, encaixe=encaixe, **remarks)


def _write_lines(wished: WishedLines, appointment: Appointment) -> LinesChanged | None:
    """Store the lines and return them as they were and are; None if they were stored already."""
    if wished.are_stored:
        return None
    before = lines.line_snapshots(wished.stored)
    wished.write(appointment)
    return LinesChanged(before, lines.line_snapshots(lines.load(appointment)))


def _remove_expired_discounts(appointment: Appointment, slot: Slot) -> list[dict[str, Any]]:
    """Delete the discounts that are not valid on the new day; return what the event keeps of them, to undo it by."""
    applied = list(_applied_discounts(appointment).select_related("discount"))
    expired = expired_discounts([row.discount for row in applied], slot.local_date)
    removed = [row for row in applied if row.discount in expired]
    _applied_discounts(appointment).filter(pk__in=[row.pk for row in removed]).delete()
    return [
        {"line": row.line_id, "discount": row.discount_id, "name": row.discount_name, "value": str(row.value)}
        for row in removed
    ]


def restore_discounts(appointment: Appointment, removed: Sequence[dict[str, Any]]) -> list[str]:
    """Apply again the discounts that a move removed, as its event says; return the names of those that no longer exist.

    A discount that is deleted at this very moment ends the transaction, like a conflict."""
    ids = {row["discount"] for row in removed}
    existing = set(Discount.objects.of(appointment.clinic).filter(pk__in=ids).values_list("pk", flat=True))
    AppliedDiscount.objects.bulk_create(
        AppliedDiscount(
            clinic=appointment.clinic,
            line_id=row["line"],
            discount_id=row["discount"],
            discount_name=row["name"],
            value=Decimal(row["value"]),
        )
        for row in removed
        if row["discount"] in existing
    )
    return list(dict.fromkeys(row["name"] for row in removed if row["discount"] not in existing))


def _applied_discounts(appointment: Appointment) -> QuerySet[AppliedDiscount]:
    return AppliedDiscount.objects.of(appointment.clinic).filter(line__appointment=appointment)


class _Examined(NamedTuple):
    """The slot to move to, and the lines to be written there; None where they stay."""

    slot: Slot
    wished: WishedLines | None


def _require_slot(target: _Target, appointment: Appointment, now: datetime, by: Author | None = None) -> _Examined:
    """Return what to write; the permission for an encaixe is asked of the author `by`. Raises BookingRefused."""
    candidate, wished = _candidate(target, appointment, now)
    candidate = replace(candidate, discount_limit=discount_limit(by))
    refusals = doctor_refusals(target.doctor, candidate.doctor) + _move_refusals(candidate, appointment, target)
    refusals += _payer_refusals(candidate, appointment, lock=by is not None)
    if (
        by
        and target.encaixe_reason is not None
        and (not_permitted := permission_refusals(target.clinic, by, target.approved_by))
    ):
        candidate, refusals = replace(candidate, encaixe_reason=None), not_permitted + refusals
    input_rules = MOVE_WITH_LINES_INPUT_RULES if target.lines else MOVE_INPUT_RULES
    return _Examined(require_slot(candidate, refusals, input_rules=input_rules), wished)


def _candidate(target: _Target, appointment: Appointment, now: datetime) -> tuple[Candidate, WishedLines | None]:
    ends_at = target.ends_at
    if ends_at is None:
        ends_at = end_after(target.starts_at, appointment.ends_at - appointment.starts_at)
    place = Candidate(
        clinic=target.clinic,
        now=now,
        doctor=None,
        patient=appointment.patient,
        procedures=[],
        performed=frozenset(),
        starts_at=target.starts_at,
        ends_at=ends_at,
        moving=appointment,
        encaixe_reason=target.encaixe_reason,
        is_approved=target.approved_by is not None,
        with_notice=target.with_notice,
    )
    if target.lines:
        wished = load_wished(
            appointment,
            target.lines.lines,
            target.lines.discount,
            doctor=target.doctor,
            starts_at=target.starts_at,
        )
        return _with_wished_lines(place, wished, target.lines), wished
    return _with_stored_lines(place, target, appointment), None


def _with_stored_lines(place: Candidate, target: _Target, appointment: Appointment) -> Candidate:
    rows = sql.load_rows_of(appointment, target.doctor)
    return replace(
        place,
        doctor=rows.doctor,
        procedures=rows.procedures,
        performed=rows.performed,
        discounts=[] if target.without_expired else rows.discounts,
        duration=_duration(appointment) if target.in_full and target.clinic.requires_duration else None,
    )


def _duration(appointment: Appointment) -> timedelta:
    """Return how long the procedures take by now; a procedure that was booked twice counts twice."""
    minutes = appointment.lines.aggregate(total=Sum("procedure__duration_minutes"))["total"]
    return timedelta(minutes=minutes or 0)


def _with_wished_lines(place: Candidate, wished: WishedLines, wish: LinesWish) -> Candidate:
    doctor = wished.rows.doctor
    # A kept procedure may no longer be offered.
    kept = Procedure.objects.of(place.clinic).filter(performed_by(doctor), pk__in=wished.kept_procedures)
    return replace(
        place,
        doctor=doctor,
        procedures=wished.procedures,
        performed=wished.rows.performed | frozenset(kept.values_list("pk", flat=True)),
        discounts=wished.rows.discounts,
        lines=wished.complete_lines,
        shown_total=wish.shown_total,
        given_before=wished.given_before,
    )


def _move_refusals(candidate: Candidate, appointment: Appointment, target: _Target) -> list[Refusal]:
    if not is_movable(appointment):
        return [Refusal(Reason.NOT_MOVABLE, {"current": appointment.get_status_display()})]
    if _is_where_it_is(candidate, appointment, target):
        return [Refusal(Reason.NOTHING_CHANGED)]
    is_seen = target.seen in (None, place(appointment))
    if target.lines and target.lines.seen not in (None, contents(appointment)):
        is_seen = False
    return [] if is_seen else [Refusal(Reason.CHANGED_MEANWHILE)]


def _payer_refusals(candidate: Candidate, appointment: Appointment, *, lock: bool) -> list[Refusal]:
    """Return why who pays for the appointment does not where it is moved to: another doctor, or another local date."""
    doctor, starts_at = candidate.doctor, candidate.starts_at
    if appointment.payer_id is None or doctor is None or starts_at is None:
        return []
    days = [local_date(candidate.clinic, instant) for instant in (starts_at, appointment.starts_at)]
    if doctor.pk == appointment.doctor_id and days[0] == days[1]:
        return []
    place = doctor, starts_at
    return paid_visit_refusals(candidate.clinic, appointment.payer, *place, besides=appointment.pk, lock=lock)


def _is_where_it_is(candidate: Candidate, appointment: Appointment, target: _Target) -> bool:
    """Return whether nothing is moved. With other procedures the end follows from them: that alone is no move."""
    if candidate.doctor is None:
        return False
    present = appointment.doctor_id, appointment.starts_at, appointment.ends_at
    ends_at = appointment.ends_at if target.lines else candidate.ends_at
    return present == (candidate.doctor.pk, candidate.starts_at, ends_at)
