"""What can be chosen in the booking panel, besides the free times: reads only."""

from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from clinic.models import Appointment, AppointmentProcedure, Clinic, Discount, Doctor, Patient, Procedure
from clinic.models.appointment import Status

USUAL_DAYS, USUAL_AMONG = 60, 200


def doctors(clinic: Clinic) -> QuerySet[Doctor]:
    return Doctor.objects.of(clinic).filter(active=True)


def procedures(clinic: Clinic, doctor_id: int | None, chosen: list[int]) -> QuerySet[Procedure]:
    """What the doctor performs (anything, as long as no doctor is chosen), and what is chosen already."""
    performs = Exists(Doctor.procedures.through.objects.filter(doctor=doctor_id, procedure=OuterRef("pk")))
    offered = Q(active=True) & Q(performs) if doctor_id else Q(active=True)
    return Procedure.objects.of(clinic).filter(offered | Q(pk__in=chosen))


def discounts(clinic: Clinic, day: date) -> QuerySet[Discount]:
    """Those still valid on that local date."""
    return Discount.objects.of(clinic).valid_on(day)


def usual_procedure(clinic: Clinic, doctor_id: int) -> int | None:
    """The id of what this doctor was booked for most in the last weeks, among the latest USUAL_AMONG appointments: the
    panel begins with it."""
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
    """The patient with `last_visit`, an appointment or None."""
    found = Patient.objects.of(clinic).filter(pk=patient_id).first()
    if found:
        visits = Appointment.objects.of(clinic).kept().filter(patient=found, status=Status.FINISHED)
        found.last_visit = visits.order_by("-starts_at", "-pk").first()
    return found
