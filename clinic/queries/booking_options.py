"""The choices of the booking panel, besides the free times: reads only."""

from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from clinic.models import Appointment, AppointmentProcedure, Clinic, Discount, Doctor, Patient, Procedure
from clinic.models.appointment import Status
from clinic.models.procedure import performed_by

USUAL_DAYS, USUAL_AMONG = 60, 200  # the usual procedure is sought in so many days and latest appointments


def doctors(clinic: Clinic) -> QuerySet[Doctor]:
    """Return the active doctors."""
    return Doctor.objects.of(clinic).filter(active=True)


def procedures(clinic: Clinic, doctor_id: int | None, chosen: list[int]) -> QuerySet[Procedure]:
    """Return the active procedures that the doctor performs, or all without a doctor; and the `chosen` ids."""
    offered = Q(performed_by(doctor_id), active=True) if doctor_id else Q(active=True)
    return Procedure.objects.of(clinic).filter(offered | Q(pk__in=chosen))


def discounts(clinic: Clinic, day: date) -> QuerySet[Discount]:
    """Return the discounts that are valid on that local date."""
    return Discount.objects.of(clinic).valid_on(day)


def usual_procedure(clinic: Clinic, doctor_id: int) -> int | None:
    """Return the id of the procedure that the panel suggests.

    It is the one for which this doctor was booked most in the last weeks, or else the first that they perform.
    """
    since = timezone.now() - timedelta(days=USUAL_DAYS)
    latest = Appointment.objects.of(clinic).filter(doctor=doctor_id, starts_at__gte=since).order_by("-starts_at")
    lines = AppointmentProcedure.objects.of(clinic).filter(
        appointment__in=latest.values("pk")[:USUAL_AMONG],
        procedure__active=True,
        procedure__doctors=doctor_id,
    )
    most = lines.order_by().values("procedure").annotate(times=Count("pk")).order_by("-times", "procedure").first()
    if most:
        return most["procedure"]
    return procedures(clinic, doctor_id, []).values_list("pk", flat=True).first()


def patient(clinic: Clinic, patient_id: int) -> Patient | None:
    return Patient.objects.of(clinic).filter(pk=patient_id).first()


def last_visit(patient: Patient) -> Appointment | None:
    """Return the patient's last finished appointment."""
    visits = Appointment.objects.of(patient.clinic_id).kept().filter(patient=patient, status=Status.FINISHED)
    return visits.order_by("-starts_at", "-pk").first()
