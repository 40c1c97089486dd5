"""Lock, ask the rules, write, record the event, and name what the database refused."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from clinic.booking import rows, rules, statuses
from clinic.booking.details import Examined, examine, tidy, tidy_metadata, tidy_notes
from clinic.booking.openings import Opening, nearest
from clinic.booking.patients import find, find_or_add
from clinic.booking.pricing import priced
from clinic.booking.refusals import BookingRefused, Reason, Refusal
from clinic.booking.rules import Case, Proposal
from clinic.models import (
    Appointment,
    AppointmentEvent,
    Clinic,
    Discount,
    Doctor,
    Procedure,
    StaffUser,
)
from clinic.models.appointment import Status

REASON_LIMIT = 200
TIME_REASONS = {
    Reason.TIME_PAST,
    Reason.OUTSIDE_HOURS,
    Reason.DOCTOR_ABSENT,
    Reason.CLINIC_CLOSED,
    Reason.HOLIDAY,
    Reason.DOCTOR_TAKEN,
    Reason.PATIENT_ELSEWHERE,
}
DEADLOCK, SERIALIZATION, LOCK_TIMEOUT = "40P01", "40001", "55P03"
# A row that was there when the rules looked: the second look names what is gone.
DELETED_MEANWHILE = "23503"
# What only one of two can get. A rule asks first; these have the last word.
RACED_FOR = {
    "appointment_doctor_free",
    "appointment_patient_in_one_place",
    "appointment_one_in_service",
    "patient_cpf_once",
    "appointment_uuid_once",
}


@dataclass(frozen=True)
class Author:
    """Who acts, and by which door: a person, or a token, key or command by its name."""

    door: str
    user: StaffUser | None = None
    credential: str = ""


def book(proposal: Proposal, *, by: Author, now: datetime | None = None) -> Appointment:
    """Write the appointment, its lines, discounts and event in one transaction.

    Locks the doctor's row, then the patient's (FOR NO KEY UPDATE). Raises BookingRefused with every broken rule and,
    when the time is at fault, the three nearest free ones. `now` is the moment to take for now; rows are dated by it.
    """
    now = now or timezone.now()
    return _transacted(lambda: _book(proposal, by, now), lambda refusals: _instead(proposal, refusals, now))


def check(proposal: Proposal, *, now: datetime | None = None) -> BookingRefused | None:
    """What `book` would raise, or None: the same rules, nothing locked, nothing written."""
    now = now or timezone.now()
    case, refusals, _ = _examined(proposal, now, lock=False)
    refusals += rules.broken(case)
    return BookingRefused(refusals, _instead(proposal, refusals, now)) if refusals else None


def reschedule(
    appointment_id: int,
    *,
    clinic: Clinic,
    doctor: int | UUID | None,
    starts_at: datetime | None,
    ends_at: datetime | None = None,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Move a standing or missed appointment, which becomes Reagendado. `ends_at` None keeps its length.

    Locks the new doctor's row, the patient's, then the appointment's. Raises BookingRefused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    target = _Move(clinic, appointment_id, doctor, starts_at, ends_at)
    return _transacted(lambda: _reschedule(target, by, now), lambda refusals: _instead_of_move(target, refusals, now))


def check_reschedule(
    appointment_id: int, *, clinic: Clinic, doctor, starts_at, ends_at=None, now: datetime | None = None
) -> BookingRefused | None:
    """What `reschedule` would raise, or None; nothing locked, nothing written."""
    now = now or timezone.now()
    target = _Move(clinic, appointment_id, doctor, starts_at, ends_at)
    appointment = Appointment.objects.of(clinic).kept().select_related("patient").get(pk=appointment_id)
    case, refusals = _move_case(target, appointment, now)
    refusals += rules.broken(case, shape=rules.SHAPE_OF_MOVE)
    return BookingRefused(refusals, _instead_of_move(target, refusals, now)) if refusals else None


def change_status(
    appointment_id: int,
    status: str,
    *,
    clinic: Clinic,
    by: Author,
    now: datetime | None = None,
    cancelled_by: str = "",
    reason: str = "",
) -> Appointment:
    """Take one of the transitions of `statuses`. `cancelled_by` and `reason` belong to Cancelado.

    Locks the doctor's row, the patient's, then the appointment's. Raises BookingRefused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()
    reason = tidy(reason)

    def work():
        appointment = _locked(clinic, appointment_id)
        _refuse(_transition_refusals(appointment, status, now) + _cancel_refusals(status, cancelled_by, reason))
        return _set_status(appointment, status, by, now, cancelled_by=cancelled_by, cancel_reason=reason)

    return _transacted(work)


