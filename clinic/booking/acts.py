"""The parts that the acts on an appointment share: locks in one order, refusals, writing.

Two things keep bookings apart. The doctor's row is locked first, then the patient's, always in this order; and
exclusion constraints have the last word. Measured with 32 clients on one doctor: the constraint alone is right but slow
to lose (31 to 62 deadlocks, 12 to 21 s for the slowest percent), with the lock before it there was no deadlock and 26
to 41 ms. The lock alone would depend on every future writer remembering it. FOR NO KEY UPDATE, so that rows which refer
to the doctor can still be inserted.
"""

from datetime import datetime
from typing import Any

from clinic.booking import sql
from clinic.booking.alternatives import BookingRefused
from clinic.booking.slots import Slot
from clinic.models import Appointment, Clinic, Doctor
from clinic.models.locks import get_locked
from clinic.refusals import Reason, Refusal


def refuse(refusals: list[Refusal], slot: Slot | None = None) -> None:
    """Raise BookingRefused if there are refusals; with `slot`, free times near it are offered."""
    if refusals:
        raise BookingRefused(refusals, slot)


def lock_appointment(clinic: Clinic, appointment_id: int, *other_doctors: Doctor | None) -> Appointment:
    """Return the appointment with its row locked; before it the doctors', in order of id, and the patient's.

    Raises Appointment.DoesNotExist, also for one that was deleted, and Refused (TRY_AGAIN) for one that a merge of
    patients, for which this waited, has given another patient.
    """
    kept = Appointment.objects.of(clinic).kept()
    doctor, patient = kept.values_list("doctor", "patient").get(pk=appointment_id)
    sql.lock_rows(clinic, {doctor} | {other.pk for other in other_doctors if other}, patient)
    related = kept.select_related("clinic", "doctor", "patient", "payer", "encaixe_approved_by").defer("patient__phone")
    appointment = get_locked(related.filter(pk=appointment_id), of=("self",))
    refuse([Refusal(Reason.TRY_AGAIN)] if appointment.patient_id != patient else [])
    return appointment


def write(appointment: Appointment, now: datetime, **values: Any) -> None:
    """Store these fields of a locked appointment, and the moment of the change."""
    for name, value in values.items():
        setattr(appointment, name, value)
    appointment.updated_at = now
    appointment.save(update_fields=[*values, "updated_at"])
