"""The choices of the booking panel, besides the free times: reads only."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Q, QuerySet
from django.utils import timezone

from clinic.models import Appointment, Clinic, Discount, Doctor, Patient, Procedure, WorkingHours
from clinic.models.appointment import Status
from clinic.models.procedure import performed_by
from clinic.queries.performed_procedures import performed_procedures


def doctors(clinic: Clinic) -> QuerySet[Doctor]:
    """Return the active doctors."""
    return Doctor.objects.of(clinic).filter(active=True)


def works_on(doctor: Doctor, day: date) -> bool:
    """Return whether the doctor has working hours that begin on the weekday of this date."""
    return WorkingHours.objects.of(doctor.clinic_id).filter(doctor=doctor, weekday=day.isoweekday()).exists()


def split_by_performing(
    clinic: Clinic, doctors: Sequence[Doctor], appointment: Appointment
) -> tuple[list[Doctor], list[Doctor]]:
    """Return the doctors who perform every procedure of the appointment, and the others. Two queries."""
    needed = set(appointment.lines.values_list("procedure", flat=True))
    performed = performed_procedures(clinic, [doctor.pk for doctor in doctors], timezone.now())
    performing = {pk for pk, procedures in performed.items() if needed <= {procedure.id for procedure in procedures}}
    return (
        [doctor for doctor in doctors if doctor.pk in performing],
        [doctor for doctor in doctors if doctor.pk not in performing],
    )


def procedures(clinic: Clinic, doctor_id: int | None, chosen: list[int]) -> QuerySet[Procedure]:
    """Return the active procedures that the doctor performs, or all without a doctor; and the `chosen` ids."""
    offered = Q(performed_by(doctor_id), active=True) if doctor_id else Q(active=True)
    return Procedure.objects.of(clinic).filter(offered | Q(pk__in=chosen))


def discounts(clinic: Clinic, day: date) -> QuerySet[Discount]:
    """Return the discounts that are valid on that local date."""
    return Discount.objects.of(clinic).valid_on(day)


def usual_procedure(clinic: Clinic, doctor_id: int) -> int | None:
    """Return the id of the procedure that the panel begins with, None for a doctor who performs none."""
    performed = performed_procedures(clinic, [doctor_id], timezone.now()).get(doctor_id)
    return performed[0].id if performed else None


def patient(clinic: Clinic, patient_id: int) -> Patient | None:
    return Patient.objects.of(clinic).filter(pk=patient_id).first()


def last_visit(patient: Patient) -> Appointment | None:
    """Return the patient's last finished appointment."""
    visits = Appointment.objects.of(patient.clinic_id).kept().filter(patient=patient, status=Status.FINISHED)
    return visits.order_by("-starts_at", "-pk").first()