def undo(
    appointment_id: int, *, clinic: Clinic, by: Author, now: datetime | None = None, seen: int | None = None
) -> Appointment:
    """Reverse the last change of status or time; with `seen`, an event's id, only if that is still the last one.

    Locks and raises like `change_status`.
    """
    now = now or timezone.now()

    def work():
        found = Appointment.objects.of(clinic).kept().get(pk=appointment_id)
        event = undoable(found)
        if event is None:
            raise BookingRefused([Refusal(Reason.NOTHING_TO_UNDO)])
        if seen is not None and seen != event.pk:
            raise BookingRefused([Refusal(Reason.CHANGED_MEANWHILE)])
        appointment = _locked(clinic, appointment_id, _doctor_before(event))
        if undoable(appointment) != event:
            raise BookingRefused([Refusal(Reason.TRY_AGAIN)])
        if event.kind == AppointmentEvent.Kind.RESCHEDULED:
            return _move_back(appointment, event.before, by, now)
        return _status_back(appointment, event.before, by, now)

    return _transacted(work)


def undoable(appointment: Appointment) -> AppointmentEvent | None:
    """The event that `undo` would reverse: the last one, if it changed status or time and was not itself an undo."""
    event = appointment.events.order_by("-pk").first()
    kinds = {AppointmentEvent.Kind.STATUS_CHANGED, AppointmentEvent.Kind.RESCHEDULED}
    return event if event and event.kind in kinds and not event.after.get("undo") else None


def annotate(
    appointment_id: int,
    *,
    clinic: Clinic,
    by: Author,
    notes: str | None = None,
    seen: str | None = None,
    metadata: dict | None = None,
    now: datetime | None = None,
) -> Appointment:
    """Replace notes or metadata; None leaves them. Locks the appointment. Raises BookingRefused, DoesNotExist.

    `seen` are the notes that the author began from: with them, what somebody else wrote since is never replaced, and
    who changed nothing replaces nothing.
    """
    now = now or timezone.now()
    notes = None if notes is None else tidy_notes(notes)
    seen = None if seen is None else tidy_notes(seen)
    metadata = tidy_metadata(metadata)
    changes = {name: value for name, value in (("notes", notes), ("metadata", metadata)) if value is not None}

    def work():
        appointment = Appointment.objects.of(clinic).kept().select_for_update(no_key=True).get(pk=appointment_id)
        if notes is not None and len(notes) > rules.NOTES_LIMIT:
            raise BookingRefused([Refusal(Reason.NOTES_TOO_LONG, {"length": len(notes), "limit": rules.NOTES_LIMIT})])
        before = {name: getattr(appointment, name) for name in changes}
        if before == changes or changes == {"notes": seen}:
            return appointment
        if notes is not None and seen is not None and seen != appointment.notes != notes:
            raise BookingRefused([Refusal(Reason.CHANGED_MEANWHILE)])
        _write(appointment, now, **changes)
        _record(appointment, AppointmentEvent.Kind.ANNOTATED, by, now, before, changes)
        return appointment

    return _transacted(work)


def next_statuses(appointment: Appointment, *, now: datetime | None = None) -> list[Status]:
    """What the appointment may become now, in the order of a visit; the buttons of every screen."""
    now = now or timezone.now()
    possible = statuses.TRANSITIONS[appointment.status]
    return [
        status for status in Status if status in possible and not list(_too_early_or_late(appointment, status, now))
    ]


def is_movable(appointment: Appointment) -> bool:
    return appointment.status in statuses.MOVABLE


# Booking ------------------------------------------------------------------------------------------------------------


def _book(proposal, by, now):
    case, refusals, examined = _examined(proposal, now, lock=True)
    refusals += rules.broken(case)
    _refuse(refusals)
    appointment = Appointment(
        uuid=proposal.uuid or uuid4(),
        clinic=proposal.clinic,
        doctor=case.doctor,
        patient=find_or_add(examined, proposal.clinic, proposal.policy) if examined else case.patient,
        starts_at=case.starts_at,
        ends_at=case.ends_at,
        source=proposal.source,
        notes=case.notes,
        metadata=tidy_metadata(proposal.metadata),
        typed_cpf=examined.typed_cpf if examined else "",
        created_by=by.user,
        created_at=now,
        updated_at=now,
    )
    event = _event(appointment, AppointmentEvent.Kind.BOOKED, by, now, {}, _snapshot(appointment))
    rows.insert(appointment, _lines(case, proposal), event)
    return appointment


