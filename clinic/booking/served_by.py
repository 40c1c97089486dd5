"""Beginning a visit with another doctor than the one it was booked with."""

from dataclasses import replace

from django.utils import timezone

from clinic.booking import sql
from clinic.booking.acts import lock_appointment, refuse
from clinic.booking.audit import encaixe_snapshot
from clinic.booking.encaixe import stored_encaixe
from clinic.booking.examine import retake_violations
from clinic.booking.proposal import DoctorKey
from clinic.booking.reschedule import move
from clinic.booking.rules.procedures import doctor_refusals, not_performed
from clinic.booking.slots import present_slot
from clinic.booking.status import set_status, transition_refusals
from clinic.models import Appointment, Clinic
from clinic.models.appointment import Status
from clinic.refusals import Refused
from clinic.registry import Author
from clinic.transactions import run_in_transaction


def serve_by(appointment_id: int, doctor: DoctorKey, *, clinic: Clinic, by: Author) -> Appointment:
    """Make the appointment this doctor's, at the same time, and Em atendimento; both events, or neither.

    The doctor performs every procedure, and the time is open and free for them; it may have begun. Locks both doctors'
    rows, the patient's, then the appointment's. Raises Refused, Appointment.DoesNotExist.
    """
    now = timezone.now()

    def work() -> Appointment:
        appointment = lock_appointment(clinic, appointment_id, doctor)
        rows = sql.load_rows_of(appointment, doctor)
        other = rows.doctor
        if other is None:
            raise Refused(doctor_refusals(doctor, other))
        slot = replace(present_slot(appointment, now), doctor=other)
        refusals = list(not_performed(other, rows.procedures, rows.performed))
        refusals += retake_violations(slot)
        encaixe = stored_encaixe(clinic, encaixe_snapshot(appointment))
        appointment.doctor, booked_with = other, appointment.doctor
        refusals += transition_refusals(appointment, Status.IN_SERVICE, now)
        appointment.doctor = booked_with
        refuse(refusals, slot)
        move(appointment, other, slot.starts_at, slot.ends_at, appointment.status, by, now, encaixe=encaixe)
        return set_status(appointment, Status.IN_SERVICE, by, now, cancelled_by="", cancel_reason="")

    return run_in_transaction(work)
