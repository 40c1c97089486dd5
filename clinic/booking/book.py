"""Booking: from a proposal to an appointment, or to every reason why not."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict
from uuid import uuid4

from django.utils import timezone

from clinic.booking import rules, sql
from clinic.booking.acts import refuse
from clinic.booking.alternatives import BookingRefused
from clinic.booking.audit import Author, event, snapshot
from clinic.booking.pricing import PricedLine, priced
from clinic.booking.rules import Case, Proposal, later
from clinic.models import Appointment, AppointmentEvent
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry.patient_details import Examined, examine, tidy_notes, unstorable_metadata
from clinic.registry.patients import find, store
from clinic.transactions import run_in_transaction

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class PricedLines(TypedDict):
    """What `book` adds to the appointment."""

    priced_lines: list[PricedLine]


def book(proposal: Proposal, *, by: Author, now: datetime | None = None) -> "WithAnnotations[Appointment, PricedLines]":
    """Write the appointment, its lines, discounts and event in one transaction; it comes back with `priced_lines`.

    Locks the doctor's row, then the patient's (FOR NO KEY UPDATE). Raises Refused with every broken rule and,
    when the time is at fault, the three nearest free ones. `now` is the moment to take for now; rows are dated by it.
    """
    now = now or timezone.now()
    return run_in_transaction(lambda: _book(proposal, by, now))


def check(proposal: Proposal, *, now: datetime | None = None) -> BookingRefused | None:
    """What `book` would raise, or None: the same rules, nothing locked, nothing written."""
    now = now or timezone.now()
    case, refusals, _ = _examined(proposal, now, lock=False)
    refusals += rules.broken(case)
    return BookingRefused(refusals, case) if refusals else None


def _book(proposal, by, now):
    case, refusals, examined = _examined(proposal, now, lock=True)
    refuse(refusals + rules.broken(case), case)
    appointment = Appointment(
        uuid=proposal.uuid or uuid4(),
        clinic=proposal.clinic,
        doctor=case.doctor,
        doctor_name=case.doctor.name,
        patient=store(examined, case.patient, proposal.clinic) if examined else case.patient,
        starts_at=case.starts_at,
        ends_at=case.ends_at,
        status=proposal.status,
        status_since=now,
        source=proposal.source,
        notes=case.notes,
        metadata=proposal.metadata,
        unverified_cpf=examined.unverified_cpf if examined else "",
        created_by=by.user,
        created_at=now,
        updated_at=now,
    )
    appointment.priced_lines = case.lines
    booked = event(appointment, AppointmentEvent.Kind.BOOKED, by, now, {}, _as_booked(appointment))
    sql.insert(appointment, appointment.priced_lines, booked)
    return appointment


def _as_booked(appointment):
    """What the event says of it: the snapshot, and every line with its names and its money as they were."""
    lines = [
        {
            "procedure": line.procedure.name,
            "price": str(line.price),
            "discounts": [{"name": discount.name, "value": str(value)} for discount, value in line.discounts],
        }
        for line in appointment.priced_lines
    ]
    return snapshot(appointment) | {"lines": lines}


def _examined(proposal, now, *, lock) -> tuple[Case, list[Refusal], Examined | None]:
    """The case with its rows loaded, doctor before patient, and what was wrong already in finding them."""
    found = sql.found(
        proposal.clinic,
        doctor=proposal.doctor,
        patient=proposal.patient,
        procedures=[line.procedure for line in proposal.lines],
        discounts=_wanted_discounts(proposal),
        lock=lock,
    )
    refusals = [*rules.doctor_refusals(proposal.doctor, found.doctor), *unstorable_metadata(proposal.metadata)]
    patient, examined = found.patient, None
    if proposal.patient is not None:
        refusals += [] if patient else [Refusal(Reason.PATIENT_UNKNOWN)]
    elif proposal.details is not None:
        patient, examined = _meant(proposal, now, refusals, lock=lock)
    else:
        refusals.append(Refusal(Reason.PATIENT_MISSING))
    case = Case(
        clinic=proposal.clinic,
        now=now,
        doctor=found.doctor,
        patient=patient,
        procedures=found.procedures,
        starts_at=proposal.starts_at,
        ends_at=proposal.ends_at or _end(proposal.starts_at, found.procedures),
        discounts=found.discounts,
        notes=tidy_notes(proposal.notes),
        lines=_lines(proposal, found),
        shown_total=proposal.shown_total,
    )
    return case, refusals, examined


def _meant(proposal, now, refusals, *, lock):
    today = proposal.clinic.local(now).date()
    examined = examine(proposal.details, proposal.clinic, today=today, policy=proposal.policy)
    refusals += examined.refusals
    if examined.refusals:
        return None, examined
    try:
        found = find(examined, proposal.clinic, proposal.policy, lock=lock, besides=proposal.besides)
        return found, examined
    except Refused as refused:
        refusals += refused.refusals
        return None, examined


def _wanted_discounts(proposal):
    """One for each line that has one, then the one for the whole."""
    wanted = [*(line.discount for line in proposal.lines), proposal.discount]
    return [discount for discount in wanted if discount is not None]


def _end(starts_at, procedures):
    known = [procedure.duration_minutes for procedure in procedures if procedure]
    return later(starts_at, timedelta(minutes=sum(known))) if known else None


def _lines(proposal, found):
    """None at all as long as a procedure or a discount is unknown."""
    if None in [*found.procedures, *found.discounts]:
        return []
    discounts = {discount.pk: discount for discount in found.discounts}
    chosen = [
        (procedure, discounts.get(line.discount))
        for procedure, line in zip(found.procedures, proposal.lines, strict=True)
    ]
    return priced(chosen, discounts.get(proposal.discount))