def _examined(proposal, now, *, lock) -> tuple[Case, list[Refusal], Examined | None]:
    """The case with its rows loaded, doctor before patient, and what was wrong already in finding them."""
    refusals = []
    doctor = _find_doctor(proposal.clinic, proposal.doctor, refusals, lock=lock)
    patient, examined = _find_patient(proposal, now, refusals, lock=lock)
    procedures = rows.procedures(proposal.clinic, [line.procedure for line in proposal.lines], doctor)
    case = Case(
        clinic=proposal.clinic,
        now=now,
        doctor=doctor,
        patient=patient,
        procedures=procedures,
        starts_at=proposal.starts_at,
        ends_at=proposal.ends_at or _end(proposal.starts_at, procedures),
        discounts=_find_discounts(proposal),
        notes=tidy_notes(proposal.notes),
    )
    return case, refusals, examined


def _instead(proposal, refusals, now):
    """The nearest free times, when it was the time that was refused."""
    if not _time_is_at_fault(refusals):
        return []
    case, _, _ = _examined(proposal, now, lock=False)
    return _nearest(case, refusals)


def _time_is_at_fault(refusals):
    return any(refusal.reason in TIME_REASONS for refusal in refusals)


def _nearest(case, refusals):
    if not _time_is_at_fault(refusals) or case.doctor is None or not case.has_readable_time:
        return []
    moving = case.moving
    return nearest(
        case.clinic,
        doctor=case.doctor,
        minutes=(case.ends_at - case.starts_at) // timedelta(minutes=1),
        wanted=case.starts_at,
        now=case.now,
        patient=case.patient and case.patient.pk,
        ignoring=moving and moving.pk,
        besides=moving and Opening(moving.starts_at, moving.ends_at, moving.doctor_id),
    )


def _find_doctor(clinic, wanted, refusals, *, lock=False):
    if wanted is None:
        refusals.append(Refusal(Reason.DOCTOR_MISSING))
        return None
    doctor = rows.doctor(clinic, wanted, lock=lock)
    if doctor is None:
        refusals.append(Refusal(Reason.DOCTOR_UNKNOWN))
    return doctor


def _find_patient(proposal, now, refusals, *, lock):
    if proposal.patient is not None:
        patient = rows.patient(proposal.clinic, proposal.patient, lock=lock)
        if patient is None:
            refusals.append(Refusal(Reason.PATIENT_UNKNOWN))
        return patient, None
    if proposal.details is None:
        refusals.append(Refusal(Reason.PATIENT_MISSING))
        return None, None
    today = proposal.clinic.local(now).date()
    examined = examine(proposal.details, proposal.clinic, today=today, policy=proposal.policy)
    refusals += examined.refusals
    if examined.refusals:
        return None, examined
    try:
        return find(examined, proposal.clinic, proposal.policy), examined
    except BookingRefused as refused:
        refusals += refused.refusals
        return None, examined


def _find_discounts(proposal):
    """One for each line, then the one for the whole; None only where an id is unknown."""
    wanted = [*(line.discount for line in proposal.lines), proposal.discount]
    ids = {discount for discount in wanted if discount is not None}
    if not ids:
        return []
    found = Discount.objects.of(proposal.clinic).in_bulk(ids)
    return [found.get(discount) for discount in wanted if discount is not None]


def _end(starts_at, procedures):
    known = [procedure.duration_minutes for procedure in procedures if procedure]
    return _later(starts_at, timedelta(minutes=sum(known))) if known else None


def _later(instant, length):
    try:
        return instant and instant + length
    except OverflowError:
        return None


def _lines(case, proposal):
    discounts = {discount.pk: discount for discount in case.discounts}
    chosen = [
        (procedure, discounts.get(line.discount))
        for procedure, line in zip(case.procedures, proposal.lines, strict=True)
    ]
    return priced(chosen, discounts.get(proposal.discount))


# Moving ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Move:
    clinic: Clinic
    appointment_id: int
    doctor: int | UUID | None
    starts_at: datetime | None
    ends_at: datetime | None


