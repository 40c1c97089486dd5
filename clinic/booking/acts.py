"""The parts that the acts on an appointment share: locks in one order, refusals, writing.

Two things keep bookings apart. The doctor's row is locked first, then the patient's, always in this order; and
exclusion constraints have the last word. Measured with 32 clients on one doctor: the constraint alone is right but slow
to lose (31 to 62 deadlocks, 12 to 21 s for the slowest percent), with the lock before it there was no deadlock and 26
to 41 ms. The lock alone would depend on every future writer remembering it. FOR NO KEY UPDATE, so that rows which refer
to the doctor can still be inserted.
"""

from datetime import datetime
from typing import Any

from clinic.booking import appointment_sql, sql
from clinic.booking.alternatives import BookingRefused
from clinic.booking.proposal import DoctorKey
from clinic.booking.slots import Slot
from clinic.models import Appointment, AppointmentEvent, Clinic
from clinic.refusals import Reason, Refusal, Refused


def refuse(refusals: list[Refusal], slot: Slot | None = None) -> None:
    """Raise BookingRefused if there are refusals; with `slot`, free times near it are offered."""
    if refusals:
        raise BookingRefused(refusals, slot)


def load(clinic: Clinic, appointment_id: int) -> Appointment:
    """Return the appointment with clinic, doctor and patient, whose phone is loaded when it is read. One statement.

    Raises Appointment.DoesNotExist, also for one that was deleted or whose patient is blocked."""
    appointment = appointment_sql.load(clinic, appointment_id)
    if appointment is None:
        raise Appointment.DoesNotExist
    return appointment


def lock_appointment(clinic: Clinic, appointment_id: int, other_doctor: DoctorKey | None = None) -> Appointment:
    """Return the appointment with its row locked; before it the doctors', in order of id, and the patient's.

    One statement, where none of them is held. Raises Appointment.DoesNotExist, also for one that was deleted
    or whose patient is blocked, and Refused (TRY_AGAIN) for one that a merge of patients, for which this waited, has
    given another patient.
    """
    if appointment := appointment_sql.load_locked(clinic, appointment_id, other_doctor):
        return appointment
    kept = Appointment.objects.of(clinic).in_use()
    doctor, patient = kept.values_list("doctor", "patient").get(pk=appointment_id)
    sql.lock_rows(clinic, {doctor, *sql.ids_of_doctor(clinic, other_doctor)}, patient)
    appointment_sql.wait_for(clinic, appointment_id)
    appointment = appointment_sql.load_locked(clinic, appointment_id, other_doctor)
    if appointment and appointment.patient_id == patient:
        return appointment
    if appointment is None and not kept.filter(pk=appointment_id).exists():
        raise Appointment.DoesNotExist
    raise Refused([Refusal(Reason.TRY_AGAIN)])


def write(appointment: Appointment, now: datetime, **values: Any) -> None:
    """Store these fields of a locked appointment, and the moment of the change."""
    for name, value in values.items():
        setattr(appointment, name, value)
    appointment.updated_at = now
    appointment.save(update_fields=[*values, "updated_at"])


def write_with_event(appointment: Appointment, event: AppointmentEvent, now: datetime, *names: str) -> None:
    """Store these fields of a locked appointment, the moment of the change and its event. One statement."""
    appointment.updated_at = now
    appointment_sql.update(appointment, [*names, "updated_at"], event)
    appointment.written_event = event
