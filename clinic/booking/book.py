"""Booking: from a proposal to an appointment, or to every reason why not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, cast
from uuid import uuid4

from django.utils import timezone

from clinic.booking import sql
from clinic.booking.alternatives import BookingRefused
from clinic.booking.audit import event, payer_snapshot, snapshot
from clinic.booking.encaixe import encaixe_values, permission_refusals
from clinic.booking.examine import require_slot
from clinic.booking.paid_visits import paid_visit_refusals
from clinic.booking.payer import CleanedPayer, clean_payer
from clinic.booking.pricing import PricedLine, price_lines
from clinic.booking.proposal import Proposal, end_after
from clinic.booking.returns import PaidBefore, paid_before
from clinic.booking.rules.prices import discount_limit
from clinic.booking.rules.procedures import doctor_refusals
from clinic.booking.slots import Candidate, Slot, local_date
from clinic.booking.sql import LoadedRows
from clinic.models import Appointment, AppointmentEvent, Patient, Procedure
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author, keep_plan
from clinic.registry.patient_details import (
    CleanedDetails,
    clean_details,
    tidy_notes,
    unstorable_metadata,
)
from clinic.registry.patients import create_or_complete, first_search, match_patient
from clinic.registry.unverified import unverified_details
from clinic.transactions import run_in_transaction

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class HasPricedLines(TypedDict):
    """The attribute that an appointment has when `book` returns it."""

    priced_lines: list[PricedLine]


type BookedAppointment = WithAnnotations[Appointment, HasPricedLines]


def book(proposal: Proposal, *, by: Author, now: datetime | None = None) -> "BookedAppointment":
    """Write the appointment, its lines, discounts and event in one transaction; it comes back with `priced_lines`.

    Locks the doctor's row, then the patient's, then that of a payer that pays for a number of visits a day (FOR NO KEY
    UPDATE); for an encaixe then shares the user's and the
    approver's (FOR SHARE).
    Raises Refused with every broken rule and, when the time is at fault, the three nearest free ones. `now` is the
    moment to take for now; rows are dated by it.
    """
    now = now or timezone.now()
    return run_in_transaction(lambda: _book(proposal, by, now))


def check(proposal: Proposal, *, by: Author | None = None, now: datetime | None = None) -> BookingRefused | None:
    """Return what `book` would raise, or None: the same rules, nothing locked, nothing written; of the author `by` only
    the limit of discounts is asked."""
    try:
        wanted_slot(proposal, by=by, now=now or timezone.now())
    except BookingRefused as refused:
        return refused
    return None


def wanted_slot(proposal: Proposal, *, by: Author | None = None, now: datetime) -> Slot:
    """Return the slot that `book` would take. Raises BookingRefused like it; nothing locked, nothing written."""
    candidate, _, _, refusals = _load_candidate(proposal, now, by, lock=False)
    return require_slot(candidate, refusals)


def check_each(proposal: Proposal, starts: Sequence[datetime], *, now: datetime) -> list[BookingRefused | None]:
    """Return what `book` would raise for the proposal at each of these starts, lasting as long, or None.

    The rows of the proposal are loaded once; then at most one statement for each start, with a payer three."""
    candidate, _, payer, refusals = _load_candidate(proposal, now, None, lock=False, each_day=True)
    length = candidate.ends_at - candidate.starts_at if candidate.starts_at and candidate.ends_at else None
    paid_by = proposal.clinic, payer.columns["payer"], candidate.doctor
    return [
        _refused(candidate, starts_at, length, refusals + paid_visit_refusals(*paid_by, starts_at))
        for starts_at in starts
    ]


def _refused(
    candidate: Candidate, starts_at: datetime, length: timedelta | None, refusals: list[Refusal]
) -> BookingRefused | None:
    ends_at = end_after(starts_at, length) if length else None
    try:
        require_slot(replace(candidate, starts_at=starts_at, ends_at=ends_at), refusals)
    except BookingRefused as refused:
        return refused
    return None


class _PatientMatch(NamedTuple):
    """The patient, if there is one yet; the details of one who was described; and why there cannot be one."""

    patient: Patient | None
    cleaned: CleanedDetails | None
    refusals: list[Refusal]


class _LoadedCandidate(NamedTuple):
    """A candidate, the details of a described patient, who pays, and what was wrong already in loading them."""

    candidate: Candidate
    cleaned: CleanedDetails | None
    payer: CleanedPayer
    refusals: list[Refusal]


def _book(proposal: Proposal, by: Author, now: datetime) -> "BookedAppointment":
    candidate, cleaned, payer, refusals = _load_candidate(proposal, now, by, lock=True)
    if proposal.encaixe_reason is not None and (
        not_permitted := permission_refusals(proposal.clinic, by, proposal.approved_by)
    ):
        candidate, refusals = replace(candidate, encaixe_reason=None), not_permitted + refusals
    slot = require_slot(candidate, refusals)
    appointment = Appointment(
        uuid=proposal.uuid or uuid4(),
        clinic=proposal.clinic,
        doctor=slot.doctor,
        doctor_name=slot.doctor.full_name,
        patient=create_or_complete(cleaned, slot.patient, proposal.clinic, by=by) if cleaned else slot.patient,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        status=proposal.status,
        status_since=now,
        source=proposal.source,
        notes=candidate.notes,
        metadata=proposal.metadata,
        **(unverified_details(cleaned, slot.patient, proposal.clinic) if cleaned else {}),
        **payer.columns,
        series_id=proposal.series,
        created_by=by.user,
        created_at=now,
        updated_at=now,
        **encaixe_values(slot, by, proposal.encaixe_reason, proposal.approved_by),
    )
    if payer.plan:
        keep_plan(appointment.patient, payer.plan, by=by)
    series = {"series": proposal.series} if proposal.series else {}
    after = snapshot_with_lines(appointment, candidate.lines) | series
    booked = event(appointment, AppointmentEvent.Kind.BOOKED, by, now, {}, after)
    sql.insert(appointment, candidate.lines, booked)
    with_lines = cast("BookedAppointment", appointment)
    with_lines.priced_lines = candidate.lines
    return with_lines


def snapshot_with_lines(appointment: Appointment, priced_lines: Sequence[PricedLine]) -> dict[str, Any]:
    """Return the snapshot, the payer unless it is private, and every line with its names and amounts as booked."""
    lines = [
        {
            "procedure": line.procedure.name,
            "price": str(line.price),
            "discounts": [{"name": discount.name, "value": str(amount)} for discount, amount in line.discounts],
        }
        for line in priced_lines
    ]
    payer = payer_snapshot(appointment) if appointment.payer else {}
    return snapshot(appointment) | payer | {"lines": lines}


def _load_candidate(
    proposal: Proposal, now: datetime, by: Author | None, *, lock: bool, each_day: bool = False
) -> _LoadedCandidate:
    """Load the rows of a proposal, the doctor's before the patient's; with `lock`, locked, and after them the payer's,
    if it pays for a number of visits a day. With `each_day` the payer is not asked about the day."""
    cleaned = _clean_details(proposal, now)
    rows = sql.load_rows(
        proposal.clinic,
        doctor=proposal.doctor,
        patient=proposal.patient,
        search=first_search(cleaned) if cleaned and not cleaned.refusals else None,
        procedures=[line.procedure for line in proposal.lines],
        discounts=_discount_ids(proposal),
        day=local_date(proposal.clinic, proposal.starts_at or now),
        payer=proposal.payer.payer,
        lock=lock,
    )
    match = _find_patient(proposal, cleaned, rows, lock=lock)
    candidate = Candidate(
        clinic=proposal.clinic,
        now=now,
        doctor=rows.doctor,
        patient=match.patient,
        procedures=rows.procedures,
        performed=rows.performed,
        starts_at=proposal.starts_at,
        ends_at=proposal.ends_at or _end_of_procedures(proposal.starts_at, rows.procedures),
        discounts=rows.discounts,
        notes=tidy_notes(proposal.notes),
        lines=_price_lines(proposal, rows, match.patient),
        shown_total=proposal.shown_total,
        encaixe_reason=proposal.encaixe_reason,
        is_approved=proposal.approved_by is not None,
        duration=_duration(rows.procedures) if proposal.in_full and proposal.clinic.requires_duration else None,
        discount_limit=None if proposal.is_repeated else discount_limit(by),
        with_notice=proposal.with_notice,
    )
    payer = clean_payer(proposal.clinic, proposal.payer)
    refusals = [
        *doctor_refusals(proposal.doctor, rows.doctor),
        *unstorable_metadata(proposal.metadata),
        *match.refusals,
        *payer.refusals,
        *paid_visit_refusals(
            proposal.clinic, payer.columns["payer"], rows.doctor, None if each_day else proposal.starts_at, lock=lock
        ),
    ]
    return _LoadedCandidate(candidate, match.cleaned, payer, refusals)


def _clean_details(proposal: Proposal, now: datetime) -> CleanedDetails | None:
    """Return the details by which a proposal describes its patient; None if it names one by id, or nobody."""
    if proposal.patient is not None or proposal.details is None:
        return None
    clinic = proposal.clinic
    return clean_details(proposal.details, clinic, today=clinic.local(now).date(), policy=proposal.policy)


def _find_patient(proposal: Proposal, cleaned: CleanedDetails | None, rows: LoadedRows, *, lock: bool) -> _PatientMatch:
    """Return the patient of a proposal: the loaded one if it names one by id, else the one its details describe."""
    if proposal.patient is not None:
        return _PatientMatch(rows.patient, None, [] if rows.patient else [Refusal(Reason.PATIENT_UNKNOWN)])
    if cleaned is not None:
        return _match_details(proposal, cleaned, rows, lock=lock)
    return _PatientMatch(None, None, [Refusal(Reason.PATIENT_MISSING)])


def _match_details(proposal: Proposal, cleaned: CleanedDetails, rows: LoadedRows, *, lock: bool) -> _PatientMatch:
    if cleaned.refusals:
        return _PatientMatch(None, cleaned, cleaned.refusals)
    try:
        patient = match_patient(
            cleaned, proposal.clinic, proposal.policy, lock=lock, besides=proposal.besides, found=rows.found
        )
    except Refused as refused:
        return _PatientMatch(None, cleaned, refused.refusals)
    return _PatientMatch(patient, cleaned, [])


def _discount_ids(proposal: Proposal) -> list[int]:
    """Return the discounts of the lines, then the one for the whole."""
    ids = [*(line.discount for line in proposal.lines), proposal.discount]
    return [pk for pk in ids if pk is not None]


def _end_of_procedures(starts_at: datetime | None, procedures: Sequence[Procedure | None]) -> datetime | None:
    duration = _duration(procedures)
    return end_after(starts_at, duration) if duration else None


def _duration(procedures: Sequence[Procedure | None]) -> timedelta:
    return timedelta(minutes=sum(procedure.duration_minutes for procedure in procedures if procedure))


def _price_lines(proposal: Proposal, rows: LoadedRows, patient: Patient | None) -> list[PricedLine]:
    """Return no lines as long as a procedure or a discount is unknown. One query where a return may be free."""
    procedures = [procedure for procedure in rows.procedures if procedure]
    discounts = {discount.pk: discount for discount in rows.discounts if discount}
    if len(procedures) < len(rows.procedures) or None in rows.discounts:
        return []
    chosen = [
        (procedure, discounts[line.discount] if line.discount is not None else None)
        for procedure, line in zip(procedures, proposal.lines, strict=True)
    ]
    whole = discounts[proposal.discount] if proposal.discount is not None else None
    paid = _paid_before(proposal, procedures, rows, patient) if proposal.as_return else None
    prices = [Decimal(0) if paid and paid.is_free(procedure) else rows.prices[procedure.pk] for procedure in procedures]
    return price_lines(chosen, whole, prices)


def _paid_before(
    proposal: Proposal, procedures: Sequence[Procedure], rows: LoadedRows, patient: Patient | None
) -> PaidBefore | None:
    return paid_before(
        proposal.clinic,
        procedures,
        patient=patient.pk if patient else None,
        doctor=rows.doctor.pk if rows.doctor else None,
        starts_at=proposal.starts_at,
        payer=proposal.payer.payer,
    )