def _reschedule(target, by, now):
    refusals = []
    doctor = _find_doctor(target.clinic, target.doctor, refusals)
    appointment = _locked(target.clinic, target.appointment_id, doctor)
    case, refusals = _move_case(target, appointment, now)
    _refuse(refusals + rules.broken(case, shape=rules.SHAPE_OF_MOVE))
    return _move(appointment, case.doctor, case.starts_at, case.ends_at, Status.RESCHEDULED, by, now)


def _move_case(target, appointment, now):
    refusals = []
    doctor = _find_doctor(target.clinic, target.doctor, refusals)
    procedures = list(appointment.lines.values_list("procedure_id", flat=True))
    performed = Exists(Doctor.procedures.through.objects.filter(doctor=doctor, procedure=OuterRef("pk")))
    ends_at = target.ends_at
    if ends_at is None:
        ends_at = _later(target.starts_at, appointment.ends_at - appointment.starts_at)
    case = Case(
        clinic=target.clinic,
        now=now,
        doctor=doctor,
        patient=appointment.patient,
        procedures=list(Procedure.objects.of(target.clinic).filter(pk__in=procedures).annotate(performed=performed)),
        starts_at=target.starts_at,
        ends_at=ends_at,
        moving=appointment,
    )
    if appointment.status not in statuses.MOVABLE:
        refusals.append(Refusal(Reason.NOT_MOVABLE, {"current": appointment.get_status_display()}))
    elif doctor and (doctor.pk, case.starts_at, case.ends_at) == (
        appointment.doctor_id,
        appointment.starts_at,
        appointment.ends_at,
    ):
        refusals.append(Refusal(Reason.NOTHING_CHANGED))
    return case, refusals


def _instead_of_move(target, refusals, now):
    if not _time_is_at_fault(refusals):
        return []
    appointment = Appointment.objects.of(target.clinic).kept().select_related("patient").get(pk=target.appointment_id)
    case, _ = _move_case(target, appointment, now)
    return _nearest(case, refusals)


def _move_back(appointment, before, by, now):
    """Undoing asks only whether the time is still free: it may have begun meanwhile, or have been missed."""
    refusals = []
    doctor = _find_doctor(appointment.clinic, before["doctor"], refusals)
    _refuse(refusals)
    starts_at, ends_at = (datetime.fromisoformat(before[name]) for name in ("starts_at", "ends_at"))
    if before["status"] not in statuses.FREES_THE_TIME:
        case = _standing_case(appointment, now)
        _refuse(rules.free(replace(case, doctor=doctor, starts_at=starts_at, ends_at=ends_at)))
    return _move(appointment, doctor, starts_at, ends_at, before["status"], by, now, undo=True)


def _doctor_before(event):
    return Doctor.objects.filter(pk=event.before.get("doctor")).first()


def _move(appointment, doctor, starts_at, ends_at, status, by, now, **remark):
    before = _snapshot(appointment)
    _write(appointment, now, doctor=doctor, starts_at=starts_at, ends_at=ends_at, status=status)
    _record(appointment, AppointmentEvent.Kind.RESCHEDULED, by, now, before, _snapshot(appointment) | remark)
    return appointment


# Statuses -------------------------------------------------------------------------------------------------------------


def _transition_refusals(appointment, wanted, now):
    if wanted not in statuses.TRANSITIONS[appointment.status]:
        labels = dict(Status.choices)
        params = {"current": appointment.get_status_display(), "wanted": labels.get(wanted, wanted)}
        return [Refusal(Reason.TRANSITION_FORBIDDEN, params)]
    refusals = list(_too_early_or_late(appointment, wanted, now))
    if statuses.takes_time_again(appointment.status, wanted):
        refusals += rules.free(_standing_case(appointment, now))
    if wanted == Status.IN_SERVICE and _other_in_service(appointment):
        refusals.append(Refusal(Reason.ANOTHER_IN_SERVICE, {"doctor": appointment.doctor.name}))
    return refusals


def _too_early_or_late(appointment, wanted, now):
    local = appointment.clinic.local
    if wanted == Status.NO_SHOW and appointment.starts_at > now:
        yield Refusal(Reason.NOT_YET_BEGUN, {"time": f"{local(appointment.starts_at):%H:%M}"})
    if appointment.status == Status.FINISHED and local(appointment.starts_at).date() != local(now).date():
        yield Refusal(Reason.UNDO_TOO_LATE)


