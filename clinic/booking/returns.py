"""Free returns: a procedure that costs nothing for some days after a paid visit to the same doctor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from clinic.booking.slots import local_date
from clinic.models import Appointment, AppointmentProcedure, Clinic, Procedure
from clinic.models.appointment import Status


@dataclass(frozen=True)
class PaidBefore:
    """The last paid and finished visit to the doctor before another one, on `visited`; that one is on `day`. Both are
    local dates."""

    visited: date
    day: date

    def free_until(self, procedure: Procedure) -> date | None:
        """Return the last date on which the procedure costs nothing, None for one whose returns are paid."""
        return self.visited + timedelta(days=procedure.return_days) if procedure.return_days else None

    def is_free(self, procedure: Procedure) -> bool:
        until = self.free_until(procedure)
        return until is not None and self.day <= until


def paid_before(
    clinic: Clinic,
    procedures: Iterable[Procedure],
    *,
    patient: int | None,
    doctor: int | None,
    starts_at: datetime | None,
) -> PaidBefore | None:
    """Return the visit of which one that begins then is the return; None without any, and where none of the procedures
    has free returns.

    A visit that was free itself is none, or returns would follow returns for ever. At most one query.
    """
    if None in (patient, doctor) or starts_at is None or not any(procedure.return_days for procedure in procedures):
        return None
    paid = AppointmentProcedure.objects.of(clinic).filter(price__gt=0)
    visits = Appointment.objects.of(clinic).kept().filter(patient=patient, doctor=doctor, status=Status.FINISHED)
    last = visits.filter(starts_at__lt=starts_at, lines__in=paid).order_by("-starts_at", "-pk").first()
    return PaidBefore(local_date(clinic, last.starts_at), local_date(clinic, starts_at)) if last else None
