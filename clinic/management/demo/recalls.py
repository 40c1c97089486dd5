"""Who is to be called for another visit in the demo."""

from datetime import datetime, timedelta

from clinic import booking
from clinic.booking import Author, RecallWish
from clinic.models import Appointment, Clinic
from clinic.queries.recalls import proposed_procedure

DUE_IN = (-9, -2, 0, 3, 12, 25)  # days from today
OLD = timedelta(days=10)


def remind_some(clinic: Clinic, by: Author, now: datetime) -> None:
    """Write recalls at visits that have been over for a while, of one patient each: overdue, due today, and coming."""
    today = clinic.local(now).date()
    for days, visit in zip(DUE_IN, _over(clinic, now).values(), strict=False):
        procedure = proposed_procedure(visit)
        if procedure is None:
            continue
        due_on, note = today + timedelta(days=days), "trazer os exames pedidos" if days == 0 else ""
        wish = RecallWish(due_on=due_on, procedure=procedure, doctor=visit.doctor_id, note=note)
        booking.write_recall(visit.pk, wish, clinic=clinic, by=by, now=visit.ends_at)


def _over(clinic: Clinic, now: datetime) -> dict[int, Appointment]:
    """Return a visit of each patient, by the patient's id, the oldest first."""
    over = Appointment.objects.of(clinic).filter(status=Appointment.Status.FINISHED, ends_at__lt=now - OLD)
    offered = over.filter(doctor__active=True, patient__died=False, lines__procedure__active=True)
    return {visit.patient_id: visit for visit in offered.order_by("starts_at", "pk")[: len(DUE_IN) * len(DUE_IN)]}