def _cancel_refusals(status, cancelled_by, reason):
    if status != Status.CANCELLED:
        return []
    refusals = []
    if cancelled_by not in Appointment.CancelledBy.values:
        refusals.append(Refusal(Reason.CANCELLED_BY_MISSING))
    if len(reason) > REASON_LIMIT:
        refusals.append(Refusal(Reason.CANCEL_REASON_TOO_LONG, {"length": len(reason), "limit": REASON_LIMIT}))
    return refusals


def _standing_case(appointment, now):
    return Case(
        clinic=appointment.clinic,
        now=now,
        doctor=appointment.doctor,
        patient=appointment.patient,
        procedures=[],
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        moving=appointment,
    )


def _status_back(appointment, before, by, now):
    wanted = before["status"]
    if wanted not in statuses.TRANSITIONS[appointment.status]:
        wanted = Status.SCHEDULED
    _refuse(_transition_refusals(appointment, wanted, now))
    cancelled_by, reason = before.get("cancelled_by", ""), before.get("reason", "")
    return _set_status(appointment, wanted, by, now, cancelled_by=cancelled_by, cancel_reason=reason, undo=True)


def _other_in_service(appointment):
    others = Appointment.objects.of(appointment.clinic).kept().filter(doctor=appointment.doctor)
    return others.filter(status=Status.IN_SERVICE).exclude(pk=appointment.pk).exists()


def _set_status(appointment, status, by, now, *, cancelled_by, cancel_reason, **remark):
    before = {"status": appointment.status}
    if appointment.status == Status.CANCELLED:
        before |= {"cancelled_by": appointment.cancelled_by, "reason": appointment.cancel_reason}
    after = {"status": status} | remark
    if status == Status.CANCELLED:
        after |= {"cancelled_by": cancelled_by, "reason": cancel_reason}
    else:
        cancelled_by = cancel_reason = ""
    _write(appointment, now, status=status, cancelled_by=cancelled_by, cancel_reason=cancel_reason)
    _record(appointment, AppointmentEvent.Kind.STATUS_CHANGED, by, now, before, after)
    return appointment


# The database ---------------------------------------------------------------------------------------------------------


def _locked(clinic, appointment_id, *other_doctors):
    """The appointment with its own row locked, and before it the doctors', in order of id, and the patient's."""
    kept = Appointment.objects.of(clinic).kept()
    doctor, patient = kept.values_list("doctor", "patient").get(pk=appointment_id)
    rows.hold({doctor} | {other.pk for other in other_doctors if other}, patient)
    related = kept.select_related("clinic", "doctor", "patient").defer("patient__phone")
    return related.select_for_update(no_key=True, of=("self",)).get(pk=appointment_id)


def _write(appointment, now, **values):
    for name, value in values.items():
        setattr(appointment, name, value)
    appointment.updated_at = now
    appointment.save(update_fields=[*values, "updated_at"])


def _record(appointment, kind, by, now, before, after):
    _event(appointment, kind, by, now, before, after).save()


def _event(appointment, kind, by, now, before, after):
    return AppointmentEvent(
        clinic=appointment.clinic,
        appointment=appointment,
        kind=kind,
        at=now,
        door=by.door,
        user=by.user,
        credential=by.credential,
        before=before,
        after=after,
    )


def _snapshot(appointment):
    return {
        "doctor": appointment.doctor_id,
        "doctor_name": appointment.doctor.name,
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "status": appointment.status,
    }


def _refuse(refusals):
    if refusals:
        raise BookingRefused(refusals)


def _transacted(work, alternatives=lambda refusals: ()):
    """Run `work` in one transaction; once more when PostgreSQL refuses it for what somebody else did meanwhile.

    The second time the rules see what the other one wrote and name it, so that the last word of a constraint and the
    first word of a rule are the same sentence.
    """
    try:
        try:
            return _once(work)
        except (IntegrityError, OperationalError) as error:
            if not _lost_a_race(error):
                raise
            return _once(work)
    except BookingRefused as refused:
        raise BookingRefused(refused.refusals, alternatives(refused.refusals)) from refused
    except (IntegrityError, OperationalError) as error:
        if not _lost_a_race(error) and error.__cause__.sqlstate != LOCK_TIMEOUT:
            raise
        raise BookingRefused([Refusal(Reason.TRY_AGAIN)]) from error


def _lost_a_race(error):
    cause = error.__cause__
    return cause.sqlstate in {DEADLOCK, SERIALIZATION, DELETED_MEANWHILE} or cause.diag.constraint_name in RACED_FOR


def _once(work):
    with transaction.atomic():
        return work()
