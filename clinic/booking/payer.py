"""Who pays for an appointment: as it is booked, and changed later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from clinic.booking.acts import lock_appointment, refuse, write
from clinic.booking.audit import payer_snapshot, record
from clinic.booking.paid_visits import paid_visit_refusals
from clinic.booking.proposal import PayerWish
from clinic.booking.rules.payers import authorization_violations
from clinic.models import Appointment, AppointmentEvent, Clinic, Patient, Payer
from clinic.models.limits import max_length
from clinic.refusals import Reason, Refusal
from clinic.registry import Author, Plan, accepted_plan, clean_plan, keep_plan, payer_refusals
from clinic.registry.patient_details import clean_label
from clinic.transactions import run_in_transaction

MAX_AUTHORIZATION_LENGTH = max_length(Appointment, "authorization_number")


@dataclass(frozen=True)
class CleanedPayer:
    """The three columns of an appointment, the plan to keep on the patient, None for none, and every broken rule."""

    columns: dict[str, Any]
    plan: Plan | None
    refusals: list[Refusal]


def clean_payer(clinic: Clinic, wish: PayerWish, stored: int | None = None) -> CleanedPayer:
    """Return what a wish stores; `stored` is the id of the payer that the appointment has. At most two queries."""
    if wish.payer is None:
        return CleanedPayer({"payer": None, "authorization_number": "", "authorization_password": ""}, None, [])
    refusals = payer_refusals(clinic, wish.payer, stored)
    columns: dict[str, Any] = {
        name: clean_label(getattr(wish, name), name, refusals, MAX_AUTHORIZATION_LENGTH)
        for name in ("authorization_number", "authorization_password")
    }
    columns["payer"] = payer = Payer.objects.of(clinic).filter(pk=wish.payer).first()
    if payer and payer.pk != stored:
        refusals += authorization_violations(payer, columns["authorization_number"])
    plan = clean_plan(wish.payer, wish.plan.card_number, wish.plan.card_expires_on, refusals) if wish.plan else None
    return CleanedPayer(columns, plan, refusals)


def filled_in_payer(clinic: Clinic, patient: Patient, starts_at: datetime | None) -> PayerWish | None:
    """Return the payer that the panel fills in; None if a person has to say who pays, since the patient's own is
    accepted no more, or the card is not valid on the day, or it requires a guia. One query, two with a payer."""
    payer = accepted_plan(clinic, patient.pk).payer_id
    if payer is not None and Payer.objects.of(clinic).filter(pk=payer, requires_authorization=True).exists():
        return None
    day = clinic.local(starts_at).date() if starts_at else None
    is_expired = payer is not None and day is not None and patient.has_expired_card(day)
    return None if payer != patient.payer_id or is_expired else PayerWish(payer)


def change_payer(
    appointment_id: int,
    *,
    clinic: Clinic,
    wish: PayerWish,
    seen: str | None = None,
    by: Author,
    now: datetime | None = None,
) -> Appointment:
    """Give an appointment of any status this payer, guia and password, and keep the card on the patient.

    What it already has writes nothing. `seen` is the `payment` that the author began from: with it, a payer that was
    changed since is left as it is (CHANGED_MEANWHILE).

    Locks the doctor's row, the patient's, then the appointment's; of another payer that pays for a number of visits a
    day, its row too. Raises Refused, Appointment.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> Appointment:
        appointment = lock_appointment(clinic, appointment_id)
        cleaned = clean_payer(clinic, wish, appointment.payer_id)
        refuse(cleaned.refusals + _visit_refusals(appointment, cleaned, now))
        if cleaned.plan:
            keep_plan(appointment.patient, cleaned.plan, by=by)
        if all(getattr(appointment, name) == value for name, value in cleaned.columns.items()):
            return appointment
        if seen not in (None, payment(appointment)):
            refuse([Refusal(Reason.CHANGED_MEANWHILE)])
        return store_payer(appointment, cleaned.columns, by, now)

    return run_in_transaction(work)


def _visit_refusals(appointment: Appointment, cleaned: CleanedPayer, now: datetime) -> list[Refusal]:
    """Return why another payer does not pay for the visit; of one that is over a person may still say who paid."""
    payer, clinic = cleaned.columns["payer"], appointment.clinic
    is_over = clinic.local(appointment.starts_at).date() < clinic.local(now).date()
    if payer is None or payer.pk == appointment.payer_id or is_over:
        return []
    place = appointment.doctor, appointment.starts_at
    return paid_visit_refusals(clinic, payer, *place, besides=appointment.pk, lock=True)


def store_payer(
    appointment: Appointment, columns: dict[str, Any], by: Author, now: datetime, **remarks: Any
) -> Appointment:
    """Write these columns of a locked appointment, and their event."""
    before = payer_snapshot(appointment)
    write(appointment, now, **columns)
    record(appointment, AppointmentEvent.Kind.PAYER, by, now, before, payer_snapshot(appointment) | remarks)
    return appointment


def payment(appointment: Appointment) -> str:
    """Return payer and guia of an appointment as one text, only to be compared."""
    return f"{appointment.payer_id}|{appointment.authorization_number}|{appointment.authorization_password}"
