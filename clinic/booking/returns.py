"""Free returns: a procedure that costs nothing for some days after a paid visit to the same doctor.

For how many, the procedure says; a payer that has days of its own says so instead, whichever is longer: they stand in
its contract. They are those of who would pay for the return. What has no free returns at all has none by a payer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Subquery

from clinic.booking.slots import local_date
from clinic.models import Appointment, AppointmentProcedure, Clinic, Payer, Procedure
from clinic.models.appointment import Status


@dataclass(frozen=True)
class PaidBefore:
    """The last paid and finished visit to the doctor before another one, on `visited`; that one is on `day`. Both are
    local dates. `payer_days` are the days of who would pay for it, None where those of the procedure hold."""

    visited: date
    day: date
    payer_days: int | None = None

    def free_until(self, procedure: Procedure) -> date | None:
        """Return the last date on which the procedure costs nothing, None for one whose returns are paid."""
        days = procedure.return_days if self.payer_days is None else procedure.return_days and self.payer_days
        return self.visited + timedelta(days=days) if days else None

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
    payer: int | None,
) -> PaidBefore | None:
    """Return the visit of which one that begins then, for which the payer with this id would pay, is the return; None
    without any, and where none of the procedures has free returns.

    A visit that was free itself is none, or returns would follow returns for ever. At most one query.
    """
    if None in (patient, doctor) or starts_at is None or not any(procedure.return_days for procedure in procedures):
        return None
    paid = AppointmentProcedure.objects.of(clinic).filter(price__gt=0)
    visits = Appointment.objects.of(clinic).kept().filter(patient=patient, doctor=doctor, status=Status.FINISHED)
    days = Payer.objects.of(clinic).filter(pk=payer or 0).order_by().values("return_days")
    before = visits.filter(starts_at__lt=starts_at, lines__in=paid).annotate(payer_days=Subquery(days))
    last = before.order_by("-starts_at", "-pk").values_list("starts_at", "payer_days").first()
    return PaidBefore(local_date(clinic, last[0]), local_date(clinic, starts_at), last[1]) if last else None
