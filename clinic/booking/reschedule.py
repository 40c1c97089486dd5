"""Moving an appointment to another time, another doctor, or both."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from clinic.booking import rules, sql, transitions
from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.alternatives import BookingRefused
from clinic.booking.audit import Author, record, snapshot
from clinic.booking.rules import Case, later
from clinic.booking.sql import DoctorKey
from clinic.models import AppliedDiscount, Appointment, AppointmentEvent, Clinic, Discount, Doctor, Procedure
from clinic.models.appointment import Status
from clinic.models.procedure import performed_by
from clinic.refusals import Reason, Refusal
from clinic.transactions import run_in_transaction


def reschedule(
    appointment_id: int,
    *,
    clinic: Clinic,
    doctor: DoctorKey | None,
    starts_at: datetime | None,
    ends_at: datetime | None = None,
    without_expired: bool = False,
    seen: str | None = None,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Move a standing or missed appointment, which becomes Remarcado. `ends_at` None keeps its length.

    A discount that is not valid on the new day is refused, or with `without_expired` taken off: no price changes in
    silence. The event names it, and undoing the move gives it back if it still exists. `seen` is the `place`
    that the author began from: with it, an appointment that was moved since is not moved again (CHANGED_MEANWHILE).

    Locks the new doctor's row, the patient's, then the appointment's. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    target = _Target(clinic, appointment_id, doctor, starts_at, ends_at, without_expired, seen)
    return run_in_transaction(lambda: _reschedule(target, by, now))


def check_reschedule(
    appointment_id: int,
    *,
    clinic: Clinic,
    doctor: DoctorKey | None,
    starts_at: datetime | None,
    ends_at: datetime | None = None,
    without_expired: bool = False,
    now: datetime | None = None,
) -> BookingRefused | None:
    """What `reschedule` would raise, or None; nothing locked, nothing written."""
    now = now or timezone.now()
    target = _Target(clinic, appointment_id, doctor, starts_at, ends_at, without_expired)
    case, refusals = _case(target, _found(target), now)
    refusals += rules.broken(case, shape=rules.SHAPE_OF_MOVE)
    return BookingRefused(refusals, case) if refusals else None


def place(appointment: Appointment) -> str:
    """Where it stands: doctor and start, only to be compared."""
    return f"{appointment.doctor_id}|{appointment.starts_at.isoformat()}"


def is_movable(appointment: Appointment) -> bool:
    return appointment.status in transitions.MOVABLE


def move(
    appointment: Appointment,
    doctor: Doctor,
    starts_at: datetime,
    ends_at: datetime,
    status: str,
    by: Author,
    now: datetime,
    **remark,
) -> Appointment:
    """Write it and its event, whose `after` also holds the remark. Whether it may be was asked before."""
    before = snapshot(appointment)
    place = {"doctor": doctor, "doctor_name": doctor.name, "starts_at": starts_at, "ends_at": ends_at}
    write(appointment, now, status=status, status_since=now, **place)
    record(appointment, AppointmentEvent.Kind.RESCHEDULED, by, now, before, snapshot(appointment) | remark)
    return appointment


@dataclass(frozen=True)
class _Target:
    clinic: Clinic
    appointment_id: int
    doctor: DoctorKey | None
    starts_at: datetime | None
    ends_at: datetime | None
    without_expired: bool
    seen: str | None = None


def _reschedule(target, by, now):
    doctor = sql.found(target.clinic, doctor=target.doctor).doctor
    appointment = lock_appointment(target.clinic, target.appointment_id, doctor)
    case, refusals = _case(target, appointment, now)
    refuse(refusals + rules.broken(case, shape=rules.SHAPE_OF_MOVE), case)
    remark = _taken_off(appointment, case) if target.without_expired else {}
    return move(appointment, case.doctor, case.starts_at, case.ends_at, Status.RESCHEDULED, by, now, **remark)


def _taken_off(appointment, case):
    """Delete the discounts that are not valid on the new day; what the event says of it, to undo it by."""
    applied = list(_applied(appointment).select_related("discount"))
    expired = rules.expired_discounts(replace(case, discounts=[each.discount for each in applied]))
    off = [each for each in applied if each.discount in expired]
    rows_off = [
        {"line": each.line_id, "discount": each.discount_id, "name": each.discount_name, "value": str(each.value)}
        for each in off
    ]
    _applied(appointment).filter(pk__in=[each.pk for each in off]).delete()
    return {"discounts_off": rows_off} if rows_off else {}


def give_back(appointment: Appointment, after: dict) -> dict:
    """Apply again the discounts that a move took off, as its event says; what the event of the undoing says of those
    that no longer exist. One deleted at this very moment ends the transaction, as a lost race."""
    taken_off = after.get("discounts_off", [])
    ids = {off["discount"] for off in taken_off}
    existing = set(Discount.objects.of(appointment.clinic).filter(pk__in=ids).values_list("pk", flat=True))
    AppliedDiscount.objects.bulk_create(
        AppliedDiscount(
            clinic=appointment.clinic,
            line_id=off["line"],
            discount_id=off["discount"],
            discount_name=off["name"],
            value=Decimal(off["value"]),
        )
        for off in taken_off
        if off["discount"] in existing
    )
    gone = [off["name"] for off in taken_off if off["discount"] not in existing]
    return {"discounts_gone": list(dict.fromkeys(gone))} if gone else {}


def _applied(appointment):
    return AppliedDiscount.objects.of(appointment.clinic).filter(line__appointment=appointment)


def _found(target):
    kept = Appointment.objects.of(target.clinic).kept().select_related("clinic", "patient")
    return kept.get(pk=target.appointment_id)


def _case(target, appointment, now):
    doctor = sql.found(target.clinic, doctor=target.doctor).doctor
    procedures = appointment.lines.values_list("procedure_id", flat=True)
    applied = _applied(appointment).select_related("discount")
    ends_at = target.ends_at
    if ends_at is None:
        ends_at = later(target.starts_at, appointment.ends_at - appointment.starts_at)
    case = Case(
        clinic=target.clinic,
        now=now,
        doctor=doctor,
        patient=appointment.patient,
        procedures=list(
            Procedure.objects.of(target.clinic).filter(pk__in=procedures).annotate(performed=performed_by(doctor))
        ),
        starts_at=target.starts_at,
        ends_at=ends_at,
        discounts=[] if target.without_expired else [each.discount for each in applied],
        moving=appointment,
    )
    return case, rules.doctor_refusals(target.doctor, doctor) + _refusals(case, target.seen)


def _refusals(case, seen):
    appointment = case.moving
    if not is_movable(appointment):
        return [Refusal(Reason.NOT_MOVABLE, {"current": appointment.get_status_display()})]
    stands = appointment.doctor_id, appointment.starts_at, appointment.ends_at
    if case.doctor and stands == (case.doctor.pk, case.starts_at, case.ends_at):
        return [Refusal(Reason.NOTHING_CHANGED)]
    return [] if seen in (None, place(appointment)) else [Refusal(Reason.CHANGED_MEANWHILE)]
